"""Primary keys as a snapshot walks along them: values of rows -> SQL conditions, and a form that an offset can keep.

A key value is a tuple of texts, one a column: numbers and dates as the server prints them, characters (UTF-8) and
bytes as hexadecimal digits. They come back from offsets that users may edit, so each is checked before it
stands in a statement.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from cdc.errors import SourceError
from cdc.mysql.snapshot_values import RawRow
from cdc.snapshot_offset import KeyValue

_NUMBERS: Final = frozenset(["tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "year"])
_TIMES: Final = frozenset(["date", "datetime", "timestamp"])
_CHARACTERS: Final = frozenset(["char", "varchar"])
_BYTES: Final = frozenset(["binary", "varbinary"])
_WHOLE: Final = frozenset(["utf8", "utf8mb3", "utf8mb4", "ascii", "latin1", "utf16", "utf16le", "utf32", "ucs2"])
"""Character sets of which every stored byte comes back from the text that the server sends."""
_FORMS: Final = {
    "number": re.compile(r"-?\d+(?:\.\d+)?"), "time": re.compile(r"[0-9:. -]+"),
    "characters": re.compile(r"(?:[0-9a-f]{2})*"), "bytes": re.compile(r"(?:[0-9a-f]{2})*"),
}  # fmt: skip


class KeyColumn(NamedTuple):
    """One column of a primary key.

    Attributes:
        kind: number, time, characters or bytes.
        type: the type as the server prints it, with its collation.
    """

    name: str
    kind: str
    type: str


class Described(NamedTuple):
    """A key column as `information_schema` describes it; `prefix` is the length of an index on a prefix."""

    name: str
    data_type: str
    column_type: str
    charset: str | None
    collation: str | None
    prefix: int | None


@dataclass(frozen=True)
class Key:
    """A primary key along which a table can be read in parts: its order is the order of comparisons in SQL."""

    columns: tuple[KeyColumn, ...]

    @property
    def signature(self) -> str:
        """Equal as long as values of this key mean the same."""
        return ", ".join(f"{column.name} {column.type}" for column in self.columns)

    @property
    def order(self) -> str:
        """What follows ORDER BY."""
        return ", ".join(_quoted(column.name) for column in self.columns)

    def condition(self, after: KeyValue | None, upto: KeyValue | None) -> str:
        """What follows WHERE for the rows after one value up to another, both optional.

        Raises: SourceError: a value that is none of this key.
        """
        bounds = [self._bound(value, sign) for value, sign in ((after, ">"), (upto, "<")) if value is not None]
        return " AND ".join(bounds) or "TRUE"

    def _bound(self, value: KeyValue, sign: str) -> str:
        if len(value) != len(self.columns):
            raise SourceError(f"{value} is no value of the key ({self.signature}); reset the connector's offsets")
        pairs = [(_quoted(c.name), _literal(c, text)) for c, text in zip(self.columns, value, strict=True)]
        *first, (name, literal) = pairs
        found = f"{name} {sign}{'=' if sign == '<' else ''} {literal}"
        for name, literal in reversed(first):
            # The first comparison is what lets the server seek.
            found = f"{name} {sign}= {literal} AND ({name} {sign} {literal} OR ({found}))"
        return found

    def reader(self, columns: Sequence[str]) -> Callable[[RawRow], KeyValue] | None:
        """From a raw row with these columns to its key value; None when the key is not among them."""
        places = {name: place for place, name in enumerate(columns)}
        if any(column.name not in places for column in self.columns):
            return None
        taken = [(places[column.name], column.kind in ("characters", "bytes")) for column in self.columns]

        def read(row: RawRow) -> KeyValue:
            cells = [(row[place] or b"", is_hex) for place, is_hex in taken]
            return tuple(cell.hex() if is_hex else cell.decode("ascii") for cell, is_hex in cells)

        return read

    def evenly(self, least: KeyValue, greatest: KeyValue, parts: int) -> list[KeyValue] | None:
        """Values that divide a key of one whole number into parts of equal width; None for other keys."""
        if len(self.columns) != 1 or self.columns[0].kind != "number" or "." in least[0] + greatest[0]:
            return None
        low, high = int(least[0]), int(greatest[0])
        return [(str(low + (high - low) * part // parts),) for part in range(1, min(parts, high - low + 1))]


def walkable(columns: Sequence[Described]) -> Key | None:
    """The key of these columns, in key order; None when the server's order of them is not that of comparisons."""
    found = tuple(_key_column(column) for column in columns)
    known = tuple(column for column in found if column is not None)
    return Key(known) if known and len(known) == len(found) else None


def _key_column(column: Described) -> KeyColumn | None:
    kind = _kind(column)
    if kind is None or column.prefix is not None:
        return None
    return KeyColumn(column.name, kind, " ".join(filter(None, (column.column_type, column.collation))))


def _kind(column: Described) -> str | None:
    """ENUM is sorted by number and compared by name, FLOAT is not equal to its text: such keys are not walked.

    Nor are character sets with bytes that mean nothing: the server sends a question mark for them.
    """
    if column.data_type in _NUMBERS:
        return "number"
    if column.data_type in _TIMES:
        return "time"
    if column.data_type in _BYTES:
        return "bytes"
    if column.data_type in _CHARACTERS and column.charset in _WHOLE:
        return "characters"
    return None


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _literal(column: KeyColumn, text: str) -> str:
    if not _FORMS[column.kind].fullmatch(text):
        raise SourceError(f"{text!r} is no value of the key column {column.name}; reset the connector's offsets")
    match column.kind:
        case "number":
            return text
        case "time":
            return f"'{text}'"
        case "bytes":
            return f"x'{text}'"
        case _:
            return f"_utf8mb4 x'{text}'"
