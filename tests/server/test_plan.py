"""`tailrace plan` on real servers: what would stop a connector, the statement that mends it, what would be read."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.server.command import run


@pytest.fixture
def name() -> str:
    return "plan" + uuid.uuid4().hex[:8]


@pytest.fixture
def mysql_database(mysql: Any, name: str) -> Iterator[Any]:
    with mysql.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
        cursor.execute(f"CREATE TABLE {name}.goods (id INT PRIMARY KEY, name VARCHAR(20))")
        cursor.execute(f"CREATE TABLE {name}.notes (text VARCHAR(20))")
        cursor.execute(f"INSERT INTO {name}.goods VALUES (1, 'axe'), (2, 'bow')")
        cursor.execute(f"ANALYZE TABLE {name}.goods, {name}.notes")
        cursor.execute(f"CREATE USER '{name}'@'%' IDENTIFIED BY 'plan-pw'")
        yield cursor
        cursor.execute(f"DROP DATABASE {name}")
        cursor.execute(f"DROP USER '{name}'@'%'")


def planned(folder: Path, config: dict[str, str], *options: str) -> tuple[int, str]:
    (folder / "source.json").write_text(json.dumps(config))
    return run("plan", "source.json", *options, folder=folder)


def test_what_stops_a_mysql_source_is_told_with_the_grant_and_then_what_it_reads(
    mysql_database: Any, mysql_address: tuple[str, int], name: str, tmp_path: Path
) -> None:
    host, port = mysql_address
    config = {
        "name": name, "connector.class": "io.debezium.connector.mysql.MySqlConnector", "database.hostname": host,
        "database.port": str(port), "database.user": name, "database.password": "plan-pw", "database.server.id": "77",
        "topic.prefix": name, "database.include.list": name, "schema.history.internal.kafka.topic": f"{name}-h",
        "schema.history.internal.kafka.bootstrap.servers": "unused:9092",
    }  # fmt: skip
    code, text = planned(tmp_path, config)
    assert code == 1
    assert f"GRANT REPLICATION SLAVE ON *.* TO '{name}'@'%'" in text and "plan-pw" not in text
    mysql_database.execute(
        f"GRANT SELECT, RELOAD, SHOW DATABASES, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO '{name}'@'%'"
    )
    code, text = planned(tmp_path, config)
    assert code == 0, text
    assert f"  warning: {name}.notes has no primary or unique key" in text
    assert "  nothing stops it\n  snapshot: 2 tables, about 2 rows, " in text
    assert f"    {name}.goods: about 2 rows, " in text and "mysql.binlog_format=ROW" in text
    code, text = planned(tmp_path, config | {"snapshot.mode": "no_data"}, "-o", "json")
    (found,) = json.loads(text)
    assert (code, found["errors"], found["outlook"]["tables"], found["outlook"]["seconds"]) == (0, [], [], 0)


def test_a_postgres_table_whose_updates_would_be_refused_is_told_with_the_statement(
    postgres_address: tuple[str, int], name: str, tmp_path: Path
) -> None:
    host, port = postgres_address
    with psycopg.connect(host=host, port=port, user="app", password="apppw", dbname="app", autocommit=True) as server:
        server.execute(f"CREATE SCHEMA {name}".encode())
        server.execute(f"CREATE TABLE {name}.notes (text TEXT)".encode())
        config = {
            "name": name, "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
            "database.hostname": host, "database.port": str(port), "database.user": "app",
            "database.password": "apppw", "database.dbname": "app", "topic.prefix": name, "plugin.name": "pgoutput",
            "slot.name": name, "publication.name": name, "schema.include.list": name,
            "publication.autocreate.mode": "filtered",
        }  # fmt: skip
        code, text = planned(tmp_path, config)
        slots = server.execute("SELECT slot_name FROM pg_replication_slots WHERE slot_name = %s", (name,)).fetchall()
        server.execute(f"DROP SCHEMA {name} CASCADE".encode())
    assert code == 0, text
    assert f'run: ALTER TABLE "{name}"."notes" REPLICA IDENTITY FULL' in text
    assert "  snapshot: 1 tables, about 0 rows" in text and "wal_level=logical" in text
    assert slots == []
