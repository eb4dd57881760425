"""The compiled twin gives what the row decoder in Python gives, for any table and any bytes, or refuses."""

from __future__ import annotations

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
from cdc.mysql.binlog import Kind, Rows
from cdc.mysql.row_decoder import TwinDecode, compile_rows
from cdc.mysql.type_family import TypeOptions
from cdc.table import Column
from tests.twins import Watched, twin
from tests.unit.cdc.mysql import row_images as encode
from tests.unit.cdc.mysql.row_images import Stored, column

Maker = Callable[[Random], bytes]
WORDS = ("", "a", "shipped", "é", "naïve ünïcode", "中文", "🐟", "x" * 300)
MEMBERS = ("new", "paid", "ship,ped")


def some(size: int) -> Maker:
    return lambda chance: chance.randbytes(size)


def string(length_bytes: int, raw: Maker) -> Maker:
    def make(chance: Random) -> bytes:
        return encode.string(raw(chance)[: 256**length_bytes - 1], length_bytes)

    return make


def text(codec: str) -> Maker:
    return lambda chance: chance.choice(WORDS).encode(codec, "ignore")


def binary(chance: Random) -> bytes:
    return chance.randbytes(chance.choice((0, 1, 7, 40)))


def decimal(precision: int, scale: int) -> Maker:
    def make(chance: Random) -> bytes:
        most = 10 ** chance.randint(0, precision) - 1
        return encode.decimal(chance.randint(-most, most), precision, scale)

    return make


def moment(digits: int) -> Maker:
    """Mostly a DATETIME as people write them, else any bits."""

    def make(chance: Random) -> bytes:
        if chance.random() < 0.3:
            return chance.randbytes(5 + (digits + 1) // 2)
        date = (chance.choice((0, 69, 70, 1969, 2026, 9999)), chance.randint(0, 12), chance.randint(0, 31))
        clock = (chance.randint(0, 23), chance.randint(0, 59), chance.randint(0, 59))
        return encode.datetime((*date, *clock), chance.randint(0, 999_999), digits)

    return make


def date(chance: Random) -> bytes:
    if chance.random() < 0.3:
        return chance.randbytes(3)
    return encode.date(chance.choice((0, 69, 70, 2024, 9999)), chance.randint(0, 12), chance.randint(0, 31))


def timestamp(digits: int) -> Maker:
    return lambda chance: encode.timestamp(chance.getrandbits(32), chance.randint(0, 999_999), digits)


def time(digits: int) -> Maker:
    return lambda chance: encode.time(chance.randint(-(10**11), 3 * 10**12), digits)


def one_of(*numbers: int, size: int) -> Maker:
    return lambda chance: encode.integer(chance.choice(numbers), size)


COLUMNS: list[tuple[Stored, Maker]] = [
    *[
        (column("i", name + sign, type_), some(size))
        for name, type_, size in (("TINYINT", 1, 1), ("SMALLINT", 2, 2), ("MEDIUMINT", 9, 3), ("INT", 3, 4),
                                  ("BIGINT", 8, 8))
        for sign in ("", " UNSIGNED")
    ],
    *[
        (column("n", "DECIMAL", 246, precision << 8 | scale, length=precision, scale=scale), decimal(precision, scale))
        for precision, scale in ((1, 0), (5, 5), (10, 2), (12, 2), (18, 9), (19, 0), (38, 10), (38, 30), (39, 1),
                                 (65, 30))
    ],
    *[(column("d", "DATETIME", 18, digits, length=digits or None), moment(digits)) for digits in range(7)],
    *[(column("s", "TIMESTAMP", 17, digits, length=digits or None), timestamp(digits)) for digits in range(7)],
    *[(column("t", "TIME", 19, digits, length=digits or None), time(digits)) for digits in range(7)],
    *[
        (column("v", "VARCHAR", 15, 900, charset=charset), string(2, text(codec)))
        for charset, codec in (("utf8mb4", "utf-8"), ("latin1", "cp1252"), ("ascii", "ascii"), ("binary", "latin-1"),
                               ("gbk", "gbk"), ("utf16", "utf-16-be"), ("koi8r", "koi8-r"))
    ],
    *[(column("x", "TEXT", 252, size, charset="utf8mb4"), string(size, text("utf-8"))) for size in (1, 2, 3, 4)],
    (column("c", "CHAR", 254, 254 << 8 | 40, charset="utf8mb4"), string(1, text("utf-8"))),
    (column("c", "CHAR", 254, 0xCE00 | 252, charset="utf8mb4"), string(2, text("utf-8"))),
    (column("c", "VARCHAR", 141, 900, charset="utf8mb4"), string(2, lambda chance: b"\0" + text("utf-8")(chance))),
    (column("f", "FLOAT", 4, 4), some(4)),
    (column("f", "DOUBLE", 5, 8), some(8)),
    (column("f", "REAL", 5, 8), some(8)),
    (column("b", "BOOLEAN", 1), some(1)),
    (column("b", "BIT", 16, 1, length=1), some(1)),
    (column("b", "BIT", 16, 2 << 8 | 3, length=19), some(3)),
    (column("y", "YEAR", 13), some(1)),
    (column("d", "DATE", 10), date),
    (column("d", "DATE", 10, has_default=True, default="2000-01-02"), date),
    (column("e", "ENUM", 254, 247 << 8 | 1, enum_values=MEMBERS), one_of(0, 1, 2, 3, size=1)),
    (column("e", "ENUM", 254, 247 << 8 | 2, enum_values=MEMBERS), one_of(0, 1, 2, 3, size=2)),
    *[(column("m", "SET", 254, 248 << 8 | size, enum_values=MEMBERS), one_of(*range(8), size=size))
      for size in (1, 2, 3, 4, 8)],
    (column("z", "BINARY", 254, 254 << 8 | 20, length=20), string(1, lambda chance: chance.randbytes(9))),
    (column("z", "VARBINARY", 15, 20, length=20), string(1, lambda chance: chance.randbytes(9))),
    (column("z", "BLOB", 252, 2), string(2, binary)),
    (column("j", "JSON", 245, 4), string(4, lambda chance: b"\4\1")),
    (column("g", "GEOMETRY", 255, 4), string(4, lambda chance: bytes(4) + chance.randbytes(21))),
    (column("o", "TIMESTAMP", 7), some(4)),
    (column("o", "DATETIME", 12), one_of(0, 20261121010203, 99999999999999, size=8)),
    (column("o", "TIME", 11), one_of(0, 123456, -123456, size=3)),
]  # fmt: skip
ZONES = ("adaptive_time_microseconds", "connect", "isostring", "microseconds", "nanoseconds")


def is_refused(stored: Stored, options: TypeOptions) -> bool:
    """Values that the twin leaves to the reference even where nothing is damaged."""
    return options.fail_on_failure and stored.type in (11, 19)


@dataclass(frozen=True)
class Case:
    """A table, one rows event of it, and how it is to be read."""

    columns: Sequence[Stored]
    options: TypeOptions
    wanted: Sequence[Column]
    masks: Sequence[Mask | None]
    event: Rows

    def decoder(self, twin: ModuleType | None) -> Callable[[bytes, int, int], list[Any]]:
        table, table_map = encode.table(self.columns), encode.table_map(self.columns)
        return compile_rows(table, table_map, self.options, self.wanted, self.event, self.masks, twin=twin)


def a_case(chance: Random) -> Case:
    drawn = [chance.choice(COLUMNS) for _ in range(chance.randint(1, 20))]
    columns = [
        replace(stored, column=replace(stored.column, name=f"c{i}", optional=chance.random() < 0.6))
        for i, (stored, _) in enumerate(drawn)
    ]
    options = TypeOptions(
        decimal=chance.choice(("precise", "string", "double")), bigint_unsigned=chance.choice(("long", "precise")),
        binary=chance.choice(("bytes", "bytes", "hex", "base64")), time_precision=chance.choice(ZONES),
        adjust_years=chance.random() < 0.5, invalid_as_epoch=chance.random() < 0.5,
        fail_on_failure=chance.random() < 0.1,
    )  # fmt: skip
    wanted = [stored.column for stored in columns if chance.random() < 0.9]
    chance.shuffle(wanted)
    if wanted and chance.random() < 0.1:
        wanted.append(chance.choice(wanted))  # as a masked column of the key, which is shown as it is too
    masks: list[Mask | None] = []
    if chance.random() < 0.2:
        masks = [chance.choice((None, Mask((), lambda value: ("masked", value)))) for _ in wanted]
    kind = chance.choice((Kind.WRITE, Kind.UPDATE, Kind.DELETE))
    present = [[True] * len(columns)] * 2
    if chance.random() < 0.3:
        present = [[i == 0 or chance.random() < 0.7 for i in range(len(columns))] for _ in range(2)]
    images = {Kind.WRITE: present[1:], Kind.DELETE: present[:1]}.get(kind, present)
    raw = [
        encode.image([
            None if stored.column.optional and chance.random() < 0.2 else make(chance)
            for stored, (_, make), there in zip(columns, drawn, flags, strict=True) if there
        ])
        for _ in range(chance.randint(0, 3)) for flags in images
    ]  # fmt: skip
    event = encode.rows(kind, raw, len(columns), before=encode.bitmap(present[0]), after=encode.bitmap(present[1]))
    return Case(columns, options, wanted, masks, event)


def given_by(decode: Callable[[bytes, int, int], list[Any]], event: bytes, start: int, end: int) -> str:
    """Exact in types and in what == does not tell apart, such as NaN and -0.0."""
    try:
        return repr(decode(event, start, end))
    except DecodeError as error:
        return f"DecodeError: {error}"


seeds = st.integers(0, 2**32 - 1)


@given(seeds)
def test_both_read_every_row_alike_and_the_twin_refuses_none(seed: int) -> None:
    case, watched = a_case(Random(seed)), Watched("MysqlRows")
    event = case.event
    rows = given_by(case.decoder(None), event.body, event.start, event.end)
    assert given_by(case.decoder(watched), event.body, event.start, event.end) == rows
    if rows.startswith("[") and len(set(case.wanted)) == len(case.wanted):
        left_out = any(is_refused(stored, case.options) for stored in case.columns)
        assert watched.asked == 1 and (left_out or not watched.refused)


@given(seeds)
def test_damaged_rows_are_read_alike_or_refused(seed: int) -> None:
    chance = Random(seed)
    case = a_case(chance)
    event, reference, native = case.event, case.decoder(None), case.decoder(twin("native"))
    for _ in range(6):
        body, start, end = bytearray(event.body), event.start, event.end
        for _ in range(chance.randint(0, 3)):
            body[chance.randrange(len(body))] = chance.choice((0, 1, 0x7F, 0x80, 0xFB, 0xFF, chance.randrange(256)))
        if chance.random() < 0.3:
            del body[chance.randrange(len(body)) :]
        if chance.random() < 0.3:
            start += chance.randint(0, 4)
        if chance.random() < 0.3:
            end = min(max(start, end + chance.randint(-5, 5)), len(event.body))
        damaged = bytes(body)
        assert given_by(native, damaged, start, end) == given_by(reference, damaged, start, end)


HEAD_AT = 5


@given(seeds)
def test_rows_of_many_events_are_those_of_each_up_to_the_first_that_is_another(seed: int) -> None:
    chance = Random(seed)
    case = a_case(chance)
    reference, native = case.decoder(None), case.decoder(twin("native"))
    if not isinstance(native, TwinDecode):
        return
    whole, start, checksum = case.event.body, case.event.start, chance.choice((0, 4))
    head = whole[HEAD_AT:start]
    events = []
    for _ in range(8):
        changed = bytearray(whole + bytes(checksum))
        if chance.random() < 0.2:
            changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
        if chance.random() < 0.1:
            del changed[chance.randrange(len(changed)) :]
        events.append(bytes(changed))
    at, most = chance.randrange(len(events)), chance.choice((0, 1, 3, 100))
    wanted: list[str] = []
    for event in events[at : at + most]:
        rows = given_by(reference, event, start, len(event) - checksum)
        fits = event[4:5] == events[at][4:5] and event[HEAD_AT:start] == head
        if not fits or rows.startswith("DecodeError") or len(reference(event, start, len(event) - checksum)) != 1:
            break
        wanted.append(rows)
    found = [repr([row]) for row in native.singles(events, at, most, head, HEAD_AT, checksum)]
    left_out = any(is_refused(stored, case.options) for stored in case.columns)
    assert found == wanted[: len(found)]
    assert len(found) == len(wanted) or left_out or any(event != events[at] for event in events[at:])


@given(seeds)
def test_any_bytes_are_read_alike_or_refused(seed: int) -> None:
    chance = Random(seed)
    case = a_case(chance)
    reference, native = case.decoder(None), case.decoder(twin("native"))
    for _ in range(6):
        raw = chance.randbytes(chance.randrange(200))
        assert given_by(native, raw, 0, len(raw)) == given_by(reference, raw, 0, len(raw))


@pytest.mark.parametrize(("start", "end"), [(-1, 3), (3, 2), (0, 99), (-5, -2), (2**62, 2**63 - 1)])
def test_rows_that_are_not_in_the_event_are_refused(start: int, end: int) -> None:
    hot = twin("native")
    assert hot is not None
    read = hot.MysqlRows(1, ((("signed", False, 0, 4, 0, 0, None, None),),), None)
    assert read(b"\0\7\0\0\0", 0, 5) == [(7,)]
    with pytest.raises(hot.Refused):
        read(b"\0\7\0\0\0", start, end)


@pytest.mark.parametrize(
    "op",
    [
        ("unheard", False, 0, 4, 0, 0, None, None), ("signed", False, 0, 9, 0, 0, None, None),
        ("signed", False, 1, 4, 0, 0, None, None), ("signed", False, -1, 4, 0, 0, None, None),
        ("boolean", False, 0, 0, 0, 0, None, None), ("decimal", False, 0, 9, 12, 2, None, None),
        ("decimal", False, 0, 6, 12, 13, None, None), ("datetime", False, 0, 4, 1000, 0, None, None),
        ("time", False, 0, 0, 7, 0, None, None), ("timestamp", False, 0, 1, 6, 0, None, None),
        ("enum", False, 0, 1, 0, 0, [], None),
    ],
)  # fmt: skip
def test_an_op_that_could_read_beyond_its_bytes_is_no_program(op: tuple[Any, ...]) -> None:
    hot = twin("native")
    assert hot is not None
    with pytest.raises(ValueError):
        hot.MysqlRows(1, ((op,),), None)


def test_nothing_is_kept_of_rows_that_were_read_or_refused() -> None:
    hot = twin("native")
    assert hot is not None
    cases = [a_case(Random(seed)) for seed in range(60)]
    work = [(case.decoder(hot), case.event) for case in cases if case.event.end > case.event.start]

    def read_all() -> int:
        for read, event in work:
            for end in (event.end, event.end - 1):
                given_by(read, event.body, event.start, end)
        return sys.getallocatedblocks()

    for _ in range(3):
        read_all()
    first = read_all()
    last = [read_all() for _ in range(20)][-1]
    assert abs(last - first) < 100
