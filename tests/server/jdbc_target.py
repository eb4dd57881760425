"""Databases that the JDBC sink writes to in tests: a place of one's own in each, the config, and what stands there."""

from __future__ import annotations

import sqlite3
import uuid
from pathlib import Path
from typing import Any

import psycopg
import pymysql

Row = tuple[Any, ...]


class JdbcTarget:
    """An own database (PostgreSQL: schema; SQLite: file). `kind` as in a JDBC URL."""

    def __init__(self, kind: str, address: tuple[str, int] | None, folder: Path) -> None:
        self.kind = kind
        self.name = "jdbc" + uuid.uuid4().hex[:8]
        self._folder = folder
        self.connection: Any = self._connected(address)
        if kind == "sqlite":
            self.url = f"jdbc:sqlite:{folder / self.name}.db"
        else:
            assert address is not None
            host, port = address
            self.sql(f"CREATE {'SCHEMA' if kind == 'postgresql' else 'DATABASE'} {self.name}")
            self.sql(f"SET search_path TO {self.name}" if kind == "postgresql" else f"USE {self.name}")
            place = f"app?currentSchema={self.name}&ApplicationName={self.name}" if kind == "postgresql" else self.name
            self.url = f"jdbc:{kind}://{host}:{port}/{place}"

    def _connected(self, address: tuple[str, int] | None) -> Any:
        if address is None:
            return sqlite3.connect(self._folder / f"{self.name}.db", isolation_level=None)
        host, port = address
        if self.kind == "postgresql":
            return psycopg.connect(host=host, port=port, user="app", password="apppw", dbname="app", autocommit=True)
        return pymysql.connect(host=host, port=port, user="app", password="apppw", autocommit=True, charset="utf8mb4")

    def config(self, **changes: str) -> dict[str, str]:
        login = {} if self.kind == "sqlite" else {"connection.user": "app", "connection.password": "apppw"}
        named = {name.replace("_", "."): value for name, value in changes.items()}
        return {"name": "jdbc", "connection.url": self.url, **login, **named}

    def debezium(self, **changes: str) -> dict[str, str]:
        """The same for Debezium's class."""
        config = self.config(**changes)
        return {**config, "connection.username": config.pop("connection.user", "app")}

    def sql(self, statement: str) -> list[Row]:
        cursor = self.connection.cursor()
        cursor.execute(statement)
        return [tuple(row) for row in cursor.fetchall()] if cursor.description else []

    def quoted(self, name: str) -> str:
        return f'"{name}"' if self.kind == "postgresql" else f"`{name}`"

    def cut_others(self) -> None:
        """Ends the connections of everybody else to this place, as a restart of the server would."""
        if self.kind == "postgresql":
            ours = f"FROM pg_stat_activity WHERE application_name = '{self.name}'"
            self.sql(f"SELECT pg_terminate_backend(pid) {ours}")
            return
        for id, *_ in self.sql("SELECT id FROM information_schema.processlist "
                               f"WHERE db = '{self.name}' AND id <> connection_id()"):  # fmt: skip
            self.sql(f"KILL {id}")

    def close(self) -> None:
        if self.kind == "postgresql":
            self.sql(f"DROP SCHEMA {self.name} CASCADE")
        elif self.kind != "sqlite":
            self.sql(f"DROP DATABASE {self.name}")
        self.connection.close()
