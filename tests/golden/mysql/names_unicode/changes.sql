INSERT INTO `gnc_m`.`we ird-1` VALUES (2,2,3,4,5,6,7,8,9,10);
INSERT INTO `gnc_m`.`2tab` VALUES (2,'x');
UPDATE `gnc_m`.`we ird-1` SET `dash-x`=44 WHERE `1st`=1;
ALTER TABLE `gnc_m`.`2tab` ADD COLUMN `né-w` INT;
INSERT INTO `gnc_m`.`2tab` VALUES (5,'x',1);
DELETE FROM `gnc_m`.`2tab` WHERE id=1;
