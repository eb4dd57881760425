CREATE SCHEMA "My Schema.x"; CREATE SCHEMA "ünï";
CREATE TABLE "My Schema.x"."Tä ble.$1" ("Id" INT, "a b.c" TEXT, "1st" TEXT, "ß_x-y" INT, "日本" INT, "quote""d" INT, PRIMARY KEY ("Id", "a b.c"));
CREATE TABLE "ünï"."UPPER" (id INT PRIMARY KEY, "select" INT);
CREATE TABLE "ünï".upper (id INT PRIMARY KEY);
INSERT INTO "My Schema.x"."Tä ble.$1" VALUES (1,'k','1',2,3,4);
INSERT INTO "ünï"."UPPER" VALUES (1,2);
