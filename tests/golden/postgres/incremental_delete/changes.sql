INSERT INTO gi.signals VALUES ('d-1', 'execute-snapshot', '{"data-collections": ["gi.t_one", "gi.t_two", "gi.t_three"]}'), ('d-2', 'pause-snapshot', NULL);
SELECT pg_sleep(3);
INSERT INTO gi.t_one VALUES (5, 'five');
INSERT INTO gi.signals VALUES ('d-3', 'resume-snapshot', '{}'), ('d-4', 'stop-snapshot', '{"type": "incremental", "data-collections": ["gi.t_two"]}');
SELECT pg_sleep(4);
INSERT INTO gi.signals VALUES ('d-5', 'execute-snapshot', '{"data-collections": ["gi.t_one", "gi.t_two"]}'), ('d-6', 'stop-snapshot', '{}'), ('d-7', 'unknown', '{}');
SELECT pg_sleep(3);
DELETE FROM gi.t_one WHERE id = 1;
