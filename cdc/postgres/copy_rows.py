"""Rows of COPY's text format -> the texts of their values, None for null; or at once row tuples. No I/O.

Source: PostgreSQL's manual, "COPY", "Text Format".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from cdc.changes import Row
from cdc.postgres import texts
from cdc.postgres.row_decoder import Read

NULL: Final = "\\N"
Compiled = Callable[[list[str]], list[Row]]
_PLAIN: Final[dict[Any, str]] = {int: "int({})", float: "float({})", texts.truth: "({} == 't')"}
"""Readers that never give None."""
_ESCAPES: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}


def compile_lines(columns: int, reads: Sequence[Read]) -> Compiled:
    """The decoder of lines of so many columns that hold no escape but nulls: one comprehension, no call for each row.

    It raises what a reader raises of a value that it cannot read.
    """
    scope: dict[str, Any] = {"NULL": NULL}
    members = []
    for number, read in enumerate(reads):
        text = f"c{read.place}"
        if read.read is None:
            value = text
        elif read.read in _PLAIN:
            value = _PLAIN[read.read].format(text)
        else:
            scope[f"r{number}"] = read.read
            value = f"r{number}({text})"
            if read.required:
                scope[f"n{number}"] = read.nothing
                value = f"(n{number} if (value := {value}) is None else value)"
        if not read.required:
            scope[f"a{number}"] = read.null
            null = "None" if read.null is None else f"a{number}"
            value = f"{null} if {text} == NULL else {value}"
        members.append(value + ", ")
    names = "".join(f"c{place}, " for place in range(columns))
    code = f"def rows(lines): return [({''.join(members)}) for line in lines for {names} in (line.split('\\t'),)]"
    exec(compile(code, "<lines of a table>", "exec"), scope)
    compiled: Compiled = scope["rows"]
    return compiled


def is_plain(text: str) -> bool:
    """Whether it holds no escape but nulls."""
    return "\\" not in text or text.count("\\") == text.count(NULL)


def values(text: str) -> list[list[str | None]]:
    """Each line ends with a newline; a value holds none, nor a tab, but as an escape."""
    rows: list[list[str | None]] = [line.split("\t") for line in text.split("\n")]  # type: ignore[misc]
    rows.pop()
    if "\\" in text:
        plain = _nulls if is_plain(text) else _unescaped
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
