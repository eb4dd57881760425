"""Events decoded from a recorded log, and from damage."""

from __future__ import annotations

import contextlib
import struct
import zlib
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdc.errors import DecodeError
from cdc.mysql import binlog, table_map
from cdc.mysql.binlog import (
    FormatDescription,
    Gtid,
    Heartbeat,
    Kind,
    PreviousGtids,
    Query,
    Rotate,
    Rows,
    RowsQuery,
    TableMap,
    TransactionPayload,
    Unknown,
    XaPrepare,
    Xid,
)
from cdc.mysql.event_bytes import EventBytes
from tests.mysql_log import frames

FRAMES = frames("shop")
EVENTS = [binlog.decode(frame, checksum=True)[1] for frame in FRAMES]


def made(kind: int, body: bytes, *, position: int = 100, flags: int = 0, checksum: bool = True) -> bytes:
    size = 19 + len(body) + (4 if checksum else 0)
    event = struct.pack("<IBIIIH", 1, kind, 7, size, position, flags) + body
    return event + struct.pack("<I", zlib.crc32(event)) if checksum else event


def test_a_recorded_log_holds_what_was_done() -> None:
    found = Counter(type(event) for event in EVENTS)
    assert found[Gtid] == 15
    assert found[TransactionPayload] == 1
    assert found[XaPrepare] == 1
    assert found[Unknown] == 0
    assert [event.sql for event in EVENTS if isinstance(event, Query)][:3] == [
        "CREATE DATABASE shop",
        next(event.sql for event in EVENTS if isinstance(event, Query) and "CREATE TABLE goods" in event.sql),
        "BEGIN",
    ]
    kinds = [event.kind for event in EVENTS if isinstance(event, Rows)]
    assert kinds == [
        Kind.WRITE, Kind.UPDATE, Kind.UPDATE, Kind.DELETE, Kind.WRITE, Kind.WRITE, Kind.DELETE, Kind.UPDATE, Kind.WRITE,
        Kind.WRITE,
    ]  # fmt: skip


def test_the_stream_begins_with_an_artificial_rotate_and_the_format() -> None:
    rotate, described, previous = EVENTS[:3]
    assert isinstance(rotate, Rotate)
    assert rotate.artificial
    assert rotate.position == 4
    assert described == FormatDescription("9.7.4-2", checksum=True)
    assert isinstance(previous, PreviousGtids)
    assert previous.gtids.count(":") >= 2


def test_a_real_rotate_names_the_next_file() -> None:
    rotate = [event for event in EVENTS if isinstance(event, Rotate)][1]
    assert not rotate.artificial
    assert rotate.position == 4


def test_gtids_carry_tag_and_commit_time_in_microseconds() -> None:
    gtids = [event for event in EVENTS if isinstance(event, Gtid)]
    assert all(event.original_commit_timestamp == event.immediate_commit_timestamp for event in gtids)
    assert all(event.original_commit_timestamp > 1_700_000_000_000_000 for event in gtids)
    assert [event.gtid.split(":")[1] for event in gtids if event.gtid and event.gtid.count(":") == 2] == ["batch"]


def test_a_vector_counts_among_the_columns_that_have_a_collation() -> None:
    body = bytes.fromhex(  # of MySQL 9.7.4: int, vector, vector, point, varbinary, geometry, tinyint, vector, texts
        "7d890000000001000764663131345f61000673656c656374000a03f2f2ff0fff01f20f0f0b040404080004040000c8004c0301010002073f"
        "04fc1601052e070207030d0501fc00080304290331737406e697a5e4bb98027473036b657903635f31026964016207646f742e7465640166"
        "0367656e0801000c02ffc0"
    )
    table = table_map.read(EventBytes(body, 0, len(body)))
    assert table.collations == (None, 63, 63, None, 63, None, None, 63, 278, 46)


def test_a_table_map_says_all_of_its_columns() -> None:
    table = next(event for event in EVENTS if isinstance(event, TableMap))
    assert (table.database, table.table) == ("shop", "goods")
    assert table.names == ("id", "name", "size", "tags", "doc", "place", "price", "data", "hidden")
    assert table.column_types == bytes((3, 15, 254, 254, 245, 255, 246, 252, 3))
    assert table.metas == (0, 20, 247 << 8 | 1, 248 << 8 | 1, 4, 4, 8 << 8 | 2, 2, 0)
    assert table.nullable == (False, *[True] * 8)
    assert table.unsigned == (True, False, False, False, False, False, True, False, False)
    assert table.collations == (None, 8, 255, 255, None, None, None, 63, None)
    assert table.enum_values == {2: (b"s", b"m,l")}
    assert table.set_values == {3: (b"x", b"y")}
    assert table.geometry_types == {5: 1}
    assert table.primary_key == ((0, 0),)
    assert table.visible == (*[True] * 8, False)


def test_rows_say_which_columns_stand_in_them() -> None:
    rows = [event for event in EVENTS if isinstance(event, Rows)]
    assert rows[0].before_present is None
    assert rows[0].after_present == b"\xff\xff"
    assert all(event.end == len(event.body) - 4 for event in rows)
    assert all(event.last_of_statement for event in rows)


def test_partial_images_say_what_is_left_out() -> None:
    events = [binlog.decode(frame, checksum=True)[1] for frame in frames("row_images")]
    rows = [(event.kind, event.before_present, event.after_present) for event in events if isinstance(event, Rows)]
    assert rows == [
        (Kind.WRITE, None, b"\xff"),
        (Kind.UPDATE, b"\x01", b"\x02"), (Kind.WRITE, None, b"\x01"), (Kind.DELETE, b"\x01", None),
        (Kind.UPDATE, b"\x07", b"\x07"),
        (Kind.UPDATE, b"\xff", b"\xff"),
    ]  # fmt: skip


def test_a_compressed_transaction_gives_its_events() -> None:
    payload = next(event for event in EVENTS if isinstance(event, TransactionPayload))
    inner = [binlog.decode(event, checksum=False)[1] for event in payload.events()]
    assert [type(event) for event in inner] == [Query, RowsQuery, TableMap, Rows, Xid]


def test_partial_updates_are_recognised() -> None:
    events = [binlog.decode(frame, checksum=True)[1] for frame in frames("partial_json")]
    assert Kind.PARTIAL_UPDATE in [event.kind for event in events if isinstance(event, Rows)]


def test_a_client_charset_behind_other_status_variables_decodes_the_statement() -> None:
    status = (
        b"\x00\0\0\0\0"
        + b"\x01"
        + (1 << 20 | 4).to_bytes(8, "little")
        + b"\x06\x03std"
        + b"\x04\x08\0\x08\0\x08\0"
        + b"\x05\x03UTC"
    )
    body = struct.pack("<IIBHH", 9, 0, 2, 0, len(status)) + status + b"db\0" + "é".encode("cp1252")
    assert binlog.decode(made(2, body), checksum=True)[1] == Query(9, "db", "é", 8, sql_mode=1 << 20 | 4)


@pytest.mark.parametrize(
    "status",
    [
        b"\x0c\x02a\0bc\0\x04\x08\0\x08\0\x08\0",
        b"\x0c\xfe\x04\x08\0\x08\0\x08\0",
        b"\x0b\x01u\x01h\x02\x03std\0\x04\x08\0\x08\0\x08\0",
        b"\x0d\x01\x02\x03\x12\xff\0\x13\0\x14\0\x10\x01\x04\x08\0\x08\0\x08\0",
    ],
)
def test_status_variables_are_passed_over_by_their_size(status: bytes) -> None:
    body = struct.pack("<IIBHH", 9, 0, 0, 0, len(status)) + status + b"\0x"
    assert binlog.decode(made(2, body), checksum=True)[1] == Query(9, "", "x", 8)


def test_an_unknown_status_variable_hides_the_charset_but_not_the_statement() -> None:
    body = struct.pack("<IIBHH", 9, 0, 0, 0, 3) + b"\xee\x01\x02" + b"\0x"
    assert binlog.decode(made(2, body), checksum=True)[1] == Query(9, "", "x", None)


@pytest.mark.parametrize("checksum", [True, False])
def test_heartbeats_tell_the_position(checksum: bool) -> None:
    old = made(27, b"binlog.000007", position=987, flags=0x20, checksum=checksum)
    assert binlog.decode(old, checksum=checksum)[1] == Heartbeat("binlog.000007", 987)
    far = b"\x01\x0dbinlog.000007" + b"\x02\x09\xfe" + struct.pack("<Q", 2**33) + b"\0"
    new = made(41, far, position=0, checksum=checksum)
    assert binlog.decode(new, checksum=checksum)[1] == Heartbeat("binlog.000007", 2**33)


def test_an_anonymous_transaction_of_an_old_server_has_neither_gtid_nor_time() -> None:
    body = b"\x01" + bytes(24) + b"\x02" + bytes(16)
    assert binlog.decode(made(34, body), checksum=True)[1] == Gtid(None, 0, 0)


def test_a_replicated_transaction_keeps_the_time_of_its_origin() -> None:
    times = (20 | 1 << 55).to_bytes(7, "little") + (10).to_bytes(7, "little")
    body = b"\x01" + bytes(15) + b"\x01" + struct.pack("<Q", 5) + b"\x02" + bytes(16) + times + b"\xfc\0\x01"
    gtid = "00000000-0000-0000-0000-000000000001:5"
    assert binlog.decode(made(33, body), checksum=True)[1] == Gtid(gtid, 10, 20)


def test_an_event_of_a_type_nobody_knows_is_passed_over() -> None:
    assert binlog.decode(made(165, b"anything"), checksum=True)[1] == Unknown()


def test_a_wrong_checksum_is_refused() -> None:
    event = bytearray(FRAMES[3])
    event[25] ^= 1
    with pytest.raises(DecodeError, match="wrong checksum"):
        binlog.decode(bytes(event), checksum=True)


@given(st.sampled_from(FRAMES), st.data())
def test_shortened_events_never_give_more_than_an_error(frame: bytes, data: st.DataObject) -> None:
    body = frame[19 : data.draw(st.integers(19, len(frame)))]
    event = made(frame[4], body, checksum=False)
    with contextlib.suppress(DecodeError):
        binlog.decode(event, checksum=False)


@given(st.sampled_from(FRAMES), st.data())
def test_damaged_events_never_give_more_than_an_error(frame: bytes, data: st.DataObject) -> None:
    event = bytearray(frame)
    for _ in range(data.draw(st.integers(1, 4))):
        event[data.draw(st.integers(19, len(event) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(DecodeError):
        binlog.decode(bytes(event), checksum=False)


@pytest.mark.parametrize("size", [0, 5, 18])
def test_too_few_bytes_for_a_header_are_refused(size: int) -> None:
    with pytest.raises(DecodeError, match="header"):
        binlog.decode(bytes(size), checksum=False)


def test_a_size_that_is_not_the_events_is_refused() -> None:
    with pytest.raises(DecodeError, match="but 45 came"):
        binlog.decode(FRAMES[0] + b"\0", checksum=True)


@pytest.mark.parametrize("compression", [b"\x02\x01\x07", b"\x02\x01\x00"])
def test_a_payload_that_cannot_be_decompressed_is_refused(compression: bytes) -> None:
    body = compression + b"\x03\x01\x20" + b"\x01\x01\x04" + b"\0" + b"zzzz"
    with pytest.raises(DecodeError):
        payload = binlog.decode(made(40, body), checksum=True)[1]
        assert isinstance(payload, TransactionPayload)
        list(payload.events())


def test_an_uncompressed_payload_is_taken_as_it_is() -> None:
    inner = made(16, struct.pack("<Q", 3), checksum=False)
    body = b"\x02\x03\xfc\xff\x00" + b"\x01\x01" + bytes((len(inner),)) + b"\0" + inner
    payload = binlog.decode(made(40, body), checksum=True)[1]
    assert isinstance(payload, TransactionPayload)
    assert list(payload.events()) == [inner]
