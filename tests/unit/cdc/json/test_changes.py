"""Rows cut out of one text and change events written with holes are the bytes of their tuples, one by one."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cdc.json.shape
from cdc.changes import Changes, SourceRun, Sources
from cdc.config import parse
from cdc.envelope import TRANSACTION
from cdc.errors import ConversionError
from cdc.json.changes import compile_changes
from cdc.json.code import Form
from cdc.json.rows import compile_texts
from cdc.schema import (
    FLOAT64,
    INT32,
    INT64,
    OPTIONAL_INT64,
    OPTIONAL_STRING,
    STRING,
    Schema,
    Type,
    array,
    decimal,
    struct,
)
from connect_compat.converters.json import JsonConverter
from tests.twins import both

FORM = Form(numeric=False, defaults=True)
MARKER = Schema(Type.STRING, optional=True, default="false")
SOURCE = struct(("name", STRING), ("snapshot", MARKER), ("pos", INT64), ("row", INT32), ("query", OPTIONAL_STRING))
FLAT = struct(("id", INT64), ("%s", OPTIONAL_STRING), ("price", decimal(2)), ("f", FLOAT64), name="v", optional=True)
NESTED = struct(("ids", array(struct(("ids", INT64)))), name="v", optional=True)
REST = (("transaction", TRANSACTION), ("op", STRING), ("ts_ms", OPTIONAL_INT64))
# What could be taken for the place where a row ends, or for a hole.
TRICKY = ['},{"id":', '"},{"id":', "},{", "\\", '"', "%b", "%", "\0", "\\u0000", "é", "😀", "", ","]
TEXTS = st.sampled_from(TRICKY) | st.lists(st.sampled_from(TRICKY)).map("".join) | st.text(max_size=5)
INT64S = st.integers(-(2**63), 2**63 - 1)
ROWS = {
    FLAT: st.tuples(
        INT64S, TEXTS | st.none(), st.integers(-(10**20), 10**20) | st.integers(-(2**24), 2**24),
        st.floats(allow_nan=False),
    ),
    NESTED: st.tuples(st.lists(st.tuples(INT64S), max_size=3)),
}  # fmt: skip


def envelope(row: Schema) -> Schema:
    return struct(("before", row), ("after", row), ("source", SOURCE), *REST, name="x.Envelope", version=2)


@cache
def converter(schemas: bool) -> JsonConverter:
    return JsonConverter(parse(JsonConverter.CONFIG, {"schemas.enable": str(schemas).lower()}), is_key=False)


@cache
def writer(row: Schema) -> Callable[[Changes], list[bytes | None]] | None:
    return compile_changes(envelope(row), FORM, b"", b"")


twin = both(cdc.json.shape, converter, writer)


@given(st.lists(ROWS[FLAT], max_size=5).map(lambda rows: rows * 60))
@settings(max_examples=40, deadline=None)
def test_rows_are_cut_where_they_end(rows: list[Any]) -> None:
    texts = compile_texts(FLAT, FORM)
    assert texts.start == b'{"id":'
    assert [texts.start + text + texts.end for text in texts.write(rows)] == converter(False).encode(
        "t", struct(("x", FLAT)).fields[0].schema, rows
    )
    for text, row in zip(texts.write(rows), rows, strict=True):
        assert orjson.loads(texts.start + text + texts.end)["%s"] == row[1]


@pytest.mark.parametrize("name", ["", ",a", "}", "é", '"'])
def test_a_first_name_that_could_follow_the_end_of_a_string_is_never_cut_at(name: str) -> None:
    texts = compile_texts(struct((name, STRING)), FORM)
    rows = [("},{",), ("x",)]
    assert [orjson.loads(texts.start + text + texts.end) for text in texts.write(rows)] == [
        {name: "},{"}, {name: "x"},
    ]  # fmt: skip


@st.composite
def changes(draw: st.DrawFn, row: Schema) -> Changes:
    lengths = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    runs = []
    for length in lengths:
        pos, number = draw(st.integers(0, 2**62)), draw(st.integers(0, 9))
        block = (draw(TEXTS), draw(TEXTS | st.none()), pos, number, draw(TEXTS | st.none()))
        moving = ((2, [pos + 7 * i for i in range(length)]), (3, range(number, number + length)))
        places = draw(st.sets(st.sampled_from([2, 3])))
        runs.append(SourceRun(block, length, tuple(pair for pair in moving if pair[0] in places)))
    rows = st.lists(ROWS[row], min_size=sum(lengths), max_size=sum(lengths))
    before, after = draw(st.none() | rows), draw(st.none() | rows)
    rest = (draw(st.none() | st.tuples(TEXTS, INT64S, INT64S)), draw(TEXTS), draw(st.none() | INT64S))
    return Changes(before, after, Sources(runs), rest, tombstones=draw(st.booleans()))


@pytest.mark.parametrize("row", [FLAT, NESTED], ids=["flat", "nested"])
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_change_events_are_written_as_their_tuples_are(row: Schema, data: st.DataObject) -> None:
    events = data.draw(changes(row))
    schema = envelope(row)
    for schemas in (False, True):
        expected = converter(schemas).encode("t", schema, list(events))
        assert converter(schemas).encode("t", schema, events) == expected
    write = writer(row)
    assert write is not None
    assert write(events) == converter(False).encode("t", schema, list(events)), "without a second way"


def test_a_before_that_is_not_known_is_null() -> None:
    events = Changes([None], [(1, None, 0, 1.0)], Sources([SourceRun(("a", None, 1, 0, None), 1)]), (None, "u", 1))
    assert converter(False).encode("t", envelope(FLAT), events) == converter(False).encode(
        "t", envelope(FLAT), list(events)
    )


def test_a_wrong_value_among_change_events_is_named() -> None:
    events = Changes(None, [(None, None, 0, 1.0)], Sources([SourceRun(("a", None, 1, 0, None), 1)]), (None, "c", 1))
    with pytest.raises(ConversionError, match=r"'after\.id' is null but required"):
        converter(False).encode("t", envelope(FLAT), events)
    nameless = Changes(None, [(1, None, 0, 1.0)], Sources([SourceRun((None, None, 1, 0, None), 1)]), (None, "c", 1))
    with pytest.raises(ConversionError, match=r"'source\.name' is null but required"):
        converter(False).encode("t", envelope(FLAT), nameless)


def test_a_struct_that_is_no_envelope_has_no_such_way() -> None:
    assert compile_changes(struct(("before", FLAT), ("after", FLAT), ("op", STRING)), FORM, b"", b"") is None
