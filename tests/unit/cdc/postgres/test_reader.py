"""The reader by itself: what it tells of frames without a server."""

from __future__ import annotations

import struct
from typing import Any, cast

import pytest

from cdc.errors import DecodeError
from cdc.postgres.offset import Position
from cdc.postgres.pgoutput import EPOCH_US
from cdc.postgres.reader import Reader
from cdc.postgres.reader_options import ReaderOptions

NOTHING = cast(Any, None)
"""No table comes up, so nobody is asked for one."""


def begin(committed_us: int, sent_us: int) -> bytes:
    """As the server sends the beginning of a transaction."""
    return b"w" + struct.pack(">QQq", 7, 7, sent_us) + b"B" + struct.pack(">QqI", 9, committed_us, 5)


@pytest.mark.parametrize(("committed_us", "behind"), [(9_000_000, False), (1_000_000, True)])
def test_it_is_behind_when_what_the_server_sends_was_committed_a_while_before(committed_us: int, behind: bool) -> None:
    reader = Reader(ReaderOptions(prefix="p", database="d"), NOTHING, NOTHING, NOTHING, Position(lsn=1))
    assert not reader.behind
    [poll] = reader.polls([begin(committed_us, 9_500_000)], idle=False)
    assert reader.behind is behind
    assert dict(poll.offsets[0].offset or {})["txId"] == 5


def relation() -> bytes:
    return b"w" + struct.pack(">QQq", 8, 8, 0) + b"R" + struct.pack(">I", 77) + b"public\0t\0d" + struct.pack(">H", 0)


class Told:
    """A capture whose shapes are what the catalog told."""

    def table(self, id: object) -> bool:
        return True

    def shape(self, told: object) -> object:
        return told


def test_a_table_announced_anew_is_waited_for_only_when_it_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = "as it was", "altered"
    catalog = iter([first, first, first, second, second])
    monkeypatch.setattr("cdc.postgres.reader.announced", lambda *_: next(catalog))
    paused: list[float] = []
    reader = Reader(
        ReaderOptions(prefix="p", database="d"), cast(Any, Told()), NOTHING, NOTHING, Position(lsn=1),
        now=lambda: (EPOCH_US + 1_100_000) * 1000, pause=paused.append,
    )  # fmt: skip
    for pauses in ([0.4], [0.4], [0.4, 0.4]):  # new; as it was, after ANALYZE; altered
        list(reader.polls([begin(1_000_000, 0), relation()], idle=False))
        assert paused == pauses
    assert next(catalog, None) is None


@pytest.mark.parametrize("body", [b"I", b"U" + struct.pack(">I", 77) + b"N", b"D" + struct.pack(">I", 77) + b"X\0\1t"])
def test_a_change_without_a_row_is_told_as_damage(body: bytes) -> None:
    reader = Reader(ReaderOptions(prefix="p", database="d"), NOTHING, NOTHING, NOTHING, Position(lsn=1))
    with pytest.raises(DecodeError, match=r"pgoutput message b'[IUD]' of \d+ bytes holds no row"):
        list(reader.polls([begin(1, 0), b"w" + struct.pack(">QQq", 8, 8, 0) + body], idle=False))
