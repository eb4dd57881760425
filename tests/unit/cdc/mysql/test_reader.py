"""A recorded log through the reader: records, positions, and restarts at every one of them."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from structlog.testing import capture_logs

from cdc.errors import DecodeError, SourceError
from cdc.heartbeat import Heartbeat
from cdc.mysql import binlog
from cdc.mysql.binlog import Gtid
from cdc.mysql.failures import DamagedEvent
from cdc.mysql.flavor import MARIADB, requested
from cdc.mysql.offset import GtidSet, Position
from cdc.mysql.reader import Reader
from cdc.record import Poll
from cdc.transactions import Transactions
from tests.mysql_log import MemoryTopic, Parts, frames, records

SHOP = frames("shop")
START = Position(file="binlog.000001", pos=4)


def read(
    events: Sequence[bytes], parts: Parts, start: Position = START, *, gtids: str | None = "", server: str = "one"
) -> Iterator[Poll]:
    """The events as one list from a server with GTIDs; `gtids` None is a restart by file and position."""
    done = None if gtids is None else GtidSet.parse(gtids)
    read = Reader(
        parts.options, parts.history, parts.capture, start, gtids=done, has_gtids=True, checksum=True,
        server=server, now=lambda: 10**18,
    )  # fmt: skip
    return read.polls([events])


def table_records(polls: Iterator[Poll], table: str = "goods") -> list[Any]:
    return [value for topic, _, value in records(polls) if topic == f"p.shop.{table}"]


def test_rows_come_in_commit_order_with_their_operation() -> None:
    found = [
        (value and value[4], value and (value[0] or value[1])[0]) for value in table_records(read(SHOP, Parts("shop")))
    ]  # fmt: skip
    assert found == [
        ("c", 1), ("c", 2), ("u", 1), ("d", 2), (None, None), ("c", 3), ("d", 1), (None, None), ("c", 4), ("c", 5),
        ("c", 6), ("c", 7), ("c", 8), ("c", 9), ("d", 6), (None, None), ("u", 8), ("c", 20),
    ]  # fmt: skip


def test_a_source_block_tells_where_a_row_comes_from() -> None:
    first = table_records(read(SHOP, Parts("shop")))[1][2]
    assert first[0:3] == ("3.5.0.Final", "mysql", "p")
    assert first[5] == "shop"
    micros = first[7]
    assert (first[3], first[8]) == (micros // 1000, micros * 1000)
    assert first[9] == "goods"
    assert first[10] == 777
    assert first[11].rpartition(":")[2].isdigit()
    assert first[14] == 1, "the second row of its event"
    assert isinstance(first[15], int), "the thread of BEGIN"
    assert first[4] is None and first[6] is None and first[16] is None
    written = next(frame for frame in SHOP if frame[4] == 30)
    head = binlog.header(written)
    assert first[13] == head.next_position - head.size
    commits = {
        e.gtid: e.original_commit_timestamp for f in SHOP if isinstance(e := binlog.decode(f, checksum=True)[1], Gtid)
    }
    assert commits[first[11]] == micros


def test_rows_of_a_compressed_transaction_stand_at_its_payload() -> None:
    payload = binlog.header(next(frame for frame in SHOP if frame[4] == binlog.TRANSACTION_PAYLOAD))
    sources = [
        value[2] for value in table_records(read(SHOP, Parts("shop"))) if value and value[1] and value[1][0] in (4, 5)
    ]
    assert [(source[13], source[14]) for source in sources] == [
        (payload.next_position - payload.size, 0), (payload.next_position - payload.size, 1),
    ]  # fmt: skip


def test_the_rows_of_an_xa_transaction_have_no_thread() -> None:
    assert table_records(read(SHOP, Parts("shop")))[-1][2][15] is None


def test_a_statement_is_a_record_between_the_rows_before_and_after_it() -> None:
    topics = [topic for topic, _, _ in records(read(SHOP, Parts("shop")))]
    assert topics[:3] == ["p", "p", "p.shop.goods"]
    altered = topics.index("p", 3)
    assert topics[altered - 1] == topics[altered + 1] == "p.shop.goods"


def test_a_statement_counts_its_time_in_milliseconds_and_keeps_the_row_number() -> None:
    changes = [value for topic, _, value in records(read(SHOP, Parts("shop"))) if topic == "p"]
    altered, copied = changes[2][0], changes[3][0]
    assert altered.ts_us % 1000 == 0
    assert altered.ts_us // 1000 == altered.ts_ms
    assert (altered.table, altered.thread, altered.row) == ("goods", None, 0)
    assert copied.table == "copied"
    assert copied.thread is not None, "it stands in a transaction"


def test_history_holds_the_position_that_debezium_writes() -> None:
    parts = Parts("shop")
    list(read(SHOP, parts))
    positions = [record.position for record in _history(parts.topic)]
    created = next(frame for frame in SHOP if b"CREATE TABLE goods" in frame)
    assert positions[1]["pos"] == binlog.header(created).next_position
    assert "event" not in positions[1]
    gtid = next(
        e for e in (binlog.decode(f, checksum=True)[1] for f in SHOP[SHOP.index(created) - 1 :]) if isinstance(e, Gtid)
    )
    assert gtid.gtid is not None
    assert not GtidSet.parse(positions[1]["gtids"]).contains(gtid.gtid)
    assert GtidSet.parse(positions[2]["gtids"]).contains(gtid.gtid)
    assert positions[3]["event"] == 1, "CREATE ... SELECT stands in a transaction"


def _history(topic: MemoryTopic) -> list[Any]:
    from cdc.mysql.history import records as history_records

    return list(history_records(topic, "p"))


def test_schema_changes_are_left_out_when_nobody_wants_them() -> None:
    assert "p" not in {topic for topic, _, _ in records(read(SHOP, Parts("shop", schema_changes=False)))}


def test_a_truncate_is_an_event_only_when_asked_for() -> None:
    usual = table_records(read(SHOP, Parts("shop")), "copied")
    asked = table_records(read(SHOP, Parts("shop", skipped=frozenset())), "copied")
    assert [value[4] for value in usual] == ["c"] * len(usual)
    assert [value[4] for value in asked] == [*["c"] * len(usual), "t"]
    assert asked[-1][:2] == (None, None)


@pytest.mark.parametrize("skipped", ["t", "u", "uc"])
def test_rows_without_all_columns_stop_the_reader_with_the_remedy(skipped: str) -> None:
    words = r"^binlog\.0\d+:\d+: rows of shop\.goods came without name, stock, note: "
    with pytest.raises(SourceError, match=words) as caught:
        list(read(frames("row_images"), Parts("shop", skipped=frozenset(skipped))))
    assert "SET PERSIST binlog_row_image = 'FULL'" in str(caught.value)
    assert not type(caught.value).retriable


def test_the_remedy_for_rows_without_all_columns_is_one_that_mariadb_knows() -> None:
    with pytest.raises(SourceError, match=r"Run: SET GLOBAL binlog_row_image = 'FULL' .and write it into the server's"):
        list(read(frames("row_images"), Parts("shop", flavor=MARIADB)))


def test_what_may_be_large_and_did_not_change_is_not_taken_for_null() -> None:
    with pytest.raises(SourceError, match=r"shop\.goods came without note: "):
        list(read([f for f in frames("row_images") if not lacks_more(f)], Parts("shop")))


def lacks_more(frame: bytes) -> bool:
    """Rows of binlog_row_image=MINIMAL; those of NOBLOB stay."""
    event = binlog.decode(frame, checksum=True)[1]
    return isinstance(event, binlog.Rows) and b"\x01" in (event.before_present, event.after_present)


def test_columns_that_nobody_captures_may_be_missing() -> None:
    parts = Parts("shop", only="id")
    found = table_records(read(frames("row_images"), parts))
    assert [value and value[4] for value in found] == ["c", "c", "u", "c", "d", None, "u", "u"]


def test_skipped_operations_are_left_out() -> None:
    found = table_records(read(SHOP, Parts("shop", skipped=frozenset("cd"))))
    assert [value and value[4] for value in found] == ["u", "d", None, "c", "u"], "one update changes the key"


def test_tables_that_are_not_captured_give_positions_only() -> None:
    polls = list(read(SHOP, Parts("other", schema_changes=False)))
    assert records(polls) == []
    last = polls[-1].offsets[0].offset
    assert last is not None
    end = binlog.decode(SHOP[-1], checksum=True)[1]
    assert isinstance(end, binlog.Heartbeat)
    assert (last["file"], last["pos"]) == (end.file, end.position)
    assert "batch:" in last["gtids"]


def test_the_statement_text_is_given_when_asked_for() -> None:
    found = table_records(read(SHOP, Parts("shop", include_query=True)))
    assert found[0][2][16].startswith("INSERT INTO goods VALUES (1,")


def test_transactions_of_unwanted_servers_give_no_rows_but_their_statements() -> None:
    parts = Parts("shop", origin=lambda uuid: False)
    assert {topic for topic, _, _ in records(read(SHOP, parts))} == {"p"}
    assert table_records(read(SHOP, Parts("shop", origin=lambda uuid: False, filter_dml=False)))


def test_heartbeats_come_with_the_newest_position() -> None:
    polls = list(read(SHOP, Parts("other", schema_changes=False, heartbeat=Heartbeat("p", 1, started=0))))
    assert [batch.topic for batch in polls[-1].batches] == ["__debezium-heartbeat.p"]
    assert polls[-1].offsets


def test_an_idle_log_gives_idle_polls_without_a_new_offset() -> None:
    parts = Parts("shop")
    read = Reader(parts.options, parts.history, parts.capture, START, gtids=None, has_gtids=True, checksum=True)
    first, second, third = read.polls([SHOP, [], SHOP[-1:]])
    assert first.batches
    assert (second.batches, second.offsets, second.idle) == ([], (), True)
    assert (third.batches, third.offsets) == ([], ()), "a heartbeat of the server"


def test_more_that_waits_makes_a_poll_not_idle() -> None:
    parts = Parts("shop")
    read = Reader(parts.options, parts.history, parts.capture, START, gtids=None, has_gtids=True, checksum=True)
    assert [poll.idle for poll in read.polls([SHOP], lambda: True)] == [False]


def test_a_poll_ends_with_the_event_that_fills_it() -> None:
    sizes = [len(records([poll])) for poll in read(SHOP, Parts("shop", max_rows=3))]
    assert max(sizes) <= 6
    assert len(sizes) > 5


# Restarts


def from_position(offset: Mapping[str, Any]) -> list[bytes]:
    """What the server sends for a file and position."""
    first = [frame for frame in SHOP if frame[4] in (binlog.ROTATE, binlog.FORMAT_DESCRIPTION)][:2]
    files = {SHOP[0][27:-4].decode(): 0}
    at = next((i for i, frame in enumerate(SHOP) if frame[4] == binlog.ROTATE and i > 0 and frame[17] == 0), len(SHOP))
    second = SHOP[at][27:-4].decode()
    files[second] = at
    if offset["file"] == second:
        return SHOP[at:]
    kept = [
        frame
        for frame in SHOP[2:]
        if not (head := binlog.header(frame)).next_position
        or SHOP.index(frame) > at
        or head.next_position - head.size >= offset["pos"]
    ]
    return [*first, *kept]


def from_gtids(done: GtidSet) -> list[bytes]:
    """What the server sends to one that has done these transactions."""
    sent, passing = [], True
    for frame in SHOP:
        event = binlog.decode(frame, checksum=True)[1]
        if isinstance(event, Gtid):
            passing = event.gtid is None or not done.contains(event.gtid)
        elif frame[4] in (binlog.ROTATE, binlog.FORMAT_DESCRIPTION, binlog.PREVIOUS_GTIDS):
            passing = True
        if passing:
            sent.append(frame)
    return sent


@pytest.mark.parametrize("by_gtid", [False, True], ids=["by position", "by GTID"])
def test_a_restart_at_any_position_repeats_nothing_and_loses_nothing(by_gtid: bool) -> None:
    topic = MemoryTopic()
    polls = list(read(SHOP, Parts("shop", topic=topic, max_rows=1), gtids="" if by_gtid else None))
    whole = [_without_gtid(record) for record in records(polls)]
    in_transactions = 0
    for i, poll in enumerate(polls):
        offset = poll.offsets[0].offset if poll.offsets else None
        if offset is None:
            continue
        in_transactions += "event" in offset
        position = Position.from_offset(offset)
        parts = Parts("shop", topic=MemoryTopic(list(topic.records)), upto=offset)
        done = GtidSet.parse(position.gtids or "")
        events = from_gtids(done) if by_gtid else from_position(offset)
        again = list(read(events, parts, position, gtids=str(done) if by_gtid else None))
        before = [_without_gtid(record) for record in records(polls[: i + 1])]
        assert before + [_without_gtid(record) for record in records(again)] == whole, offset
    assert in_transactions >= 5


def _without_gtid(record: tuple[str, Any, Any]) -> Any:
    """A restart by position begins after the GTID event, so only what stands in BEGIN and after can be equal."""
    topic, key, value = record
    if value is None:
        return topic, key, None
    if topic == "p":
        return topic, key, value[3]
    source = value[2]
    return topic, key, value[0], value[1], source[9], source[12:15], value[4]


def test_rows_of_an_event_that_were_sent_are_passed_over() -> None:
    parts = Parts("shop")
    whole = list(read(SHOP, parts, gtids=None))
    inserted = next(i for i, frame in enumerate(SHOP) if frame[4] == 30)
    begin = max(i for i, frame in enumerate(SHOP[:inserted]) if frame[-9:-4] == b"BEGIN")
    head = binlog.header(SHOP[begin])
    position = Position(file="binlog.000002", pos=head.next_position - head.size, event=inserted - begin, row=1)
    again = Parts("shop", topic=parts.topic, upto={**position.to_offset(), "gtids": None, "pos": position.pos})
    again.history.recover(None)
    kept = table_records(iter(whole))[1]
    first = table_records(read([*SHOP[:2], *SHOP[begin:]], _knowing(parts, again), position, gtids=None))[0]
    assert first[1] == kept[1]
    assert first[2][14] == 1


def elsewhere(frames: Sequence[bytes]) -> list[bytes]:
    """The same log as a replica writes it: 100 bytes further on, without the statements' texts."""
    made = []
    for frame in frames:
        head = binlog.header(frame)
        if head.type == binlog.ROWS_QUERY:
            continue
        if head.next_position and head.type not in (binlog.FORMAT_DESCRIPTION, binlog.PREVIOUS_GTIDS):
            moved = frame[:13] + struct.pack("<I", head.next_position + 100) + frame[17:-4]
            frame = moved + struct.pack("<I", zlib.crc32(moved))
        made.append(frame)
    return made


def test_a_transaction_cut_in_two_goes_on_in_the_log_of_another_server() -> None:
    parts = Parts("shop", max_rows=1)
    whole = list(read(SHOP, parts))
    cuts = [n for n, poll in enumerate(whole) if poll.offsets and "gtid" in (poll.offsets[0].offset or {})]
    assert sum((whole[n].offsets[0].offset or {})["rows"] > 1 for n in cuts) >= 3
    for n in cuts:
        offset = whole[n].offsets[0].offset
        assert offset is not None
        cut = next(at for at, f in enumerate(SHOP) if is_gtid(f, offset["gtid"]))
        again = Parts("shop", topic=MemoryTopic(list(parts.topic.records)), upto=offset, max_rows=1)
        start = Position.from_offset(offset)
        log = elsewhere([*SHOP[:3], *SHOP[cut:]])
        rest = list(read(log, again, start, gtids=offset["gtids"], server="two"))
        told = [moved(found) for found in records(whole[: n + 1]) + records(rest)]
        assert told == [moved(found) for found in records(whole)], offset


def test_a_transaction_cut_in_two_is_sent_again_when_nobody_knows_how_much_of_it_was_sent() -> None:
    whole = list(read(SHOP, parts := Parts("shop", max_rows=1)))
    offset = next(poll.offsets[0].offset for poll in whole if "gtid" in (poll.offsets[0].offset or {}))
    assert offset is not None
    cut = next(at for at, f in enumerate(SHOP) if is_gtid(f, offset["gtid"]))
    of_debezium = {name: value for name, value in offset.items() if name not in ("server_uuid", "gtid", "rows")}
    again = Parts("shop", topic=parts.topic, upto=of_debezium)
    with capture_logs() as logs:
        rest = read(
            elsewhere([*SHOP[:3], *SHOP[cut:]]), again, Position.from_offset(of_debezium), gtids=offset["gtids"]
        )
        first = table_records(rest)[0]
    assert first[2][11] == offset["gtid"] and first[2][14] == 0
    assert any("the transaction is sent again" in log["event"] for log in logs)


def is_gtid(frame: bytes, gtid: str) -> bool:
    event = binlog.decode(frame, checksum=True)[1]
    return isinstance(event, Gtid) and event.gtid == gtid


def moved(found: tuple[str, Any, Any]) -> Any:
    """A record but for where it stands in which file."""
    topic, key, value = found
    if topic == "p":
        return topic, value[2:]
    return topic, key, value and (*value[:2], value[2][9], value[2][11], value[2][14], value[4])


def _knowing(done: Parts, again: Parts) -> Parts:
    """`again` with the table as it was created."""
    first = [record for record in _history(done.topic) if record.ddl and record.ddl.startswith("CREATE TABLE goods")]
    for record in first:
        for change in record.table_changes:
            again.history.apply(record.ddl, "shop", record.position, 0)
            assert change.table is not None
    return again


def test_a_position_is_kept_until_its_transaction_has_begun() -> None:
    position = Position(file="binlog.000001", pos=500, event=3, row=1, gtids=None)
    polls = list(read(SHOP[:2], Parts("shop"), position, gtids=None))
    assert [poll.offsets[0].offset for poll in polls] == [position.to_offset()]


def test_gtids_are_known_from_the_next_file_on() -> None:
    offset = list(read(SHOP, Parts("shop"), gtids=None))[-1].offsets[0].offset
    assert offset is not None
    assert "batch:" in offset["gtids"]


# What does not fit


@pytest.mark.parametrize("mode", ["fail", "warn", "skip", "ignore"])
def test_rows_of_a_table_without_history_are_handled_as_configured(mode: str) -> None:
    rows_only = [frame for frame in SHOP if b"CREATE TABLE goods" not in frame and b"ALTER TABLE" not in frame]
    parts = Parts("shop", inconsistent=mode)
    if mode == "fail":
        with pytest.raises(SourceError, match=r"shop\.goods at binlog\.\d+:\d+.*inconsistent\.schema\.handling\.mode"):
            list(read(rows_only, parts))
    else:
        assert table_records(read(rows_only, parts)) == []


def test_columns_that_the_history_does_not_know_are_named() -> None:
    unaltered = [frame for frame in SHOP if b"ALTER TABLE" not in frame]
    with pytest.raises(SourceError, match=r"shop\.goods.*does not know: stock"):
        list(read(unaltered, Parts("shop")))


def test_columns_that_the_log_has_not_are_left_out_by_name() -> None:
    parts = Parts("shop")
    create = "CREATE TABLE goods (extra INT, id INT UNSIGNED PRIMARY KEY, name VARCHAR(20) CHARACTER SET latin1, size ENUM('s','m,l'), tags SET('x','y'), doc JSON, place POINT, price DECIMAL(8,2) UNSIGNED, data BLOB, hidden INT)"  # noqa: E501
    parts.history.apply(create, "shop", START.to_offset(), 0)
    before = [frame for frame in SHOP if b"CREATE TABLE goods" not in frame]
    altered = next(i for i, frame in enumerate(before) if b"ALTER TABLE" in frame)
    found = table_records(read(before[:altered], parts))
    assert found[0][1][:2] == (1, "café")


PARTIAL = frames("partial_json")
"""An update that logs what changed in a JSON column."""


def damaged() -> list[bytes]:
    """The same with a path that is none."""
    wrong = [frame[:-4].replace(b"$.b", b"$[b") if frame[4] == 39 else frame[:-4] for frame in PARTIAL]
    return [frame + zlib.crc32(frame).to_bytes(4, "little") for frame in wrong]


def test_partial_updates_hold_the_whole_value() -> None:
    _, update = table_records(read(PARTIAL, Parts("shop")), "docs")
    assert update[0] == (1, '{"a":[1,true],"b":"' + "x" * 60 + '"}')
    assert update[1] == (1, '{"a":[1,true],"b":"y"}')


def test_a_change_that_does_not_fit_the_value_before_is_refused_with_its_place() -> None:
    with pytest.raises(DecodeError, match=r"binlog\.\d+:\d+.*does not fit"):
        list(read(damaged(), Parts("shop")))


@pytest.mark.parametrize(("mode", "warnings"), [("warn", 1), ("skip", 0), ("ignore", 0)])
def test_rows_that_cannot_be_decoded_are_passed_over_when_told_to(mode: str, warnings: int) -> None:
    with capture_logs() as told:
        polls = list(read(damaged(), Parts("shop", undecodable=mode)))
    assert len([line for line in told if "cannot be decoded" in line["event"]]) >= warnings
    assert warnings or not told
    assert polls[-1].offsets


def test_statements_that_a_filter_names_are_passed_over() -> None:
    parts = Parts("shop", ignored=lambda sql: True, inconsistent="skip")
    assert list(records(read(SHOP, parts))) == []


def test_changed_rows_are_filled_in_before_they_are_sent() -> None:
    asked: list[int] = []

    def refill(shape: Any, operation: str, rows: Sequence[Any]) -> list[Any]:
        asked.append(len(rows))
        if operation == "u":
            return [(before, (*after[:-1], "filled")) for before, after in rows]
        return [(*row[:-1], "filled") for row in rows]

    found = table_records(read(SHOP, Parts("shop", refill=refill)))
    assert all(event[1] is None or event[1][-1] == "filled" for event in found if event is not None)
    assert asked


def test_transactions_are_told_with_their_events() -> None:
    parts = Parts("shop", transactions=Transactions("p.transaction"))
    found = records(read(SHOP, parts))
    marks = [value[:3] for topic, _, value in found if topic == "p.transaction"]
    events = [value for topic, _, value in found if topic.startswith("p.shop.") and value is not None]
    assert [mark[0] for mark in marks] == ["BEGIN", "END"] * (len(marks) // 2)
    assert sum(mark[2] or 0 for mark in marks) == sum(event[3] is not None for event in events)
    assert found.index(next(each for each in found if each[0] == "p.transaction")) < found.index(
        next(each for each in found if each[0] == "p.shop.goods")
    )


def test_a_change_logged_as_a_statement_is_told_once_a_file_and_database() -> None:
    created = next(i for i, frame in enumerate(SHOP) if b"CREATE TABLE goods" in frame)

    def statement(database: bytes, sql: bytes) -> bytes:
        head = binlog.header(SHOP[created])
        body = struct.pack("<IIBHH", 1, 0, len(database), 0, 0) + database + b"\0" + sql
        event = struct.pack("<IBIIIH", 1, 2, 7, 23 + len(body), head.next_position, 0) + body
        return event + struct.pack("<I", zlib.crc32(event))

    update = statement(b"shop", b"UPDATE goods SET name = 's3cret'")
    elsewhere = statement(b"other", b"DELETE FROM x")
    with capture_logs() as told:
        list(read([*SHOP[: created + 1], update, elsewhere, update], Parts("shop")))
    (warning,) = told
    assert (warning["log_level"], warning["database"]) == ("warning", "shop")
    assert "SET PERSIST binlog_format = 'ROW'" in warning["event"]
    assert "s3cret" not in str(warning)


@pytest.mark.parametrize("place", [30, -5, -1], ids=["version", "kind of checksum", "checksum"])
def test_a_damaged_description_of_a_file_is_noticed(place: int) -> None:
    at = next(n for n, frame in enumerate(SHOP) if frame[4] == binlog.FORMAT_DESCRIPTION)
    damaged = bytearray(SHOP[at])
    damaged[place] ^= 1
    with pytest.raises(DamagedEvent, match=r"the description of binlog\.\d+ has a wrong checksum"):
        list(read([*SHOP[:at], bytes(damaged)], Parts("shop")))


def test_damaged_events_tell_where_they_stand() -> None:
    damaged = bytearray(SHOP[5])
    damaged[-1] ^= 1
    with pytest.raises(DecodeError, match=r"binlog\.\d+"):
        list(read([*SHOP[:5], bytes(damaged)], Parts("shop")))


def test_a_server_without_gtids_gives_times_in_seconds() -> None:
    parts = Parts("shop")
    read = Reader(parts.options, parts.history, parts.capture, START, gtids=None, has_gtids=False, checksum=True)
    first = table_records(read.polls([SHOP]))[0][2]
    assert first[7] % 1_000_000 == 0
    assert first[11] is None


def test_without_gtids_a_transaction_is_named_by_its_place() -> None:
    parts = Parts("shop", transactions=Transactions("p.transaction"))
    found = Reader(
        parts.options, parts.history, parts.capture, START, gtids=None, has_gtids=False, checksum=True,
        server="one", now=lambda: 10**18,
    ).polls([SHOP])  # fmt: skip
    ids = [value[1] for topic, _, value in records(found) if topic == "p.transaction"]
    assert ids
    assert all(re.fullmatch(r"file=binlog\.\d+,pos=\d+", id) for id in ids)


def test_a_server_need_not_send_what_it_purged_of_others() -> None:
    a, b, c = (f"{letter * 8}-0000-0000-0000-000000000000" for letter in "abc")
    done, purged = GtidSet.parse(f"{a}:1-9,{c}:1"), GtidSet.parse(f"{a}:1-20,{b}:1-5,{c}:1-3")
    assert str(requested(done, purged, None)) == f"{a}:1-9,{b}:1-5,{c}:1"
    assert str(requested(done, purged, lambda uuid: uuid != c)) == f"{a}:1-9,{b}:1-5,{c}:1-3"
