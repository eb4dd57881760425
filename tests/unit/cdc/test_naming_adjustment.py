"""Schema names made legal for Avro, in Debezium's two ways."""

from __future__ import annotations

import pytest

from cdc.naming import schema_name_adjuster


@pytest.mark.parametrize(
    ("name", "avro", "unicode"),
    [
        ("a.b_c.D1", "a.b_c.D1", "a.b_u005fc.D1"),
        ("p.1db.my-table", "p.1db.my_table", "p.1db.my_u002dtable"),
        ("1shop.t", "_1shop.t", "_u0031shop.t"),
        (".t", "_t", "_u002et"),
        ("λ.t", "_.t", "_u3bb.t"),
        ("", "", ""),
    ],
)
def test_names(name: str, avro: str, unicode: str) -> None:
    assert schema_name_adjuster("none")(name) == name
    assert schema_name_adjuster("avro")(name) == avro
    assert schema_name_adjuster("avro_unicode")(name) == unicode
