"""ExtractNewRecordState: settings of older releases, batches of mixed records; recordings stand in test_golden.py."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from cdc.config import parse
from cdc.errors import ConfigError
from cdc.record import NULL, Batch, Header, Headers
from cdc.schema import INT32, OPTIONAL_STRING, STRING, struct
from connect_compat.transforms.extract_new_record_state import ExtractNewRecordState

ROW = struct(("id", INT32), ("name", OPTIONAL_STRING), name="p.Value", optional=True)
SOURCE = struct(("db", STRING), name="s")
ENVELOPE = struct(("before", ROW), ("after", ROW), ("source", SOURCE), ("op", STRING), name="p.Envelope")
NEW, OLD = (1, "new"), (1, "old")
CREATE, UPDATE, DELETE = (None, NEW, ("d",), "c"), (OLD, NEW, ("d",), "u"), (OLD, None, ("d",), "d")
HEADERS: Headers = (Header("h", STRING, "x"),)


def transform(**settings: str) -> ExtractNewRecordState:
    raw: dict[str, str | None] = {name.replace("_", "."): value for name, value in settings.items()}
    return ExtractNewRecordState(parse(ExtractNewRecordState.CONFIG, raw))


def batch(*values: object) -> Batch:
    count = len(values)
    return Batch("t", struct(("id", INT32)), ENVELOPE, [(i,) for i in range(count)], values, [HEADERS] * count)


def values(out: Sequence[Batch]) -> list[object]:
    return [value for each in out for value in each.values]


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({}, [NEW, NULL]),
        ({"drop_tombstones": "true"}, [NEW]),
        ({"drop_tombstones": "false"}, [NEW, None]),
        ({"delete_handling_mode": "drop"}, [NEW]),
        ({"delete_handling_mode": "none"}, [NEW, NULL]),
        ({"delete_handling_mode": "none", "drop_tombstones": "false"}, [NEW, NULL, None]),
        ({"delete_handling_mode": "rewrite"}, [(*NEW, "false"), (*OLD, "true")]),
        ({"delete_handling_mode": "rewrite", "drop_tombstones": "false"}, [(*NEW, "false"), (*OLD, "true"), None]),
        ({"delete_handling_mode": "rewrite", "delete_tombstone_handling_mode": "drop"}, [NEW]),
    ],
)
def test_settings_of_older_releases_still_say_what_becomes_of_deletes(
    settings: dict[str, str], wanted: list[object]
) -> None:
    assert values(transform(**settings).apply(batch(CREATE, DELETE, None))) == wanted


def test_a_batch_of_one_shape_stays_one_batch() -> None:
    (out,) = transform().apply(batch(CREATE, UPDATE))
    assert (out.keys, out.values, out.headers) == ([(0,), (1,)], [NEW, NEW], [HEADERS, HEADERS])
    assert out.value_schema == ROW.with_(optional=False)


def test_rows_and_nulls_under_a_schema_are_kept_in_order() -> None:
    out = transform().apply(batch(CREATE, DELETE, None, UPDATE))
    assert [(each.value_schema, list(each.keys)) for each in out] == [
        (ROW.with_(optional=False), [(0,)]),
        (ROW, [(1,)]),
        (ROW.with_(optional=False), [(3,)]),
    ]


def test_equal_headers_stay_one_object() -> None:
    (out,) = transform(add_headers="op").apply(batch(CREATE, CREATE, UPDATE))
    assert out.headers[0] is out.headers[1]
    assert out.headers[0] == (*HEADERS, Header("__op", STRING.with_(optional=True), "c"))
    assert out.headers[2][-1].value == "u"


def test_records_are_routed_by_a_column_in_order() -> None:
    other = (None, (2, "elsewhere"), ("d",), "c")
    out = transform(route_by_field="name").apply(batch(CREATE, other, UPDATE))
    assert [(each.topic, list(each.values)) for each in out] == [
        ("new", [NEW]),
        ("elsewhere", [(2, "elsewhere")]),
        ("new", [NEW]),
    ]


def test_fields_are_dropped_as_each_records_header_says() -> None:
    names = Header("drop", None, ["name"])
    source = batch(CREATE, CREATE)
    mixed = Batch("t", source.key_schema, ENVELOPE, source.keys, source.values, [HEADERS, (names,)])
    out = transform(drop_fields_header_name="drop").apply(mixed)
    assert values(out) == [NEW, (1,)]


def test_a_batch_of_tombstones_alone_is_dropped() -> None:
    nothing = Batch("t", struct(("id", INT32)), None, [(1,)], [None], [HEADERS])
    assert list(transform().apply(nothing)) == []
    assert values(transform(delete_tombstone_handling_mode="rewrite-with-tombstone").apply(nothing)) == [None]


def test_an_unknown_mode_is_refused_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match="rewrite-with-tombstone"):
        transform(delete_tombstone_handling_mode="forget")
