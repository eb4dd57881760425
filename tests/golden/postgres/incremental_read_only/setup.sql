CREATE SCHEMA gi;
CREATE TABLE gi.signals (id VARCHAR(42) PRIMARY KEY, type VARCHAR(32) NOT NULL, data VARCHAR(2048));
CREATE TABLE gi.t_one (id INT PRIMARY KEY, v VARCHAR(20));
CREATE TABLE gi.t_two (id INT PRIMARY KEY, v VARCHAR(20));
CREATE TABLE gi.t_three (id INT PRIMARY KEY, v VARCHAR(20));
INSERT INTO gi.t_one VALUES (1, 'one'), (2, 'two'), (3, 'three'), (4, 'four');
INSERT INTO gi.t_two VALUES (1, 'one'), (2, 'two'), (3, 'three');
