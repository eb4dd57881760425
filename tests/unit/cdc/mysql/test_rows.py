"""Result sets of the text protocol over a real socket pair, cut into pieces anywhere."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymysql.connections import Connection

from cdc.errors import SourceError, SourceUnavailable
from cdc.mysql import rows, wire
from cdc.mysql.rows import RawRow, Select

SERVER = wire.Settings(host="db", user="u")


def packet(number: int, payload: bytes) -> bytes:
    """Split as the protocol splits what is longer than 16 MiB - 1."""
    out = b""
    while True:
        part, payload = payload[:0xFFFFFF], payload[0xFFFFFF:]
        out += len(part).to_bytes(3, "little") + bytes((number & 255,)) + part
        if len(part) < 0xFFFFFF:
            return out
        number += 1


def text(value: bytes | None) -> bytes:
    if value is None:
        return b"\xfb"
    if len(value) < 251:
        return bytes((len(value),)) + value
    if len(value) < 1 << 16:
        return b"\xfc" + len(value).to_bytes(2, "little") + value
    if len(value) < 1 << 24:
        return b"\xfd" + len(value).to_bytes(3, "little") + value
    return b"\xfe" + len(value).to_bytes(8, "little") + value


def column(name: str) -> bytes:
    names = (b"def", b"db", b"t", b"t", name.encode(), name.encode())
    return b"".join(map(text, names)) + b"\x0c\x2d\x00\xff\x00\x00\x00\xfd\x00\x00\x00\x00\x00"


def answer(names: Sequence[str], found: Sequence[RawRow], end: bytes = b"\xfe\x00\x00\x02\x00") -> bytes:
    payloads = [bytes((len(names),)), *map(column, names), b"\xfe\x00\x00\x02\x00"]
    payloads += [b"".join(map(text, row)) for row in found]
    return b"".join(packet(i + 1, payload) for i, payload in enumerate([*payloads, end]))


@contextmanager
def answered(parts: Sequence[bytes], *, then_close: bool = False) -> Iterator[Connection[Any]]:
    """A connection whose server answers the first command with these bytes."""
    ours, theirs = socket.socketpair()
    connection: Any = Connection(defer_connect=True)
    connection._sock, connection._rfile, connection._current_timeout = ours, ours.makefile("rb"), None

    def serve() -> None:
        theirs.recv(1 << 16)
        for part in parts:
            theirs.sendall(part)
        if then_close:
            theirs.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield connection
    finally:
        ours.shutdown(socket.SHUT_RDWR)
        thread.join()
        connection._rfile.close()
        ours.close()
        theirs.close()
        connection._sock = None


def read(parts: Sequence[bytes], size: int = 1000, **options: Any) -> tuple[list[list[RawRow]], tuple[str, ...]]:
    with answered(parts, **options) as connection:
        select = Select(connection, SERVER, "SELECT")
        return list(select.chunks(size)), select.columns


VALUES = st.none() | st.binary(max_size=8) | st.binary(min_size=249, max_size=300)


@settings(max_examples=15)
@given(st.data(), st.integers(1, 5), st.integers(1, 7))
def test_rows_come_as_they_were_sent_however_the_bytes_are_cut(data: Any, width: int, size: int) -> None:
    found = data.draw(st.lists(st.tuples(*[VALUES] * width), max_size=12))
    names = [f"c{i}" for i in range(width)]
    sent = answer(names, found)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=4)))
    parts = [sent[a:b] for a, b in zip([0, *cuts], [*cuts, len(sent)], strict=True)]
    chunks, columns = read([part for part in parts if part], size)
    assert [row for chunk in chunks for row in chunk] == found
    assert all(len(chunk) <= size for chunk in chunks)
    assert columns == tuple(names)


def test_the_last_chunk_is_never_empty() -> None:
    assert read([answer(["a"], [(b"1",), (b"2",)])], 2)[0] == [[(b"1",), (b"2",)]]
    assert read([answer(["a"], [])])[0] == []


@pytest.mark.parametrize("size", [0xFFFFFF - 4, 0xFFFFFF - 5, 17_000_000, 100_000])
def test_a_row_of_any_length_is_one_row(size: int) -> None:
    found: list[RawRow] = [(b"x" * size, None), (b"", b"y" * 300)]
    (first, second) = [row for chunk in read([answer(["a", "b"], found)])[0] for row in chunk]
    assert first == found[0]
    assert second == found[1]


def test_wide_rows_end_a_chunk_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "CHUNK_BYTES", 1000)
    chunks, _ = read([answer(["a"], [(b"x" * 240,)] * 3000)])
    assert len(chunks) > 1
    assert sum(map(len, chunks)) == 3000


def test_a_silent_server_gives_empty_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "_IDLE_SECONDS", 0.01)
    with answered([]) as connection:
        chunks = Select(connection, SERVER, "SELECT").chunks(10)
        assert [next(chunks), next(chunks)] == [[], []]


def test_a_refused_statement_is_the_servers_error() -> None:
    refusal = b"\xff" + (1146).to_bytes(2, "little") + b"#42S02Table 'a.b' doesn't exist"
    with pytest.raises(SourceError, match=r"Table 'a\.b' doesn't exist"):
        read([packet(1, refusal)])


def test_an_error_between_rows_is_raised_after_the_rows_before_it() -> None:
    refusal = b"\xff" + (3024).to_bytes(2, "little") + b"#HY000Query execution was interrupted"
    with answered([answer(["a"], [(b"1",)], refusal)]) as connection:
        chunks = Select(connection, SERVER, "SELECT").chunks(1)
        assert next(chunks) == [(b"1",)]
        with pytest.raises(SourceError, match="interrupted"):
            next(chunks)


def test_a_table_altered_after_the_snapshot_began_is_worth_another_try() -> None:
    refusal = b"\xff" + (1412).to_bytes(2, "little") + b"#HY000Table definition has changed"
    with pytest.raises(SourceUnavailable, match="the snapshot begins again"):
        read([packet(1, refusal)])


def test_a_connection_lost_between_rows_is_an_outage() -> None:
    cut = answer(["a"], [(b"1",), (b"2",)])[:-12]
    with pytest.raises(SourceUnavailable, match="in the middle of a SELECT"):
        read([cut], then_close=True)
