INSERT INTO gi.signals VALUES ('m1', 'execute-snapshot', '{"data-collections": ["gi.t_pair"]}');
SELECT pg_sleep(4);
INSERT INTO gi.signals VALUES ('m2', 'execute-snapshot', '{"data-collections": ["gi.u_enum"]}');
SELECT pg_sleep(4);
INSERT INTO gi.t_int VALUES (4, 'four');
