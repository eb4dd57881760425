"""MySQL's tables as incremental snapshots read them: the history's shapes, GTIDs or a table for watermarks.

See `cdc.watch`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cdc import watch
from cdc.errors import SourceError, SourceUnavailable
from cdc.java.objects import Key
from cdc.mysql import schema_change, wire
from cdc.mysql.capture import Capture, Shape
from cdc.mysql.chunks import Chunks, can_write, key_in, known_keys
from cdc.mysql.config import MySqlConfig
from cdc.mysql.domain_gtids import DomainGtids
from cdc.mysql.history import History
from cdc.mysql.offset import Gtids, GtidSet, Position
from cdc.mysql.rows import RawRow
from cdc.mysql.schema_change import SchemaChange, TableChange
from cdc.mysql.source_info import SourceInfo
from cdc.mysql.type_family import Family, family
from cdc.notifications import Notifications
from cdc.record import Batch, Headers
from cdc.signals import Channel
from cdc.table import Column, TableId
from cdc.watch import Watch
from cdc.watched import Chunk, KeyOf, Place, Row, Steps


@dataclass(frozen=True, kw_only=True)
class Context:
    """What MySQL's tables are read with."""

    config: MySqlConfig
    settings: wire.Settings
    capture: Capture
    history: History
    notifications: Notifications
    prepare: Callable[[Any], None]
    """Runs `database.initial.statements` on a connection."""
    headers: Headers = ()
    channels: Sequence[Channel] = ()
    report: MutableMapping[str, Any] = field(default_factory=dict)
    now_ns: Callable[[], int] = time.time_ns


def watching(context: Context, offset: Mapping[str, Any]) -> Watch:
    """`offset` is the stored one. Raises: SourceError: it cannot be read."""
    place = Place()
    shared = watch.Context(
        config=context.config, tables=MySqlTables(context, place), signals=context.capture.signals, place=place,
        notifications=context.notifications, channels=context.channels, report=context.report, now_ns=context.now_ns,
    )  # fmt: skip
    return Watch(shared, offset)


class MySqlTables:
    """See `cdc.watch.Tables`."""

    def __init__(self, context: Context, place: Place) -> None:
        self._context, self._place = context, place
        self._chunks = Chunks(context.settings, context.prepare)

    @property
    def unprepared(self) -> str:
        return ("an incremental snapshot needs a place for its watermarks: name a table in signal.data.collection, or "
                "set read.only=true (with gtid_mode=ON)")  # fmt: skip

    @property
    def unmarked(self) -> str:
        return (
            f"read.only=true needs GTIDs as watermarks and {self._context.settings} has none; set gtid_mode=ON and "
            "enforce_gtid_consistency=ON there, or read.only=false with a table in signal.data.collection"
        )

    def unwritable(self, error: SourceError) -> str:
        signals = next(iter(self._context.capture.signals), TableId("", "the signal table"))
        return can_write(error, signals, self._context.config.user)

    def offset(self) -> Mapping[str, Any]:
        position: Position = self._place.position()
        return position.to_offset()

    def source(self, now_ns: int, id: TableId) -> Row:
        source: SourceInfo = self._place.source(now_ns // 1000, id.database, id.name)
        return source._replace(snapshot="incremental", ts_ns=now_ns)

    # What is known of tables

    def known(self) -> list[str]:
        return [str(table) for table in self._context.history.tables]

    def find(self, name: str) -> TableId:
        known = next((id for id in self._context.history.tables if str(id) == name), None)
        return known or TableId(*(part.strip('`"') for part in (*name.split(".", 1), "")[:2]))

    def shape(self, id: TableId) -> Shape | None:
        known = self._context.history.tables.get(id)
        return self._context.capture.shape(known) if known is not None and self._context.capture.table(id) else None

    def refresh(self, id: TableId) -> None:
        """The history alone tells."""

    def defined(self, id: TableId) -> list[Batch]:
        context = self._context
        if not context.capture.table(id):
            return []
        try:
            ddl = self._chunks.server.definition(id)
        except SourceUnavailable:
            raise
        except SourceError:
            return []
        now_ms = context.now_ns() // 1_000_000
        return self._told(context.history.apply(ddl, id.database, self.offset(), now_ms))

    def define(self, database: str, changes: Sequence[Mapping[str, Any]]) -> list[Batch]:
        batches: list[Batch] = []
        for change in [schema_change.change_from(each) for each in changes]:
            batches += self._recorded(change, database)
        return batches

    def _recorded(self, change: TableChange, database: str) -> list[Batch]:
        now_ns, signals = self._context.now_ns(), self._context.capture.signals
        whole = SchemaChange(
            kind=change.kind, database=database, ddl="", table_changes=(change,), tables=(change.id,),
            ts_ms=now_ns // 1_000_000,
        )  # fmt: skip
        self._context.history.record(whole, self.offset())
        return self._told([whole], next(iter(signals)).name if signals else None)

    def _told(self, changes: Sequence[SchemaChange], table: str | None = None) -> list[Batch]:
        """`table` stands in `source` instead of the one that was changed."""
        if not (self._context.config.schema_changes and changes):
            return []
        micros, source = self._context.now_ns() // 1000, self._place.source
        pairs = [(each, source(micros, each.database, table or each.source_table)) for each in changes]
        return [schema_change.batch(pairs, self._context.config.topic_prefix, self._context.headers)]

    def keys(self, shape: Shape, surrogate: str | None) -> Sequence[Column]:
        return known_keys(shape, surrogate)

    def key_reader(self, columns: Sequence[Column], surrogate: str | None, key: Sequence[str]) -> KeyOf | None:
        return _key_reader(columns, surrogate, key)

    # What the server is asked

    def open_window(self, id: str) -> None:
        self._chunks.open_window(next(iter(self._context.capture.signals)), id)

    def close_window(self, id: str, *, by_delete: bool) -> None:
        self._chunks.close_window(next(iter(self._context.capture.signals)), id, by_delete=by_delete)

    def moment(self) -> Gtids:
        return self._chunks.executed()

    def reached(self, low: Gtids, high: Gtids) -> bool:
        done = self._place.done()
        if not (isinstance(done, GtidSet) and isinstance(low, GtidSet) and isinstance(high, GtidSet)):
            return isinstance(done, DomainGtids) and isinstance(high, DomainGtids) and done.contains(high)
        servers = {origin for origin, _ in done.intervals}
        return not high.minus(low).minus(done) and not high.only(lambda uuid: uuid in servers).minus(done)

    def greatest(self, chunk: Chunk) -> Steps:
        return self._chunks.greatest(chunk)

    def rows(self, chunk: Chunk, limit: int) -> Steps:
        return self._chunks.rows(chunk, limit)

    def key_in(self, chunk: Chunk, row: RawRow) -> Key:
        return key_in(chunk, row)

    def converted(self, chunk: Chunk, rows: Sequence[RawRow]) -> Sequence[Row]:
        width = len(chunk.keys)
        converted: list[Row] = chunk.shape.snapshot_rows([row[:-width] for row in rows])
        return converted

    def estimate(self, id: TableId) -> int:
        return self._chunks.server.row_counts([id]).get(id) or 0

    def wait(self, seconds: float) -> None:
        self._chunks.wait(seconds)

    def close(self) -> None:
        self._chunks.close()


def _key_reader(columns: Sequence[Column], surrogate: str | None, key: Sequence[str]) -> KeyOf | None:
    """A function from a row of these columns to what tells it from others: the record's key, else the surrogate.

    TIMESTAMPs have trailing zeros in the log and none in a snapshot. None when the row does not hold those columns.
    """
    names = [name.lower() for name in (key or ([surrogate] if surrogate else []))]
    places = {column.name.lower(): place for place, column in enumerate(columns)}
    if not names or not all(name in places for name in names):
        return None
    parts = []
    for name in names:
        place = places[name]
        value = f"row[{place}]"
        is_text = family(columns[place]) is Family.TIMESTAMP
        parts.append(f"plain({value})" if is_text else value)
    found: KeyOf = eval(f"lambda row: ({', '.join(parts)},)", {"plain": _plain})
    return found


def _plain(text: str | None) -> str | None:
    return text.rstrip("Z").rstrip("0").rstrip(".") if text and "." in text else text and text.rstrip("Z")
