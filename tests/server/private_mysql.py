"""A MySQL server of one test module alone: reconfigured, stopped and restarted as its tests need."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from typing import Any

import pymysql

from services import mysql
from services.process import Process
from tests.server.worker_process import free_port


class PrivateMySql:
    """Runs from `start` to `stop`; its data stay in `folder` in between."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()

    def start(self, *options: str) -> None:
        """`options` of mysqld for this start alone."""
        mysql.start(self.folder, self.port, options)

    def stop(self) -> None:
        Process("mysql", self.folder).stop()

    def kill(self) -> None:
        Process("mysql", self.folder).kill()

    def close(self) -> None:
        """Its data are not needed any more, so nothing is written to the end."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, *statements: str, user: str = "root", password: str = "rootpw") -> list[tuple[Any, ...]]:
        """The rows of the last statement; a fresh connection each time, so it sees the server as it is now."""
        with contextlib.closing(self.connect(user, password)) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall())

    def connect(self, user: str = "root", password: str = "rootpw") -> Any:
        return pymysql.connect(host="127.0.0.1", port=self.port, user=user, password=password, autocommit=True)
