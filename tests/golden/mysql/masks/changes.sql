USE gmask;
INSERT INTO a VALUES (3,'top','text','abc','a','x,y',5,'2024-01-01','{"a":1}','blob',X'0102',1.25,'123456789',2020,
 'zz',1, 'hash me','short','hash text',1,'b','blob',1.5,'char','{"k":2}',
 'Ünïcödé','very long','2024-01-01 00:00:00','md','three',
 'truncated','1234','text too long',123456789,'blobblob',X'0102030405060708',X'01','{"key":"value"}',12345678.90,'beta','xxxxxx,y','2024-05-06 07:08:09.123456',b'101010101010','gone');
INSERT INTO a (id, h1_vc, h1_sh) VALUES (4, '', 'x');
UPDATE a SET m_vc='other', h1_vc='nul', h1_tx=REPEAT('x', 70000), t_tx='日本語テキスト' WHERE id=1;
UPDATE a SET m_vc=NULL OR 'w' WHERE id=99;
DELETE FROM a WHERE id=3;
INSERT INTO k VALUES ('c3','eve',3);
UPDATE k SET who='mallory' WHERE code='c1';
UPDATE k SET v=9;
DELETE FROM k WHERE code='c2';
INSERT INTO k2 VALUES ('c3','eve',3);
UPDATE k2 SET who='mallory' WHERE code='c1';
DELETE FROM k2;
UPDATE p SET b='ijklmnop', h1='x';
ALTER TABLE k ADD COLUMN extra VARCHAR(5);
INSERT INTO k VALUES ('c4','zoe',3,'e');
