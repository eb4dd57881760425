"""A MySQL or MariaDB server of one test module alone: reconfigured, stopped and restarted as its tests need."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pymysql

from tests.server.private_server import PrivateServer


class PrivateMySql(PrivateServer):
    def __init__(self, folder: Path, product: str = "mysql") -> None:
        """`product` is mysql or mariadb."""
        super().__init__(product, folder)

    def run(self, *statements: str, user: str = "root", password: str = "rootpw") -> list[tuple[Any, ...]]:
        """The rows of the last statement; a fresh connection each time, so it sees the server as it is now."""
        with contextlib.closing(self.connect(user, password)) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall())

    def connect(self, user: str = "root", password: str = "rootpw") -> Any:
        return pymysql.connect(host="127.0.0.1", port=self.port, user=user, password=password, autocommit=True)
