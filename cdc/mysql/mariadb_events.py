"""Events that only MariaDB's binary log has -> plain values, and its compressed events -> the plain ones. No I/O.

Source: MariaDB's Knowledge Base, "Replication Protocol"; `sql/log_event.h`.
"""

from __future__ import annotations

import zlib
from struct import Struct
from struct import error as StructError
from typing import Final, NamedTuple

from cdc.errors import DecodeError
from cdc.mysql.binlog import CHECKSUM_SIZE, HEADER, HEADER_SIZE, QUERY
from cdc.mysql.domain_gtids import DomainGtids, Last
from cdc.mysql.event_bytes import EventBytes

ANNOTATE_ROWS: Final = 160
GTID: Final = 162
GTID_LIST: Final = 163
_PLAIN: Final = {165: QUERY, 166: 23, 167: 24, 168: 25, 169: 30, 170: 31, 171: 32}
"""Compressed event -> the event it stands for."""
COMPRESSED: Final = frozenset(_PLAIN)
_UPDATES: Final = (24, 31)
_ALONE: Final = 0x01 | 0x80
"""Flags of a transaction that is one statement: DDL, or the end of a prepared XA transaction."""
_GTID: Final = Struct(f"<{HEADER_SIZE}xQIB")
_LIST: Final = Struct("<IIQ")
_QUERY: Final = Struct("<8xB2xH")
_COUNT: Final = (1 << 28) - 1
"""The other bits of a GTID list's count are flags."""


class Begun(NamedTuple):
    """A transaction begins. `alone`: it ends with the next statement, without a commit."""

    domain: int
    number: int
    alone: bool


def gtid(event: bytes) -> Begun:
    """Of a GTID event, which names the server in its header only. Raises: DecodeError."""
    try:
        number, domain, flags = _GTID.unpack_from(event)
    except StructError as error:
        raise DecodeError(f"a MariaDB GTID event of {len(event)} bytes is too short") from error
    return Begun(domain, number, bool(flags & _ALONE))


def gtid_list(event: bytes, end: int) -> DomainGtids:
    """What was done before a file of the log. Raises: DecodeError."""
    try:
        raw = EventBytes(event, HEADER_SIZE, end)
        last: dict[int, Last] = {}
        for _ in range(raw.number(4) & _COUNT):
            domain, server, number = _LIST.unpack(raw.take(_LIST.size))
            last[domain] = Last(server, number)
    except ValueError as error:
        raise DecodeError(f"a MariaDB GTID list cannot be read: {error}") from error
    return DomainGtids(last)


def annotation(event: bytes, end: int) -> str:
    """The text of the statement whose rows follow."""
    return event[HEADER_SIZE:end].decode("utf-8", "replace")


def uncompressed(event: bytes, *, checksum: bool) -> bytes:
    """The event that a compressed one stands for, with the type, the size and (if it had one) the checksum of that.

    Raises: DecodeError: the bytes are not what the protocol says.
    """
    plain, end = _PLAIN[event[4]], len(event) - (CHECKSUM_SIZE if checksum else 0)
    try:
        at = _compressed_at(EventBytes(event, HEADER_SIZE, end), plain)
        content = _inflated(event[at:end])
    except (ValueError, zlib.error) as error:
        raise DecodeError(f"a compressed event of type {event[4]} cannot be read: {error}") from error
    head = HEADER.unpack_from(event)
    size = at + len(content) + (CHECKSUM_SIZE if checksum else 0)
    whole = HEADER.pack(head[0], plain, head[2], size, *head[4:]) + event[HEADER_SIZE:at] + content
    return whole + zlib.crc32(whole).to_bytes(CHECKSUM_SIZE, "little") if checksum else whole


def _compressed_at(raw: EventBytes, plain: int) -> int:
    """Where the compressed part begins: after a statement's database, or after the bitmaps of rows."""
    if plain == QUERY:
        database, status = _QUERY.unpack(raw.take(_QUERY.size))
        raw.take(status + database + 1)
        return raw.at
    raw.take(8)
    if plain >= 30:
        raw.take(raw.number(2) - 2)
    bitmap = (raw.packed() + 7) // 8
    raw.take(bitmap * (2 if plain in _UPDATES else 1))
    return raw.at


def _inflated(raw: bytes) -> bytes:
    """One byte (the highest bit set, the algorithm, the bytes of the size), the size (big-endian), the content."""
    if not raw or raw[0] & 0xF0 != 0x80:
        raise ValueError(f"unknown compression {raw[:1].hex() or 'of nothing'}")
    start = 1 + (raw[0] & 0x07)
    size, content = int.from_bytes(raw[1:start], "big"), zlib.decompress(raw[start:])
    if len(content) != size:
        raise ValueError(f"it holds {len(content)} bytes instead of {size}")
    return content
