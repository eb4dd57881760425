"""Schema names made legal for Avro, in Debezium's two ways."""

from __future__ import annotations

import pytest

from cdc.naming import field_name_adjuster, schema_name_adjuster


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


@pytest.mark.parametrize(
    ("name", "avro", "avro_unicode"),
    [
        ("plain", "plain", "plain"),
        ("a_b", "a_b", "a_u005fb"),
        ("1st", "_1st", "_u0031st"),
        ("dot.dot", "dot_dot", "dot_u002edot"),
        ("dash-x", "dash_x", "dash_u002dx"),
        ("ümlaut", "_mlaut", "_u00fcmlaut"),
        ("名", "_", "_u540d"),
    ],
)
def test_field_names_are_made_legal_as_debezium_does(name: str, avro: str, avro_unicode: str) -> None:
    shown = [field_name_adjuster(mode)(name) for mode in ("none", "avro", "avro_unicode")]
    assert shown == [name, avro, avro_unicode]
