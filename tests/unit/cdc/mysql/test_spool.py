"""Events that lie in a file are read as those in memory are."""

from __future__ import annotations

import os
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
import zstandard

from cdc.errors import DecodeError
from cdc.mysql import binlog
from cdc.mysql.binlog import TransactionPayload
from cdc.spool import Spool, pieces


def event(kind: int, body: bytes) -> bytes:
    return struct.pack("<IBIIIH", 7, kind, 1, 19 + len(body), 0, 0) + body


def compressed(inner: list[bytes]) -> bytes:
    whole = b"".join(inner)
    packed = b"".join(zstandard.compress(whole[at : at + 3_000_000]) for at in range(0, len(whole), 3_000_000))
    fields = b"\x02\x01\x00" + b"\x03\x09\xfe" + struct.pack("<Q", len(whole))
    fields += b"\x01\x09\xfe" + struct.pack("<Q", len(packed)) + b"\0"
    body = fields + packed
    head = struct.pack("<IBIIIH", 7, binlog.TRANSACTION_PAYLOAD, 1, 19 + len(body) + 4, 0, 0)
    return head + body + struct.pack("<I", zlib.crc32(head + body))


def spooled(whole: bytes) -> bytes:
    spool = Spool()
    for at in range(0, len(whole), 1_000_000):
        spool.append(whole[at : at + 1_000_000])
    return spool.whole()


def resident(path: Path = Path("/proc/self/smaps_rollup")) -> int:
    return int(next(line for line in path.read_text().splitlines() if line.startswith("Pss:")).split()[1]) << 10


@pytest.mark.parametrize("in_file", [False, True], ids=["in memory", "in a file"])
def test_a_compressed_transaction_of_several_frames_gives_its_events(in_file: bool) -> None:
    inner = [event(30, os.urandom(size)) for size in (10, 2_500_000, 1, 0, 70_000)]
    whole = spooled(compressed(inner)) if in_file else compressed(inner)
    assert binlog.checksum_of(whole) == binlog.INTACT
    payload = binlog.decode(whole, checksum=True)[1]
    assert isinstance(payload, TransactionPayload)
    assert list(payload.events()) == inner


@pytest.mark.parametrize("missing", [1, 20, 1000])
def test_a_compressed_transaction_that_is_cut_off_is_refused(missing: int) -> None:
    whole = compressed([event(30, os.urandom(2000)), event(16, bytes(8))])
    payload = binlog.decode(whole, checksum=True)[1]
    assert isinstance(payload, TransactionPayload)
    with pytest.raises(DecodeError):
        list(replace(payload, end=payload.end - missing).events())


def test_reading_a_spooled_event_keeps_no_more_than_a_piece_in_memory() -> None:
    inner = [event(30, os.urandom(4_000_000)) for _ in range(25)]
    whole = spooled(compressed(inner))
    count = len(inner)
    del inner
    before = resident()
    assert binlog.checksum_of(whole) == binlog.INTACT
    payload = binlog.decode(whole, checksum=True)[1]
    assert isinstance(payload, TransactionPayload)
    seen = 0
    for _ in payload.events():
        seen += 1
        assert resident() < before + (40 << 20)
    assert seen == count


def test_pieces_are_all_there_is_between_two_places() -> None:
    data = os.urandom(3_500_000)
    for kept in (data, spooled(data)):
        assert b"".join(map(bytes, pieces(kept))) == data
        assert b"".join(map(bytes, pieces(kept, 5, 2_000_007))) == data[5:2_000_007]
