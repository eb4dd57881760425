"""Packets taken apart, requests put together, strangers at the port; the servers are in tests/server."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cdc.errors import SourceError, SourceUnavailable
from cdc.mysql import wire
from cdc.mysql.failures import DamagedEvent, LogGone
from cdc.mysql.offset import GtidSet, Position

A = "bb072509-e54b-11f1-8f06-02fc00000001"
SETTINGS = wire.Settings(host="db", user="cdc")


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


def test_old_events_are_gathered_and_more_are_expected_until_none_come(pair: tuple[wire.Stream, socket.socket]) -> None:
    stream, server = pair
    old = struct.pack("<IBIIIH", int(time.time()) - 60, 30, 1, 19, 500, 0)
    new = struct.pack("<IBIIIH", int(time.time()) + 60, 30, 1, 19, 500, 0)
    server.sendall(packet(b"\0" + old))
    assert stream.read() == [old]
    assert stream.more()
    server.sendall(packet(b"\0" + old))
    later = threading.Timer(0.004, server.sendall, [packet(b"\0" + old)])
    later.start()
    assert stream.read() == [old, old]
    later.join()
    assert stream.read() == []
    assert not stream.more()
    server.sendall(packet(b"\0" + old) + packet(b"\0" + new))
    assert stream.read() == [old, new]
    assert not stream.more()


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


def test_packets_that_come_byte_by_byte_are_taken_when_they_are_whole(
    pair: tuple[wire.Stream, socket.socket],
) -> None:
    stream, _ = pair
    got: list[bytes] = []
    for byte in packet(b"\0one") + packet(b"\0") + packet(b"\0two"):
        stream.feed(bytes((byte,)))
        got += stream.events()
    assert got == [b"one", b"", b"two"]


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
def test_a_log_that_is_gone_is_told_with_what_was_asked_for(pair: tuple[wire.Stream, socket.socket], text: str) -> None:
    pair[1].sendall(packet(b"\xff" + struct.pack("<H", 1236) + b"#HY000" + text.encode()))
    with pytest.raises(LogGone) as caught:
        pair[0].read()
    assert "binlog.000001 position 4" in str(caught.value) and text in str(caught.value)


@pytest.mark.parametrize("size", [300, 0xFFFFFE, 0xFFFFFF])
def test_a_packet_whose_size_is_not_its_events_is_not_waited_for(
    pair: tuple[wire.Stream, socket.socket], size: int
) -> None:
    event = struct.pack("<IBIIIH", 7, 30, 1, 200, 500, 0)
    pair[0].feed(struct.pack("<I", size) + b"\0" + event)
    with pytest.raises(DamagedEvent, match=f"a packet of {size} bytes for an event of 200"):
        pair[0].events()


@pytest.mark.parametrize("size", [300, 0xFFFFFE, 0xFFFFFF, 20_000_000])
def test_a_packet_that_has_not_come_whole_is_waited_for(pair: tuple[wire.Stream, socket.socket], size: int) -> None:
    event = struct.pack("<IBIIIH", 7, 30, 1, size, 500, 0)
    pair[0].feed(struct.pack("<I", min(size + 1, 0xFFFFFF)) + b"\0" + event)
    assert pair[0].events() == []


def test_a_server_id_in_use_is_told(pair: tuple[wire.Stream, socket.socket]) -> None:
    text = b"A replica with the same server_uuid/server_id as this replica has connected to the source; position 4"
    pair[1].sendall(packet(b"\xff" + struct.pack("<H", 1236) + b"#HY000" + text))
    with pytest.raises(SourceError, match=r"database\.server\.id"):
        pair[0].read()


@pytest.mark.parametrize(
    ("mode", "kind", "words"),
    [
        ("OFF", SourceUnavailable, "Reading goes on by file and position"),
        ("ON", SourceError, "run: SET GLOBAL gtid_mode = ON_PERMISSIVE"),
    ],
)
def test_transactions_without_gtid_are_read_by_position_unless_the_server_does_not_send_them(
    pair: tuple[wire.Stream, socket.socket],
    monkeypatch: pytest.MonkeyPatch,
    mode: str,
    kind: type[SourceError],
    words: str,
) -> None:
    text = b"Cannot replicate anonymous transaction when AUTO_POSITION = 1, at file /d/b.8, position 198."
    monkeypatch.setattr(pair[0], "_asked", lambda sql: mode)
    pair[1].sendall(packet(b"\xff" + struct.pack("<H", 1236) + b"#HY000" + text))
    with pytest.raises(SourceError, match=words) as caught:
        pair[0].read()
    assert type(caught.value) is kind


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


GARBAGE = [b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x05\x00\x00\x00hello",
           b"\x01\x00\x00\x00\x0a", b"\x00\x00\x00\x00", bytes(200)]  # fmt: skip


@pytest.fixture
def stranger() -> Iterator[Callable[[bytes | None], wire.Settings]]:
    """Servers of one connection that send these bytes and close, or with None nothing at all."""
    listeners = []

    def listen(said: bytes | None) -> wire.Settings:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def speak() -> None:
            with contextlib.suppress(OSError), listener.accept()[0] as connection:
                if said is not None:
                    connection.sendall(said)
                    connection.shutdown(socket.SHUT_WR)
                connection.recv(1 << 16)

        threading.Thread(target=speak, daemon=True).start()
        return wire.Settings(host="127.0.0.1", port=listener.getsockname()[1], user="cdc", connect_timeout_ms=1000)

    yield listen
    for listener in listeners:
        listener.close()


@pytest.mark.parametrize("said", GARBAGE)
def test_whatever_answers_at_the_port_the_key_to_check_is_named(
    said: bytes, stranger: Callable[[bytes | None], wire.Settings]
) -> None:
    with pytest.raises(SourceError, match=r"database\.port"):
        wire.connect(stranger(said))


def test_a_server_that_never_greets_is_given_up_after_the_time_to_connect(
    stranger: Callable[[bytes | None], wire.Settings],
) -> None:
    began = time.monotonic()
    with pytest.raises(SourceUnavailable, match=r"within 1 s \(connect\.timeout\.ms\)"):
        wire.connect(stranger(None), read_timeout=60)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("host", ["a..b", "x" * 64 + ".test"])
def test_what_is_no_host_name_is_told(host: str) -> None:
    with pytest.raises(SourceError, match=r"correct database\.hostname"):
        wire.connect(wire.Settings(host=host, user="cdc"))
