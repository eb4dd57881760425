USE gpair;
INSERT INTO a VALUES (2, 'aéß😀😀', 'abc😀', '😀ä日', '😀ä日');
INSERT INTO a VALUES (3, '日本語テ', 'äöü😀', '😀ä日', '😀ä日');
