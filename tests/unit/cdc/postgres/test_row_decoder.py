"""Frames of rows: the generated decoders and the compiled ones give what the decoder of single messages gives."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdc.errors import DecodeError
from cdc.postgres.catalog import PgType
from cdc.postgres.native_rows import compile_native
from cdc.postgres.pgoutput import HEADER_SIZE, UNCHANGED, Delete, Insert, Update, Values, decode
from cdc.postgres.row_decoder import DAMAGE, PREFIX_END, Decode, Read, compile_rows
from cdc.postgres.types import TypeOptions, form
from cdc.postgres.usual import CALL, usual
from tests.twins import twin
from tests.unit.cdc.postgres.test_pgoutput import values
from tests.unit.cdc.postgres.test_types import TYPES

Compile = Callable[[bytes, int, Sequence[Read], Callable[[bytes], Any]], Decode]
TEXT = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=300)
NUMBER = st.integers(-(2**31), 2**31).map(str)
READS = [
    Read(2, None, False, None, None), Read(0, int, True, -1, 0), Read(1, lambda text: text.upper(), False, None, None),
]  # fmt: skip
"""Of three columns, in another order than they stand in."""


def compiled(prefix: bytes, columns: int, reads: Sequence[Read], slow: Callable[[bytes], Any]) -> Decode:
    twin("native")
    native = compile_native(columns, reads)
    assert native is not None
    return partial(native.frames, prefix, slow, DAMAGE)


BOTH = pytest.mark.parametrize("compile_", [compile_rows, compiled], ids=["python", "native"])


def frame(body: bytes, lsn: int = 7) -> bytes:
    return b"w" + struct.pack(">QQq", lsn, lsn, 0) + body


def row(texts: Values, reads: Sequence[Read], *, key_only: bool = False) -> tuple[Any, ...]:
    """As the decoder of single messages has it. Raises: ValueError, TypeError: null or nothing where none may stand."""
    made = []
    for read in reads:
        text = texts[read.place]
        if text is None or text is UNCHANGED:
            if text is UNCHANGED or (read.required and not key_only):
                raise ValueError(text)
            made.append(read.null)
            continue
        value = text if read.read is None else read.read(text)
        made.append(read.nothing if value is None and read.required else value)
    return tuple(made)


def slow(found: bytes, reads: Sequence[Read] = READS, columns: int = 3) -> Any:
    change = decode(found, start=HEADER_SIZE)
    assert isinstance(change, Insert | Update | Delete)
    if any(len(each) != columns for each in change if isinstance(each, list)):
        raise DecodeError("another number of columns")
    match change:
        case Insert():
            return row(change.new, reads)
        case Update():
            old = None if change.old is None else row(change.old, reads, key_only=change.old_kind == "K")
            return old, row(change.new, reads)
        case Delete():
            return row(change.old, reads, key_only=change.old_kind == "K")


SLOW = "slow"
"""What stands for a frame that the decoder of single messages is asked for."""


def decoded(
    compile_: Compile, frames: list[bytes], reads: Sequence[Read] = READS, slow: Callable[[bytes], Any] = lambda f: SLOW
) -> list[Any]:
    rows: list[Any] = []
    lsns: list[int] = []
    at = 0
    while at < len(frames):
        prefix = frames[at][HEADER_SIZE:PREFIX_END]
        at = compile_(prefix, 3, reads, slow)(frames, at, rows, lsns)
    assert lsns == [int.from_bytes(each[1:9], "big") for each in frames]
    return rows


RELATION = struct.pack(">I", 5)


def changes_of(full: st.SearchStrategy[bytes], key: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Messages of every kind, of whole tuples and of those that hold the replica identity."""
    return st.one_of(
        full.map(lambda new: b"I" + RELATION + b"N" + new),
        full.map(lambda new: b"U" + RELATION + b"N" + new),
        st.tuples(full, full).map(lambda both: b"U" + RELATION + b"O" + both[0] + b"N" + both[1]),
        st.tuples(key, full).map(lambda both: b"U" + RELATION + b"K" + both[0] + b"N" + both[1]),
        full.map(lambda old: b"D" + RELATION + b"O" + old),
        key.map(lambda old: b"D" + RELATION + b"K" + old),
    )


CHANGES = changes_of(
    st.tuples(NUMBER, st.none() | TEXT, st.none() | TEXT).map(lambda each: values(*each)),
    st.tuples(st.none() | NUMBER, st.none() | TEXT, st.none() | TEXT).map(lambda each: values(*each)),
)


@BOTH
@given(st.lists(CHANGES, max_size=8))
def test_every_row_is_as_the_decoder_of_single_messages_reads_it(compile_: Compile, changes: list[bytes]) -> None:
    frames = [frame(change, lsn) for lsn, change in enumerate(changes)]
    assert decoded(compile_, frames) == [slow(each) for each in frames]


@BOTH
@pytest.mark.parametrize("given", [("1", UNCHANGED, "x"), ("1", "n", UNCHANGED), (UNCHANGED, None, None),
                                   (None, "a", "b")])  # fmt: skip
def test_what_is_not_usual_goes_the_slow_way(compile_: Compile, given: tuple[Any, ...]) -> None:
    usual = frame(b"I" + RELATION + b"N" + values("1", "a", "b"))
    assert decoded(compile_, [usual, frame(b"I" + RELATION + b"N" + values(*given)), usual]) == [
        ("b", 1, "A"), SLOW, ("b", 1, "A"),
    ]  # fmt: skip


@BOTH
@pytest.mark.parametrize("given", [("1", "x" * 70_000, None), ("1", None, "y" * (2 << 20))])
def test_large_values_are_read(compile_: Compile, given: tuple[Any, ...]) -> None:
    large = frame(b"I" + RELATION + b"N" + values(*given))
    assert decoded(compile_, [large], slow=slow) == [slow(large)]


@BOTH
def test_what_a_reader_raises_that_is_no_damage_comes_through(compile_: Compile) -> None:
    def read(text: str) -> Any:
        raise RuntimeError(text)

    rows: list[Any] = []
    lsns: list[int] = []
    one = frame(b"I" + RELATION + b"N" + values("1", "a", "b"))
    decode = compile_(one[HEADER_SIZE:PREFIX_END], 3, [Read(1, read, False, None, None)], slow)
    with pytest.raises(RuntimeError, match="a"):
        decode([one], 0, rows, lsns)
    assert (rows, lsns) == ([], [7])


@st.composite
def damaged(draw: st.DrawFn, change: bytes) -> bytes:
    """Some bytes changed, left out, put in; or the end cut off."""
    at = draw(st.integers(8, len(change) - 1))
    if draw(st.booleans()):
        return frame(change[:at])
    return frame(change[:at] + draw(st.binary(max_size=3)) + change[at + draw(st.integers(0, 3)) :])


@BOTH
@given(CHANGES, st.data())
def test_bytes_that_were_changed_are_read_as_the_decoder_of_single_messages_reads_them(
    compile_: Compile, change: bytes, data: st.DataObject
) -> None:
    found = data.draw(damaged(change))
    [made] = decoded(compile_, [found])
    if made != SLOW:
        assert made == slow(found)


MOMENT = st.one_of(
    st.datetimes().map(lambda moment: moment.isoformat(" ")),
    st.datetimes().map(lambda moment: moment.isoformat(" ") + "+00"),
    st.datetimes().map(lambda moment: moment.isoformat(" ").rstrip("0") + "+00"),
    st.sampled_from(("infinity", "-infinity", "0044-03-15 00:00:00 BC", "1582-10-04 10:00:00",
                     "12026-01-01 00:00:00", "2026-02-31 24:00:00", "2026-13-01 00:00:00", "2026-01-01 00:00:00-05:30",
                     "1583-01-01 00:00:00+00", "2026-01-01T00:00:00", "2026-01-01 00:00:00.",
                     "2026-01-01 00:00:00.1234567")),
)  # fmt: skip
DAY = st.dates().map(str) | st.sampled_from(("infinity", "-infinity", "0044-03-15 BC", "1582-10-15", "10000-01-01"))
TIME = st.times().map(str) | st.sampled_from(("24:00:00", "10:11:12+02", "10:11", "10:11:12.", "99:99:99.5"))
FLOATING = st.floats().map(repr) | st.floats(width=32).map(repr) | st.sampled_from(
    ("NaN", "Infinity", "-Infinity", "1e400", "-0", "1_0", " 1", "1e5", "1E5", "", "0x1p3", "3.4028236e38", "1" * 60)
)  # fmt: skip
INTEGER = st.integers(-(2**63), 2**64).map(str) | st.sampled_from(("-0", "+1", " 1", "1_0", "", "-", "007", "\u0661"))
DECIMAL = st.decimals(allow_nan=False, allow_infinity=False, places=2).map(str) | st.sampled_from(
    ("NaN", "Infinity", "-0.50", "-.50", ".50", "1.5", "1.555", "12", "", "9" * 40 + ".12", "0.00")
)
HEXADECIMAL = st.binary(max_size=9).map(lambda raw: r"\x" + raw.hex()) | st.sampled_from((r"\x0", r"\xAB", "x", ""))
OF_TYPE: dict[str, tuple[tuple[int, ...], st.SearchStrategy[str]]] = {
    "bool": ((-1,), st.sampled_from(("t", "f", "true", ""))), "int2": ((-1,), INTEGER), "oid": ((-1,), INTEGER),
    "float4": ((-1,), FLOATING), "float8": ((-1,), FLOATING),
    "numeric": ((-1, 4 + (12 << 16), 6 + (12 << 16), 22 + (18 << 16), 34 + (40 << 16)), DECIMAL | INTEGER),
    "bytea": ((-1,), HEXADECIMAL), "date": ((-1,), DAY), "time": ((-1, 0, 3), TIME), "text": ((-1,), TEXT),
    "timestamp": ((-1, 3), MOMENT), "timestamptz": ((-1, 0, 2, 3), MOMENT), "uuid": ((-1,), TEXT),
    "timetz": ((-1,), TIME),
}  # fmt: skip
"""Type -> modifiers, and texts: usual ones and others."""


def named(name: str) -> PgType:
    return PgType(1, "pg_catalog", name, "b", "U", 0, 0, -1, ())


OPTIONS = st.builds(
    TypeOptions, decimal=st.sampled_from(("precise", "double", "string")), streamed=st.booleans(),
    binary=st.sampled_from(("bytes", "hex", "base64")),
    time_precision=st.sampled_from(("adaptive", "adaptive_time_microseconds", "connect", "isostring", "nanoseconds")),
)  # fmt: skip


@st.composite
def relations(draw: st.DrawFn) -> tuple[list[Read], st.SearchStrategy[bytes]]:
    """Readers of three columns of some types, one of them perhaps twice, and changes of such a relation."""
    reads, texts = [], []
    for place in range(3):
        name = draw(st.sampled_from(sorted(OF_TYPE)))
        modifiers, text = OF_TYPE[name]
        made = form(named(name), draw(st.sampled_from(modifiers)), draw(OPTIONS), TYPES)
        assert made is not None
        required = draw(st.booleans())
        null = made.absent if required else made.null
        reads += [Read(place, made.read, required, null, made.absent)] * draw(st.sampled_from((0, 1, 1, 1, 2)))
        texts.append(text if required else st.none() | text)
    full = st.tuples(*texts).map(lambda each: values(*each))
    return draw(st.permutations(reads)), changes_of(full, full)


def same(one: Any, other: Any) -> bool:
    """Equal in value and type; NaN is NaN, and zero has its sign."""
    if isinstance(one, tuple):
        return type(other) is tuple and len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return repr(one) == repr(other) or (math.isnan(one) and math.isnan(other))
    return type(one) is type(other) and bool(one == other)


RAISED = "raised"


def outcome(compile_: Compile, found: bytes, reads: Sequence[Read]) -> Any:
    """The row, or that there is none."""
    try:
        return decoded(compile_, [found], reads, lambda each: slow(each, reads))[0]
    except (*DAMAGE, ArithmeticError, DecodeError):
        return RAISED


@given(relations(), st.data())
def test_values_of_every_type_are_alike_whatever_reads_them(
    relation: tuple[list[Read], st.SearchStrategy[bytes]], data: st.DataObject
) -> None:
    reads, changes = relation
    change = data.draw(changes)
    found = data.draw(damaged(change) | st.just(frame(change)))
    assert same(outcome(compile_rows, found, reads), outcome(compiled, found, reads))


@pytest.mark.parametrize(("name", "modifier", "text"), [
    ("int8", -1, "-42"), ("float8", -1, "1.5"), ("float4", -1, "1.5"), ("bool", -1, "t"), ("numeric", 786_438, "12.50"),
    ("bytea", -1, r"\x00ff"), ("date", -1, "2026-01-02"), ("time", -1, "01:02:03.5"), ("time", 3, "01:02:03.5"),
    ("timestamp", -1, "2026-01-02 03:04:05.6"), ("timestamp", 3, "1969-01-02 03:04:05.6789"),
    ("timestamptz", 6, "2026-01-02 03:04:05.6+00"), ("timestamptz", 0, "2026-01-02 03:04:05+00"),
])  # fmt: skip
def test_usual_texts_are_read_without_their_reader(name: str, modifier: int, text: str) -> None:
    made = form(named(name), modifier, TypeOptions(), TYPES)
    assert made is not None and made.read is not None
    kind = usual(made.read)
    assert kind != CALL
    module = twin("native")
    assert module is not None
    native = module.PostgresRows(1, ((0, *kind, never, True, None, None),))
    assert same(native.lines(text.replace("\\", "\\\\").encode() + b"\n"), [(made.read(text),)])


def never(text: str) -> Any:
    raise AssertionError(text)
