INSERT INTO "My Schema.x"."Tä ble.$1" VALUES (2,'k','1',2,3,4);
UPDATE "My Schema.x"."Tä ble.$1" SET "a b.c" = 'k2' WHERE "Id" = 2;
UPDATE "My Schema.x"."Tä ble.$1" SET "日本" = 5;
DELETE FROM "My Schema.x"."Tä ble.$1" WHERE "Id" = 1;
INSERT INTO "ünï"."UPPER" VALUES (2,2);
INSERT INTO "ünï".upper VALUES (2);
