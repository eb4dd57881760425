"""What a reader of the log is given: what the config says, the schema history, the watch for signals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final, Protocol

from cdc.errors import SourceError
from cdc.heartbeat import Heartbeat
from cdc.mysql.binlog import ROWS, Kind
from cdc.mysql.flavor import MYSQL, Flavor
from cdc.mysql.log_tables import Choose, Shape
from cdc.mysql.schema_change import SchemaChange
from cdc.mysql.type_family import TypeOptions
from cdc.native import hot
from cdc.record import Headers
from cdc.table import Predicate, Table, TableId
from cdc.transactions import Transactions

_LETTERS: Final = {Kind.WRITE: "c", Kind.UPDATE: "u", Kind.DELETE: "d", Kind.PARTIAL_UPDATE: "u"}
OPERATIONS: Final = {number: _LETTERS[kind] for number, kind in ROWS.items()}
"""Type of a rows event -> letter of the operation."""


class Statements(Protocol):
    """What the reader needs of the schema history; see `cdc.mysql.history`."""

    @property
    def tables(self) -> Mapping[TableId, Table]: ...

    @property
    def doubts(self) -> Mapping[TableId, SourceError]: ...

    def apply(
        self, sql: str, database: str | None, position: Mapping[str, Any], ts_ms: int, sql_mode: int = 0
    ) -> list[SchemaChange]: ...


@dataclass(frozen=True, kw_only=True)
class ReaderOptions:
    """What the config says of streaming.

    Attributes:
        prefix: `topic.prefix`.
        headers: the context headers every record carries.
        skipped: `skipped.operations`, letters of c, u, d, t.
        schema_changes: `include.schema.changes`.
        include_query: `include.query`.
        inconsistent: `inconsistent.schema.handling.mode`.
        learn: records a table that the history lacks at an offset, as it is chosen; False when none is.
        undecodable: `event.processing.failure.handling.mode`: what becomes of rows events that cannot be decoded.
        origin: the filter of `gtid.source.includes` and `.excludes`, asked with a server UUID (MariaDB:
            `domain-server`); None: all.
        filter_dml: `gtid.source.filter.dml.events`.
        ignore_gtids: `gtid.ignore.on.recovery`: restart by file and position.
        heartbeat: None sends none.
        transactions: writes transaction metadata; None writes none.
        ignored: `schema.history.internal.ddl.filter`: statements to pass over; None: none more than usual.
        refill: fills in what changed rows lack (`post.processors`); None: nothing does.
        max_rows: a Poll ends with the event that reaches so many rows.
        twin: the compiled module; None: everything is done in Python.
    """

    prefix: str
    types: TypeOptions
    headers: Headers = ()
    skipped: frozenset[str] = frozenset("t")
    schema_changes: bool = True
    include_query: bool = False
    inconsistent: str = "fail"
    undecodable: str = "fail"
    learn: Callable[[TableId, Mapping[str, Any], Choose], bool] = lambda id, offset, choose: False
    origin: Callable[[str], bool] | None = None
    filter_dml: bool = True
    ignore_gtids: bool = False
    heartbeat: Heartbeat | None = None
    transactions: Transactions | None = None
    ignored: Predicate | None = None
    refill: Callable[[Shape, str, Sequence[Any]], list[Any]] | None = None
    max_rows: int = 4096
    flavor: Flavor = MYSQL
    twin: ModuleType | None = hot
