USE gm_m_incremental_read_only;
INSERT INTO signals VALUES ('r-1', 'execute-snapshot', '{"data-collections": ["gm_m_incremental_read_only.t_one", "gm_m_incremental_read_only.t_two"]}');
SELECT SLEEP(6);
INSERT INTO t_one VALUES (5, 'five');
SELECT SLEEP(3);
