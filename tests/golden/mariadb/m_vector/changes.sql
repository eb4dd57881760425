INSERT INTO gmvec.v VALUES (2, VEC_FromText('[0.1,0.2,0.3]'), VEC_FromText('[9,8]')), (3, NULL, VEC_FromText('[9,8]'));
