CREATE TYPE mood AS ENUM ('sad','happy');
CREATE DOMAIN dvc AS VARCHAR(9);
CREATE EXTENSION hstore; CREATE EXTENSION citext;
CREATE TABLE a (id INT PRIMARY KEY, m_vc VARCHAR(9), m_t TEXT, m_i INT, m_by BYTEA, m_j JSONB, m_c CHAR(3), m_e mood, m_d dvc, m_arr TEXT[], m_ts TIMESTAMPTZ, m_u UUID, m_ci CITEXT, m_in INET, m_nn TEXT NOT NULL DEFAULT 'dflt', m_nm NAME,
 z_t TEXT, h1_t TEXT, h1_vc VARCHAR(9), h1_n NUMERIC(5,2), h1_by BYTEA, h1_nn VARCHAR(30) NOT NULL DEFAULT 'x', h2_t TEXT, h2_vc VARCHAR(70), h2_j JSON, h2_c CHAR(5), h2_e mood, h2_ci CITEXT, h5_t TEXT, h5_vc VARCHAR(7), h3_t TEXT,
 t_vc VARCHAR(9), t_v4 VARCHAR(4), t_t TEXT, t_by BYTEA, t_j JSONB, t_i INT, t_nn TEXT NOT NULL DEFAULT 'abcdefgh', t_e mood, t_c CHAR(9), t_arr INT[], t_x XML, t_h HSTORE, y_t TEXT, y_by BYTEA);
CREATE TABLE k (code VARCHAR(9), who VARCHAR(9), v TEXT, PRIMARY KEY (code, who));
CREATE TABLE k2 (id INT PRIMARY KEY, code TEXT, who TEXT);
CREATE TABLE nokey (n INT, v TEXT);
CREATE TABLE p (a INT PRIMARY KEY, b VARCHAR(20), c TEXT);
ALTER TABLE k2 REPLICA IDENTITY FULL;
INSERT INTO a VALUES (1,'text','text',5,'\xdead','{"a": 1}','ab','sad','dom','{a,b}','2026-01-01 00:00+00','a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11','ci','10.0.0.1','nn','nm','zt','h1','h1vc',1.25,'\x00ff','h1nn','h2 é','h2vc','{"x": 1}','c','happy','CI','h5','h5vc','h3','truncate','abcd','trünc😀ate','\x0102030405','{"long": "text"}',12345,'nnlong','happy','ch','{1,2,3,4,5}','<a>long</a>','a=>1','y','\x01');
INSERT INTO a (id) VALUES (2);
INSERT INTO k VALUES ('c','w','v');
INSERT INTO k2 VALUES (1,'c','w');
INSERT INTO nokey VALUES (1,'x');
INSERT INTO p VALUES (1,'propagated','c');
ALTER TABLE a ALTER m_t SET STORAGE EXTERNAL, ALTER h2_t SET STORAGE EXTERNAL, ALTER t_t SET STORAGE EXTERNAL, ALTER t_by SET STORAGE EXTERNAL;
INSERT INTO a (id, m_t, h2_t, t_t, t_by) VALUES (3, repeat('x',9000), repeat('x',9000), repeat('x',9000), decode(repeat('ab',9000),'hex'));
