"""A JSON value before an update and the changes that a partial update logs -> the JSON text after it. No I/O.

Debezium has no decoder for such events and leaves the updates out. Source: MySQL's source documentation,
"Partial_update_rows_event", and `sql/json_diff.h`.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterator
from typing import Final

from cdc.mysql.jsonb import leaf, quoted

Tree = dict[str, "Tree"] | list["Tree"] | str
"""An object, an array, or the text of anything else."""

_REPLACE, _INSERT, _REMOVE = 0, 1, 2
_LEG: Final = re.compile(r'\.(?:"((?:[^"\\]|\\.)*)"|([^.\[]+))|\[(\d+)\]')
_U16, _U32 = struct.Struct("<H"), struct.Struct("<I")
_WIDTHS: Final = {252: 2, 253: 3, 254: 8}


def packed(raw: bytes, at: int) -> tuple[int, int]:
    """A length-encoded integer, and where it ends."""
    first = raw[at]
    width = _WIDTHS.get(first)
    if width is None:
        return first, at + 1
    return int.from_bytes(raw[at + 1 : at + 1 + width], "little"), at + 1 + width


def patched(before: bytes | None, changes: bytes) -> str:
    """The text of `before` (binary JSON) with the changes made to it, written as `jsonb.text` writes it.

    Raises: ValueError, IndexError, KeyError, TypeError, struct.error: the bytes are no changes of that value.
    """
    if not before:
        raise ValueError("changes of a value that is not there")
    tree, at = _tree(before), 0
    while at < len(changes):
        operation = changes[at]
        size, at = packed(changes, at + 1)
        path, at = changes[at : at + size].decode(), at + size
        value: Tree = ""
        if operation != _REMOVE:
            size, at = packed(changes, at)
            value, at = _tree(changes[at : at + size]), at + size
        tree = _changed(tree, list(_legs(path)), operation, value)
    return _text(tree)


def _tree(raw: bytes) -> Tree:
    return _node(raw, raw[0], 1)


def _node(raw: bytes, kind: int, at: int) -> Tree:
    if kind > 3:
        return leaf(raw, kind, at)
    number, inlined = (_U32, (4, 5, 6, 7, 8)) if kind & 1 else (_U16, (4, 5, 6))
    width = number.size
    (count,) = number.unpack_from(raw, at)
    keys = at + 2 * width
    entry = keys + (count * (width + 2) if kind < 2 else 0)
    members: list[Tree] = []
    for place in range(entry, entry + count * (width + 1), width + 1):
        inside = place + 1 if raw[place] in inlined else at + number.unpack_from(raw, place + 1)[0]
        members.append(_node(raw, raw[place], inside))
    if kind > 1:
        return members
    names = []
    for place in range(keys, entry, width + 2):
        start, (length,) = at + number.unpack_from(raw, place)[0], _U16.unpack_from(raw, place + width)
        names.append(raw[start : start + length].decode())
    return dict(zip(names, members, strict=True))


def _legs(path: str) -> Iterator[str | int]:
    at = 1  # after the dollar sign
    while at < len(path):
        found = _LEG.match(path, at)
        if found is None:
            raise ValueError("no JSON path")
        name, plain, place = found.groups()
        yield int(place) if place is not None else plain if plain is not None else str(json.loads(f'"{name}"'))
        at = found.end()


def _changed(tree: Tree, legs: list[str | int], operation: int, value: Tree) -> Tree:
    if not legs:
        return value
    parent = tree
    for leg in legs[:-1]:
        parent = parent[leg]  # type: ignore[index]
    match parent, legs[-1], operation:
        case dict(), str() as name, op if op != _REMOVE:
            parent[name] = value
            ordered = sorted(parent.items(), key=lambda member: (len(member[0].encode()), member[0].encode()))
            parent.clear()
            parent.update(ordered)
        case list(), int() as place, op if op == _INSERT:
            parent.insert(place, value)
        case list(), int() as place, op if op == _REPLACE:
            parent[place] = value
        case dict() | list(), last, _:
            del parent[last]  # type: ignore[arg-type]
        case _:
            raise ValueError("a change inside of a scalar")
    return tree


def _text(tree: Tree) -> str:
    if isinstance(tree, str):
        return tree
    if isinstance(tree, list):
        return f"[{','.join(map(_text, tree))}]"
    return "{" + ",".join(f"{quoted(name)}:{_text(member)}" for name, member in tree.items()) + "}"
