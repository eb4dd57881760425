USE gm_incremental;
INSERT INTO signals VALUES ('log-1', 'log', '{"message": "hello {}"}');
INSERT INTO signals VALUES ('first', 'execute-snapshot', '{"type": "incremental", "data-collections": ["gm_incremental.t_int", "gm_incremental.t_[tpub].*", "gm_incremental.t_number"]}');
SELECT SLEEP(6);
INSERT INTO signals VALUES ('second', 'execute-snapshot', '{"data-collections": ["gm_incremental.nothing", "gm_incremental.keyless", "gm_incremental.missing", "gm_incremental.t_int"], "additional-conditions": [{"data-collection": "gm_incremental.t_int", "filter": "id <> 2 OR id = 3"}]}');
SELECT SLEEP(4);
INSERT INTO signals VALUES ('third', 'execute-snapshot', '{"data-collections": ["gm_incremental.t_text"], "surrogate-key": "v"}');
SELECT SLEEP(3);
INSERT INTO t_int VALUES (4, 'four');
