"""Bytes of a pgoutput message -> message object. No I/O.

Protocol versions 1 to 4, text values. Source: PostgreSQL's manual, "Logical Replication Message Formats".
"""

from __future__ import annotations

import struct
from typing import Any, Final, NamedTuple

from cdc.errors import DecodeError

EPOCH_US: Final = 946_684_800_000_000
"""2000-01-01 in microseconds since 1970: PostgreSQL counts from there."""
HEADER_SIZE: Final = 25
"""What stands before the message in a frame: `w`, the message's LSN, the server's end of the WAL, its clock."""


class _Unchanged:
    """See `UNCHANGED`."""

    def __repr__(self) -> str:
        return "UNCHANGED"


UNCHANGED: Final = _Unchanged()
"""A TOASTed value that the statement did not touch: the WAL does not hold it."""

Values = list[Any]
"""One item a column of the relation: its text, None for null, or `UNCHANGED`."""


class Begin(NamedTuple):
    """`commit_lsn`: where the transaction's commit stands; `time_us`: since 1970."""

    commit_lsn: int
    time_us: int
    xid: int


class Commit(NamedTuple):
    commit_lsn: int
    end_lsn: int
    time_us: int


class Origin(NamedTuple):
    """What follows was replicated from elsewhere, from where it stands at `lsn`."""

    lsn: int
    name: str


class RelationColumn(NamedTuple):
    """`key`: part of the replica identity; `modifier` is `pg_attribute.atttypmod`."""

    name: str
    type_oid: int
    modifier: int
    key: bool


class Relation(NamedTuple):
    """`identity`: d(efault), n(othing), f(ull), i(ndex)."""

    oid: int
    schema: str
    table: str
    identity: str
    columns: tuple[RelationColumn, ...]


class TypeName(NamedTuple):
    oid: int
    schema: str
    name: str


class Insert(NamedTuple):
    relation: int
    new: Values


class Update(NamedTuple):
    """`old_kind`: K when `old` holds the replica identity's columns only, O when it is whole, None: there is none."""

    relation: int
    old_kind: str | None
    old: Values | None
    new: Values


class Delete(NamedTuple):
    relation: int
    old_kind: str
    old: Values


class Truncate(NamedTuple):
    """`options`: 1 CASCADE, 2 RESTART IDENTITY."""

    relations: tuple[int, ...]
    options: int


class Message(NamedTuple):
    """Of `pg_logical_emit_message`."""

    transactional: bool
    lsn: int
    prefix: str
    content: bytes


class StreamStart(NamedTuple):
    """Part of a transaction that is still open; `first`: its first part."""

    xid: int
    first: bool


class StreamStop(NamedTuple):
    pass


class StreamCommit(NamedTuple):
    xid: int
    commit_lsn: int
    end_lsn: int
    time_us: int


class StreamAbort(NamedTuple):
    """`sub_xid` was rolled back; the whole transaction when it is `xid`."""

    xid: int
    sub_xid: int


class BeginPrepare(NamedTuple):
    """A prepared transaction follows, up to its `Prepare`."""

    prepare_lsn: int
    end_lsn: int
    time_us: int
    xid: int
    gid: str


class Prepare(NamedTuple):
    """`streamed`: of a transaction whose parts came before."""

    prepare_lsn: int
    end_lsn: int
    time_us: int
    xid: int
    gid: str
    streamed: bool


class CommitPrepared(NamedTuple):
    commit_lsn: int
    end_lsn: int
    time_us: int
    xid: int
    gid: str


class RollbackPrepared(NamedTuple):
    prepare_end_lsn: int
    end_lsn: int
    xid: int
    gid: str


Decoded = (
    Begin | Commit | Origin | Relation | TypeName | Insert | Update | Delete | Truncate | Message
    | StreamStart | StreamStop | StreamCommit | StreamAbort
    | BeginPrepare | Prepare | CommitPrepared | RollbackPrepared
)  # fmt: skip

_I16: Final = struct.Struct(">h").unpack_from
_U32: Final = struct.Struct(">I").unpack_from
_BEGIN: Final = struct.Struct(">QqI").unpack_from
_COMMIT: Final = struct.Struct(">BQQq").unpack_from
_STREAM_COMMIT: Final = struct.Struct(">IBQQq").unpack_from
_PREPARED: Final = struct.Struct(">QQqI").unpack_from
_PREPARED_SIZE: Final = 28
_NULL, _UNTOUCHED, _TEXT, _BINARY = b"nutb"


def decode(message: bytes, *, start: int = 0, streamed: bool = False) -> Decoded:
    """The message that begins at `start`. `streamed`: those between StreamStart and StreamStop carry a transaction id.

    Raises: DecodeError.
    """
    kind = message[start : start + 1]
    at = start + (5 if streamed and kind in b"RYIUDTM" else 1)
    try:
        decoded: Decoded = _DECODERS[kind](message, at)
    except KeyError:
        raise DecodeError(f"pgoutput message of unknown kind {kind!r}") from None
    except (struct.error, IndexError, ValueError) as error:
        raise DecodeError(f"pgoutput message {kind!r} of {len(message)} bytes cannot be read: {error}") from error
    return decoded


def _text(message: bytes, at: int) -> tuple[str, int]:
    end = message.index(b"\0", at)
    return message[at:end].decode(), end + 1


def _values(message: bytes, at: int) -> tuple[Values, int]:
    (count,) = _I16(message, at)
    at += 2
    values: Values = []
    add = values.append
    for _ in range(count):
        kind = message[at]
        if kind == _TEXT:
            (length,) = _U32(message, at + 1)
            start = at + 5
            at = start + length
            if at > len(message):
                raise DecodeError(f"pgoutput value of {length} bytes goes beyond its message")
            add(message[start:at].decode())
        elif kind == _NULL:
            add(None)
            at += 1
        elif kind == _UNTOUCHED:
            add(UNCHANGED)
            at += 1
        else:
            raise DecodeError(f"pgoutput value of unknown kind {chr(kind)!r}")
    return values, at


def _begin(message: bytes, at: int) -> Begin:
    lsn, time_us, xid = _BEGIN(message, at)
    return Begin(lsn, time_us + EPOCH_US, xid)


def _commit(message: bytes, at: int) -> Commit:
    _, commit, end, time_us = _COMMIT(message, at)
    return Commit(commit, end, time_us + EPOCH_US)


def _origin(message: bytes, at: int) -> Origin:
    (lsn,) = struct.unpack_from(">Q", message, at)
    return Origin(lsn, _text(message, at + 8)[0])


def _relation(message: bytes, at: int) -> Relation:
    (oid,) = _U32(message, at)
    schema, at = _text(message, at + 4)
    table, at = _text(message, at)
    identity = chr(message[at])
    (count,) = _I16(message, at + 1)
    at += 3
    columns = []
    for _ in range(count):
        flags = message[at]
        name, at = _text(message, at + 1)
        type_oid, modifier = struct.unpack_from(">Ii", message, at)
        at += 8
        columns.append(RelationColumn(name, type_oid, modifier, bool(flags & 1)))
    return Relation(oid, schema or "pg_catalog", table, identity, tuple(columns))


def _type(message: bytes, at: int) -> TypeName:
    (oid,) = _U32(message, at)
    schema, at = _text(message, at + 4)
    return TypeName(oid, schema or "pg_catalog", _text(message, at)[0])


def _insert(message: bytes, at: int) -> Insert:
    (relation,) = _U32(message, at)
    return Insert(relation, _values(message, at + 5)[0])


def _update(message: bytes, at: int) -> Update:
    (relation,) = _U32(message, at)
    kind = chr(message[at + 4])
    if kind == "N":
        return Update(relation, None, None, _values(message, at + 5)[0])
    old, at = _values(message, at + 5)
    return Update(relation, kind, old, _values(message, at + 1)[0])


def _delete(message: bytes, at: int) -> Delete:
    (relation,) = _U32(message, at)
    return Delete(relation, chr(message[at + 4]), _values(message, at + 5)[0])


def _truncate(message: bytes, at: int) -> Truncate:
    count, options = struct.unpack_from(">IB", message, at)
    return Truncate(struct.unpack_from(f">{count}I", message, at + 5), options)


def _message(message: bytes, at: int) -> Message:
    flags, lsn = struct.unpack_from(">BQ", message, at)
    prefix, at = _text(message, at + 9)
    (length,) = _U32(message, at)
    return Message(bool(flags & 1), lsn, prefix, message[at + 4 : at + 4 + length])


def _stream_start(message: bytes, at: int) -> StreamStart:
    xid, first = struct.unpack_from(">IB", message, at)
    return StreamStart(xid, bool(first))


def _stream_commit(message: bytes, at: int) -> StreamCommit:
    xid, _, commit, end, time_us = _STREAM_COMMIT(message, at)
    return StreamCommit(xid, commit, end, time_us + EPOCH_US)


def _stream_abort(message: bytes, at: int) -> StreamAbort:
    return StreamAbort(*struct.unpack_from(">II", message, at))


def _begin_prepare(message: bytes, at: int) -> BeginPrepare:
    prepare, end, time_us, xid = _PREPARED(message, at)
    return BeginPrepare(prepare, end, time_us + EPOCH_US, xid, _text(message, at + _PREPARED_SIZE)[0])


def _prepare(message: bytes, at: int) -> Prepare:
    return Prepare(*_begin_prepare(message, at + 1), streamed=message[at - 1 : at] == b"p")


def _commit_prepared(message: bytes, at: int) -> CommitPrepared:
    return CommitPrepared(*_begin_prepare(message, at + 1))


def _rollback_prepared(message: bytes, at: int) -> RollbackPrepared:
    prepared, end, _, _, xid = struct.unpack_from(">xQQqqI", message, at)
    return RollbackPrepared(prepared, end, xid, _text(message, at + 37)[0])


_DECODERS: Final[dict[bytes, Any]] = {
    b"B": _begin, b"C": _commit, b"O": _origin, b"R": _relation, b"Y": _type, b"I": _insert, b"U": _update,
    b"D": _delete, b"T": _truncate, b"M": _message, b"S": _stream_start, b"E": lambda message, at: StreamStop(),
    b"c": _stream_commit, b"A": _stream_abort, b"b": _begin_prepare, b"P": _prepare, b"p": _prepare,
    b"K": _commit_prepared, b"r": _rollback_prepared,
}  # fmt: skip
