"""`message.key.columns` of a config -> which columns are a table's key, when not those of its primary key."""

from __future__ import annotations

from cdc.errors import ConfigError, Problem
from cdc.keys.declare import INVALID
from cdc.table import Predicate, any_of


def key_columns(text: str | None) -> list[Predicate]:
    """One filter of a column's full name for each column that the text (`regex:column,column;…`) names.

    A key's columns stand in the order of these, not in that of the table. A column is a regular expression too.

    Raises: ConfigError: a part without a colon or without columns.
    """
    columns_named: list[Predicate] = []
    for part in filter(None, (part.strip() for part in (text or "").split(";"))):
        tables, colon, columns = part.rpartition(":")
        names = [name.strip() for name in columns.split(",") if name.strip()]
        if not colon or not tables.strip() or not names:
            problem = f"{part!r} has an invalid format (expecting '<table>:<column>,<column>')"
            message = INVALID.format(name="message.key.columns", problem=problem)
            raise ConfigError([Problem("message.key.columns", message)])
        columns_named += [any_of([f"(?:{tables.strip()})\\.(?:{name})"]) for name in names]
    return columns_named
