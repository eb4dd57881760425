"""Socket and reader together: a server's log from a position on, by GTID or by file, as Polls."""

from __future__ import annotations

from collections.abc import Generator
from typing import Final

import structlog

from cdc.errors import DecodeError, SourceUnavailable
from cdc.mysql import binlog, wire
from cdc.mysql.binlog import FormatDescription, Gtid, PreviousGtids, Rotate
from cdc.mysql.failures import DamagedEvent
from cdc.mysql.flavor import Resumption
from cdc.mysql.log_tables import Captured
from cdc.mysql.offset import Gtids, GtidSet, Position
from cdc.mysql.reader import Reader
from cdc.mysql.reader_options import ReaderOptions, Statements
from cdc.mysql.server import Server
from cdc.record import Poll
from cdc.watch import Watch

_log = structlog.get_logger(__name__)
_GTIDS: Final = (binlog.GTID, binlog.GTID_TAGGED, binlog.ANONYMOUS_GTID)
_TOLD: Final = (binlog.ROTATE, binlog.FORMAT_DESCRIPTION, binlog.PREVIOUS_GTIDS)


def stream(
    settings: wire.Settings,
    server_id: int,
    start: Position,
    options: ReaderOptions,
    history: Statements,
    captured: Captured,
    watch: Watch | None = None,
) -> Generator[Poll, None, None]:
    """Polls from `start` on, at least one every half second, until an error or the generator is closed.

    Ends when a signal asks for a blocking snapshot; `watch.place.position` then tells where.
    By GTID when the server has them and `start` knows what was done, by file and position otherwise.
    Raises: SourceUnavailable: worth another try from the last saved offset; SourceError, DecodeError: not.
    """
    stamped, gtids, server = _resumption(settings, start, options)
    before = _Before(start, gtids)
    if stamped and gtids is None:
        yield from _look_before(settings, server_id, before)
    damaged: tuple[Position, int] | None = None
    while True:
        packets = wire.Stream(settings, server_id, start, gtids, queries=options.include_query)
        reader = Reader(
            options, history, captured, start,
            gtids=before.gtids(), has_gtids=stamped, checksum=packets.checksum, server=server, gtid=before.begun,
            watch=watch,
        )  # fmt: skip
        try:
            if watch is not None:
                watch.start(has_marks=stamped or gtids is not None)
            yield from reader.polls(packets, packets.more)
            return
        except DamagedEvent as error:
            yield reader.rest()
            start, gtids = reader.at.position(), reader.at.gtids()
            before = _Before(start, gtids)
            if (start, error.mark) == damaged:
                raise DecodeError(
                    f"{settings}: {error}, for the second time, so it is damaged in the server's file: mysqlbinlog "
                    f"--verify-binlog-checksum {start.file} tells; name a server with an intact log in "
                    "database.hostname (with GTIDs), or reset the connector's offsets for a new snapshot"
                ) from error
            if damaged is not None and start == damaged[0]:
                raise SourceUnavailable(
                    f"what comes from {settings} is damaged each time in another way, so it is the network: {error}"
                ) from error
            damaged = start, error.mark
            _log.warning("what came is damaged and is read again", server=str(settings), reason=str(error))
        finally:
            packets.close()


def _look_before(settings: wire.Settings, server_id: int, before: _Before) -> Generator[Poll, None, None]:
    """Reads a file from its start to the position in it."""
    packets = wire.Stream(settings, server_id, Position(file=before.position.file, pos=4), None)
    before.checksum = packets.checksum
    try:
        for events in packets:
            if any(map(before.is_found, events)):
                return
            yield Poll()
    finally:
        packets.close()


class _Before:
    """The transactions before a position: those of earlier files, which its file names first, and of its own file.

    Attributes:
        begun: the GTID event of a transaction that the position stands in.
    """

    def __init__(self, position: Position, done: Gtids | None) -> None:
        self.position, self.checksum = position, False
        self.begun: bytes | None = None
        self._done = None if done is None else done.tally()

    def gtids(self) -> Gtids | None:
        return None if self._done is None else self._done.done()

    def is_found(self, event: bytes) -> bool:
        """Whether this event, or the one before it, ends at the position."""
        head = binlog.header(event)
        if head.next_position > self.position.pos:
            return True
        if self.begun is not None:  # more of it than its GTID stands before the position: all of it
            gtid = binlog.decode(self.begun, checksum=self.checksum)[1]
            if self._done is not None and isinstance(gtid, Gtid) and gtid.gtid is not None:
                self._done.add(gtid.gtid)
            self.begun = None
        if head.type in _GTIDS:
            self.begun = event
        elif head.type in _TOLD:
            told = binlog.decode(event, checksum=self.checksum)[1]
            if isinstance(told, Rotate) and told.file != self.position.file:
                return True
            if isinstance(told, FormatDescription):
                self.checksum = told.checksum
            elif isinstance(told, PreviousGtids):
                self._done = GtidSet.parse(told.gtids).tally()
        return self.begun is None and head.next_position == self.position.pos


def _resumption(settings: wire.Settings, start: Position, options: ReaderOptions) -> Resumption:
    server = Server(settings)
    try:
        return settings.flavor.resumption(server, start, options.origin, by_gtid=not options.ignore_gtids)
    finally:
        server.close()
