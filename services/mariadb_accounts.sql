-- Accounts of the tests: app may do all, cdc what change data capture needs and no more.
SET sql_log_bin=0;
CREATE OR REPLACE USER 'root'@'127.0.0.1' IDENTIFIED BY 'rootpw';
GRANT ALL ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION;
CREATE USER IF NOT EXISTS 'app'@'%' IDENTIFIED BY 'apppw';
GRANT ALL ON *.* TO 'app'@'%' WITH GRANT OPTION;
CREATE USER IF NOT EXISTS 'cdc'@'%' IDENTIFIED BY 'cdcpw';
GRANT SELECT, RELOAD, SHOW DATABASES, REPLICATION SLAVE, BINLOG MONITOR, SLAVE MONITOR, LOCK TABLES ON *.* TO 'cdc'@'%';
DELETE FROM mysql.global_priv WHERE User = '';
FLUSH PRIVILEGES;
