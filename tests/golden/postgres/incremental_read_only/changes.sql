INSERT INTO gi.signals VALUES ('r-1', 'execute-snapshot', '{"data-collections": ["gi.t_one", "gi.t_two"]}');
SELECT pg_sleep(5);
INSERT INTO gi.t_one VALUES (5, 'five');
SELECT pg_sleep(4);
