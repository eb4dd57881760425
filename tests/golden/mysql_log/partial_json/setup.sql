CREATE DATABASE shop;
USE shop;
CREATE TABLE docs (id INT PRIMARY KEY, doc JSON);
INSERT INTO docs VALUES (1,'{"a":[1,true],"b":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}');
SET binlog_row_value_options='PARTIAL_JSON';
UPDATE docs SET doc=JSON_SET(doc,'$.b','y') WHERE id=1;
SET binlog_row_value_options='';
FLUSH BINARY LOGS;
