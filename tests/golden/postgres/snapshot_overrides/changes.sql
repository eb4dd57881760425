INSERT INTO gs.a_first VALUES (4,0);
UPDATE gs.d_many SET z=9 WHERE x=1 AND y='a';
INSERT INTO gs.b_none VALUES (1);
INSERT INTO gs.f_part VALUES (4,'b'),(5,'z');
UPDATE gs.f_part SET place='q' WHERE id=1;
INSERT INTO gs.g_child VALUES (3,'d',8);
UPDATE ONLY gs.g_parent SET v='x' WHERE id = 1;
