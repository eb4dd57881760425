"""The events that stand in every transaction -> plain values, without an object for each. No I/O.

Of 300,000 transactions of one row these are most of the work. What does not have the usual form is left to binlog.py.
"""

from __future__ import annotations

from struct import Struct
from typing import Final

from cdc.mysql.binlog import CHECKSUM_SIZE, GTID, HEADER_SIZE, uuid_text

_GTID: Final = Struct("<20x16sQB16xIHB")
"""Flags; UUID, number; kind of logical clock, the clock; microseconds of the commit, of which the highest bit says
that another 7 bytes follow."""
_QUERY: Final = Struct(f"<{HEADER_SIZE}xI4xBxxH")
"""Thread, seconds; size of the database's name, error, size of the status variables."""
_BEGIN: Final = b"BEGIN"


def gtid(event: bytes) -> tuple[str, int] | None:
    """`uuid:number` and the commit in microseconds since 1970 of a GTID event, as the server itself wrote it.

    None for other kinds, for events of servers before MySQL 8.0, and for a transaction made on another server.
    """
    if event[4] != GTID or len(event) < _GTID.size + CHECKSUM_SIZE:
        return None
    uuid, number, clock, low, middle, high = _GTID.unpack_from(event)
    if clock != 2 or high & 0x80:
        return None
    return f"{uuid_text(uuid)}:{number}", high << 48 | middle << 32 | low


def begin(event: bytes, end: int) -> int | None:
    """The thread of a Query event that says BEGIN and nothing else; `end` is where the event's checksum begins."""
    if not event.endswith(_BEGIN, HEADER_SIZE, end):
        return None
    thread: int
    thread, database, status = _QUERY.unpack_from(event)
    return thread if _QUERY.size + status + database + 1 + len(_BEGIN) == end else None
