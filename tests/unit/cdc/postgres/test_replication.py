"""The WAL over a real connection of the driver, cut into pieces anywhere: read by libpq, and from the socket."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from random import Random
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdc.errors import SourceError, SourceUnavailable
from cdc.postgres import replication
from cdc.postgres.replication import Received, Replication, _split
from tests.twins import native
from tests.unit.cdc.postgres.wire_server import READY, answering, message

READERS = ("libpq", "python", "native")
every_reader = pytest.mark.parametrize("reader", READERS)

NO_ROWS = message(b"T", b"\0\0") + message(b"C", b"SELECT 0\0") + READY
ONE_ROW = message(b"T", b"\0\0") + message(b"D", b"\0\0") + message(b"C", b"SELECT 1\0") + READY
BOTH = message(b"W", b"\0\0\0")
NOTICE = message(b"N", b"SWARNING\0VWARNING\0C01000\0Mmind\0\0")
REFUSAL = message(b"E", b'SERROR\0VERROR\0C55006\0Mreplication slot "s" is active\0\0')


def frame(payload: bytes, lsn: int = 7) -> bytes:
    return b"w" + struct.pack(">QQq", lsn, 9, 0) + payload


def alive(lsn: int, *, asked: bool = False) -> bytes:
    return message(b"d", b"k" + struct.pack(">QqB", lsn, 0, asked))


@contextmanager
def streaming(
    reader: str, parts: Sequence[bytes], monkeypatch: pytest.MonkeyPatch, **options: Any
) -> Iterator[Replication]:
    """What has begun to stream from a server that sends these bytes; libpq reads what is said to be encrypted."""
    monkeypatch.setattr(replication, "_GATHER_S", 0.5)
    monkeypatch.setattr(replication, "_SILENCE_S", 0.1)
    encrypted, twin = ONE_ROW if reader == "libpq" else NO_ROWS, native() if reader == "native" else None
    with answering([encrypted], parts, **options) as to, closing(Replication(to, twin=twin)) as stream:
        stream.start("s", 0, {"proto_version": "1"})
        yield stream


@every_reader
@settings(max_examples=15)
@given(st.data())
def test_frames_come_as_they_were_sent_however_the_bytes_are_cut(reader: str, data: Any) -> None:
    sizes = st.integers(0, 40) | st.integers(300, 900)
    payloads = data.draw(st.lists(sizes.map(lambda size: Random(size).randbytes(size)), max_size=9))
    sent = BOTH + b"".join(
        data.draw(st.sampled_from((b"", NOTICE, alive(5, asked=True)))) + message(b"d", frame(payload))
        for payload in payloads
    )
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=4)))
    parts = [part for a, b in zip([0, *cuts], [*cuts, len(sent)], strict=True) if (part := sent[a:b])]
    most, found = data.draw(st.integers(1, 6)), list[bytes]()
    with pytest.MonkeyPatch.context() as patch, streaming(reader, [*parts, alive(99)], patch) as stream:
        told = Received([], 0, False)
        while told.server_lsn != 99:
            told = stream.read(most, 5)
            assert len(told.frames) <= most
            found += told.frames
    assert found == [frame(payload) for payload in payloads]


@every_reader
def test_how_far_the_server_is_counts_when_nothing_follows(reader: str, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = message(b"d", frame(b"one")), message(b"d", frame(b"other"))
    with streaming(reader, [BOTH + one + alive(8) + other], monkeypatch) as stream:
        assert stream.read(9, 5) == Received([frame(b"one"), frame(b"other")], 0, True)
    with streaming(reader, [BOTH + one + alive(8)], monkeypatch) as stream:
        assert stream.read(9, 5) == Received([frame(b"one")], 8, True)


@every_reader
def test_a_large_frame_is_one(reader: str, monkeypatch: pytest.MonkeyPatch) -> None:
    large = frame(bytes(3_000_000))
    with streaming(reader, [BOTH + message(b"d", large)], monkeypatch) as stream:
        assert stream.read(1, 5).frames == [large]


@every_reader
def test_what_is_durable_is_told_as_copy_data(reader: str, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = bytearray()
    with streaming(reader, [BOTH], monkeypatch, heard=heard) as stream:
        stream.report(0x1122, 0, now=True)
        until = time.monotonic() + 5
        while len(heard) < 39 and time.monotonic() < until:
            time.sleep(0.01)
    assert heard[:5] == b"d\0\0\0\x26"
    assert heard[5:30] == b"r" + struct.pack(">QQQ", 0x1122, 0x1122, 0x1122)
    assert heard[38] == 1


@every_reader
def test_a_silent_server_is_woken_up_and_not_asked(reader: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replication, "_NUDGE_S", 0.05)
    heard = bytearray()
    with streaming(reader, [BOTH], monkeypatch, heard=heard) as stream:
        stream.report(0x1122, 0, now=True)
        until = time.monotonic() + 5
        while len(heard) < 78 and time.monotonic() < until:
            assert stream.read(9, 0.05) == Received([], 0, True)
    assert heard[39:69] == heard[:30], "the same is durable"
    assert heard[77] == 0


@every_reader
def test_a_stream_that_cannot_begin_is_the_servers_error(reader: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        pytest.raises((SourceError, SourceUnavailable), match='slot "s" is active'),
        streaming(reader, [REFUSAL + READY], monkeypatch),
    ):
        pass


@every_reader
def test_an_error_between_frames_is_raised_after_them(reader: str, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = message(b"E", b"SERROR\0VERROR\0C58P01\0Mrequested WAL segment has been removed\0\0")
    with streaming(reader, [BOTH + message(b"d", frame(b"one")), gone + READY], monkeypatch) as stream:
        assert stream.read(1, 5).frames == [frame(b"one")]
        with pytest.raises(SourceError, match="has been removed"):
            stream.read(1, 5)


@every_reader
@pytest.mark.parametrize(
    "ending",
    [message(b"d", frame(b"one"))[:-2], message(b"c") + message(b"C", b"COPY 0\0") + READY, message(b"C", b"COPY 0\0")],
)
def test_a_stream_that_ends_is_an_outage(reader: str, ending: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        streaming(reader, [BOTH + ending], monkeypatch, then_close=True) as stream,
        pytest.raises(SourceUnavailable),
    ):
        stream.read(1, 5)


@pytest.mark.parametrize("reader", ["python", "native"])
@pytest.mark.parametrize("wrong", [message(b"T", b"\0\0"), b"d\0\0\0\0", bytes(9)])
def test_what_has_no_place_in_the_stream_ends_the_connection(
    reader: str, wrong: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        streaming(reader, [BOTH + wrong], monkeypatch) as stream,
        pytest.raises(SourceUnavailable, match="no place in the replication stream"),
    ):
        stream.read(1, 5)


@given(st.integers(0, 2**32 - 1))
def test_both_twins_take_the_same_frames_out_of_any_bytes(seed: int) -> None:
    chance, twin = Random(seed), native()
    assert isinstance(twin, ModuleType)
    kinds, payloads = (b"d", b"d", b"d", b"c"), (b"", b"w", b"k", b"wabc", b"w" + bytes(40), b"kx")
    sent = bytearray(
        b"".join(message(chance.choice(kinds), chance.choice(payloads)) for _ in range(chance.randrange(7)))
    )
    if sent and chance.random() < 0.6:
        sent[chance.randrange(len(sent))] = chance.choice((0, 3, 4, 100, 255))
    if sent and chance.random() < 0.5:
        del sent[chance.randrange(len(sent)) :]
    for most in (0, 1, 3, 100):
        assert twin.postgres_frames(sent, most) == _split(sent, most)
