"""What the reader of the log hands over and gets back: signals, the rows of incremental snapshots, notifications.

Everything here runs between two events of the log, a step at a time: a chunk that the server takes long to read never
holds the log up. While no snapshot runs, the reader looks here once a read, and at rows of the signal table.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from cdc import incremental
from cdc.errors import DecodeError, SourceError, SourceUnavailable
from cdc.incremental import Incremental, Window
from cdc.java.objects import shown
from cdc.mysql import schema_change, wire
from cdc.mysql.capture import Capture, Shape
from cdc.mysql.chunks import Chunk, Chunks, can_write, key_in, known_keys
from cdc.mysql.config import MySqlConfig
from cdc.mysql.domain_gtids import DomainGtids
from cdc.mysql.history import History
from cdc.mysql.offset import Gtids, GtidSet, Position
from cdc.mysql.schema_change import SchemaChange, TableChange
from cdc.mysql.source_info import SourceInfo
from cdc.mysql.type_family import Family, family
from cdc.notifications import Notifications
from cdc.record import Batch, Headers
from cdc.signals import (
    SOURCE,
    Channel,
    Execute,
    Log,
    Pause,
    Resume,
    SchemaChanges,
    Signal,
    Stop,
    parse,
)
from cdc.signals import Window as Watermark
from cdc.table import Column, TableId

_log = structlog.get_logger(__name__)
_FIELDS: Final = 3
_PATIENCE_SECONDS: Final = 0.5
"""How long the log waits for a chunk before it goes on without."""
Row = tuple[Any, ...]
KeyOf = Callable[[Row], Any]


class Place:
    """Where the reader stands, as far as a snapshot has to know."""

    position: Callable[[], Position]
    source: Callable[[int, str, str | None], SourceInfo]
    """Given microseconds since 1970, a database and a table."""
    done: Callable[[], Gtids | None]


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a watch works with."""

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


class Watch:
    """One connector's. `signals` are its signal tables, `tables` those whose rows the reader has to show.

    Attributes:
        blocking: the blocking snapshot that was asked for: the reader stops as soon as it can.
        redefined: tables were defined by a signal.
    """

    def __init__(self, context: Context, offset: Mapping[str, Any]) -> None:
        """`offset` is the stored one. Raises: SourceError: it cannot be read."""
        config = context.config
        self._context, self._config = context, config
        self._state = Incremental(offset)
        self._chunks = Chunks(context.settings, context.prepare)
        self._job: Generator[None, None, None] | None = None
        self._shape: Shape | None = None
        self._failed_shape: Shape | None = None
        self._watermarks: tuple[Gtids, Gtids] | None = None
        self._out: list[Batch] = []
        self._looked = 0.0
        self._estimated = 0
        self._taken = False
        self.place: Place = Place()
        self.signals = context.capture.signals
        self.tables: frozenset[TableId] = self.signals
        self.blocking: Execute | None = None
        self.redefined = False

    def start(self, *, has_gtids: bool) -> None:
        """Goes on with a snapshot that was under way. Raises: SourceError: `read.only` without GTIDs."""
        if self._config.read_only and not has_gtids:
            raise SourceError(
                f"read.only=true needs GTIDs as watermarks and {self._context.settings} has none; set gtid_mode=ON and "
                "enforce_gtid_consistency=ON there, or read.only=false with a table in signal.data.collection"
            )
        self.blocking = None
        if self._state.running and self._state.window is None and self._job is None:
            self._next()

    def close(self) -> None:
        if self._job is not None:
            self._job.close()
        self._chunks.close()
        for channel in self._context.channels:
            channel.close()

    # What the reader hands over

    def signal(self, columns: Sequence[Column], operation: str, row: Row) -> list[Batch]:
        """A row of a signal table was inserted or deleted; gives what has to be sent before it."""
        signal = self._read(columns, operation, row)
        if signal is not None:
            self._carry_out(signal)
        return self.take()

    def changed(self, columns: Sequence[Column], images: Iterable[Any], *, pairs: bool) -> None:
        """Rows of the current table were changed: the open window does without them."""
        window = self._state.window
        if window is None or not (window.open or self._config.read_only):
            return
        key_of = _key_reader(columns, self._state.current.surrogate, self._shape_key())
        if key_of is None:
            return
        rows = (row for pair in images for row in pair if row is not None) if pairs else images
        window.drop(map(key_of, rows))

    @property
    def busy(self) -> bool:
        """A chunk is being read."""
        return self._job is not None

    def advance(self, patience: float) -> bool:
        """Takes up signals of other channels, and reads on; True when there is something to `take`.

        Raises: SourceUnavailable.
        """
        self._look()
        self._read_on(patience)
        if self._watermarks is not None and self._reached():
            self._watermarks = None
            self._close_window()
        return bool(self._out or self._state.notes)

    def take(self) -> list[Batch]:
        """What has to be sent now."""
        out, self._out = self._out, []
        if self._state.notes:
            out += self._context.notifications.batches(self._state.notes)
            self._state.notes = []
        return out

    def offset(self) -> Mapping[str, Any]:
        """What stands in the offset beside the position."""
        return self._state.offset()

    def taken(self) -> bool:
        """Whether signals of other channels were carried out since the last call: the offset must be saved."""
        taken, self._taken = self._taken, False
        return taken

    def saved(self) -> None:
        """What was carried out until now is in the log."""
        if self.blocking is not None:
            return
        for channel in self._context.channels:
            channel.done()

    # Signals

    def _read(self, columns: Sequence[Column], operation: str, row: Row) -> Signal | None:
        if operation == "d":
            if self._config.watermarking.upper() != "INSERT_DELETE":
                return None
            return Signal(str(row[0]).replace("open", "close"), "snapshot-window-close", None)
        if operation != "c":
            return None
        values = row[:_FIELDS]
        if len(columns) != _FIELDS or not all(value is None or isinstance(value, str) for value in values):
            _log.warning("a row of the signal table is passed over: the table must have 3 columns, all of them texts: "
                         "id VARCHAR(42), type VARCHAR(32), data VARCHAR(2048)")  # fmt: skip
            return None
        signal = Signal(str(values[0]), str(values[1]), values[2])
        is_watermark = signal.type.startswith("snapshot-window-")
        return signal if is_watermark or SOURCE in self._config.signal_channels else None

    def _look(self) -> None:
        """At the other channels, every `signal.poll.interval.ms`."""
        now = time.monotonic()
        if not self._context.channels or now - self._looked < self._config.signal_poll_ms / 1000:
            return
        self._looked = now
        for channel in self._context.channels:
            for signal in channel.read():
                self._taken = True
                self._carry_out(signal)

    def _carry_out(self, signal: Signal) -> None:
        match parse(signal):
            case Watermark(id, closes):
                self._watermark(id, closes=closes)
            case Execute(blocking=True) as wanted:
                self.blocking = wanted
            case Execute() as wanted:
                if not (self.signals or self._config.read_only):
                    _log.warning("an incremental snapshot needs a place for its watermarks: name a table in "
                                 "signal.data.collection, or set read.only=true (with gtid_mode=ON)")  # fmt: skip
                elif self._state.add(wanted, self._known()) and self._state.window is None:
                    self._next()
            case Stop() as wanted:
                self._state.stop(wanted)
                if self._state.paused:
                    self._next()
            case Pause():
                self._state.pause()
            case Resume():
                if self._state.resume():
                    self._next()
            case Log(message):
                _log.info(message.replace("{}", json.dumps(self.place.position().to_offset())))
            case SchemaChanges(database, changes):
                self._define(database, changes)

    def _known(self) -> list[str]:
        return [str(table) for table in self._context.history.tables]

    def _define(self, database: str, changes: Sequence[Mapping[str, Any]]) -> None:
        try:
            read = [schema_change.change_from(change) for change in changes]
        except (DecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
            _log.warning("a schema-changes signal is passed over: its changes cannot be read", reason=repr(error))
            return
        for change in read:
            self._record(change, database)

    def _record(self, change: TableChange, database: str) -> None:
        now_ns = self._context.now_ns()
        whole = SchemaChange(
            kind=change.kind, database=database, ddl="", table_changes=(change,), tables=(change.id,),
            ts_ms=now_ns // 1_000_000,
        )  # fmt: skip
        self._context.history.record(whole, self.place.position().to_offset())
        self._tell([whole], next(iter(self.signals)).name if self.signals else None)

    def _tell(self, changes: Sequence[SchemaChange], table: str | None = None) -> None:
        """`table` stands in `source` instead of the one that was changed."""
        self.redefined = True
        if self._config.schema_changes and changes:
            micros = self._context.now_ns() // 1000
            pairs = [(each, self.place.source(micros, each.database, table or each.source_table)) for each in changes]
            self._out.append(schema_change.batch(pairs, self._config.topic_prefix, self._context.headers))

    # Windows

    def _watermark(self, id: str, *, closes: bool) -> None:
        window = self._state.window
        if window is None or not id.startswith(window.id):
            return
        if not closes:
            window.open = True
        elif self._config.read_only is False:
            self._close_window()

    def _reached(self) -> bool:
        """The log has given everything that was committed until the chunk was read."""
        assert self._watermarks is not None
        low, high = self._watermarks
        done = self.place.done()
        if not (isinstance(done, GtidSet) and isinstance(low, GtidSet) and isinstance(high, GtidSet)):
            return isinstance(done, DomainGtids) and isinstance(high, DomainGtids) and done.contains(high)
        servers = {origin for origin, _ in done.intervals}
        return not high.minus(low).minus(done) and not high.only(lambda uuid: uuid in servers).minus(done)

    def _close_window(self) -> None:
        state, shape = self._state, self._shape
        if state.running and shape is not None:
            if self._current_shape() is not shape:
                state.reread()
            else:
                self._send(shape, state.take_window())
        else:
            state.window = None
        self._shape = None
        self._next()

    def _send(self, shape: Shape, rows: list[Row]) -> None:
        if not rows:
            return
        now_ns = self._context.now_ns()
        database, name = shape.table.id
        source = self.place.source(now_ns // 1000, database, name)._replace(snapshot="incremental", ts_ns=now_ns)
        self._out += shape.envelope.reads(rows, [source] * len(rows), now_ns)

    def _next(self) -> None:
        """Begins with the next chunk, and has it when the server is quick."""
        if self._job is None:
            self._job = self._chunk_job()
            self._read_on(_PATIENCE_SECONDS)

    def _read_on(self, patience: float) -> None:
        until = time.monotonic() + patience
        while self._job is not None:
            self._chunks.wait(max(0.0, until - time.monotonic()))
            try:
                next(self._job)
            except StopIteration:
                self._job = None
            if time.monotonic() >= until:
                return

    def _chunk_job(self) -> Generator[None, None, None]:
        state = self._state
        if not state.next_chunk(self._known()):
            self._rest()
            return
        window = state.window
        assert window is not None
        try:
            self._open(window)
            yield from self._fill(window)
            self._watermarks = self._closed(window)
        except SourceUnavailable:
            raise
        except SourceError as error:
            signals = next(iter(self.signals), TableId("", "the signal table"))
            _log.warning(can_write(error, signals, self._config.user))
            while state.running:
                state.next_table(incremental.SQL_EXCEPTION)
            state.window = None
            self._rest()
        self._show()

    def _open(self, window: Window) -> None:
        if self._config.read_only:
            self._low = self._chunks.executed()
        else:
            self._chunks.open_window(self._signal_table(), window.id)

    def _closed(self, window: Window) -> tuple[Gtids, Gtids] | None:
        if self._config.read_only:
            return self._low, self._chunks.executed()
        by_delete = self._config.watermarking.upper() == "INSERT_DELETE"
        self._chunks.close_window(self._signal_table(), window.id, by_delete=by_delete)
        return None

    def _signal_table(self) -> TableId:
        return next(iter(self.signals))

    def _fill(self, window: Window) -> Generator[None, None, None]:
        """Reads the next chunk that has rows; tables without are done on the way."""
        state = self._state
        while state.running:
            chunk = self._chunk()
            if chunk is None:
                continue
            self.tables = self.signals | {chunk.shape.table.id}
            try:
                if state.maximum is None:
                    greatest = yield from self._chunks.greatest(chunk)
                    if not greatest:
                        state.next_table(incremental.EMPTY)
                        continue
                    state.maximum = key_in(chunk, greatest[0])
                    self._estimate(chunk.shape.table.id)
                chunk = chunk._replace(after=state.end, upto=state.maximum)
                rows = yield from self._chunks.rows(chunk, self._config.incremental_chunk)
                pairs = self._keyed(chunk, rows)
            except SourceUnavailable:
                raise
            except (SourceError, DecodeError) as error:
                if chunk.shape is not self._failed_shape:
                    # The table may have been altered, and the log not have come so far: tried again after this window.
                    self._failed_shape, self._shape = chunk.shape, chunk.shape
                    window.fill([])
                    return
                _log.warning("a table cannot be read for an incremental snapshot", table=str(chunk.shape.table.id),
                             reason=str(error))  # fmt: skip
                state.next_table(incremental.SQL_EXCEPTION)
                continue
            if rows:
                window.fill(pairs)
                state.scan(len(rows), key_in(chunk, rows[-1]))
                self._shape = chunk.shape
                return
            state.next_table(incremental.SUCCEEDED)

    def _chunk(self) -> Chunk | None:
        """The current table; None when it cannot be read, and is passed over."""
        state = self._state
        shape = self._current_shape() or self._defined()
        if shape is None:
            _log.warning("an incremental snapshot passes over a table that is not there or not captured: list it in "
                         "table.include.list", table=state.current.table)  # fmt: skip
            state.next_table(incremental.UNKNOWN_SCHEMA)
            return None
        try:
            keys = known_keys(shape, state.current.surrogate)
        except SourceError as error:
            _log.warning(str(error))
            keys = ()
        if not keys:
            _log.warning("an incremental snapshot passes over a table without a primary key: name a column of it by "
                         "surrogate-key, or columns in message.key.columns", table=state.current.table)  # fmt: skip
            state.next_table(incremental.NO_PRIMARY_KEY)
            return None
        return Chunk(shape, keys, state.current)

    def _table_id(self) -> TableId:
        text = self._state.current.table
        known = next((id for id in self._context.history.tables if str(id) == text), None)
        return known or TableId(*(part.strip('`"') for part in (*text.split(".", 1), "")[:2]))

    def _current_shape(self) -> Shape | None:
        id = self._table_id()
        known = self._context.history.tables.get(id)
        return self._context.capture.shape(known) if known is not None and self._context.capture.table(id) else None

    def _defined(self) -> Shape | None:
        """A captured table that the history does not know, such as one captured since the first snapshot."""
        id, context = self._table_id(), self._context
        if not context.capture.table(id):
            return None
        try:
            ddl = self._chunks.server.definition(id)
        except SourceUnavailable:
            raise
        except SourceError:
            return None
        now_ms = context.now_ns() // 1_000_000
        self._tell(context.history.apply(ddl, id.database, self.place.position().to_offset(), now_ms))
        return self._current_shape()

    def _keyed(self, chunk: Chunk, rows: Sequence[Sequence[bytes | None]]) -> list[tuple[Any, Row]]:
        """Raises: DecodeError."""
        width = len(chunk.keys)
        converted = chunk.shape.snapshot_rows([row[:-width] for row in rows])
        key_of = _key_reader(chunk.shape.columns, chunk.collection.surrogate, chunk.shape.envelope.key)
        return [(None, row) for row in converted] if key_of is None else [(key_of(row), row) for row in converted]

    def _shape_key(self) -> Sequence[str]:
        shape = self._current_shape()
        return () if shape is None else shape.envelope.key

    def _rest(self) -> None:
        """Nothing is to be read for now."""
        self.tables = self.signals
        self._chunks.close()
        self._show()

    # Figures

    def _estimate(self, table: TableId) -> None:
        self._estimated = self._chunks.server.row_counts([table]).get(table) or 0

    def _show(self) -> None:
        """The state, for the task's status and metrics."""
        state, report = self._state, self._context.report
        report["incremental.snapshot.running"] = state.running
        if not state.running:
            report.pop("incremental_snapshot", None)
            for name in ("rows", "percent", "tables.remaining"):
                report.pop(f"incremental.snapshot.{name}", None)
            return
        percent = min(99, state.scanned * 100 // self._estimated) if self._estimated else 0
        report.update({
            "incremental.snapshot.rows": state.scanned, "incremental.snapshot.percent": percent,
            "incremental.snapshot.tables.remaining": len(state.queue),
        })  # fmt: skip
        report["incremental_snapshot"] = {
            "table": state.current.table, "rows": state.scanned, "rows_estimated": self._estimated, "percent": percent,
            "last_key": ",".join(map(shown, state.end or ())), "maximum_key": ",".join(map(shown, state.maximum or ())),
            "tables_remaining": len(state.queue), "paused": state.paused,
        }  # fmt: skip


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
