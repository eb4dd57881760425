"""Transactions of one rows event, which the compiled twin knows by their events -> rows that wait to be sent.

Where small transactions follow each other, most of the work is in the events around the rows. What is not plain, is
damaged, or ends a Poll is left to the reader, which takes it event by event; both leave the same behind.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from cdc.errors import DecodeError, SourceError
from cdc.mysql.binlog import CHECKSUM_SIZE
from cdc.mysql.log_place import LogPlace
from cdc.mysql.log_tables import LogTables
from cdc.mysql.reader_options import OPERATIONS, ReaderOptions
from cdc.mysql.unsent import Unsent
from cdc.source_block import VERSION


class PlainTransactions:
    """Takes plain transactions of a server with GTIDs.

    Attributes:
        micros, row: the commit of the newest, and the number of its last row that was sent.
    """

    def __init__(
        self, twin: ModuleType, options: ReaderOptions, place: LogPlace, tables: LogTables, unsent: Unsent
    ) -> None:
        self._find, self._options, self._place, self._tables, self._unsent = (
            twin.mysql_transactions, options, place, tables, unsent,
        )  # fmt: skip
        self.micros, self.row = 0, 0

    def take(self, events: list[bytes], first: int, *, checksum: bool) -> int:
        """How many events were taken, from event `first` on: all of transactions."""
        if self._place.in_transaction or self._place.resume is not None:
            return 0
        taken = 0
        for found in self._find(events, first, checksum):
            if not self._takes(found, CHECKSUM_SIZE if checksum else 0):
                break
            taken += found[-1]
        return taken

    def _takes(self, found: tuple[Any, ...], checksum: int) -> bool:
        gtid, micros, thread, server_id, gtid_at, rows_at, xid_at, end, table_map, event, _ = found
        place = self._place
        if not self._tables.seen(table_map):
            return False
        operation, table, sent = OPERATIONS[event[4]], self._tables.of(event), 0
        if table is not None and operation not in self._options.skipped:
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
                options, id = self._options, table.id
                head = (
                    VERSION, options.flavor.name, options.prefix, micros // 1000, None, id.database, None, micros,
                    micros * 1000, id.name, server_id, gtid, place.file, rows_at,
                )  # fmt: skip
                self._unsent.rows(table.shape, operation, images, head, 0, (thread, None))
                self.row, place.ts_sec = sent - 1, micros // 1_000_000
        self.micros = micros
        place.passed_whole(server_id, gtid, (gtid_at, xid_at, end), sent)
        return True
