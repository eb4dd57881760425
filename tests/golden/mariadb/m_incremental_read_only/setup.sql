CREATE DATABASE gm_m_incremental_read_only;
USE gm_m_incremental_read_only;
CREATE TABLE signals (id VARCHAR(42) PRIMARY KEY, type VARCHAR(32) NOT NULL, data VARCHAR(2048));
CREATE TABLE t_one (id INT PRIMARY KEY, v VARCHAR(20));
CREATE TABLE t_two (k VARCHAR(9), n INT, v TIMESTAMP(3) NULL, PRIMARY KEY (k, n));
INSERT INTO t_one VALUES (1, 'one'), (2, 'two'), (3, 'three'), (4, 'four');
INSERT INTO t_two VALUES ('a', 1, '2020-01-01'), ('a', 2, NULL), ('b', 1, NULL);
