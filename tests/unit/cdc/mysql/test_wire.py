"""Packets taken apart, requests put together, and errors in our words; the servers are in tests/server."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
from collections.abc import Iterator
from typing import Any

import pytest
from pymysql.err import MySQLError, OperationalError

from cdc.config import Password
from cdc.errors import SourceError, SourceUnavailable, TailraceError
from cdc.mysql import wire
from cdc.mysql.offset import GtidSet, Position

A = "bb072509-e54b-11f1-8f06-02fc00000001"
SETTINGS = wire.Settings(host="db", user="cdc", password=Password("secret"))
GRANT = "GRANT SELECT, RELOAD, SHOW DATABASES, LOCK TABLES, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'cdc'@'%'"


def packet(payload: bytes) -> bytes:
    return struct.pack("<I", len(payload)) + payload


@pytest.fixture
def pair() -> Iterator[tuple[wire.Stream, socket.socket]]:
    """A stream whose login is done, and the server's end of its socket."""
    ours, theirs = socket.socketpair()
    ours.settimeout(0.05)
    stream = wire.Stream.over(SETTINGS, ours, Position(file="binlog.000001", pos=4), None)
    yield stream, theirs
    ours.close()
    theirs.close()


def test_events_come_as_they_arrive(pair: tuple[wire.Stream, socket.socket]) -> None:
    stream, server = pair
    server.sendall(packet(b"\0one") + packet(b"\0two") + packet(b"\0three")[:5])
    assert stream.read() == [b"one", b"two"]
    assert not stream.more()
    server.sendall(packet(b"\0three")[5:])
    assert stream.more()
    assert next(iter(stream)) == [b"three"]


def test_silence_gives_no_events(pair: tuple[wire.Stream, socket.socket]) -> None:
    assert pair[0].read() == []


def test_an_event_of_several_packets_is_one(pair: tuple[wire.Stream, socket.socket]) -> None:
    stream, server = pair
    full = 0xFFFFFF
    event = bytes(range(256)) * 65536 * 2
    whole = b"\0" + event
    sent = b"".join(packet(whole[at : at + full]) for at in range(0, len(whole) + 1, full)) + packet(b"\0next")
    server.setblocking(False)
    view = memoryview(sent)
    got: list[bytes] = []
    while len(got) < 2:
        if view:
            with contextlib.suppress(BlockingIOError):
                view = view[server.send(view[: 1 << 20]) :]
        got += stream.read()
    assert got == [event, b"next"]


def test_a_full_packet_followed_by_an_empty_one_ends_there(pair: tuple[wire.Stream, socket.socket]) -> None:
    stream, _ = pair
    event = b"\0" + bytes(0xFFFFFF - 1)
    stream.feed(packet(event) + packet(b""))
    assert stream.events() == [event[1:]]


def test_a_closed_connection_is_an_outage(pair: tuple[wire.Stream, socket.socket]) -> None:
    stream, server = pair
    server.close()
    with pytest.raises(SourceUnavailable, match="cdc@db:3306 does not answer: it closed the connection"):
        stream.read()


def test_the_end_of_the_stream_is_an_outage(pair: tuple[wire.Stream, socket.socket]) -> None:
    pair[1].sendall(packet(b"\xfe\0\0\0\0"))
    with pytest.raises(SourceUnavailable, match="ended the binary log stream"):
        pair[0].read()


@pytest.mark.parametrize(
    "text",
    [
        "Could not find first log file name in binary log index file",
        "Client requested source to start replication from position > file size",
        "Cannot replicate because the source purged required binary logs. The GTID set sent by the replica is 'x'",
    ],
)
def test_a_log_that_is_gone_names_what_was_needed_and_how_to_mend_it(
    pair: tuple[wire.Stream, socket.socket], text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pair[0], "oldest", lambda: "binlog.000009 position 4")
    pair[1].sendall(packet(b"\xff" + struct.pack("<H", 1236) + b"#HY000" + text.encode()))
    with pytest.raises(SourceError) as caught:
        pair[0].read()
    assert not isinstance(caught.value, SourceUnavailable)
    for part in ("binlog.000001 position 4", "binlog.000009 position 4", "snapshot.mode=when_needed", "offsets", text):
        assert part in str(caught.value)


def test_a_server_id_in_use_is_told(pair: tuple[wire.Stream, socket.socket]) -> None:
    text = b"A replica with the same server_uuid/server_id as this replica has connected to the source; position 4"
    pair[1].sendall(packet(b"\xff" + struct.pack("<H", 1236) + b"#HY000" + text))
    with pytest.raises(SourceError, match=r"database\.server\.id"):
        pair[0].read()


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (OperationalError(1045, "Access denied for user 'cdc'@'%'"), SourceError, "check database.user"),
        (OperationalError(1227, "Access denied; you need REPLICATION SLAVE"), SourceError, GRANT),
        (OperationalError(1142, "SELECT command denied"), SourceError, GRANT),
        (OperationalError(2003, "Can't connect"), SourceUnavailable, "cdc@db:3306 does not answer"),
        (OperationalError(2013, "Lost connection"), SourceUnavailable, "(2013)"),
        (OperationalError(1053, "Server shutdown in progress"), SourceUnavailable, "shutdown"),
        (OperationalError(1040, "Too many connections"), SourceUnavailable, "Too many"),
        (ConnectionResetError(104, "reset"), SourceUnavailable, "reset"),
        (TimeoutError("timed out"), SourceUnavailable, "timed out"),
        (ssl.SSLError("bad certificate"), SourceError, "database.ssl.mode"),
        (OperationalError(2026, "SSL is required but the server doesn't support it"), SourceError, "no TLS"),
        (MySQLError(1236, "log event entry exceeded max_allowed_packet"), SourceError, "max_allowed_packet"),
        (MySQLError("odd"), SourceError, "odd"),
    ],
)
def test_errors_say_what_to_do(error: Exception, kind: type[TailraceError], words: str) -> None:
    failure = wire.failure(error, SETTINGS)
    assert type(failure) is kind
    assert words in str(failure)
    assert "secret" not in str(failure)


def test_our_own_errors_are_kept() -> None:
    ours = SourceUnavailable("away")
    assert wire.failure(ours) is ours


def test_a_gtid_set_is_sent_as_the_protocol_says() -> None:
    uuid = bytes.fromhex(A.replace("-", ""))
    assert wire.encoded(GtidSet()) == bytes(8)
    plain = struct.pack("<Q16sQQQQQ", 1, uuid, 2, 1, 6, 9, 10)
    assert wire.encoded(GtidSet.parse(f"{A}:1-5:9")) == plain


def test_a_gtid_set_with_tags_has_the_newer_form() -> None:
    uuid = bytes.fromhex(A.replace("-", ""))
    count = struct.pack("<Q", 1 << 56 | 2 << 8 | 1)
    untagged, tagged = uuid + b"\0", uuid + b"\x04ab"
    interval = struct.pack("<QQQ", 1, 1, 3)
    assert wire.encoded(GtidSet.parse(f"{A}:1-2:ab:1-2")) == count + untagged + interval + tagged + interval


def test_a_position_past_what_the_protocol_can_name_is_refused() -> None:
    with pytest.raises(SourceError, match="4 GiB"):
        wire.dump_request(7, Position(file="binlog.000001", pos=2**32), None)


def test_a_dump_is_asked_for_by_position_or_by_gtids() -> None:
    assert wire.dump_request(7, Position(file="b.1", pos=1), None) == (0x12, struct.pack("<IHI", 4, 0, 7) + b"b.1")
    command, payload = wire.dump_request(7, Position(file="b.1", pos=99), GtidSet())
    assert (command, payload) == (0x1E, struct.pack("<HIIQIQ", 4, 7, 0, 4, 8, 0))


def test_a_key_store_that_cannot_be_read_is_named() -> None:
    settings = wire.Settings(host="db", user="u", ssl_mode="verify_ca", truststore="/nowhere/trust.jks")
    with pytest.raises(SourceError, match=r"/nowhere/trust\.jks.*PKCS"):
        wire.connect(settings)


def test_nobody_listening_is_an_outage() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port: Any = unused.getsockname()[1]
        with pytest.raises(SourceUnavailable, match=rf"cdc@127\.0\.0\.1:{port} does not answer"):
            wire.connect(wire.Settings(host="127.0.0.1", port=port, user="cdc"))
