"""Table shapes at any position of the log: Debezium's schema history topic read, replayed and written."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import structlog

from cdc.errors import SourceError
from cdc.mysql import schema_change
from cdc.mysql.compaction import Compaction, Survey
from cdc.mysql.ddl import Catalog, Effect, Unparseable
from cdc.mysql.flavor import Filter
from cdc.mysql.offset import covers, gtids_of
from cdc.mysql.schema_change import HistoryRecord, Kind, SchemaChange, TableChange
from cdc.record import Topic
from cdc.table import Table, TableId

_ABOUT_A_DATABASE: Final = re.compile(r"\s*(?:(?:CREATE|DROP)\s+(?:DATABASE|SCHEMA)|USE|SET)\b", re.IGNORECASE)
_log = structlog.get_logger(__name__)


class UnparseableDdl(SourceError):
    """A statement on a captured table that cannot be understood, and rows that do not fit what the server has now.

    Nothing is lost: the rows are read again once the cause is gone. Retrying alone cannot help.
    """

    def __init__(self, error: Unparseable, position: Mapping[str, Any]) -> None:
        names = ", ".join(map(str, error.tables))
        super().__init__(
            f"the statement at {position.get('file')}:{position.get('pos')} names the captured table {names} but "
            f"cannot be understood: {error.reason}, and what follows does not fit the table as the server has it now. "
            f"Statement: {error.statement!r}. Rebuild the history with a new snapshot (snapshot.mode=recovery)"
        )
        self.tables = error.tables
        self.statement = error.statement


@dataclass(frozen=True, kw_only=True)
class HistoryOptions:
    """What is kept and what is refused.

    Attributes:
        captured_database: the connector's filter of databases.
        only_captured_tables: `schema.history.internal.store.only.captured.tables.ddl`.
        only_captured_databases: `schema.history.internal.store.only.captured.databases.ddl`.
        skip_unparseable: `schema.history.internal.skip.unparseable.ddl`.
        comments: `include.schema.comments`.
        origin: the filter of `gtid.source.includes` and `.excludes`; None: all.
    """

    captured_database: Callable[[str], bool] = lambda database: True
    only_captured_tables: bool = False
    only_captured_databases: bool = False
    skip_unparseable: bool = False
    comments: bool = False
    origin: Filter | None = None


_Place = tuple[str | int, ...]
"""A position as far as two readings of the same statement agree on it."""


class _Text(NamedTuple):
    """A text of the log, and what comes with it."""

    sql: str
    database: str
    position: Mapping[str, Any]
    ts_ms: int
    sql_mode: int


class History:
    """The tables of one server as its log's statements make them, each statement durable before it is answered.

    Attributes:
        appended: records written by this object.
    """

    def __init__(
        self,
        topic: Topic,
        server: str,
        captured: Callable[[TableId], bool],
        options: HistoryOptions | None = None,
    ) -> None:
        """`server` is the topic prefix: several connectors may share one history topic."""
        self._topic = topic
        self._server = server
        self._captured = captured
        self._options = options or HistoryOptions()
        self._catalog = Catalog(comments=self._options.comments)
        self._catalog.captured = captured
        self._recovered: dict[_Place, list[HistoryRecord]] = {}
        self._doubts: dict[TableId, UnparseableDdl] = {}
        self._survey = Survey()
        self._compaction = Compaction(
            topic, server, lambda recorded, offset: not at_or_before(recorded, offset, self._options.origin),
            lambda recorded, offset: _place(recorded) == _place(offset),
        )  # fmt: skip
        self.appended = 0

    @property
    def doubts(self) -> Mapping[TableId, UnparseableDdl]:
        """Captured tables whose last change was not understood. Changes with `apply`, `recover` and `record`."""
        return self._doubts

    @property
    def tables(self) -> Mapping[TableId, Table]:
        """Every table known now, captured or not. Changes with `apply` and `recover`."""
        return self._catalog.tables

    def fold_names(self) -> None:
        """Tells that the server has `lower_case_table_names=1`: whatever a statement writes, names are lower case."""
        self._catalog.fold_names = True

    def exists(self) -> bool:
        """The topic is there and holds something of this server."""
        return self._topic.exists() and any(True for _ in records(self._topic, self._server))

    def create(self) -> None:
        """Creates the topic when it is missing."""
        if not self._topic.exists():
            self._topic.create()

    def recover(self, upto: Mapping[str, Any] | None) -> None:
        """Replays what was recorded at or before an offset; nothing without one.

        Raises: DecodeError: not a history.
        """
        if upto is None:
            return
        place = _place(upto)
        self._recovered.clear()
        self._survey = Survey()

        def remembered() -> Iterator[HistoryRecord]:
            for record in records(self._topic):
                if record.server != self._server:
                    self._survey.others = True
                    continue
                self._survey.see(record)
                if "snapshot" not in record.position and _place(record.position) == place:
                    self._recovered.setdefault(place, []).append(record)
                self._settle(record.table_changes)
                yield record

        replay(self._catalog, remembered(), upto, self._refuse, self._options.origin)

    def apply(
        self, sql: str, database: str | None, position: Mapping[str, Any], ts_ms: int, sql_mode: int = 0
    ) -> list[SchemaChange]:
        """Reads a text of the log, changes `tables`, and records it; durable when it returns.

        Args:
            sql: one statement or several. Text that is no DDL is fine and gives nothing.
            database: the session's default database.
            position: the offset map before the statement.
            ts_ms: the clock, milliseconds since 1970.
            sql_mode: the session's, as bits; 0 when it is not known.
        Returns: what belongs in the `<prefix>` topic, in order. A change of kind TRUNCATE is not recorded and
            does not belong there: it is an event of its table.
        Raises: LogError, LogUnavailable: the history cannot be written. Then `tables` may be ahead
            of it: go on with a new History, recovered from the saved offset.
        """
        sql = sql.strip()
        text = _Text(sql, database or "", position, ts_ms, sql_mode)
        recovered = self._recovered.pop(_place(position), None) if self._recovered else None
        if recovered is not None and (again := self._again(recovered, text)) is not None:
            return again
        changes = self._changes(self._catalog, text)
        for change in changes:
            self._settle(change.table_changes)
        kept = [change for change in changes if change.kind is not Kind.TRUNCATE and self._is_kept(change)]
        self.appended += len(kept)
        if kept:
            self._topic.append([(None, schema_change.write(self._server, position, change)) for change in kept])
        return changes

    def record(self, change: SchemaChange, position: Mapping[str, Any]) -> None:
        """Takes a change that no statement made (a table read from the server) as truth; durable when it returns."""
        apply_changes(self._catalog.tables, change.table_changes)
        self._settle(change.table_changes)
        self.appended += 1
        self._topic.append([(None, schema_change.write(self._server, position, change))])

    def record_definition(
        self, id: TableId, ddl: str | None, position: Mapping[str, Any], ts_ms: int,
        choose: Callable[[Table | None], Table | None] = lambda table: table,
    ) -> bool:  # fmt: skip
        """A table takes the form of its SHOW CREATE TABLE, or the one chosen for it; durable when it returns.

        Args:
            ddl: None when the server has no such table.
            choose: given what the statement makes, None when it makes none or is not understood.
        Returns: False when nothing was chosen: nothing is changed then.
        """
        catalog = self._catalog.copy()
        catalog.tables.pop(id, None)
        if ddl is not None:
            catalog.execute(ddl, id.database)
        table = choose(catalog.tables.get(id))
        if table is None:
            return False
        made = (TableChange(Kind.CREATE, id, table),)
        change = SchemaChange(kind=Kind.CREATE, database=id.database, ddl="", table_changes=made, ts_ms=ts_ms)
        self.record(change, position)
        return True

    def is_long(self, position: Mapping[str, Any]) -> bool:
        """Whether `recover` read so much that a checkpoint should be written at the offset where it stopped."""
        if self._survey.others or self._doubts or not self._survey.is_long(len(self.tables)):
            return False
        return self._compaction.reaches(self._survey, position)

    def checkpoint(self, position: Mapping[str, Any], now_ms: int) -> int:
        """Records all tables at the offset where `recover` stopped; durable when it returns.

        Returns: the checkpoint's name.
        Raises: SourceError: what the tables are there is not known, or other connectors use the topic.
        """
        if self._survey.others:
            raise SourceError(
                "other connectors record their tables in the same topic: it cannot be shortened for one of them; give "
                "each a schema.history.internal.kafka.topic of its own (copy the topic)"
            )
        if self._doubts:
            raise SourceError(
                f"the last change of {', '.join(map(str, self._doubts))} was not understood; start the connector: it "
                "settles the table when its next rows come"
            )
        return self._compaction.checkpoint(self._catalog, self._survey, position, now_ms)

    def superseded(self, useless: Callable[[Mapping[str, Any]], bool]) -> int | None:
        """The newest checkpoint that `recover` met at a position from which nothing can be read any more."""
        return None if self._survey.others else self._survey.superseded(useless)

    def forget_before(self, checkpoint: int) -> int:
        """Takes away all records before a checkpoint; their number. Raises: LogError: the log does not allow it."""
        return self._compaction.forget_before(checkpoint)

    def _refuse(self, error: Unparseable, position: Mapping[str, Any]) -> None:
        """Puts captured tables in doubt: how they look now is settled when their next rows come."""
        captured = list(filter(self._captured, error.tables))
        if not captured:
            return
        if not self._options.skip_unparseable:
            self._doubts |= dict.fromkeys(captured, UnparseableDdl(error, position))
        _log.warning(
            "skipped a statement that cannot be understood; take a new snapshot of its table if it changed columns"
            if self._options.skip_unparseable
            else "a statement cannot be understood; its table is read from the server when its next rows come",
            tables=[str(table) for table in error.tables],
            reason=error.reason,
            statement=error.statement,
            file=position.get("file"),
            pos=position.get("pos"),
        )

    def _settle(self, changes: Sequence[TableChange]) -> None:
        """A table that is made or dropped is in no doubt; one that is renamed stays in it."""
        for change in changes:
            doubt = self._doubts.pop(change.previous_id, None) if change.previous_id is not None else None
            if doubt is not None:
                self._doubts[change.id] = doubt
            elif change.kind is not Kind.ALTER:
                self._doubts.pop(change.id, None)

    def _again(self, recovered: list[HistoryRecord], text: _Text) -> list[SchemaChange] | None:
        """What a text that is read a second time gave the first time: `tables` has it since `recover`.

        Applying it twice would be wrong where names are swapped. None when the record is not of this text, or was
        only written in part.
        """
        changes = self._changes(self._catalog.copy(), text._replace(position=recovered[0].position))
        kept = [change.ddl for change in changes if self._is_kept(change)]
        recovered = recovered[: len(kept)]  # what follows repeats it: it was read twice before
        if kept != [record.ddl for record in recovered]:
            return None
        return [
            SchemaChange(
                kind=_kind(record),
                database=record.database or "",
                ddl=record.ddl or "",
                table_changes=record.table_changes,
                tables=tuple(change.id for other in recovered for change in other.table_changes),
                ts_ms=text.ts_ms,
            )
            for record in recovered
        ]

    def _changes(self, catalog: Catalog, text: _Text) -> list[SchemaChange]:
        sql, database, position, ts_ms, sql_mode = text
        result = catalog.execute(sql, database, lambda error: self._refuse(error, position), sql_mode)
        if result is None or (self._options.only_captured_tables and not self._concerns_us(result, sql, database)):
            return []
        if not result:
            result = [Effect(Kind.OTHER, database, sql)]
        return [
            change for group in _by_database(result) for change in _as_changes(group, ts_ms) if self._is_emitted(change)
        ]

    def _concerns_us(self, effects: list[Effect], sql: str, database: str) -> bool:
        if _is_global_set(sql, database):
            return True
        return any(
            self._captured(effect.table) if effect.table is not None else self._accepts(effect.database)
            for effect in effects
        )

    def _accepts(self, database: str) -> bool:
        return not database or self._options.captured_database(database)

    def _is_emitted(self, change: SchemaChange) -> bool:
        if not self._accepts(change.database) and (
            self._options.only_captured_databases or self._options.only_captured_tables
        ):
            return False
        ids = [table_change.id for table_change in change.table_changes]
        return not self._options.only_captured_tables or all(map(self._captured, ids))

    def _is_kept(self, change: SchemaChange) -> bool:
        if not self._options.only_captured_tables or _is_global_set(change.ddl, change.database):
            return True
        return any(self._captured(table_change.id) for table_change in change.table_changes)


def _kind(record: HistoryRecord) -> Kind:
    if record.table_changes:
        return record.table_changes[0].kind
    return Kind.DATABASE if _ABOUT_A_DATABASE.match(record.ddl or "") else Kind.OTHER


def _is_global_set(sql: str, database: str) -> bool:
    return not database and sql[:4].upper() == "SET "


def _by_database(effects: list[Effect]) -> Iterator[list[Effect]]:
    """Neighbours of one database together: they share `source.table`."""
    group: list[Effect] = []
    for effect in effects:
        if group and group[0].database != effect.database:
            yield group
            group = []
        group.append(effect)
    if group:
        yield group


def _as_changes(effects: list[Effect], ts_ms: int) -> Iterator[SchemaChange]:
    tables = tuple(dict.fromkeys(effect.table for effect in effects if effect.table is not None))
    for effect in effects:
        yield SchemaChange(
            kind=effect.kind,
            database=effect.database,
            ddl=effect.ddl,
            table_changes=effect.table_changes,
            tables=tables,
            ts_ms=ts_ms,
        )


# Replay


def records(topic: Topic, server: str | None = None) -> Iterator[HistoryRecord]:
    """What the topic holds of one server, or of all.

    Raises: DecodeError: a record that is no history record.
    """
    for _, value in topic.read():
        record = schema_change.read(value)
        if record is not None and server in (None, record.server):
            yield record


def replay(
    catalog: Catalog,
    history: Iterator[HistoryRecord],
    upto: Mapping[str, Any] | None,
    refuse: Callable[[Unparseable, Mapping[str, Any]], None],
    origin: Filter | None = None,
) -> None:
    """Applies the records at or before an offset, all of them without one.

    Recorded table changes are taken as they are; only a record without any is read as text (Debezium's rule).
    `refuse` is told of text that cannot be understood, and raises or lets it pass. `origin` is the filter of GTIDs.
    """
    for record in history:
        if upto is not None and not at_or_before(record.position, upto, origin):
            continue
        if record.table_changes:
            apply_changes(catalog.tables, record.table_changes)
        elif record.ddl:
            catalog.execute(record.ddl, record.database or "", functools.partial(_refuse_at, refuse, record.position))


def _refuse_at(
    refuse: Callable[[Unparseable, Mapping[str, Any]], None], position: Mapping[str, Any], error: Unparseable
) -> None:
    refuse(error, position)


def apply_changes(tables: dict[TableId, Table], changes: tuple[TableChange, ...]) -> None:
    for change in changes:
        if change.previous_id is not None:
            tables.pop(change.previous_id, None)
        if change.table is None:
            tables.pop(change.id, None)
        else:
            tables[change.id] = change.table


def at_or_before(recorded: Mapping[str, Any], desired: Mapping[str, Any], origin: Filter | None = None) -> bool:
    """Whether a recorded position is not after an offset.

    GTID sets decide when both have one, of the sources alone that `origin` wants; a recorded position without is older
    than an offset with. Positions of two servers without GTIDs can only be compared by time. Source: Debezium's
    `BinlogHistoryRecordComparator`, but for three things. A snapshot's position names no server and is compared with
    any by file and position: by its time, which is that of the last table it read, it would come after statements that
    were logged while it read. An offset without GTIDs is compared by file and position with what was recorded with
    them: there it would be older than all of that, so a server whose gtid_mode was turned off could not be read on. And
    of a log whose files had another base name all is older: there recovery fails.
    """
    ours, theirs = recorded.get("gtids"), desired.get("gtids")
    if theirs is not None and ours is not None:
        had, wanted = gtids_of(ours), gtids_of(theirs)
        if origin is not None:
            had, wanted = had.only(origin), wanted.only(origin)
        if had != wanted:
            return covers(wanted, had)
        if "snapshot" in desired and "snapshot" not in recorded:
            return False
        return _number(recorded, "event") <= _number(desired, "event")
    if theirs is not None:
        return True
    if len({_number(recorded, "server_id"), _number(desired, "server_id")} - {0}) == 2:
        return _number(recorded, "ts_sec") <= _number(desired, "ts_sec")
    one, other = _coordinates(recorded), _coordinates(desired)
    return one[0] != other[0] or one <= other


def _place(position: Mapping[str, Any]) -> _Place:
    gtids = position.get("gtids")
    if gtids is not None:
        return (str(gtids_of(gtids)), _number(position, "event"))
    return _coordinates(position)


def _number(position: Mapping[str, Any], name: str) -> int:
    return int(position.get(name) or 0)


def _coordinates(position: Mapping[str, Any]) -> tuple[str, int, int, int, int]:
    base, _, number = str(position.get("file") or "").rpartition(".")
    file = int(number) if number.isdigit() else 0
    return (base, file, int(position.get("pos", -1)), _number(position, "event"), _number(position, "row"))


# For people: `tailrace history`


def tables_at(topic: Topic, server: str, upto: Mapping[str, Any] | None = None) -> dict[TableId, Table]:
    """The tables of a server at an offset, or as recorded last. Reads only; text not understood is passed over."""
    catalog = Catalog(comments=True)
    replay(catalog, records(topic, server), upto, lambda error, position: None)
    return dict(sorted(catalog.tables.items()))


def describe(table: Table) -> str:
    """A table as text to read: one line a column, then its key."""
    lines = [f"{table.id} (default charset {table.charset})"]
    for column in table.columns:
        size = "" if column.length is None else f"({column.length}{'' if column.scale is None else f',{column.scale}'})"
        members = f"({','.join(map(schema_change.quoted_member, column.enum_values))})" if column.enum_values else size
        words = [f"  {column.position:>3} {column.name}", column.type_name + members]
        words += [f"charset {column.charset}"] if column.charset else []
        words += [] if column.optional else ["not null"]
        words += [f"default {column.default!r}"] if column.default is not None else []
        words += ["auto increment"] if column.auto_incremented else []
        words += [f"comment {column.comment!r}"] if column.comment else []
        lines.append(" ".join(words))
    lines.append(f"  key: {', '.join(table.primary_key) or 'none'}")
    return "\n".join(lines)


def describe_record(record: HistoryRecord) -> str:
    """A history record as one line: position, what it did to which tables, and its text."""
    at = f"{record.position.get('file')}:{record.position.get('pos')}" + (" (checkpoint)" if record.mark else "")
    did = ", ".join(
        f"{change.kind.value} {change.id}" + (f" (was {change.previous_id})" if change.previous_id else "")
        for change in record.table_changes
    )
    text = " ".join((record.ddl or "").split())
    return f"{at} {record.server} [{did or 'no table'}] {text}"
