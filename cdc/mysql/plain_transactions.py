"""Transactions of one rows event, which the compiled twin knows by their events -> rows that wait to be sent.

Where small transactions follow each other, most of the work is in the events around the rows. What is not plain, is
damaged, or ends a Poll is left to the reader, which takes it event by event; both leave the same behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any, Final, NamedTuple

from cdc.changes import SourceRun
from cdc.errors import DecodeError, SourceError
from cdc.mysql.binlog import CHECKSUM_SIZE
from cdc.mysql.log_place import LogPlace
from cdc.mysql.log_tables import LogTable, LogTables
from cdc.mysql.reader_options import OPERATIONS, ReaderOptions
from cdc.mysql.source_info import SourceInfo
from cdc.mysql.unsent import Unsent
from cdc.source_block import VERSION
from cdc.watch import Watch

_MOVING: Final = ("ts_ms", "ts_us", "ts_ns", "gtid", "pos", "thread")
"""What differs in `source` between transactions of one row."""
_MOST: Final = 4096
"""Transactions looked for at a time; one where the last was not taken, so that no others are looked for in vain."""
_PLACES: Final = tuple(map(SourceInfo._fields.index, _MOVING))


class Group(NamedTuple):
    """Transactions of one server in a row that do the same to one table; an item of each list for each of them.

    Attributes:
        table_map: the body of their TABLE_MAP.
        events, starts, sizes: the rows event, where it stands, its bytes.
        micros: the commit, since 1970.
        gtids_at, ends_at, ends: where the GTID event stands, where the last event does and ends.
        taken: how many events the transaction has.
    """

    server_id: int
    table_map: bytes
    events: list[bytes]
    gtids: list[str]
    micros: list[int]
    threads: list[int]
    starts: list[int]
    gtids_at: list[int]
    ends_at: list[int]
    ends: list[int]
    taken: list[int]
    sizes: list[int]


class PlainTransactions:
    """Takes plain transactions of a server with GTIDs.

    Attributes:
        micros, row: the commit of the newest, and the number of its last row that was sent.
    """

    def __init__(
        self, twin: ModuleType, options: ReaderOptions, place: LogPlace, tables: LogTables, unsent: Unsent,
        watch: Watch | None,
    ) -> None:  # fmt: skip
        """Tables that `watch` has to see are left to the reader."""
        self._find, self._options, self._place, self._tables, self._unsent, self._watch = (
            twin.mysql_transactions, options, place, tables, unsent, watch,
        )  # fmt: skip
        self._most = _MOST
        self.micros, self.row = 0, 0

    def take(self, events: list[bytes], first: int, *, checksum: bool) -> int:
        """How many events were taken, from event `first` on: all of transactions."""
        if self._place.in_transaction or self._place.resume is not None:
            return 0
        taken = 0
        while found := self._find(events, first + taken, checksum, self._most):
            for group in map(Group._make, found):
                done = self._takes(group, CHECKSUM_SIZE if checksum else 0)
                taken += sum(group.taken[:done])
                if done < len(group.events):
                    self._most = 1
                    return taken
            self._most = min(2 * self._most, _MOST)
        return taken

    def _takes(self, group: Group, checksum: int) -> int:
        """How many of the transactions were taken."""
        if not self._tables.seen(group.table_map):
            return 0
        operation, table, at = OPERATIONS[group.events[0][4]], self._tables.of(group.events[0]), 0
        if table is not None and self._watch is not None and table.id in self._watch.tables:
            return 0
        if table is None or operation in self._options.skipped:
            self._passes(group, 0, len(group.events), 0)
            return len(group.events)
        while at < len(group.events):
            many = self._takes_singles(group, at, table, operation, checksum)
            if not many and not self._takes_one(group, at, table, operation, checksum):
                break
            at += many or 1
        return at

    def _takes_singles(self, group: Group, at: int, table: LogTable, operation: str, checksum: int) -> int:
        """How many transactions of one row were taken."""
        images = table.singles(group.events, at, self._unsent.room, checksum)
        upto = at + len(images)
        size = sum(group.sizes[at:upto])
        if len(images) < 2 or self._unsent.would_fill(len(images), size):
            return 0
        micros = group.micros[at:upto]
        millis, nanos = [each // 1000 for each in micros], [each * 1000 for each in micros]
        columns: Sequence[list[Any]] = (
            millis,
            micros,
            nanos,
            group.gtids[at:upto],
            group.starts[at:upto],
            group.threads[at:upto],
        )
        self._unsent.bytes += size
        first = (*self._head(group, at, table), 0, group.threads[at], None)
        self._unsent.run(table.shape, operation, images, SourceRun.told(first, _PLACES, columns))
        self.row, self._place.ts_sec = 0, micros[-1] // 1_000_000
        self._passes(group, at, len(images), 1)
        return len(images)

    def _takes_one(self, group: Group, at: int, table: LogTable, operation: str, checksum: int) -> bool:
        event = group.events[at]
        try:
            images = table.decode(event, len(event) - checksum)
        except (DecodeError, SourceError):
            return False
        operation, images = table.current(operation, images)
        sent = len(images)
        if self._unsent.would_fill(sent, len(event)):
            return False
        self._unsent.bytes += len(event)
        if sent:
            self._unsent.rows(
                table.shape, operation, images, self._head(group, at, table), 0, (group.threads[at], None)
            )
            self.row, self._place.ts_sec = sent - 1, group.micros[at] // 1_000_000
        self._passes(group, at, 1, sent)
        return True

    def _head(self, group: Group, at: int, table: LogTable) -> tuple[Any, ...]:
        """Its `source` block up to `row`."""
        options, id, micros = self._options, table.id, group.micros[at]
        return (
            VERSION, options.flavor.name, options.prefix, micros // 1000, None, id.database, None, micros,
            micros * 1000, id.name, group.server_id, group.gtids[at], self._place.file, group.starts[at],
        )  # fmt: skip

    def _passes(self, group: Group, at: int, count: int, sent: int) -> None:
        last = at + count - 1
        self.micros = group.micros[last]
        where = group.gtids_at[last], group.ends_at[last], group.ends[last]
        self._place.passed_whole(group.server_id, group.gtids[last], count, where, sent)
