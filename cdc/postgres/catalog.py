"""What the server's catalog says of types and tables -> descriptions that values and keys are made from.

Source: PostgreSQL's manual, "System Catalogs": pg_type, pg_enum, pg_attribute, pg_attrdef, pg_index.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from cdc.postgres.pgoutput import Relation
from cdc.table import TableId

_TYPES = """SELECT t.oid, n.nspname, t.typname, t.typtype::text, t.typcategory::text, t.typelem, t.typbasetype,
  t.typtypmod, (SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid)
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace"""
_TABLES = """SELECT c.oid, n.nspname, c.relname, c.relkind::text, c.relispartition, c.reltuples::bigint,
  c.relpersistence = 'p'
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_toast%'
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C\""""
_COLUMNS = """SELECT a.attname, a.atttypid, a.atttypmod, a.attnotnull OR t.typnotnull, pg_get_expr(d.adbin, d.adrelid),
  a.attidentity::text, a.attgenerated::text
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"""
_KEYS = """SELECT i.indisprimary, i.indkey::int2[], (SELECT array_agg(a.attname::text ORDER BY k.place)
  FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(number, place)
  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number WHERE k.place <= i.indnkeyatts)
FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
WHERE i.indrelid = %s AND i.indisunique AND i.indisvalid AND i.indexprs IS NULL AND i.indpred IS NULL
ORDER BY NOT i.indisprimary, x.relname COLLATE "C\""""


class Queries(Protocol):
    """A session that answers queries."""

    def rows(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]: ...


class Captures(Protocol):
    """Knows the config's filters."""

    def table(self, id: TableId) -> bool: ...


@dataclass(frozen=True)
class PgType:
    """One type of the server.

    Attributes:
        kind: b(ase), c(omposite), d(omain), e(num), p(seudo), r(ange), m(ultirange).
        element: oid of an array's element type; 0: no array.
        base: oid of a domain's base type; 0: no domain. `base_modifier` is that type's modifier.
        labels: of an enum, in order.
    """

    oid: int
    schema: str
    name: str
    kind: str
    category: str
    element: int
    base: int
    base_modifier: int
    labels: tuple[str, ...]

    @property
    def is_array(self) -> bool:
        return self.category == "A" and self.element != 0


class Types:
    """The types of a server; read again when one is asked for that was not there."""

    def __init__(self, ask: Queries) -> None:
        self._ask = ask
        self._known: dict[int, PgType] = {}

    def __getitem__(self, oid: int) -> PgType | None:
        if oid not in self._known:
            self.refresh()
        return self._known.get(oid)

    def root(self, type_: PgType, modifier: int) -> tuple[PgType, int]:
        """A domain's base type, however many domains lie between; another type is its own."""
        while type_.base and (base := self[type_.base]) is not None:
            type_, modifier = base, type_.base_modifier if modifier < 0 else modifier
        return type_, modifier

    def changed(self, oid: int, name: str) -> bool:
        """Whether a type is another than it was."""
        known = self._known.get(oid)
        return known is None or known.name != name or known.kind == "e"

    def refresh(self) -> None:
        self._known = {
            oid: PgType(oid, schema, name, kind, category, element, base, modifier, tuple(labels or ()))
            for oid, schema, name, kind, category, element, base, modifier, labels in self._ask.rows(_TYPES)
        }  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class PgColumn:
    """One column. `default`: the expression as the server prints it; `modifier`: `atttypmod`, -1 for none."""

    name: str
    type: PgType
    modifier: int = -1
    optional: bool = True
    default: str | None = None
    identity: bool = False
    generated: bool = False


@dataclass(frozen=True, eq=False, kw_only=True)
class PgTable:
    """One version of a table: a change makes a new object."""

    oid: int
    id: TableId
    columns: tuple[PgColumn, ...]
    key: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """A table there is. `estimate`: its rows, -1 when nobody counted; `logged`: its changes stand in the WAL."""

    oid: int
    id: TableId
    partitioned: bool
    partition: bool
    estimate: int
    logged: bool = True


def tables(ask: Queries) -> list[Found]:
    """Every table of the database that outlives a session, by schema and name."""
    rows = ask.rows(_TABLES)
    return [
        Found(oid, TableId(schema, name), kind == "p", part, count, logged)
        for oid, schema, name, kind, part, count, logged in rows
    ]


def captured(ask: Queries, wanted: Captures) -> list[Found]:
    """Those of them that the config captures."""
    return [table for table in tables(ask) if wanted.table(table.id)]


def described(ask: Queries, types: Types, oid: int, id: TableId) -> PgTable:
    """A table as it is now."""
    columns = []
    for name, type_oid, modifier, required, default, identity, generated in ask.rows(_COLUMNS, (oid,)):
        type_ = types[type_oid]
        if type_ is not None:
            columns.append(
                PgColumn(name=name, type=type_, modifier=modifier, optional=not required,
                         default=None if generated else default, identity=bool(identity), generated=bool(generated))
            )  # fmt: skip
    return PgTable(oid=oid, id=id, columns=tuple(columns), key=_key(ask, oid))


def _key(ask: Queries, oid: int) -> tuple[str, ...]:
    """The primary key's columns, else those of the first unique index."""
    for _, _, names in ask.rows(_KEYS, (oid,)):
        return tuple(names or ())
    return ()


def announced(ask: Queries, types: Types, relation: Relation) -> PgTable:
    """A table as the WAL announces it: its columns' names and types, and of the catalog what still fits them."""
    now = described(ask, types, relation.oid, TableId(relation.schema, relation.table))
    known = {column.name: column for column in now.columns}
    columns = []
    for name, type_oid, modifier, _ in relation.columns:
        type_ = types[type_oid] or PgType(type_oid, "", "unknown", "p", "X", 0, 0, -1, ())
        same = known.get(name)
        if same is not None and same.type.oid == type_oid:
            columns.append(PgColumn(name=name, type=type_, modifier=modifier, optional=same.optional,
                                    default=same.default, identity=same.identity,
                                    generated=same.generated))  # fmt: skip
        else:
            columns.append(PgColumn(name=name, type=type_, modifier=modifier))
    names = {column.name for column in columns}
    key = tuple(name for name in now.key if name in names)
    return PgTable(oid=relation.oid, id=now.id, columns=tuple(columns), key=key)


def in_schema_order(found: Iterable[Found], wanted: Callable[[TableId], bool]) -> list[Found]:
    return [table for table in found if wanted(table.id)]
