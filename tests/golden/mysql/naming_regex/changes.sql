USE gname;
INSERT INTO shard_1 VALUES (2,2);
UPDATE shard_2 SET id=7;
DELETE FROM shard_1 WHERE id=1;
INSERT INTO shard_3 VALUES (6);
UPDATE shard_3 SET x=8 WHERE x=6;
DELETE FROM shard_3;
UPDATE `we ird-täble$` SET id=2;
INSERT INTO shard_x VALUES (4);
