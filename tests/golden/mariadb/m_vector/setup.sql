CREATE DATABASE gmvec;
CREATE TABLE gmvec.v (id INT PRIMARY KEY, v VECTOR(3), w VECTOR(2) NOT NULL);
INSERT INTO gmvec.v VALUES (1, VEC_FromText('[1,2.5,-3]'), VEC_FromText('[0,1]'));
