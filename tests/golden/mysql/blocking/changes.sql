USE gm_blocking;
INSERT INTO t_one VALUES (5, 'five');
INSERT INTO signals VALUES ('b-1', 'execute-snapshot', '{"type": "blocking", "data-collections": ["gm_blocking.t_.*"], "additional-conditions": [{"data-collection": "gm_blocking.t_two", "filter": "SELECT * FROM gm_blocking.t_two WHERE id > 1"}]}');
SELECT SLEEP(6);
INSERT INTO t_one VALUES (6, 'six');
INSERT INTO signals VALUES ('b-2', 'execute-snapshot', '{"type": "BLOCKING", "data-collections": ["gm_blocking.t_three"]}');
SELECT SLEEP(5);
UPDATE t_two SET v = 'zwei' WHERE id = 2;
