"""Functions that write rows: made once per table and columns, as straight-line Python.

A row stands as two tuples: `k`, its key, and `r`, the record's struct. A `Place` says where a column's value is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

from sinks.jdbc.columns import Column, Form

Row = tuple[tuple[Any, ...], tuple[Any, ...]]
Write = Callable[[Iterable[Row]], list[Any]]


class Place(NamedTuple):
    """A column, and where in the row its value stands: `k` or `r`, and at what index.

    `absent` is written for a null; None: a null is.
    """

    column: Column
    tuple: str
    at: int
    absent: Any = None


class Spelling(NamedTuple):
    """How a kind of statement spells nulls and the forms of values, as parts of an f-string around `{…}`."""

    null: str
    number: Callable[[str], str]
    plain: Callable[[str], str]
    text: Callable[[str], str]
    raw: Callable[[str], str]


_TO_ESCAPE: Final = re.compile(r"[\\\t\n\r]")
_ESCAPES: Final = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES) if _TO_ESCAPE.search(text) else text


COPY: Final = Spelling(
    null="\\N", number=lambda v: v, plain=lambda v: v, text=lambda v: f"escaped({v})", raw=lambda v: f"in_copy({v})"
)
"""One line of PostgreSQL's COPY."""
MYSQL: Final = Spelling(
    null="NULL", number=lambda v: v, plain=lambda v: f"quoted({v})", text=lambda v: f"escaped({v})",
    raw=lambda v: f"in_sql({v})",
)  # fmt: skip
"""Literals under NO_BACKSLASH_ESCAPES."""
_HELP: Final[dict[int, dict[str, Any]]] = {
    id(COPY): {"escaped": _escaped, "in_copy": lambda raw: "\\\\x" + raw.hex()},
    id(MYSQL): {
        "quoted": lambda text: f"'{text}'",
        "escaped": lambda text: "'" + text.replace("'", "''") + "'",
        "in_sql": lambda raw: f"x'{raw.hex()}'",
    },
}


def text_writer(parts: Sequence[str | Place], spelling: Spelling) -> Write:
    """The function from rows to their texts: `parts` are fixed words and values in between."""
    names: dict[str, Any] = {"NULL": spelling.null, **_HELP[id(spelling)]}
    pieces = [_fixed(part) if isinstance(part, str) else _value(part, spelling, names) for part in parts]
    return _compiled(f'f"{"".join(pieces)}"', names)


def tuple_writer(places: Sequence[Place]) -> Write:
    """The function from rows to tuples of parameters."""
    names: dict[str, Any] = {}
    items = []
    for place in places:
        taken, convert, absent = _taken(place, names)
        if convert is None and absent is None:
            items.append(taken)
        else:
            said = f"{convert}(x)" if convert else "x"
            items.append(f"({absent} if (x := {taken}) is None else {said})")
    return _compiled(f"({', '.join(items)},)", names)


def _compiled(expression: str, names: dict[str, Any]) -> Write:
    source = f"lambda rows: [{expression} for k, r in rows]"
    write: Write = eval(source, names)
    return write


def _fixed(text: str) -> str:
    return text.encode("unicode_escape").decode().replace('"', '\\"').replace("{", "{{").replace("}", "}}")


def _taken(place: Place, names: dict[str, Any]) -> tuple[str, str, str | None]:
    """The expression of the value, and the names of its conversion and of what stands for null."""
    convert = absent = None
    if place.column.convert is not None:
        convert = f"c{len(names)}"
        names[convert] = place.column.convert
    if place.absent is not None:
        absent = f"d{len(names)}"
        names[absent] = place.absent if place.column.convert is None else place.column.convert(place.absent)
    return f"{place.tuple}[{place.at}]", convert or "", absent


def _value(place: Place, spelling: Spelling, names: dict[str, Any]) -> str:
    taken, convert, absent = _taken(place, names)
    spell = {
        Form.NUMBER: spelling.number, Form.PLAIN: spelling.plain, Form.TEXT: spelling.text, Form.BYTES: spelling.raw,
    }[place.column.form]  # fmt: skip
    said = spell(f"{convert}(x)" if convert else "x")
    otherwise = spell(absent) if absent else "NULL"
    return "{" + f"{otherwise} if (x := {taken}) is None else {said}" + "}"
