"""Plain transactions, whoever finds them, leave behind what their frames leave one by one."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from itertools import pairwise
from random import Random
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdc.config import parse
from cdc.envelope import EnvelopeSettings
from cdc.errors import TailraceError
from cdc.postgres import source_info
from cdc.postgres.capture import Capture
from cdc.postgres.catalog import PgColumn, PgTable
from cdc.postgres.config import PostgresConfig
from cdc.postgres.offset import Position
from cdc.postgres.pgoutput import EPOCH_US, UNCHANGED, Relation
from cdc.postgres.plain_transactions import find
from cdc.postgres.reader import Reader
from cdc.postgres.reader_options import ReaderOptions
from cdc.postgres.types import TypeOptions
from cdc.record import Poll
from cdc.table import TableId
from tests.seeing import Seeing
from tests.twins import KINDS, twin
from tests.unit.cdc.postgres.test_pgoutput import values
from tests.unit.cdc.postgres.test_types import TYPES, named

CONFIG = parse(PostgresConfig, {
    "topic.prefix": "shop", "database.hostname": "h", "database.user": "u", "database.dbname": "d",
    "table.exclude.list": "public.unwanted",
})  # fmt: skip
NOBODY: Any = None
TABLES = {77: "goods", 78: "orders", 79: "unwanted"}
seeds = st.integers(0, 2**32 - 1)


def table(ask: object, types: object, relation: Relation) -> PgTable:
    columns = (PgColumn(name="id", type=named("int4"), optional=False), PgColumn(name="name", type=named("text")))
    return PgTable(oid=relation.oid, id=TableId(relation.schema, relation.table), columns=columns, key=("id",))


@pytest.fixture(autouse=True)
def catalog(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cdc.postgres.reader.announced", table)


class Counting(ModuleType):
    """One of the twins; tells how many transactions it found."""

    def __init__(self, kind: str) -> None:
        super().__init__("counting")
        native = twin(kind)
        self._find = find if native is None else native.postgres_transactions
        self.found = 0

    def postgres_transactions(self, *given: Any) -> Any:
        made = self._find(*given)
        self.found += len(made[0])
        return made


class Blind(ModuleType):
    """Finds none: every frame is handled by itself."""

    def postgres_transactions(self, *given: Any) -> Any:
        return [], [], [], []


BLIND = Blind("blind")
BOTH = pytest.mark.parametrize("kind", KINDS)


class Wal:
    """Frames as a server sends them."""

    def __init__(self, chance: Random) -> None:
        self.frames: list[bytes] = []
        self._chance, self._lsn, self._xid = chance, 1000, 5

    def _frame(self, body: bytes) -> None:
        self._lsn += self._chance.choice((8, 40))
        self.frames.append(b"w" + struct.pack(">QQq", self._lsn, self._lsn, 2_000_000) + body)

    def relation(self, oid: int) -> None:
        columns = b"".join(struct.pack(">B", 0) + name + struct.pack(">Ii", 23, -1) for name in (b"id\0", b"name\0"))
        self._frame(b"R" + struct.pack(">I", oid) + b"public\0" + TABLES[oid].encode() + b"\0d\0\2" + columns)

    def begin(self) -> None:
        self._xid += 1
        self._micros = 1_000_000 + self._xid // 2 * 1700
        self._commit = self._lsn + 4000
        self._frame(b"B" + struct.pack(">QqI", self._commit, self._micros, self._xid))

    def commit(self) -> None:
        self._lsn = self._commit
        self._frame(b"C\0" + struct.pack(">QQq", self._commit, self._commit + 48, self._micros))

    def origin(self) -> None:
        self._frame(b"O" + struct.pack(">Q", 9) + b"elsewhere\0")

    def message(self, transactional: bool) -> None:
        self._frame(b"M" + struct.pack(">BQ", transactional, self._lsn) + b"p\0" + struct.pack(">I", 2) + b"hi")

    def change(self, oid: int, kind: str, id: str = "7") -> None:
        new, relation = values(id, self._chance.choice(("a", None, "ü" * 90))), struct.pack(">I", oid)
        old = values(id, None)
        body = {"I": b"N" + new, "U": b"N" + new, "K": b"K" + old + b"N" + new, "D": b"K" + old,
                "T": b"N" + values(id, UNCHANGED)}[kind]  # fmt: skip
        self._frame({"K": b"U", "T": b"U"}.get(kind, kind.encode()) + relation + body)

    def single(self, oid: int, kind: str, id: str = "7") -> None:
        self.begin()
        self.change(oid, kind, id)
        self.commit()


def wal(chance: Random) -> list[bytes]:
    """Mostly plain transactions, and everything that is not."""
    made = Wal(chance)
    made.begin()
    for oid in TABLES:
        made.relation(oid)
    made.commit()
    for _ in range(chance.randint(1, 30)):
        oid, kind = chance.choice((77, 77, 77, 78, 79)), chance.choice("IIIUUKDT")
        for _ in range(chance.choice((1, 1, 3, 9))):
            made.single(oid, kind, chance.choice(("7", "7", "8", "-12")))
        match chance.randrange(12):
            case 0:
                made.single(oid, "I", "no number")
            case 1:
                made.begin()
                made.commit()
            case 2:
                made.begin()
                made.origin()
                made.change(oid, kind)
                made.commit()
            case 3:
                made.begin()
                made.change(oid, kind)
                made.change(chance.choice((77, 78)), "I")
                made.commit()
            case 4:
                made.begin()
                made.message(transactional=True)
                made.commit()
            case 5:
                made.message(transactional=False)
            case 6:
                made.begin()
                made.relation(oid)
                made.change(oid, kind)
                made.commit()
    return made.frames


def told(poll: Poll) -> list[Any]:
    """All that is told of `source` is compared, not in which kind of tuple it stands."""
    return [
        (batch.topic, list(batch.keys), [value and (*value[:2], tuple(value[2]), *value[3:]) for value in batch.values])
        for batch in poll.batches
    ]


def polled(
    lists: Sequence[list[bytes]], twin: ModuleType | None, start: Position,
    watched: Sequence[Sequence[str]] | None = None, **options: Any,
) -> Iterator[Any]:  # fmt: skip
    """Records, offsets and position of each Poll, the error that ended them, and what a watch saw."""
    watch: Any = None
    if watched is not None:
        watch = Seeing(*([TableId("public", name) for name in names] for names in watched))
    made = EnvelopeSettings(prefix="shop", source=source_info.SCHEMA)
    reader = Reader(
        ReaderOptions(prefix="shop", database="d", twin=twin, **options), Capture(CONFIG, made, TypeOptions(), TYPES),
        NOBODY, TYPES, start, now=lambda: (EPOCH_US + 9_000_000) * 1000, watch=watch,
    )  # fmt: skip
    try:
        for frames in lists:
            for poll in reader.polls(frames, idle=False):
                yield repr(told(poll)), poll.offsets, reader.position(), reader.behind
    except TailraceError as error:
        yield repr(error)
    yield watch and watch.seen


def cut(chance: Random, frames: Sequence[bytes], longest: int = 40) -> list[list[bytes]]:
    places = [0]
    while places[-1] < len(frames):
        places.append(places[-1] + chance.randint(1, longest))
    return [list(frames[at:end]) for at, end in pairwise(places)]


@BOTH
@settings(max_examples=60)
@given(seeds)
def test_plain_transactions_leave_behind_what_their_frames_leave_one_by_one(kind: str, seed: int) -> None:
    chance, finds = Random(seed), twin(kind)
    frames = wal(chance)
    lists, start = cut(chance, frames), Position(lsn=900)
    options: dict[str, Any] = {"on_failure": chance.choice(("fail", "warn", "skip"))}
    if chance.random() < 0.3:
        options["skipped"] = frozenset(chance.choice("cudt"))
    if chance.random() < 0.3:
        options["watched"] = chance.choice((((), ()), (("goods",), ()), (("orders",), ("goods",))))
    whole = list(polled(lists, finds, start, **options))
    assert whole == list(polled(lists, BLIND, start, **options))
    stops = [found[2] for found in whole if isinstance(found, tuple)]
    for stop in chance.sample(stops, min(3, len(stops))):  # a restart, with Debezium's members alone or all of ours
        kept = {name: value for name, value in stop.to_offset().items()
                if chance.random() < 0.7 or name not in ("event", "commit_of", "lsn_done")}  # fmt: skip
        stop = Position.from_offset(kept)
        again = [frames[:5], *cut(chance, frames[5:])]
        assert list(polled(again, finds, stop, **options)) == list(polled(again, BLIND, stop, **options))


@BOTH
@settings(max_examples=60)
@given(seeds)
def test_damaged_frames_are_read_alike(kind: str, seed: int) -> None:
    chance = Random(seed)
    frames = wal(chance)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(frames))
        damaged = bytearray(frames[at])
        for _ in range(chance.randint(1, 3)):
            damaged[chance.randrange(25, len(damaged))] = chance.randrange(256)
        if chance.random() < 0.3:
            del damaged[chance.randrange(26, len(damaged)) :]
        frames[at] = bytes(damaged)
    lists = cut(chance, frames)
    assert list(polled(lists, twin(kind), Position(lsn=900))) == list(polled(lists, BLIND, Position(lsn=900)))


@BOTH
def test_plain_transactions_are_found_and_no_others_are_looked_for_in_vain(kind: str) -> None:
    counting, made = Counting(kind), Wal(Random(1))
    made.begin()
    made.relation(77)
    made.commit()
    for _ in range(500):
        made.single(77, "I")
    plain = list(polled([made.frames], counting, Position(lsn=900)))
    assert counting.found == 500
    assert len(plain[0][0].split("'shop.public.goods'")) == 2, "one batch"
    counting.found = 0
    list(polled([made.frames], counting, Position(lsn=900), watched=(("goods",), ())))
    assert counting.found < 2 * 500 + 10
