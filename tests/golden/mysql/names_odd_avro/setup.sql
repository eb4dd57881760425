CREATE DATABASE `g-odd.av`;
USE `g-odd.av`;
CREATE TABLE `no key` (`x.y` INT, `b` INT, `ö` JSON, `1a` ENUM('é','-'), `a b` POINT);
CREATE TABLE `Ab-cd.é` (`i-d` INT PRIMARY KEY, `d-e` DECIMAL(5,2), `t-s` TIMESTAMP NULL, `b-i` BIT(9), `n_n` YEAR);
INSERT INTO `no key` VALUES (1,2,'{"ö":1}','é',POINT(1,2));
INSERT INTO `Ab-cd.é` VALUES (1,1.5,'2020-01-01 00:00:00',b'101',2020);
