"""Transactions sent before they are decided: their frames are kept, in a file when there are many, until they are.

Source: PostgreSQL's manual, "Logical Streaming Replication Protocol": streaming of transactions in progress, two-phase.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from cdc.postgres.pgoutput import HEADER_SIZE
from cdc.spool import Spool, forget

_RECORD: Final = struct.Struct(">II")
"""Of what follows: size, subtransaction."""
_BUFFER_BYTES: Final = 1 << 18
_CHUNK_BYTES: Final = 1 << 22
_UNDONE: Final = b"IUDTM"
"""What a rolled back subtransaction takes with it; what it told of tables holds."""


class Kept:
    """One transaction.

    Attributes:
        lsn: of its first frame.
        prepared_lsn: where its PREPARE TRANSACTION stands; None: it is not prepared.
        relations: relation -> number of the frame that announced it last.
    """

    def __init__(self, lsn: int) -> None:
        self.lsn = lsn
        self.prepared_lsn: int | None = None
        self.relations: dict[int, int] = {}
        self._buffer: list[bytes] = []
        self._buffered = 0
        self._spool: Spool | None = None
        self._undone: set[int] = set()

    def add(self, frame: bytes, subtransaction: int) -> None:
        record = _RECORD.pack(len(frame), subtransaction)
        self._buffer += record, frame
        self._buffered += len(record) + len(frame)
        if self._buffered > _BUFFER_BYTES:
            self._write()

    def _write(self) -> None:
        if self._spool is None:
            self._spool = Spool()
        self._spool.append(b"".join(self._buffer))
        self._buffer, self._buffered = [], 0

    def undo(self, subtransaction: int) -> None:
        self._undone.add(subtransaction)

    def close(self) -> None:
        if self._spool is not None:
            self._spool.close()

    def chunks(self, most: int) -> Iterator[list[bytes]]:
        """Its frames in order, up to `most` at a time; to be called once."""
        if self._spool is not None:
            self._write()
        whole = b"".join(self._buffer) if self._spool is None else self._spool.whole()
        self._buffer, self._spool = [], None
        frames: list[bytes] = []
        at = seen = 0
        while at < len(whole):
            size, subtransaction = _RECORD.unpack_from(whole, at)
            at += _RECORD.size + size
            if subtransaction not in self._undone or whole[at - size + HEADER_SIZE] not in _UNDONE:
                frames.append(whole[at - size : at])
            if len(frames) >= most or at - seen > _CHUNK_BYTES:
                yield frames
                frames, seen = [], at
                forget(whole)
        yield frames


class OpenTransactions:
    """By transaction id."""

    def __init__(self) -> None:
        self._kept: dict[int, Kept] = {}

    def begin(self, xid: int, lsn: int) -> Kept:
        """A part of it comes; `lsn` is of the frame that says so."""
        return self._kept.setdefault(xid, Kept(lsn))

    def get(self, xid: int) -> Kept | None:
        return self._kept.get(xid)

    def drop(self, xid: int) -> None:
        kept = self._kept.pop(xid, None)
        if kept is not None:
            kept.close()

    def close(self) -> None:
        for kept in self._kept.values():
            kept.close()

    def undo(self, xid: int, subtransaction: int) -> None:
        if xid == subtransaction:
            self.drop(xid)
        elif xid in self._kept:
            self._kept[xid].undo(subtransaction)

    @property
    def prepared_lsn(self) -> int | None:
        """From where the server must send again what is prepared; None: nothing is."""
        lsns = [kept.prepared_lsn for kept in self._kept.values() if kept.prepared_lsn is not None]
        return min(lsns, default=None)
