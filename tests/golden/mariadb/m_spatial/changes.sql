INSERT INTO gmgeo.g VALUES (2, POINT(-1.5,2e10), NULL, NULL, ST_GeomFromText('POLYGON((0 0,0 1,1 1,0 0))'), NULL, ST_GeomFromText('POINT(3 4)',4326));
