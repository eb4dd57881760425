"""A database of one test alone on a MySQL server, and the config of a connector that reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pymysql

Run = Callable[..., Any]
"""Runs statements in the database; gives the rows of the last."""


@contextmanager
def own_database(address: tuple[str, int], name: str) -> Iterator[Run]:
    """Empty at first, gone afterwards."""
    host, port = address
    opened: Any = pymysql.connect(host=host, port=port, user="app", password="apppw", autocommit=True)
    with closing(opened) as connection:

        def execute(*statements: str) -> Any:
            with connection.cursor() as cursor:
                for sql in statements:
                    cursor.execute(sql)
                return cursor.fetchall()

        execute(f"DROP DATABASE IF EXISTS {name}", f"CREATE DATABASE {name}", f"USE {name}")
        yield execute
        execute(f"DROP DATABASE {name}")


def source_config(address: tuple[str, int], database: str, **more: str) -> dict[str, str]:
    """Of a MySQL source that captures the database; `more`: keys with `__` for `.`."""
    host, port = address
    config = {
        "topic.prefix": "d", "database.hostname": host, "database.port": str(port), "database.user": "cdc",
        "database.password": "cdcpw", "database.server.id": "184501", "database.include.list": database,
        "schema.history.internal.kafka.topic": "d-history",
    }  # fmt: skip
    return config | {name.replace("__", "."): text for name, text in more.items()}
