"""The compiled twin gives what `snapshot_values` in Python gives, for any texts of any columns, or refuses."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdc.errors import DecodeError
from cdc.masks import Mask
from cdc.mysql.snapshot_values import compile_snapshot_rows
from cdc.mysql.type_family import TypeOptions
from cdc.table import Column
from tests.twins import Watched, twin
from tests.unit.cdc.mysql.row_images import column

Maker = Callable[[Random], bytes]
WORDS = ("", "a", "shipped", "é", "naïve ünïcode", "中文", "🐟", "x" * 300)
MODES = ("adaptive_time_microseconds", "connect", "isostring", "microseconds", "nanoseconds")
WHOLE = (0, 1, -1, 7, 42, 255, 10**9, 10**17, 10**18 - 1, 10**18, 2**63 - 1, 2**63, 2**64 - 1, -(2**63), 10**20)


def whole(chance: Random) -> bytes:
    return str(chance.choice((*WHOLE, chance.randint(-(10**6), 10**6)))).zfill(chance.choice((1, 1, 6, 20))).encode()


def decimal(places: int) -> Maker:
    def make(chance: Random) -> bytes:
        size = chance.choice((1, 3, 9, 18, 19, 30))
        digits = str(chance.randrange(10**size)).zfill(places + chance.choice((1, 1, 4)))
        sign = chance.choice(("", "", "-"))
        return f"{sign}{digits[:-places]}.{digits[-places:]}".encode() if places else f"{sign}{digits}".encode()

    return make


def real(chance: Random) -> bytes:
    number = chance.choice((
        chance.random() * 100, chance.uniform(-1e9, 1e9), round(chance.random(), 3), 0.0, -0.0, 1e15, 1e300, 1.5e-320,
        3.4e38, 3.5e38, 9007199254740993.0, 0.1, 123456789012345.67, 16777217.0, float(chance.randint(0, 99)),
    ))  # fmt: skip
    return repr(number).removesuffix(".0" if chance.random() < 0.7 else "").encode()


def day(chance: Random) -> str:
    year = chance.choice((0, 1, 69, 70, 1582, 1583, 1677, 1722, 1724, 1969, 1970, 2000, 2024, 2100, 2260, 2263, 9999))
    month = chance.choice((1, 2, 2, 12, chance.randint(0, 12)))
    return f"{year:04d}-{month:02d}-{chance.choice((1, 28, 29, 30, 31, chance.randint(0, 31))):02d}"


def clock(chance: Random, digits: int) -> str:
    text = f"{chance.randint(0, 23):02d}:{chance.randint(0, 59):02d}:{chance.randint(0, 59):02d}"
    fraction = chance.choice(("000000", "100000", "120000", "999999", f"{chance.randrange(10**6):06d}"))[:digits]
    return f"{text}.{fraction}" if digits else text


def moment(digits: int) -> Maker:
    return lambda chance: f"{day(chance)} {clock(chance, digits)}".encode()


def words(chance: Random) -> bytes:
    return chance.choice(WORDS).encode()


def some(chance: Random) -> bytes:
    return chance.randbytes(chance.choice((0, 1, 9, 20, 30)))


COLUMNS: list[tuple[Column, Maker]] = [
    (described.column, make)
    for described, make in (
        *((column("i", name, 3), whole) for name in ("TINYINT", "INT UNSIGNED", "BIGINT", "BIGINT UNSIGNED", "YEAR")),
        (column("b", "BOOLEAN", 1), whole),
        (column("b", "BIT", 16, length=1), lambda chance: chance.randbytes(1)),
        (column("b", "BIT", 16, length=19), lambda chance: chance.randbytes(3)),
        *((column("n", "DECIMAL", 246, length=30, scale=scale), decimal(scale)) for scale in (0, 1, 2, 9, 17, 18, 29)),
        *((column("f", name, 5), real) for name in ("FLOAT", "DOUBLE", "REAL")),
        *((column("t", name, 252), words) for name in ("VARCHAR", "TEXT", "ENUM", "SET", "JSON", "UUID")),
        *((column("z", name, 252, length=20), some) for name in ("BINARY", "VARBINARY", "BLOB")),
        (column("d", "DATE", 10), lambda chance: day(chance).encode()),
        (column("d", "DATE", 10, has_default=True, default="2000-01-02"), lambda chance: day(chance).encode()),
        *((column("d", "DATETIME", 18, length=digits or None), moment(digits)) for digits in range(7)),
        *((column("s", "TIMESTAMP", 17, length=digits or None), moment(digits)) for digits in range(7)),
        (column("c", "TIME", 19, length=3), lambda chance: clock(chance, 3).encode()),
        (column("v", "VECTOR", 242), lambda chance: chance.randbytes(8)),
    )
]  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A table, rows of it, and how they are to be read."""

    columns: Sequence[Column]
    options: TypeOptions
    masks: Sequence[Mask | None]
    rows: list[tuple[bytes | None, ...]]

    def read(self, twin: ModuleType | None) -> Callable[[list[Any]], list[tuple[Any, ...]]]:
        return compile_snapshot_rows(self.columns, self.options, self.masks, twin)


def a_case(chance: Random) -> Case:
    drawn = [chance.choice(COLUMNS) for _ in range(chance.randint(1, 20))]
    columns = [replace(described, optional=chance.random() < 0.6) for described, _ in drawn]
    options = TypeOptions(
        decimal=chance.choice(("precise", "string", "double")), bigint_unsigned=chance.choice(("long", "precise")),
        binary=chance.choice(("bytes", "bytes", "hex")), time_precision=chance.choice(MODES),
        adjust_years=chance.random() < 0.5,
    )  # fmt: skip
    masks: list[Mask | None] = []
    if chance.random() < 0.2:
        masks = [chance.choice((None, Mask((), lambda value: ("masked", value)))) for _ in columns]
    rows = [
        tuple(
            None if described.optional and chance.random() < 0.2 else make(chance)
            for described, (_, make) in zip(columns, drawn, strict=True)
        )
        for _ in range(chance.randint(0, 3))
    ]
    return Case(columns, options, masks, rows)


def given_by(read: Callable[[list[Any]], list[tuple[Any, ...]]], rows: list[Any]) -> str:
    """Exact in types and in what == does not tell apart, such as NaN and -0.0."""
    try:
        return repr(read(rows))
    except DecodeError as error:
        return f"DecodeError: {error}"


seeds = st.integers(0, 2**32 - 1)


@given(seeds)
def test_both_read_every_row_alike_and_the_twin_refuses_none(seed: int) -> None:
    case, watched = a_case(Random(seed)), Watched("MysqlTexts")
    rows = given_by(case.read(None), case.rows)
    assert given_by(case.read(watched), case.rows) == rows
    assert watched.asked == 1 and (not watched.refused or rows.startswith("DecodeError"))


@given(seeds)
def test_damaged_rows_are_read_alike_or_refused(seed: int) -> None:
    chance = Random(seed)
    case = a_case(chance)
    reference, native = case.read(None), case.read(twin("native"))
    for _ in range(6):
        rows: list[Any] = [list(row) for row in case.rows]
        for row in rows:
            for _ in range(chance.randint(0, 2)):
                at = chance.randrange(len(row))
                row[at] = damaged(chance, row[at])
            if chance.random() < 0.05:
                row.append(b"1")
        rows = [tuple(row) for row in rows]
        assert given_by(native, rows) == given_by(reference, rows)


def damaged(chance: Random, cell: bytes | None) -> bytes | None:
    if cell is None:
        return chance.choice((b"", b"1", b"\xff"))
    raw = bytearray(cell)
    if raw and chance.random() < 0.6:
        raw[chance.randrange(len(raw))] = chance.choice((*b"-+.:_ eE/09\x00\xff", chance.randrange(256)))
    if chance.random() < 0.3:
        del raw[chance.randrange(len(raw) + 1) :]
    if chance.random() < 0.2:
        raw += chance.choice((b"0", b".", b" ", b"9" * 20, b"\0"))
    return None if chance.random() < 0.05 else bytes(raw)


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(0, 9))
def test_every_float_is_the_nearest_one(number: float, places: int) -> None:
    described = column("f", "DOUBLE", 5).column
    read = compile_snapshot_rows([described], TypeOptions(), twin=twin("native"))
    for text in (repr(number), f"{number:.{places}f}"[:40], f"{number:.17g}"):
        assert repr(read([(text.encode(),)])[0][0]) == repr(float(text))


@pytest.mark.parametrize(
    "told",
    [
        ("unheard", 0, 0, True, int, None), ("plain", -1, 0, True, int, None), ("datetime", 1, 0, True, int, None),
        ("datetime", 1000, 7, True, int, None), ("timestamp", 7, 0, True, int, None),
    ],
)  # fmt: skip
def test_a_kind_that_could_read_beyond_its_text_is_no_program(told: tuple[Any, ...]) -> None:
    hot = twin("native")
    assert hot is not None
    with pytest.raises(ValueError):
        hot.MysqlTexts((told,))


def test_nothing_is_kept_of_rows_that_were_read_or_refused() -> None:
    hot = twin("native")
    work = [(case.read(hot), case.rows) for case in (a_case(Random(seed)) for seed in range(60))]

    def read_all() -> int:
        for read, rows in work:
            given_by(read, rows)
            given_by(read, [*rows, (b"",)])
        gc.collect()
        return sys.getallocatedblocks()

    for _ in range(3):
        read_all()
    first = read_all()
    last = [read_all() for _ in range(8)][-1]
    assert abs(last - first) < 100
