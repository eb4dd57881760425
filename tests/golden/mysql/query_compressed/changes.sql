USE gqry;
SET SESSION binlog_rows_query_log_events=ON;
INSERT INTO a VALUES (2,2,'é 😀','d','e','[]',2),(3,3,'c','d','e','[]',3);
UPDATE /* comment */ a
  SET b=5 WHERE id IN (1,2);
DELETE FROM a WHERE id=3;
SET SESSION binlog_transaction_compression=ON;
START TRANSACTION;
INSERT INTO a VALUES (4,4,REPEAT('x',10),REPEAT('text ',200),REPEAT('b',100),'{"k":[1,2,3]}',4);
UPDATE a SET d=REPEAT('u ',50) WHERE id=4;
INSERT INTO nopk VALUES (2,'y'),(NULL,NULL);
COMMIT;
SET SESSION binlog_rows_query_log_events=OFF;
UPDATE nopk SET b='z';
DELETE FROM nopk;
CREATE TABLE late (id INT PRIMARY KEY);
INSERT INTO late VALUES (1);
SET SESSION binlog_transaction_compression=OFF;
INSERT INTO late VALUES (2);
