"""The rows that are captured: the tables' columns, and the statements that write them, one a transaction."""

from __future__ import annotations

import base64
import random
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

WORDS: Final = [uuid.UUID(int=random.Random(i).getrandbits(128)).hex[: 3 + i % 9] for i in range(4000)]
UPDATED_ROWS: Final = 20_000
"""So many rows are updated, one after the other, again and again."""


@dataclass(frozen=True)
class Shape:
    """A table's columns after `id`, in the words of each server, and a row's SQL values in brackets."""

    mysql: str
    postgres: str
    columns: str
    row: Callable[[int, random.Random], str]


def _order(number: int, chance: random.Random) -> str:
    note = "NULL" if number % 3 == 0 else "'" + " ".join(chance.choices(WORDS, k=3)) + "'"
    weight = "NULL" if number % 5 == 0 else repr(chance.random() * 100)
    minute, day = f"{number % 60:02d}", f"{number % 28 + 1:02d}"
    return (
        f"({chance.randint(1, 10**6)},'SKU-{number:08d}',{chance.randint(1, 100)},"
        f"{chance.randint(1, 9999)}.{chance.randint(0, 99):02d},'{('new', 'paid', 'shipped')[number % 3]}',{note},"
        f"'{number % 2}','2026-01-{day} 10:{minute}:{minute}.123','2026-02-{day} 11:{minute}:{minute}.123456',"
        f"{weight},'{' '.join(chance.choices(WORDS, k=18))}')"
    )


def _payload(number: int, chance: random.Random) -> str:
    return f"('{base64.b64encode(chance.randbytes(900)).decode()}')"


_KINDS: Final = ("INT", "VARCHAR(20)", "DECIMAL(10,2)")


def _wide(number: int, chance: random.Random) -> str:
    made = (str(chance.randint(1, 10**6)), f"'{chance.choice(WORDS)}'", f"{chance.randint(1, 10**6)}.25")
    return "(" + ",".join(made[column % 3] for column in range(299)) + ")"


_WIDE: Final = ", ".join(f"c{column} {_KINDS[column % 3]}" for column in range(299))
SHAPES: Final = {
    "orders": Shape(
        "customer_id INT NOT NULL, sku VARCHAR(40) NOT NULL, qty SMALLINT NOT NULL, price DECIMAL(12,2) NOT NULL, "
        "status ENUM('new','paid','shipped') NOT NULL, note VARCHAR(255) NULL, is_gift TINYINT(1) NOT NULL, "
        "created DATETIME(3) NOT NULL, updated TIMESTAMP(6) NOT NULL, weight DOUBLE NULL, body TEXT",
        "customer_id INT NOT NULL, sku VARCHAR(40) NOT NULL, qty SMALLINT NOT NULL, price NUMERIC(12,2) NOT NULL, "
        "status TEXT NOT NULL, note VARCHAR(255) NULL, is_gift BOOLEAN NOT NULL, created TIMESTAMP(3) NOT NULL, "
        "updated TIMESTAMPTZ(6) NOT NULL, weight DOUBLE PRECISION NULL, body TEXT",
        "customer_id,sku,qty,price,status,note,is_gift,created,updated,weight,body",
        _order,
    ),
    "payload": Shape("body TEXT NOT NULL", "body TEXT NOT NULL", "body", _payload),
    "wide": Shape(_WIDE, _WIDE, ",".join(f"c{column}" for column in range(299)), _wide),
}


def inserts(table: str, shape: Shape, rows: int, per_transaction: int) -> Iterator[str]:
    """The same rows for the same numbers."""
    chance = random.Random(7)
    for first in range(0, rows, per_transaction):
        made = ",".join(shape.row(number, chance) for number in range(first, min(first + per_transaction, rows)))
        yield f"INSERT INTO {table}({shape.columns}) VALUES {made}"


def updates(table: str, rows: int, per_transaction: int) -> Iterator[str]:
    """Of `orders` that have ids from 1 to `UPDATED_ROWS`, which `per_transaction` must divide."""
    for first in range(0, rows, per_transaction):
        begin = first % UPDATED_ROWS + 1
        end = begin + min(per_transaction, rows - first) - 1
        yield f"UPDATE {table} SET qty = qty + 1, status = 'paid', weight = 1.5 WHERE id BETWEEN {begin} AND {end}"
