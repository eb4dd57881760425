"""Column types to schemas, values and defaults, where one rule stands for many types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from cdc.postgres.catalog import PgColumn, PgType, Types
from cdc.postgres.column_schema import default_value, field_schema, size
from cdc.postgres.types import TypeOptions, form
from cdc.schema import BOOLEAN, BYTES, OPTIONAL_STRING, STRING, Type
from cdc.table import TableId

BASE = ["bool", "bit", "text", "numeric", "money", "box", "date", "time", "float8", "int4", "ltree", "varchar", "xid"]
OIDS = {name: number for number, name in enumerate(BASE, 1)}
ROWS: list[tuple[Any, ...]] = [
    *((oid, "pg_catalog", name, "b", "U", 0, 0, -1, None) for name, oid in OIDS.items()),
    *((100 + oid, "pg_catalog", f"_{name}", "b", "A", oid, 0, -1, None) for name, oid in OIDS.items()),
    (200, "public", "mood", "e", "E", 0, 0, -1, ["ok", "it's"]),
    (201, "public", "price", "d", "N", 0, OIDS["numeric"], (8 << 16 | 2) + 4, None),
    (202, "public", "fair_price", "d", "N", 0, 201, -1, None),
    (203, "public", "_price", "b", "A", 201, 0, -1, None),
    (204, "public", "moods", "d", "E", 0, 200, -1, None),
]


class Catalog:
    def rows(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return ROWS


TYPES = Types(Catalog())
UNKNOWN = TypeOptions(unknown=True)


def named(name: str) -> PgType:
    return next(found for row in ROWS if row[2] == name and (found := TYPES[row[0]]) is not None)


def read(name: str, text: str, options: TypeOptions = UNKNOWN, modifier: int = -1) -> Any:
    made = form(named(name), modifier, options, TYPES)
    assert made is not None
    return text if made.read is None else made.read(text)


def test_what_an_array_cannot_hold_makes_it_null() -> None:
    assert read("_numeric", "{1.5,NaN}") is None
    assert read("_price", "{1.5,NULL}") is None
    assert read("_ltree", "{a.b,NULL}") is None
    assert read("_bit", "{1,0}") is None
    assert read("_int4", "{1,NULL}") == [1, None]


def test_arrays_within_arrays_are_null_or_their_literals() -> None:
    assert read("_int4", "{{1,2},{3,4},{5,6}}") == [None, None, None]
    assert read("_text", '{{a,"b c"},{d,NULL}}') == ['{a,"b c"}', "{d,NULL}"]


def test_arrays_hold_times_as_the_driver_cuts_them() -> None:
    assert read("_time", "{12:34:56.789999,24:00:00}") == [45_296_789_000, 86_400_000_000]


def test_unknown_types_come_as_binary_in_the_mode_that_is_set() -> None:
    assert form(named("xid"), -1, TypeOptions(), TYPES) is None
    assert form(named("_price"), -1, TypeOptions(), TYPES) is None
    assert read("xid", "12") == b"12"
    assert read("xid", "12", TypeOptions(unknown=True, binary="hex")) == "3132"
    assert read("_price", "{1.25}", TypeOptions(unknown=True, binary="base64")) == ["MS4yNQ=="]
    assert read("_box", "{(3,4),(1,2);(1e10,1),(0,-0.5)}") == [b"(3.0,4.0),(1.0,2.0)", b"(1.0E10,1.0),(0.0,-0.5)"]


def test_a_domain_is_what_it_is_made_of() -> None:
    made = form(named("fair_price"), -1, TypeOptions(), TYPES)
    assert made is not None
    assert made.schema.parameters == (("scale", "2"), ("connect.decimal.precision", "8"))
    labels = form(named("moods"), -1, TypeOptions(), TYPES)
    assert labels is not None
    assert labels.schema.parameter("allowed") == "ok,it's"
    assert size(PgColumn(name="c", type=named("fair_price")), TypeOptions(), TYPES) == (8, 2)
    assert size(PgColumn(name="c", type=named("_price")), TypeOptions(), TYPES) == (2**31 - 1, 0)


def test_money_is_rounded_to_its_digits() -> None:
    for streamed in (True, False):
        options = TypeOptions(money_digits=1, streamed=streamed)
        assert read("money", "-$1,234.56", options) == -12346
        assert read("money", "$0.05", options) == 1


@pytest.mark.parametrize(
    ("type_name", "expression", "value"),
    [
        ("text", "'it''s'::text", "it"),
        ("text", "'two\nlines'::text", None),
        ("text", "now()", ""),
        ("text", "NULL::text", None),
        ("bool", "true", True),
        ("numeric", "'NaN'::numeric", None),
        ("float8", "'NaN'::double precision", "nan"),
        ("float8", "(1.5)::double precision", None),
        ("int4", "'-5'::integer", -5),
        ("int4", "nextval('s'::regclass)", 0),
        ("mood", "'it''s'::mood", "it''s"),
        ("mood", "'ok'::public.mood", None),
        ("money", "'1'::money", None),
        ("_int4", "'{1}'::integer[]", None),
        ("date", "CURRENT_DATE", 0),
    ],
)
def test_a_default_is_told_as_far_as_debezium_understands_it(type_name: str, expression: str, value: Any) -> None:
    type_ = named(type_name)
    made = form(type_, -1, TypeOptions(decimal="double"), TYPES)
    assert made is not None
    found = default_value(PgColumn(name="c", type=type_, default=expression), made)
    assert (str(found) if value == "nan" else found) == value


def test_items_that_may_be_null_say_so() -> None:
    def items(name: str) -> Any:
        made = form(named(name), -1, UNKNOWN, TYPES)
        assert made is not None
        return made.schema.items

    assert items("_text") == OPTIONAL_STRING
    assert items("_price") == BYTES
    bits = form(named("_bit"), 1, UNKNOWN, TYPES)
    assert bits is not None
    assert bits.schema == BOOLEAN


def test_source_types_stand_behind_the_schemas_own_parameters() -> None:
    options = TypeOptions(propagate=lambda name: name == "s.t.c")
    column = PgColumn(name="c", type=named("varchar"), modifier=9)
    made = form(column.type, column.modifier, options, TYPES)
    assert made is not None
    schema = field_schema(column, made, options, TYPES, TableId("s", "t"))
    assert schema.type is Type.STRING and STRING.parameters == ()
    assert [value for _, value in schema.parameters] == ["VARCHAR", "5", "0", "c"]
