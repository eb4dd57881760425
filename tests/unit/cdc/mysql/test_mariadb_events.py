"""Events that only MariaDB has: GTIDs, lists of them, annotations, compressed statements and rows."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdc.errors import DecodeError
from cdc.mysql import binlog, mariadb_events

STATEMENT = b"INSERT INTO t VALUES (1)"


def event(kind: int, body: bytes, *, checksum: bool = True) -> bytes:
    size = binlog.HEADER_SIZE + len(body) + (binlog.CHECKSUM_SIZE if checksum else 0)
    whole = binlog.HEADER.pack(1_700_000_000, kind, 184055, size, 4711, 0) + body
    return whole + zlib.crc32(whole).to_bytes(4, "little") if checksum else whole


def packed(content: bytes, width: int = 2) -> bytes:
    return bytes([0x80 | width]) + len(content).to_bytes(width, "big") + zlib.compress(content)


@pytest.mark.parametrize(("flags", "alone"), [(0x0C, False), (0x29, True), (0x80, True)])
def test_a_gtid_tells_domain_number_and_whether_it_is_one_statement(flags: int, alone: bool) -> None:
    begun = mariadb_events.gtid(event(162, struct.pack("<QIB6x", 15, 3, flags)))
    assert begun == (3, 15, alone)


def test_a_list_of_gtids_is_what_was_done_before_a_file() -> None:
    body = struct.pack("<I", 2 | 1 << 28) + struct.pack("<IIQ", 0, 184055, 12) + struct.pack("<IIQ", 1, 2, 3)
    raw = event(163, body)
    assert str(mariadb_events.gtid_list(raw, len(raw) - 4)) == "0-184055-12,1-2-3"
    with pytest.raises(DecodeError, match="GTID list cannot be read"):
        mariadb_events.gtid_list(raw, len(raw) - 5)


@pytest.mark.parametrize("checksum", [True, False])
def test_a_compressed_statement_is_the_statement(checksum: bool) -> None:
    head = struct.pack("<IIBHH", 6, 0, 2, 0, 3) + b"abc" + b"db\0"
    raw = event(165, head + packed(STATEMENT), checksum=checksum)
    plain = event(2, head + STATEMENT, checksum=checksum)
    assert mariadb_events.uncompressed(raw, checksum=checksum) == plain


@pytest.mark.parametrize(
    ("kind", "plain", "head"),
    [
        (166, 23, bytes(8) + b"\x09\xff\x01"),
        (167, 24, bytes(8) + b"\x09\xff\x01\xff\x01"),
        (168, 25, bytes(8) + b"\x09\xff\x01"),
        (169, 30, bytes(8) + b"\x04\x00\x07\x07\x09\xff\x01"),
        (170, 31, bytes(8) + b"\x02\x00\x09\xff\x01\xff\x01"),
        (171, 32, bytes(8) + b"\x02\x00\x09\xff\x01"),
    ],
)
@given(rows=st.binary(max_size=300))
def test_compressed_rows_are_the_rows(kind: int, plain: int, head: bytes, rows: bytes) -> None:
    found = mariadb_events.uncompressed(event(kind, head + packed(rows)), checksum=True)
    assert found == event(plain, head + rows)


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "unknown compression of nothing"), (b"\x91\x01x", "unknown compression 91"),
     (b"\x81\x05" + zlib.compress(b"abc"), "3 bytes instead of 5"), (b"\x81\x05abc", "cannot be read")],
)  # fmt: skip
def test_damaged_compression_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(DecodeError, match=words):
        mariadb_events.uncompressed(event(166, bytes(8) + b"\x01\x01" + content), checksum=True)


def test_an_annotation_is_the_statement_alone() -> None:
    raw = event(160, STATEMENT)
    assert mariadb_events.annotation(raw, len(raw) - 4) == STATEMENT.decode()
