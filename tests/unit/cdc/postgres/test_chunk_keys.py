"""Keys of chunks as offsets keep them and as SQL compares them."""

from __future__ import annotations

import pytest

from cdc.errors import SourceError
from cdc.java.objects import JavaValue, read, write
from cdc.postgres.catalog import PgColumn, PgType, Types
from cdc.postgres.chunk_keys import key_of, literals


class NoServer:
    def rows(self, query: str, parameters: object = ()) -> list[tuple[object, ...]]:
        return []


TYPES = Types(NoServer())


def column(type_: str) -> PgColumn:
    return PgColumn(name="k", type=PgType(1, "pg_catalog", type_, "b", "S", 0, 0, -1, ()))


@pytest.mark.parametrize(
    ("type_", "text", "kept", "literal"),
    [
        ("int4", "-5", JavaValue("Integer", -5), "'-5'"),
        ("int8", "5000000000", JavaValue("Long", 5000000000), "'5000000000'"),
        ("numeric", "-12.50", JavaValue("BigDecimal", (-1250, 2)), "'-12.50'"),
        ("numeric", "NaN", JavaValue("String", "NaN"), "'NaN'"),
        ("bool", "t", JavaValue("Boolean", True), "'t'"),
        ("text", "it's", JavaValue("String", "it's"), "'it''s'"),
        ("bytea", "\\x00ff", JavaValue("bytes", b"\x00\xff"), "'\\x00ff'"),
        ("date", "2024-02-29", JavaValue("Date", 1709164800000), "'2024-02-29'"),
        ("date", "0044-03-15 BC", JavaValue("String", "0044-03-15 BC"), "'0044-03-15 BC'"),
        ("timestamp", "2024-01-01 00:00:00.000001", JavaValue("Timestamp", (1704067200000, 1000)),
         "'2024-01-01 00:00:00.000001'"),
        ("timestamptz", "2024-01-01 00:00:00.5+00", JavaValue("Timestamp", (1704067200000, 500000000)),
         "'2024-01-01 00:00:00.500000+00'"),
        ("timestamptz", "infinity", JavaValue("String", "infinity"), "'infinity'"),
        ("float8", "0.1", JavaValue("Double", 0.1), "'0.1'"),
    ],
)  # fmt: skip
def test_a_key_is_kept_as_debezium_keeps_it_and_compared_as_its_text(
    type_: str, text: str, kept: JavaValue, literal: str
) -> None:
    key = key_of([column(type_)], [text], TYPES)
    assert key == (kept,)
    again = read(write(key))
    assert again is not None and literals([column(type_)], again, TYPES) == [literal]


def test_null_stays_null() -> None:
    assert literals([column("text")], key_of([column("text")], [None], TYPES), TYPES) == [None]


def test_a_key_of_other_columns_is_refused() -> None:
    with pytest.raises(SourceError, match="a key of 1 columns, but its table's key now has 2"):
        literals([column("text")] * 2, (JavaValue("String", "a"),), TYPES)
