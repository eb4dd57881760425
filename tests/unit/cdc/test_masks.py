"""What becomes of a masked column, and which of several masks holds; recorded cases are in tests/golden/mysql."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from cdc import masks
from cdc.masks import Masks
from cdc.table import Column

CHAR, VARCHAR, INTEGER, BLOB = 1, 12, 4, 2004


def column(jdbc_type: int = VARCHAR, length: int | None = None) -> Column:
    return Column(
        name="c", position=1, type_name="VARCHAR", type_expression="VARCHAR", jdbc_type=jdbc_type, length=length
    )


def shown(raw: dict[str, str], value: Any, of: Column | None = None) -> Any:
    mask = Masks[Column](raw).of("db.t.c", of or column())
    assert mask is not None
    return value if mask.change is None else mask.change(value)


def test_stars_stand_for_any_text_and_for_null() -> None:
    raw = {"column.mask.with.3.chars": "db\\.t\\.c"}
    assert shown(raw, "secret") == "***"
    assert shown(raw, None) == "***"
    assert shown({"column.mask.with.0.chars": "DB\\.T\\.C"}, "secret") == ""


def test_a_hash_is_salted_and_no_longer_than_its_column() -> None:
    digest = hashlib.sha256(b"salt" + b"value").hexdigest()
    raw = {"column.mask.hash.v2.SHA-256.with.salt.salt": "db\\.t\\.c"}
    assert shown(raw, "value") == digest
    assert shown(raw, "value", column(length=7)) == digest[:7]
    assert shown(raw, None) is None


def test_the_first_kind_of_hash_is_of_javas_serialized_string() -> None:
    raw = {"column.mask.hash.SHA-256.with.salt.CzQMA0cB5K": ".*"}
    assert shown(raw, "ann").startswith("b5f07fae25") is not None


def test_a_text_is_cut_when_its_column_may_be_longer() -> None:
    raw = {"column.truncate.to.4.chars": ".*c"}
    assert shown(raw, "abcdef") == "abcd"
    assert shown(raw, b"abcdef", column(BLOB)) == b"abcd"
    assert shown(raw, 123456, column(INTEGER)) == 123456
    assert shown(raw, "abcdef", column(length=4)) == "abcdef"


def test_only_text_is_masked_and_the_schema_tells_a_mask_all_the_same() -> None:
    mask = Masks[Column]({"column.mask.with.3.chars": ".*"}).of("db.t.c", column(INTEGER))
    assert mask is not None
    assert mask.change is None
    assert mask.parameters == (("masked", "true"),)


def test_of_several_masks_truncating_comes_first_and_hashing_last() -> None:
    raw = {
        "column.mask.hash.v2.MD5.with.salt.s": ".*",
        "column.mask.with.3.chars": ".*",
        "column.truncate.to.2.chars": ".*",
    }
    assert shown(raw, "abcdef") == "ab"
    del raw["column.truncate.to.2.chars"]
    assert shown(raw, "abcdef") == "***"


def test_a_column_whose_source_type_is_told_is_not_hashed() -> None:
    found = Masks[Column]({"column.mask.hash.v2.MD5.with.salt.s": ".*"}, lambda name, column: True)
    assert found.of("db.t.c", column()) is None


def test_other_columns_have_no_mask() -> None:
    assert Masks[Column]({"column.mask.with.3.chars": "db\\.t\\.d"}).of("db.t.c", column()) is None
    assert not Masks[Column]({"name": "x"})


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("column.mask.hash.CRC32.with.salt.x", "a", "there is no algorithm CRC32"),
        ("column.mask.with.5.chars", "(a", "not a regular expression"),
    ],
)
def test_masks_that_cannot_be_used_are_refused(name: str, value: str, words: str) -> None:
    (problem,) = masks.problems({name: value})
    assert problem.key == name
    assert words in problem.message
