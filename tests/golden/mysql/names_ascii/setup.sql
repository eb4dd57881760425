CREATE DATABASE `gnb_m`;
CREATE TABLE `gnb_m`.`we ird-1` (`1st` INT, `sp ace` INT, `dot.dot` INT, `dash-x` INT, `ümlaut` INT, `$d` INT, `_u` INT, `名` INT, `Ωx` INT, `a_b` INT, PRIMARY KEY (`1st`, `dash-x`));
CREATE TABLE `gnb_m`.`2tab` (id INT PRIMARY KEY, `Ab` ENUM('x'));
INSERT INTO `gnb_m`.`we ird-1` VALUES (1,2,3,4,5,6,7,8,9,10);
INSERT INTO `gnb_m`.`2tab` VALUES (1,'x');
