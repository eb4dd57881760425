"""COPY's answer over a real connection of the driver, cut into pieces anywhere: read by libpq, and from the socket."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import pq

from cdc.errors import SourceError, SourceUnavailable
from cdc.postgres import copy_out
from cdc.postgres.copy_out import BareCopy, Copy, DriverCopy, _split
from cdc.postgres.wire import Settings
from tests.twins import native
from tests.unit.cdc.postgres.wire_server import READY, answered, message

Begin = Callable[[pq.abc.PGconn, Settings, str], Copy]
READERS: dict[str, Begin] = {
    "libpq": DriverCopy,
    "python": lambda connection, to, select: BareCopy(connection, to, select, None),
    "native": lambda connection, to, select: BareCopy(connection, to, select, native()),
}
every_reader = pytest.mark.parametrize("reader", READERS)


BEGIN = message(b"H", b"\0\0\1\0\0")
END = message(b"c") + message(b"C", b"COPY 2\0") + READY
NOTICE = message(b"N", b"SWARNING\0VWARNING\0C01000\0Mmind\0\0")
REFUSAL = message(b"E", "SFEHLER\0VERROR\0C42P01\0Mno such täble\0\0".encode())


def answer(rows: Sequence[bytes]) -> bytes:
    return BEGIN + b"".join(message(b"d", row) for row in rows) + END


def read(reader: str, parts: Sequence[bytes], most: int = 1000, **options: Any) -> list[bytes]:
    with answered(parts, **options) as (connection, to):
        return list(READERS[reader](connection, to, "SELECT 1").chunks(most))


LINES = (st.binary(max_size=9) | st.binary(min_size=300, max_size=900)).map(lambda raw: raw + b"\n")


@every_reader
@settings(max_examples=12)
@given(st.data(), st.integers(1, 5))
def test_rows_come_as_they_were_sent_however_the_bytes_are_cut(reader: str, data: Any, most: int) -> None:
    rows = data.draw(st.lists(LINES, max_size=9))
    sent = answer(rows)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=4)))
    parts = [sent[a:b] for a, b in zip([0, *cuts], [*cuts, len(sent)], strict=True)]
    chunks = read(reader, [part for part in parts if part], most)
    assert b"".join(chunks) == b"".join(rows)
    if cuts == []:
        assert chunks == [b"".join(rows[at : at + most]) for at in range(0, len(rows), most)]


@every_reader
def test_a_connection_serves_one_copy_after_another_and_the_driver_between(reader: str) -> None:
    with answered([BEGIN, message(b"d", b"1\n"), NOTICE, message(b"d", b"2\n"), END]) as (connection, to):
        for _ in range(3):
            copy = READERS[reader](connection, to, "SELECT 1")
            assert b"".join(copy.chunks(9)) == b"1\n2\n"
            assert copy.ready()


@every_reader
def test_a_row_of_any_length_is_one_row(reader: str) -> None:
    rows = [b"x" * 3_000_000 + b"\n", b"y\n"]
    assert b"".join(read(reader, [answer(rows)])) == b"".join(rows)


@every_reader
def test_wide_rows_end_a_chunk_early(reader: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copy_out, "CHUNK_BYTES", 1000)
    rows = [b"x" * 240 + b"\n"] * 300
    chunks = read(reader, [answer(rows)])
    assert len(chunks) > 1
    assert b"".join(chunks) == b"".join(rows)


@every_reader
def test_a_silent_server_gives_empty_chunks(reader: str) -> None:
    with answered([b""]) as (connection, to):
        copy = READERS[reader](connection, to, "SELECT 1")
        copy.patience = 0.01
        chunks = copy.chunks(9)
        assert [next(chunks), next(chunks)] == [b"", b""]
        assert not copy.ready()


@every_reader
def test_a_refused_statement_is_the_servers_error(reader: str) -> None:
    with pytest.raises(SourceError, match=r"no such täble \(42P01\)"):
        read(reader, [REFUSAL + READY])


@every_reader
def test_an_error_between_rows_is_raised(reader: str) -> None:
    with pytest.raises(SourceError, match=r"no such täble \(42P01\)"):
        read(reader, [BEGIN + message(b"d", b"1\n") + REFUSAL + READY], 1)


@every_reader
def test_a_connection_lost_between_rows_is_an_outage(reader: str) -> None:
    for sent in (answer([b"1\n", b"2\n"])[:-20], message(b"E", b"SFATAL\0VFATAL\0C57P01\0Mterminating\0\0")):
        with pytest.raises(SourceUnavailable):
            read(reader, [sent], then_close=True)


@pytest.mark.parametrize("reader", ["python", "native"])
@pytest.mark.parametrize("wrong", [message(b"T", b"\0\0"), b"d\0\0\0\3", b"c\0\0\0\0", bytes(9)])
def test_what_is_no_answer_to_copy_ends_the_connection(reader: str, wrong: bytes) -> None:
    with pytest.raises(SourceUnavailable, match="no place in COPY"):
        read(reader, [BEGIN + wrong + END])


@given(st.integers(0, 2**32 - 1))
def test_both_twins_take_the_same_rows_out_of_any_bytes(seed: int) -> None:
    chance = Random(seed)
    kinds, lengths = (b"d", b"d", b"d", b"c"), (0, 1, 5, 30)
    sent = bytearray(b"".join(message(chance.choice(kinds), chance.randbytes(chance.choice(lengths)))
                              for _ in range(chance.randrange(6))))  # fmt: skip
    if sent and chance.random() < 0.6:
        sent[chance.randrange(len(sent))] = chance.choice((0, 3, 4, 100, 255))
    if sent and chance.random() < 0.5:
        del sent[chance.randrange(len(sent)) :]
    for rows in (0, 1, 3, 100):
        assert native().postgres_copy(sent, rows) == _split(sent, rows)
