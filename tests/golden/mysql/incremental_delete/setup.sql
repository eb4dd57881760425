CREATE DATABASE gm_incremental_delete;
USE gm_incremental_delete;
CREATE TABLE signals (id VARCHAR(42) PRIMARY KEY, type VARCHAR(32) NOT NULL, data VARCHAR(2048));
CREATE TABLE t_one (id INT PRIMARY KEY, v VARCHAR(20));
CREATE TABLE t_two (id INT PRIMARY KEY, v VARCHAR(20));
CREATE TABLE t_three (id INT PRIMARY KEY, v VARCHAR(20));
INSERT INTO t_one VALUES (1, 'one'), (2, 'two'), (3, 'three'), (4, 'four');
INSERT INTO t_two VALUES (1, 'one'), (2, 'two'), (3, 'three');
