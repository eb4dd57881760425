USE gm_incremental_delete;
INSERT INTO signals VALUES ('d-1', 'execute-snapshot', '{"data-collections": ["gm_incremental_delete.t_one", "gm_incremental_delete.t_two", "gm_incremental_delete.t_three"]}'), ('d-2', 'pause-snapshot', NULL);
SELECT SLEEP(3);
INSERT INTO t_one VALUES (5, 'five');
INSERT INTO signals VALUES ('d-3', 'resume-snapshot', '{}'), ('d-4', 'stop-snapshot', '{"type": "incremental", "data-collections": ["gm_incremental_delete.t_two"]}');
SELECT SLEEP(4);
INSERT INTO signals VALUES ('d-5', 'execute-snapshot', '{"data-collections": ["gm_incremental_delete.t_one", "gm_incremental_delete.t_two"]}'), ('d-6', 'stop-snapshot', '{}'), ('d-7', 'unknown', '{}');
SELECT SLEEP(3);
DELETE FROM t_one WHERE id = 1;
