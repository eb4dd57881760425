CREATE DATABASE gmask;
USE gmask;
CREATE TABLE a (id INT PRIMARY KEY,
 m_vc VARCHAR(20) NOT NULL DEFAULT 'secret', m_tx TEXT, m_ch CHAR(3), m_en ENUM('a','b'), m_se SET('x','y'), m_in INT, m_da DATE, m_js JSON, m_bl BLOB, m_vb VARBINARY(8), m_de DECIMAL(5,2), m_t VARCHAR(50), m_yr YEAR,
 z_vc VARCHAR(20), z_in INT,
 h1_vc VARCHAR(64), h1_sh VARCHAR(7), h1_tx MEDIUMTEXT, h1_in INT, h1_en ENUM('a','b'), h1_bl BLOB, h1_de DECIMAL(9,1), h1_ch CHAR(10) NOT NULL DEFAULT 'dflt', h1_js JSON,
 h2_vc VARCHAR(64), h2_tx LONGTEXT, h2_ti TIMESTAMP NULL, h5_vc VARCHAR(100), h3_vc VARCHAR(200),
 t_vc VARCHAR(20) DEFAULT 'long default', t_sh VARCHAR(4), t_tx TEXT, t_in BIGINT, t_bl BLOB, t_vb VARBINARY(9), t_bi BINARY(6), t_js JSON, t_de DECIMAL(10,2), t_en ENUM('alpha','beta'), t_se SET('xxxxxx','y'), t_dt DATETIME(6), t_bt BIT(12),
 y_vc VARCHAR(9));
CREATE TABLE k (code VARCHAR(10), who VARCHAR(30), v INT, PRIMARY KEY (who, code));
CREATE TABLE k2 (code VARCHAR(10), who VARCHAR(30), v INT);
CREATE TABLE p (id INT PRIMARY KEY, b VARCHAR(10), h1 VARCHAR(10));
INSERT INTO a VALUES (1,'top','text','abc','a','x,y',5,'2024-01-01','{"a":1}','blob',X'0102',1.25,'123456789',2020,
 'zz',1, 'hash me','short','hash text',1,'b','blob',1.5,'char','{"k":2}',
 'Ünïcödé','very long','2024-01-01 00:00:00','md','three',
 'truncated','1234','text too long',123456789,'blobblob',X'0102030405060708',X'01','{"key":"value"}',12345678.90,'beta','xxxxxx,y','2024-05-06 07:08:09.123456',b'101010101010','gone');
INSERT INTO a (id, h1_vc, h1_sh) VALUES (2, '', 'x');
INSERT INTO k VALUES ('c1','ann',1),('c2','bob',2);
INSERT INTO k2 VALUES ('c1','ann',1),(NULL,'bob',2);
INSERT INTO p VALUES (1,'abcdefgh','hash?');
