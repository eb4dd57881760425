BEGIN;
INSERT INTO a (id) VALUES (2), (3);
INSERT INTO nokey VALUES (1, NULL);
UPDATE a SET t='text', skip='1', masked='m', d=12.50, dv=1.5, ts='2026-01-02 03:04:05', tt='2026-01-02 03:04:05+00', da='2026-01-02', by='\xff', js='{"a": 1}', en='happy', f=1.5, ti='01:02:03', tz='01:02:03+02', ar='{a,NULL}', ia='{1,2}', u='a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', iv='1 day', x='<a/>', mo=1.25, b=true, bi=B'101', h='a=>1', ip='10.0.0.1' WHERE id=2;
DELETE FROM a WHERE id=3;
COMMIT;
UPDATE a SET n = 1 WHERE id = 5;
UPDATE two SET w = 7;
UPDATE uk SET w = 7;
