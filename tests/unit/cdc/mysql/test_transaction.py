"""The events of every transaction read quickly say what they say when decoded."""

from __future__ import annotations

import struct

import pytest

from cdc.mysql import binlog, transaction
from cdc.mysql.binlog import Gtid, Query
from tests.mysql_log import frames

FRAMES = frames("shop")
UUID = bytes(range(16))


def made(kind: int, body: bytes) -> bytes:
    return struct.pack("<IBIIIH", 1, kind, 7, 19 + len(body) + 4, 100, 0) + body + b"sum!"


def test_recorded_gtids_are_those_of_the_decoder() -> None:
    recorded = [frame for frame in FRAMES if frame[4] == binlog.GTID]
    decoded = [event for frame in recorded if isinstance(event := binlog.decode(frame, checksum=True)[1], Gtid)]
    assert [transaction.gtid(frame) for frame in recorded] == [
        (event.gtid, event.original_commit_timestamp) for event in decoded
    ]
    assert len(recorded) > 10


def test_recorded_begins_name_their_thread_and_other_statements_do_not() -> None:
    for frame in FRAMES:
        if frame[4] == binlog.QUERY:
            event = binlog.decode(frame, checksum=True)[1]
            assert isinstance(event, Query)
            expected = event.thread_id if event.sql == "BEGIN" else None
            assert transaction.begin(frame, len(frame) - binlog.CHECKSUM_SIZE) == expected


@pytest.mark.parametrize(
    "body",
    [
        b"\1" + UUID + struct.pack("<Q", 9),
        b"\1" + UUID + struct.pack("<QBQQ", 9, 2, 1, 2),
        b"\1" + UUID + struct.pack("<QBQQ", 9, 2, 1, 2) + (5 | 1 << 55).to_bytes(7, "little") + bytes(7),
        b"\1" + UUID + struct.pack("<QBQQ", 9, 1, 1, 2) + bytes(20),
    ],
    ids=["MySQL 5.6", "MySQL 5.7", "made on another server", "another clock"],
)
def test_a_gtid_of_another_form_is_left_to_the_decoder(body: bytes) -> None:
    assert transaction.gtid(made(binlog.GTID, body)) is None


def test_an_anonymous_or_tagged_gtid_is_left_to_the_decoder() -> None:
    usual = next(frame for frame in FRAMES if frame[4] == binlog.GTID)
    for kind in (binlog.ANONYMOUS_GTID, binlog.GTID_TAGGED):
        assert transaction.gtid(usual[:4] + bytes((kind,)) + usual[5:]) is None


@pytest.mark.parametrize("sql", [b"BEGIN", b"XBEGIN", b"SELECT 'BEGIN", b"begin", b"BEGIN "])
def test_only_begin_alone_is_a_begin(sql: bytes) -> None:
    body = struct.pack("<IIBHH", 77, 1, 4, 0, 3) + b"\0\0\0" + b"shop\0" + sql
    event = made(binlog.QUERY, body)
    assert transaction.begin(event, len(event) - 4) == (77 if sql == b"BEGIN" else None)
