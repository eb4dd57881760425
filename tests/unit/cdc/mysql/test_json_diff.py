"""Changes of a JSON value: made to the value before, they give the text of the value after."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdc.mysql import jsonb
from cdc.mysql.json_diff import packed, patched

REPLACE, INSERT, REMOVE = 0, 1, 2


def body(value: Any) -> tuple[int, bytes]:
    """Kind and bytes of a value in MySQL's small binary form."""
    if isinstance(value, int):
        return 5, struct.pack("<h", value)
    if isinstance(value, str):
        raw = value.encode()
        return 12, bytes((len(raw) & 0x7F | 0x80, len(raw) >> 7)) + raw
    if isinstance(value, list):
        keys: list[bytes] = []
        members = list(map(body, value))
    else:
        keys = sorted((key.encode() for key in value), key=lambda key: (len(key), key))
        members = [body(value[key.decode()]) for key in keys]
    at = 4 + 4 * len(keys) + 3 * len(members)
    key_entries = entries = rest = b""
    for key in keys:
        key_entries += struct.pack("<HH", at + len(rest), len(key))
        rest += key
    for kind, raw in members:
        entries += bytes((kind,)) + (raw if kind == 5 else struct.pack("<H", at + len(rest)))
        rest += b"" if kind == 5 else raw
    return 0 if keys or isinstance(value, dict) else 2, struct.pack(
        "<HH", len(members), at + len(rest)
    ) + key_entries + entries + rest


def binary(value: Any) -> bytes:
    kind, raw = body(value)
    return bytes((kind,)) + raw


def sized(raw: bytes) -> bytes:
    return bytes((len(raw),)) + raw if len(raw) < 251 else b"\xfc" + struct.pack("<H", len(raw)) + raw


def change(operation: int, path: str, value: Any = None) -> bytes:
    logged = b"" if operation == REMOVE else sized(binary(value))
    return bytes((operation,)) + sized(path.encode()) + logged


BEFORE = {"a": 1, "b": [1, 2, {"c": "x"}], "long name": {"é": []}}


@pytest.mark.parametrize(
    ("changes", "after"),
    [
        ([], BEFORE),
        ([(REPLACE, "$.a", "y")], BEFORE | {"a": "y"}),
        ([(REPLACE, "$", [])], []),
        ([(INSERT, "$.zz", 5)], {"a": 1, "b": BEFORE["b"], "zz": 5, "long name": {"é": []}}),
        ([(INSERT, "$.B", 5)], {"B": 5, **BEFORE}),
        ([(INSERT, "$.b[1]", "new")], BEFORE | {"b": [1, "new", 2, {"c": "x"}]}),
        ([(INSERT, "$.b[9]", "last")], BEFORE | {"b": [1, 2, {"c": "x"}, "last"]}),
        ([(REPLACE, "$.b[2].c", "x" * 300)], BEFORE | {"b": [1, 2, {"c": "x" * 300}]}),
        ([(REMOVE, "$.b[0]"), (REMOVE, "$.b[1].c")], BEFORE | {"b": [2, {}]}),
        ([(REMOVE, "$.a"), (INSERT, '$."long name"."\\u00e9"[0]', 7)], {"b": BEFORE["b"], "long name": {"é": [7]}}),
    ],
)  # fmt: skip
def test_changes_are_made_in_their_order(changes: list[tuple[Any, ...]], after: Any) -> None:
    text = patched(binary(BEFORE), b"".join(change(*one) for one in changes))
    assert text == json.dumps(after, separators=(",", ":"), ensure_ascii=False)


values = st.recursive(
    st.integers(-(2**15), 2**15 - 1) | st.text("aé\"\\", max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(values)
def test_a_value_without_changes_is_written_as_a_whole_one(value: Any) -> None:
    assert patched(binary(value), b"") == jsonb.text(binary(value))


@given(values, values)
def test_a_replaced_value_is_the_new_one(value: Any, other: Any) -> None:
    assert patched(binary(value), change(REPLACE, "$", other)) == jsonb.text(binary(other))


@pytest.mark.parametrize(
    ("before", "changes"),
    [
        (None, change(REMOVE, "$.a")),
        (b"", change(REMOVE, "$.a")),
        (binary(BEFORE), change(REMOVE, "$.none")),
        (binary(BEFORE), change(REPLACE, "$.b[7]", 1)),
        (binary(BEFORE), change(INSERT, "$.a.x", 1)),
        (binary(BEFORE), change(REMOVE, "$x")),
        (binary(BEFORE), change(REPLACE, "$.a", 1)[:-4]),
        (binary(BEFORE), b"\0"),
    ],
)
def test_what_does_not_fit_is_an_error(before: bytes | None, changes: bytes) -> None:
    with pytest.raises((ValueError, IndexError, KeyError, TypeError, struct.error)):
        patched(before, changes)


def test_lengths_are_read() -> None:
    assert packed(b"\x00\xfa", 1) == (250, 2)
    assert packed(b"\xfc\x01\x02", 0) == (513, 3)
    assert packed(b"\xfd\x01\x02\x03", 0) == (0x30201, 4)
