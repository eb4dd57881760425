"""Seeded writes to one table: rows and keys that come, change and go, in transactions large, small and rolled back."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Sequence
from typing import Any

import pymysql

KEYS = 60
SIZES = (1, 1, 2, 5, 30)


class Workload(threading.Thread):
    """Writes to `t` of a database from `start` to `finish`; every write has a number of its own in `v`."""

    def __init__(
        self, address: tuple[str, int], database: str, seed: int, *, keys: int = KEYS, sizes: Sequence[int] = SIZES
    ) -> None:
        """`sizes`: of the transactions, in statements; one is chosen for each."""
        super().__init__(daemon=True)
        self.address, self.name_of_database, self.keys, self.sizes = address, database, keys, sizes
        self.random = random.Random(seed)
        self.number = seed * 10_000_000
        self.over = threading.Event()
        self.failure: Exception | None = None

    def connect(self) -> Any:
        """Waits for a server that is away."""
        host, port = self.address
        while True:
            try:
                return pymysql.connect(host=host, port=port, user="app", password="apppw",
                                       database=self.name_of_database)  # fmt: skip
            except pymysql.err.OperationalError:
                if self.over.wait(0.1):
                    raise

    def run(self) -> None:
        connection = self.connect()
        while not self.over.is_set():
            try:
                self.transaction(connection)
            except (pymysql.err.OperationalError, pymysql.err.InterfaceError):
                connection = self.connect()
            except Exception as error:
                self.failure = error
                return
            time.sleep(self.random.random() * 0.03)
        connection.close()

    def transaction(self, connection: Any) -> None:
        with connection.cursor() as cursor:
            for _ in range(self.random.choice(self.sizes)):
                self.number += 1
                self.change(cursor)
        connection.rollback() if self.random.random() < 0.05 else connection.commit()

    def change(self, cursor: Any) -> None:
        key, number = self.random.randrange(self.keys), self.number
        match self.random.random():
            case chance if chance < 0.4:
                cursor.execute(
                    "INSERT INTO t (id, v, name, price) VALUES (%s, %s, %s, 1.25) ON DUPLICATE KEY UPDATE v = %s",
                    (key, number, f"n{number}", number),
                )
            case chance if chance < 0.7:
                cursor.execute("UPDATE t SET v = %s, price = price + 1 WHERE id = %s", (number, key))
            case chance if chance < 0.8:
                with contextlib.suppress(pymysql.err.IntegrityError):  # the new key is taken
                    cursor.execute("UPDATE t SET id = %s, v = %s WHERE id = %s", (key + self.keys, number, key))
            case chance if chance < 0.9:
                cursor.execute("DELETE FROM t WHERE id IN (%s, %s)", (key, key + self.keys))
            case _:
                cursor.execute("UPDATE t SET v = v + 1000000 WHERE id BETWEEN %s AND %s", (key, key + 10))

    def finish(self) -> None:
        """Raises: what a write failed with."""
        self.over.set()
        self.join(30)
        if self.failure is not None:
            raise self.failure
