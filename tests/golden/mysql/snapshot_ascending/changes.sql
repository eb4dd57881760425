INSERT INTO gs.a_first VALUES (4,0);
UPDATE gs.d_many SET z=9 WHERE x=1 AND y='a';
INSERT INTO gs.b_none VALUES (1);
