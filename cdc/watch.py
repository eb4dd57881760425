"""What the reader of a log hands over and gets back: signals, the rows of incremental snapshots, notifications.

Everything here runs between two events of the log, a step at a time: a chunk that the server takes long to read never
holds the log up. While no snapshot runs, the reader looks here once a read, and at rows of the signal table. What
differs between databases stands behind `Tables`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import structlog

from cdc import incremental
from cdc.errors import DecodeError, SourceError, SourceUnavailable
from cdc.incremental import Incremental, Window
from cdc.java.objects import shown
from cdc.notifications import Notifications
from cdc.record import Batch
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
from cdc.table import TableId
from cdc.watched import Chunk, Place, Row, Shape, Tables, key_names

_log = structlog.get_logger(__name__)
_FIELDS: Final = 3
_PATIENCE_SECONDS: Final = 0.5
"""How long the log waits for a chunk before it goes on without."""


class Settings(Protocol):
    """The config's part in it."""

    @property
    def read_only(self) -> bool: ...

    @property
    def watermarking(self) -> str: ...

    @property
    def signal_channels(self) -> tuple[str, ...]: ...

    @property
    def signal_poll_ms(self) -> int: ...

    @property
    def incremental_chunk(self) -> int: ...


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a watch works with. `signals` are the signal tables."""

    config: Settings
    tables: Tables
    signals: frozenset[TableId]
    place: Place
    notifications: Notifications
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
        self._context, self._config, self._tables = context, context.config, context.tables
        self._state = Incremental(offset)
        self._job: Generator[None, None, None] | None = None
        self._shape: Shape | None = None
        self._failed_shape: Shape | None = None
        self._watermarks: tuple[Any, Any] | None = None
        self._out: list[Batch] = []
        self._looked = 0.0
        self._estimated = 0
        self._taken = False
        self.place, self.signals = context.place, context.signals
        self.tables: frozenset[TableId] = self.signals
        self.blocking: Execute | None = None
        self.redefined = False

    def start(self, *, has_marks: bool = True) -> None:
        """Goes on with a snapshot that was under way.

        Raises: SourceError: `read.only` on a server that does not tell moments (`has_marks`).
        """
        if self._config.read_only and not has_marks:
            raise SourceError(self._tables.unmarked)
        self.blocking = None
        if self._state.running and self._state.window is None and self._job is None:
            self._next()

    @property
    def waits(self) -> bool:
        """For the log to come to where the server was when a chunk was read."""
        return self._watermarks is not None

    def close(self) -> None:
        if self._job is not None:
            self._job.close()
        self._tables.close()
        for channel in self._context.channels:
            channel.close()

    # What the reader hands over

    def signal(self, columns: Sequence[Any], operation: str, row: Row) -> list[Batch]:
        """A row of a signal table was inserted or deleted; gives what has to be sent before it."""
        signal = self._read(columns, operation, row)
        if signal is not None:
            self._carry_out(signal)
        return self.take()

    def changed(self, columns: Sequence[Any], images: Iterable[Any], *, pairs: bool) -> None:
        """Rows of the current table were changed: the open window does without them."""
        window = self._state.window
        if window is None or not (window.open or self._config.read_only) or not self._state.running:
            return  # the window in which no more rows were found stays open until the log comes to its end
        key_of = self._tables.key_reader(columns, self._state.current.surrogate, self._shape_key())
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
        if self._watermarks is not None and self._tables.reached(*self._watermarks):
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

    def _read(self, columns: Sequence[Any], operation: str, row: Row) -> Signal | None:
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
                    _log.warning(self._tables.unprepared)
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
                _log.info(message.replace("{}", json.dumps(self._tables.offset())))
            case SchemaChanges(database, changes):
                self._define(database, changes)

    def _known(self) -> list[str]:
        return self._tables.known()

    def _define(self, database: str, changes: Sequence[Mapping[str, Any]]) -> None:
        try:
            self._out += self._tables.define(database, changes)
        except (DecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
            _log.warning("a schema-changes signal is passed over: its changes cannot be read", reason=repr(error))
        else:
            self.redefined = True

    # Windows

    def _watermark(self, id: str, *, closes: bool) -> None:
        window = self._state.window
        if window is None or not id.startswith(window.id):
            return
        if not closes:
            window.open = True
        elif self._config.read_only is False:
            self._close_window()

    def _close_window(self) -> None:
        state, shape = self._state, self._shape
        if state.running and shape is not None:
            self._tables.refresh(self._table_id())
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
        source = self._tables.source(now_ns, self._table_id())
        self._out += shape.envelope.reads(rows, [source] * len(rows), now_ns)

    def _next(self) -> None:
        """Begins with the next chunk, and has it when the server is quick."""
        if self._job is None:
            self._job = self._chunk_job()
            self._read_on(_PATIENCE_SECONDS)

    def _read_on(self, patience: float) -> None:
        until = time.monotonic() + patience
        while self._job is not None:
            self._tables.wait(max(0.0, until - time.monotonic()))
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
            _log.warning(self._tables.unwritable(error))
            while state.running:
                state.next_table(incremental.SQL_EXCEPTION)
            state.window = None
            self._rest()
        self._show()

    def _open(self, window: Window) -> None:
        if self._config.read_only:
            self._low = self._tables.moment()
        else:
            self._tables.open_window(window.id)

    def _closed(self, window: Window) -> tuple[Any, Any] | None:
        if self._config.read_only:
            return self._low, self._tables.moment()
        by_delete = self._config.watermarking.upper() == "INSERT_DELETE"
        self._tables.close_window(window.id, by_delete=by_delete)
        return None

    def _fill(self, window: Window) -> Generator[None, None, None]:
        """Reads the next chunk that has rows; tables without are done on the way."""
        state = self._state
        while state.running:
            chunk = self._chunk()
            if chunk is None:
                continue
            self.tables = self.signals | {chunk.id}
            try:
                if state.maximum is None:
                    greatest = yield from self._tables.greatest(chunk)
                    if not greatest:
                        state.next_table(incremental.EMPTY)
                        continue
                    state.maximum = self._tables.key_in(chunk, greatest[0])
                    self._estimated = self._tables.estimate(chunk.id)
                chunk = chunk._replace(after=state.end, upto=state.maximum)
                rows = yield from self._tables.rows(chunk, self._config.incremental_chunk)
                pairs = self._keyed(chunk, rows)
            except SourceUnavailable:
                raise
            except (SourceError, DecodeError) as error:
                if chunk.shape is not self._failed_shape:
                    # The table may have been altered, and the log not have come so far: tried again after this window.
                    self._failed_shape, self._shape = chunk.shape, chunk.shape
                    window.fill([])
                    return
                _log.warning("a table cannot be read for an incremental snapshot", table=str(chunk.id),
                             reason=str(error))  # fmt: skip
                state.next_table(incremental.SQL_EXCEPTION)
                continue
            if rows:
                window.fill(pairs)
                state.scan(len(rows), self._tables.key_in(chunk, rows[-1]))
                self._shape = chunk.shape
                return
            state.next_table(incremental.SUCCEEDED)

    def _chunk(self) -> Chunk | None:
        """The current table; None when it cannot be read, and is passed over."""
        state = self._state
        self._tables.refresh(self._table_id())
        shape = self._current_shape() or self._defined()
        if shape is None:
            _log.warning("an incremental snapshot passes over a table that is not there or not captured: list it in "
                         "table.include.list", table=state.current.table)  # fmt: skip
            state.next_table(incremental.UNKNOWN_SCHEMA)
            return None
        try:
            keys = self._tables.keys(shape, state.current.surrogate)
        except SourceError as error:
            _log.warning(str(error))
            keys = []
        if not keys:
            _log.warning("an incremental snapshot passes over a table without a primary key: name a column of it by "
                         "surrogate-key, or columns in message.key.columns", table=state.current.table)  # fmt: skip
            state.next_table(incremental.NO_PRIMARY_KEY)
            return None
        return Chunk(self._table_id(), shape, keys, state.current)

    def _table_id(self) -> TableId:
        return self._tables.find(self._state.current.table)

    def _current_shape(self) -> Shape | None:
        return self._tables.shape(self._table_id())

    def _defined(self) -> Shape | None:
        """A captured table that is not known, such as one captured since the first snapshot."""
        self._out += self._tables.defined(self._table_id())
        self.redefined = True
        return self._current_shape()

    def _keyed(self, chunk: Chunk, rows: Sequence[Any]) -> list[tuple[Any, Row]]:
        """Raises: DecodeError."""
        converted = self._tables.converted(chunk, rows)
        shape = chunk.shape
        key_of = self._tables.key_reader(shape.columns, chunk.collection.surrogate, key_names(shape))
        return [(None, row) for row in converted] if key_of is None else [(key_of(row), row) for row in converted]

    def _shape_key(self) -> Sequence[str]:
        shape = self._current_shape()
        return () if shape is None else key_names(shape)

    def _rest(self) -> None:
        """Nothing is to be read for now."""
        self.tables = self.signals
        self._tables.close()
        self._show()

    # Figures

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
