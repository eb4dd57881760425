"""Rows of COPY's text format -> the texts of their values, None for null. No I/O.

Source: PostgreSQL's manual, "COPY", "Text Format".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

NULL: Final = "\\N"
_ESCAPES: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}


def values(lines: Sequence[bytes | memoryview]) -> list[list[str | None]]:
    """Each line ends with a newline; a value holds none, nor a tab, but as an escape."""
    text = b"".join(lines).decode()
    rows: list[list[str | None]] = [line.split("\t") for line in text.split("\n")]  # type: ignore[misc]
    rows.pop()
    if "\\" in text:
        only_nulls = text.count("\\") == text.count(NULL)
        plain = _nulls if only_nulls else _unescaped
        return [plain(row) for row in rows]
    return rows


def _nulls(row: list[str | None]) -> list[str | None]:
    return [None if field == NULL else field for field in row] if NULL in row else row


def _unescaped(row: list[str | None]) -> list[str | None]:
    return [None if field == NULL else _value(field) if "\\" in field else field for field in row if field is not None]


def _value(field: str) -> str:
    """A backslash begins an escape."""
    parts = field.split("\\")
    out, skip = [parts[0]], False
    for part in parts[1:]:
        if skip:
            out.append(part)
            skip = False
        elif not part:
            out.append("\\")
            skip = True
        else:
            out.append(_ESCAPES.get(part[0], part[0]) + part[1:])
    return "".join(out)
