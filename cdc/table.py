"""Table and column descriptions, as Debezium's `tableChanges` hold them; include and exclude filters."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class TableId(NamedTuple):
    """A table's address. For MySQL `database` is the catalog and there is no schema."""

    database: str
    name: str

    def __str__(self) -> str:
        return f"{self.database}.{self.name}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """One column of a table; the attributes are those of Debezium's `io.debezium.connector.schema.Column`.

    Attributes:
        type_name: upper-case type with its modifiers, `INT UNSIGNED`, `VARCHAR`, `ENUM`.
        length, scale: what stands in the parentheses of the type, None when nothing does.
        charset: MySQL character set name of a text column, None otherwise.
        default: the default as text, as Debezium's `defaultValueExpression`; None when there is none or it is NULL.
        enum_values: members of an ENUM or SET, unquoted.
        enum_texts: the members as a statement wrote them, where that is not how SHOW CREATE TABLE does.
    """

    name: str
    position: int
    type_name: str
    type_expression: str
    jdbc_type: int
    native_type: int | None = None
    length: int | None = None
    scale: int | None = None
    charset: str | None = None
    optional: bool = True
    auto_incremented: bool = False
    generated: bool = False
    comment: str | None = None
    has_default: bool = False
    default: str | None = None
    enum_values: tuple[str, ...] = ()
    enum_texts: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table at one moment of its history. A change makes a new object: compiled functions are kept per table."""

    id: TableId
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...] = ()
    charset: str | None = None
    comment: str | None = None

    def column(self, name: str) -> Column | None:
        """Found without regard to case, as MySQL compares column names."""
        folded = name.lower()
        return next((column for column in self.columns if column.name.lower() == folded), None)


def table_id(text: str) -> TableId:
    """`home.table`, each name perhaps in backticks or double quotes."""
    home, _, name = text.strip().partition(".")
    return TableId(home.strip('`"'), name.strip('`"'))


Predicate = Callable[[str], bool]


def any_of(patterns: Sequence[str]) -> Predicate:
    """True for a name that one of the patterns matches as a whole, ignoring case (Debezium's rule for its lists)."""
    compiled = re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.IGNORECASE) if patterns else None
    return lambda name: compiled is not None and compiled.fullmatch(name) is not None


def chosen(include: Sequence[str], exclude: Sequence[str]) -> Predicate:
    """The filter of an include list or an exclude list; both empty: everything."""
    if include:
        return any_of(include)
    excluded = any_of(exclude)
    return lambda name: not excluded(name)


def in_order(tables: Sequence[TableId], patterns: Sequence[str]) -> list[TableId]:
    """Tables as a snapshot reads them: by the order of the include list's patterns, else by their full names.

    Source: Debezium's `RelationalSnapshotChangeEventSource`; names compare as Java strings do.
    """
    ordered = sorted(tables, key=java_order)
    if not patterns:
        return ordered
    matches: list[Callable[[str], bool]] = [any_of([pattern]) for pattern in patterns]
    return list(dict.fromkeys(table for wanted in matches for table in ordered if wanted(str(table))))


def java_order(table: TableId) -> bytes:
    """Sorts as `String.compareTo` of the full names does: by UTF-16 code units."""
    return str(table).encode("utf-16-be", "surrogatepass")
