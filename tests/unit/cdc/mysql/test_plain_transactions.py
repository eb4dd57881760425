"""What the compiled twin takes of packets, transactions and rows of a SELECT is what the functions in Python give."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from random import Random
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdc.errors import TailraceError
from cdc.mysql import binlog, wire
from cdc.mysql.binlog import GTID, ROWS_QUERY, XID
from cdc.mysql.offset import GtidSet, Position
from cdc.mysql.reader import Reader
from cdc.mysql.rows import splitter
from cdc.table import TableId
from tests.mysql_log import Parts, frames, records
from tests.seeing import Seeing
from tests.twins import KINDS, twin

SHOP = frames("shop")
seeds = st.integers(0, 2**32 - 1)


class Counting(ModuleType):
    """The compiled module; tells how many transactions it found, and in how many groups."""

    def __init__(self) -> None:
        super().__init__("counting")
        self.found = self.groups = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(twin("native"), name)

    def mysql_transactions(self, *given: Any) -> Any:
        made = self.__getattr__("mysql_transactions")(*given)
        self.found += sum(len(group[2]) for group in made)
        self.groups += len(made)
        return made


def sealed(event: bytes) -> bytes:
    """With the size and the checksum that it should have."""
    event = event[:9] + struct.pack("<I", len(event)) + event[13:-4]
    return event + struct.pack("<I", zlib.crc32(event))


def repeated(events: Sequence[bytes], times: int, step: int = 1) -> list[bytes]:
    """The log with each transaction of one row event written so many times, at other times and numbers in steps."""
    found: list[bytes] = []
    for at, event in enumerate(events):
        found.append(event)
        if event[4] == XID and at >= 5 and events[at - 5][4] == GTID:
            for number in range(1, times):
                gtid = bytearray(events[at - 5])
                first, micros = int.from_bytes(gtid[36:44], "little"), int.from_bytes(gtid[61:68], "little")
                gtid[36:44] = (first * 1000 + number * step).to_bytes(8, "little")
                gtid[61:68] = (micros + number * step * 900).to_bytes(7, "little")
                rest = events[at - 4 : at + 1]
                found += [sealed(bytes(gtid)), *(each for each in rest if number > 1 or each[4] != ROWS_QUERY)]
    return found


MANY = repeated(SHOP, 6)
APART = repeated(SHOP, 3, step=2)


def polled(
    lists: Sequence[list[bytes]], twin: ModuleType | None, watched: Sequence[str] | None = None, **options: Any
) -> list[Any]:
    """Records and offset of each Poll, the error that ended them, and what a watch saw."""
    watch: Any = None if watched is None else Seeing([TableId("shop", name) for name in watched])
    parts = Parts("shop", twin=twin, **options)
    reader = Reader(
        parts.options, parts.history, parts.capture, Position(file="binlog.000001", pos=4), gtids=GtidSet.parse(""),
        has_gtids=True, checksum=True, server="one", now=lambda: 10**18, watch=watch,
    )  # fmt: skip
    found: list[Any] = []
    try:
        for poll in reader.polls(lists):
            found.append((repr(records([poll])), poll.offsets))
    except TailraceError as error:
        found.append((repr(records([reader.rest()])), repr(error)))
    found.append((str(reader.at), reader.at.end, reader.at.gtid_at, reader.at.sent, reader.at.server_id))
    found.append(watch and watch.seen)
    return found


def cut(chance: Random, events: Sequence[bytes]) -> list[list[bytes]]:
    lists, at = [], 0
    while at < len(events):
        size = chance.randint(1, 30)
        lists.append(list(events[at : at + size]))
        at += size
    return lists


@settings(max_examples=12)
@given(seeds)
def test_plain_transactions_leave_behind_what_their_events_leave_one_by_one(seed: int) -> None:
    chance, counting = Random(seed), Counting()
    lists = cut(chance, chance.choice((MANY, APART)))
    options: dict[str, Any] = {"max_rows": chance.choice((1, 2, 3, 5, 4096))}
    if chance.random() < 0.3:
        options["skipped"] = frozenset(chance.choice("cudt"))
    options["watched"] = chance.choice((None, (), ("goods",), ("copied", "goods")))
    assert polled(lists, counting, **options) == polled(lists, None, **options)


def test_plain_transactions_are_found() -> None:
    counting = Counting()
    polled([MANY], counting, watched=())
    assert counting.found > 10
    assert counting.groups < counting.found // 2


def test_a_watch_sees_the_rows_that_it_wants_to_see() -> None:
    seen = polled([MANY], twin("native"), watched=("goods",))[-1]
    assert len(seen) > 10
    assert seen == polled([MANY], None, watched=("goods",))[-1]


_NOT_SEALED = (binlog.FORMAT_DESCRIPTION, binlog.TABLE_MAP, binlog.TRANSACTION_PAYLOAD)


@settings(max_examples=20)
@given(seeds)
def test_a_damaged_log_is_read_alike(seed: int) -> None:
    chance = Random(seed)
    events = list(MANY)
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(events))
        damaged = bytearray(events[at])
        for _ in range(chance.randint(1, 3)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        if chance.random() < 0.2:
            del damaged[chance.randrange(len(damaged)) :]
        is_sealed = chance.random() < 0.7 and len(damaged) > 23 and damaged[4] not in _NOT_SEALED
        events[at] = sealed(bytes(damaged)) if is_sealed else bytes(damaged)
    lists = cut(chance, events)
    assert polled(lists, twin("native"), undecodable="skip") == polled(lists, None, undecodable="skip")


def packet(payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "little") + b"\7" + payload


@pytest.mark.parametrize("kind", KINDS)
@given(seeds)
def test_events_come_out_of_packets_that_are_cut_anywhere(kind: str, seed: int) -> None:
    chance, events = Random(seed), [Random(seed + i).randbytes(Random(i).randint(19, 60)) for i in range(9)]
    sent = b"".join(packet(b"\0" + event) for event in events)
    patch = pytest.MonkeyPatch()
    with patch.context() as patched:
        patched.setattr(wire, "hot", twin(kind))
        stream = wire.Stream.over(wire.Settings(host="", user=""), None, Position(file="", pos=4), None)  # type: ignore[arg-type]
        found: list[bytes] = []
        for part in cut(chance, [bytes((byte,)) for byte in sent]):
            stream.feed(b"".join(part))
            found += stream.events() if _is_whole(stream) else []
    assert found == events


def _is_whole(stream: wire.Stream) -> bool:
    """Whether a packet is complete: what is not one has to say the size of its event."""
    return len(stream._waiting) >= 4 + int.from_bytes(stream._waiting[:3], "little")


def test_an_error_after_events_comes_after_them() -> None:
    hot = twin("native")
    assert hot is not None
    sent = packet(b"\0first") + packet(b"\0second") + packet(b"\xff\1\2oh") + packet(b"\0third")
    assert hot.mysql_packets(sent) == ([b"first", b"second"], 4 + 6 + 4 + 7)
    assert hot.mysql_packets(packet(b"")) == ([], 0)


@given(seeds)
def test_rows_of_a_select_are_split_alike(seed: int) -> None:
    chance = Random(seed)
    columns = chance.randint(1, 5)
    buffer = b""
    for _ in range(chance.randint(0, 6)):
        cells = [chance.choice((b"\xfb", b"\0", b"\1a", b"\xfc\3\0abc", b"\xfd\2\0\0zz", b"\5hello"))
                 for _ in range(columns)]  # fmt: skip
        buffer += packet(b"".join(cells))
    buffer += chance.choice((b"", packet(b"\xfe\0\0\2\0"), packet(b"\xff\1\2"), packet(b""), b"\3\0"))
    damaged = bytearray(buffer)
    if damaged and chance.random() < 0.6:
        damaged[chance.randrange(len(damaged))] = chance.randrange(256)
    for raw in (buffer, bytes(damaged), bytes(damaged[: chance.randint(0, len(damaged))])):
        at, limit = chance.choice((0, 0, 0, 3)), chance.choice((1, 2, 100))
        assert _split(splitter(columns, twin("native")), raw, at, limit) == _split(
            splitter(columns, None), raw, at, limit
        )


def _split(split: Any, *given: Any) -> Any:
    try:
        return split(*given)
    except (IndexError, KeyError) as error:
        return repr(error)
