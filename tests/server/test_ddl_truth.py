"""Random DDL on a real server: after every statement that it takes, our tables are those of information_schema."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pymysql
import pytest

from cdc.mysql.ddl import Catalog
from tests.server.ddl_generator import Statements
from tests.server.information_schema import Server, check, refused

DATABASE = "c_truth"
COUNT = int(os.environ.get("TAILRACE_DDL_STATEMENTS", "120"))
SEED = int(os.environ.get("TAILRACE_DDL_SEED", "4"))


def made(connection: Any) -> Iterator[Server]:
    server = Server(connection, DATABASE)
    server.run(f"DROP DATABASE IF EXISTS {DATABASE}")
    server.run(f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4")
    server.run(f"USE {DATABASE}")
    yield server
    server.run(f"DROP DATABASE {DATABASE}")


@pytest.fixture(params=["mysql", "mariadb"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    yield from made(request.getfixturevalue(request.param))


def test_after_every_statement_that_the_server_takes_our_tables_are_its_own(server: Server) -> None:
    statements = Statements(SEED, mariadb=server.is_mariadb)
    catalog = Catalog()
    catalog.execute("SET character_set_server=utf8mb4", "")
    catalog.execute(f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4", "", refused)
    server.logged()
    taken, columns = 0, server.columns()
    while taken < COUNT:
        sql = statements.statement({name: [row["COLUMN_NAME"] for row in rows] for name, rows in columns.items()})
        try:
            server.run(sql)
        except pymysql.MySQLError:
            if "OR REPLACE" in sql:  # it may have dropped the old table
                columns = server.columns()
                catalog.tables = {id: table for id, table in catalog.tables.items() if id.name in columns}
            server.logged()
            continue
        logged = server.logged()
        for text in logged:
            catalog.execute(text, DATABASE, refused)
        if logged:
            taken += 1
            columns = check(server, catalog.tables, f"statement {taken} of seed {SEED}: {sql}", defaults=True)
