INSERT INTO shard_1.t VALUES (2,'a');
INSERT INTO shard_2.t VALUES (2,'b');
UPDATE shard_1.t SET id = 3 WHERE id = 2;
DELETE FROM shard_2.t WHERE id = 1;
INSERT INTO other VALUES (2);
