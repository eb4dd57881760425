USE gtx2
--;;
SET SESSION foreign_key_checks=0
--;;
/* leading */ ALTER TABLE a -- to the end
  ADD COLUMN b1 INT /* in the middle */ DEFAULT 1 # hash
  , ADD c1 VARCHAR(9) DEFAULT 'x -- y' COMMENT '/* no */';
--;;
INSERT INTO a VALUES (2,2,'x')
--;;
alter
table
	`a`	add	d1	int	not	null	default	5
--;;
ALTER TABLE gtx2.`a` ADD e1 int(5) unsigned zerofill, ADD (f1 INT), ADD COLUMN (g1 INT, h1 VARCHAR(3) NULL)
--;;
INSERT INTO a (id) VALUES (3)
--;;
ALTER TABLE b ADD x INT, ALGORITHM=INSTANT
--;;
CREATE TABLE c (id integer(10) primary key, `key` varchar(10) default null, u int unsigned default '7', n numeric(6,2) default -1.50, dp double precision, ch char, bl bool default false, si smallint(3), t time(0), cm int comment "dq 'x'") comment "it's" engine innodb auto_increment 5 default charset latin1 row_format=dynamic stats_persistent=0 max_rows=100
--;;
INSERT INTO c (id) VALUES (1)
--;;
create table if not exists `gtx2`.`d` (`id` bigint(20) unsigned not null auto_increment, `a` tinyint(1) not null default '0', `b` datetime default current_timestamp on update current_timestamp(), `c` decimal(10,0) not null, index `ix` using btree (`a`) comment 'i', primary key (`id`), constraint `fk` foreign key (`id`) references `other` (`id`) match simple on delete cascade on update no action, fulltext key `ft` (`e`), `e` text collate utf8mb4_bin, check (`a` in (0,1)))
--;;
INSERT INTO d (a, b, c) VALUES (1,'2020-01-01',2)
--;;
SET SESSION sql_mode='NO_BACKSLASH_ESCAPES'
--;;
SET SESSION sql_mode=''
--;;
ALTER TABLE d MODIFY COLUMN a INT(11) NULL DEFAULT NULL COMMENT '' AFTER e, CHANGE c C2 DECIMAL(10,0) SIGNED, DROP CHECK d_chk_1, RENAME INDEX ix TO ix2, ADD FULLTEXT ft2 (e), AUTO_INCREMENT = 100, ENGINE = InnoDB
--;;
INSERT INTO d (a, b, C2) VALUES (NULL,'2020-01-01',2)
--;;
ALTER TABLE d ALTER a SET DEFAULT 3, ALTER COLUMN C2 SET DEFAULT -4, ALTER b DROP DEFAULT, ORDER BY a
--;;
INSERT INTO d (id, b) VALUES (200,'2020-01-01')
--;;
ALTER TABLE d DISABLE KEYS
--;;
ALTER TABLE d ENABLE KEYS
--;;
ALTER TABLE d STATS_PERSISTENT=1, ENCRYPTION='N', COMMENT 'é'
--;;
CREATE USER IF NOT EXISTS 'gtx'@'%' IDENTIFIED BY 'a;b'
--;;
GRANT SELECT ON gtx2.* TO 'gtx'@'%'
--;;
DROP USER 'gtx'@'%'
--;;
CREATE PROCEDURE p1(IN x INT) BEGIN DECLARE y INT; INSERT INTO a (id) VALUES (x); UPDATE a SET b1 = x; END
--;;
CALL p1(50)
--;;
CREATE FUNCTION f1() RETURNS INT DETERMINISTIC RETURN 1
--;;
CREATE EVENT ev ON SCHEDULE EVERY 1 YEAR DO DELETE FROM a WHERE id = -1
--;;
DROP EVENT ev
--;;
DROP FUNCTION IF EXISTS f1
--;;
CREATE TABLE e AS SELECT id, b1 FROM a WHERE id < 3
--;;
CREATE TABLE f (PRIMARY KEY (id)) AS (SELECT id FROM a)
--;;
INSERT INTO f VALUES (999)
--;;
CREATE TABLE IF NOT EXISTS f (id VARCHAR(10), other INT)
--;;
INSERT INTO f VALUES (1000)
--;;
REPAIR TABLE a
--;;
FLUSH TABLES
--;;
DROP TABLE IF EXISTS `e`, f RESTRICT
--;;
RENAME TABLE c TO `c 2`
--;;
INSERT INTO `c 2` (id) VALUES (2)
--;;
DROP SCHEMA IF EXISTS nothere
--;;
CREATE SCHEMA gtx2_other
--;;
DROP SCHEMA gtx2_other
