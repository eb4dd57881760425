INSERT INTO gi.signals VALUES ('log-1', 'log', '{"message": "hello {}"}');
INSERT INTO gi.signals VALUES ('first', 'execute-snapshot', '{"type": "incremental", "data-collections": ["gi.t_int", "gi.t_[tpu].*", "gi.t_number"]}');
SELECT pg_sleep(7);
INSERT INTO gi.signals VALUES ('second', 'execute-snapshot', '{"data-collections": ["gi.nothing", "gi.keyless", "gi.missing", "gi.t_int"], "additional-conditions": [{"data-collection": "gi.t_int", "filter": "id <> 2 OR id = 3"}]}');
SELECT pg_sleep(4);
INSERT INTO gi.signals VALUES ('third', 'execute-snapshot', '{"data-collections": ["gi.t_text"], "surrogate-key": "v"}');
SELECT pg_sleep(3);
INSERT INTO gi.t_int VALUES (4, 'four');
