SET SESSION sql_mode='';
INSERT INTO gmtypes.n VALUES (3,127,0,0,32767,0,8388607,16777215,-1,0,9223372036854775807,0,-3.4e38,-1.001,1e-300,0.000001,-1,1,b'0',b'000000001',2155),(4,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO gmtypes.s VALUES ('aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee','xyz','ÿ','日本','Š','日','','','','','z','abcdef','','','[1, 2,  {"k" : "v"}]',NULL,'ñ');
INSERT INTO gmtypes.s (id,st) VALUES ('aaaaaaaa-bbbb-4ccc-8ddd-000000000001','y');
UPDATE gmtypes.s SET u=id, j=JSON_SET('{"a":1}','$.b',2) WHERE c='xyz';
UPDATE gmtypes.n SET id=30 WHERE id=3;
DELETE FROM gmtypes.s WHERE c='abc';
