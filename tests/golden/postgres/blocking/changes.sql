INSERT INTO gi.t_one VALUES (5, 'five');
INSERT INTO gi.signals VALUES ('b-1', 'execute-snapshot', '{"type": "blocking", "data-collections": ["gi.t_.*"], "additional-conditions": [{"data-collection": "gi.t_two", "filter": "SELECT * FROM gi.t_two WHERE id > 1"}]}');
SELECT pg_sleep(6);
INSERT INTO gi.t_one VALUES (6, 'six');
INSERT INTO gi.signals VALUES ('b-2', 'execute-snapshot', '{"type": "BLOCKING", "data-collections": ["gi.t_three"]}');
SELECT pg_sleep(5);
UPDATE gi.t_two SET v = 'zwei' WHERE id = 2;
