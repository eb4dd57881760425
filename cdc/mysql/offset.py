"""Position of a MySQL record: file, position, events and rows to skip, GTID set; to and from Connect's offset map.

Source: Debezium 3.5.0.Final, `BinlogOffsetContext`, and its recorded offsets; MySQL's manual, "GTID Sets".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from cdc.errors import SourceError
from cdc.java.order import in_hash_order
from cdc.mysql.domain_gtids import DomainGtids, is_domain_gtids
from cdc.transactions import members

Interval = tuple[int, int]
"""First and last transaction number, both inclusive."""
Origin = tuple[str, str]
"""Lower-case server UUID, and the tag (MySQL 8.3 and later) or the empty string."""

_SNAPSHOTS: Final = {True: "INITIAL", "true": "INITIAL", False: None, "false": None,
                     "INCREMENTAL": None, "BLOCKING": None}  # fmt: skip
"""`snapshot` of a stored offset. During the last two of Debezium's, its position is one of the log."""
_UUID: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_TAG: Final = re.compile(r"[a-z_][a-z0-9_]{0,31}")
_INTERVAL: Final = re.compile(r"(\d+)(?:-(\d+))?")


def _merged(intervals: list[Interval]) -> tuple[Interval, ...]:
    """Sorted, with overlapping and adjacent intervals made one."""
    result: list[Interval] = []
    for first, last in sorted(intervals):
        if result and first <= result[-1][1] + 1:
            result[-1] = (result[-1][0], max(result[-1][1], last))
        else:
            result.append((first, last))
    return tuple(result)


def _without(intervals: tuple[Interval, ...], removed: tuple[Interval, ...]) -> tuple[Interval, ...]:
    left = list(intervals)
    for from_, to in removed:
        left = [
            part
            for first, last in left
            for part in ((first, min(last, from_ - 1)), (max(first, to + 1), last))
            if part[0] <= part[1]
        ]
    return tuple(sorted(set(left)))


@dataclass(frozen=True, slots=True)
class GtidSet:
    """A set of global transaction ids; operations give new sets."""

    intervals: Mapping[Origin, tuple[Interval, ...]] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> GtidSet:
        """From MySQL's text, `uuid:1-5:7,uuid:tag:1-3`; white space and an empty text are fine.

        Raises: SourceError: `text` is no GTID set.
        """
        found: dict[Origin, list[Interval]] = {}
        for member in filter(None, (part.strip() for part in text.lower().split(","))):
            uuid, *rest = (part.strip() for part in member.split(":"))
            tag = ""
            if not _UUID.fullmatch(uuid) or not rest:
                raise SourceError(f"{member!r} is not a part of a MySQL GTID set: expected uuid:first-last")
            for part in rest:
                match = _INTERVAL.fullmatch(part)
                if match is not None:
                    first, last = int(match[1]), int(match[2] or match[1])
                    if first <= last:
                        found.setdefault((uuid, tag), []).append((first, last))
                elif _TAG.fullmatch(part):
                    tag = part
                else:
                    raise SourceError(f"{part!r} in the GTID set {text!r} is neither an interval nor a tag")
        return cls({origin: _merged(intervals) for origin, intervals in found.items()})

    def __str__(self) -> str:
        """MySQL's canonical form on one line: origins sorted, tags after the plain intervals of their server."""
        servers: dict[str, str] = {}
        for (uuid, tag), intervals in sorted(self.intervals.items()):
            text = ":".join(str(first) if first == last else f"{first}-{last}" for first, last in intervals)
            servers[uuid] = servers.get(uuid, uuid) + (f":{tag}:{text}" if tag else f":{text}")
        return ",".join(servers.values())

    def __bool__(self) -> bool:
        return bool(self.intervals)

    def __hash__(self) -> int:
        return hash(tuple(sorted(self.intervals.items())))

    def add(self, gtid: str) -> GtidSet:
        """With one more transaction, `uuid:number` or `uuid:tag:number` as an event gives it (lower case)."""
        origin_text, _, number_text = gtid.rpartition(":")
        uuid, _, tag = origin_text.partition(":")
        number, origin = int(number_text), (uuid, tag)
        intervals = self.intervals.get(origin, ())
        if intervals and intervals[-1][1] + 1 == number:
            grown = (*intervals[:-1], (intervals[-1][0], number))
        else:
            grown = _merged([*intervals, (number, number)])
        return GtidSet({**self.intervals, origin: grown})

    def contains(self, other: GtidSet | str) -> bool:
        """True when every transaction of `other` (a set or one gtid's text) is in this set."""
        asked = GtidSet.parse(other) if isinstance(other, str) else other
        return not asked.minus(self)

    def union(self, other: GtidSet) -> GtidSet:
        joined = dict(self.intervals)
        for origin, intervals in other.intervals.items():
            joined[origin] = _merged([*joined.get(origin, ()), *intervals])
        return GtidSet(joined)

    def minus(self, other: GtidSet) -> GtidSet:
        left = {
            origin: _without(intervals, other.intervals.get(origin, ())) for origin, intervals in self.intervals.items()
        }
        return GtidSet({origin: intervals for origin, intervals in left.items() if intervals})

    def only(self, wanted: Callable[[str], bool]) -> GtidSet:
        """The part that servers whose UUID is `wanted` made (`gtid.source.includes`, `.excludes`)."""
        return GtidSet({origin: ranges for origin, ranges in self.intervals.items() if wanted(origin[0])})

    def tally(self) -> GtidTally:
        return GtidTally(self)


class GtidTally:
    """A GTID set that grows by one transaction after the other, of which most are the next of the same server."""

    __slots__ = ("_done", "_first", "_last", "_origin")

    def __init__(self, done: GtidSet) -> None:
        self._done = done
        self._origin, self._first, self._last = "", 0, 0

    def add(self, gtid: str, count: int = 1) -> None:
        """`uuid:number` or `uuid:tag:number` as an event gives it (lower case): the last of `count` in a row."""
        origin, _, digits = gtid.rpartition(":")
        last = int(digits)
        first = last - count + 1
        if first != self._last + 1 or origin != self._origin:
            self.done()
            self._origin, self._first = origin, first
        self._last = last

    def done(self) -> GtidSet:
        if self._origin:
            uuid, _, tag = self._origin.partition(":")
            self._done = self._done.union(GtidSet({(uuid, tag): ((self._first, self._last),)}))
            self._origin = ""
        return self._done


Gtids: TypeAlias = GtidSet | DomainGtids
"""Which transactions are done, as MySQL or as MariaDB names them."""


def gtids_of(text: str) -> Gtids:
    """From MySQL's or MariaDB's text. Raises: SourceError: it is neither."""
    return DomainGtids.parse(text) if is_domain_gtids(text) else GtidSet.parse(text)


def covers(done: Gtids, asked: Gtids) -> bool:
    """Whether everything of `asked` is done; never where one is MySQL's and the other MariaDB's."""
    if isinstance(done, DomainGtids):
        return isinstance(asked, DomainGtids) and done.contains(asked)
    return isinstance(asked, GtidSet) and done.contains(asked)


@dataclass(frozen=True, kw_only=True, slots=True)
class Position:
    """Where to restart, and how much of what follows was already sent.

    Attributes:
        file, pos: binlog file and the byte where the current transaction's BEGIN starts; between transactions,
            the end of the last one.
        event: events of that transaction, its BEGIN included, that were handled completely.
        row: rows of the next event that were sent.
        server, gtid, rows: the UUID of the server read from, that transaction, and how many rows of it were sent: on
            another server, where the same rows may stand in other events, that tells what to skip. None between
            transactions, and when one of them is not known.
        gtids: transactions completed before the current one; None when the server runs without GTIDs.
        ts_sec: source time of the last record, in seconds; None before the first.
        snapshot: `INITIAL` or `BLOCKING` while a snapshot runs; None otherwise, and when it was read
            from the offset of a blocking one.
        transaction: the members that `cdc.transactions` keeps of an open transaction.
    """

    file: str
    pos: int
    event: int = 0
    row: int = 0
    server: str | None = None
    gtid: str | None = None
    rows: int | None = None
    gtids: str | None = None
    server_id: int = 0
    ts_sec: int | None = None
    snapshot: str | None = None
    transaction: Mapping[str, Any] = field(default_factory=dict)

    @property
    def began(self) -> dict[str, Any]:
        """The members that tell the snapshot that began here from others."""
        return {"file": self.file, "pos": self.pos}

    def to_offset(self) -> dict[str, Any]:
        """The offset map; members stand in the order of Debezium's hash map, zeros and nulls are left out."""
        offset: dict[str, Any] = {}
        if self.ts_sec is not None:
            offset["ts_sec"] = self.ts_sec
        offset["file"] = self.file
        offset["pos"] = self.pos
        if self.gtids is not None:
            offset["gtids"] = self.gtids
        if self.row:
            offset["row"] = self.row
        if self.server_id:
            offset["server_id"] = self.server_id
        if self.event:
            offset["event"] = self.event
        if self.server is not None and self.gtid is not None and self.rows is not None:
            offset |= {"server_uuid": self.server, "gtid": self.gtid, "rows": self.rows}
        if self.snapshot is not None:
            offset["snapshot"] = self.snapshot
        if self.transaction:
            offset |= self.transaction
            return {name: offset[name] for name in in_hash_order(offset)}
        return offset

    @classmethod
    def from_offset(cls, offset: Mapping[str, Any]) -> Position:
        """From a stored offset map, an older release's or a user's too (numbers may be text, `snapshot` true).

        Raises: SourceError: no file, or a number that is none.
        """
        file = offset.get("file")
        if not isinstance(file, str) or not file:
            raise SourceError(
                f'the stored offset {dict(offset)} names no binlog file; set "file" and "pos" or reset it'
            )
        gtids, snapshot = offset.get("gtids"), offset.get("snapshot")
        return cls(
            file=file,
            pos=_number(offset, "pos", 4),
            event=_number(offset, "event", 0),
            row=_number(offset, "row", 0),
            server=_text(offset, "server_uuid"),
            gtid=_text(offset, "gtid"),
            rows=None if offset.get("rows") is None else _number(offset, "rows", 0),
            gtids=None if gtids in (None, "") else str(gtids).replace("\n", "").replace("\r", ""),
            server_id=_number(offset, "server_id", 0),
            ts_sec=None if offset.get("ts_sec") is None else _number(offset, "ts_sec", 0),
            transaction=members(offset),
            snapshot=_SNAPSHOTS.get(snapshot, snapshot),
        )


def _text(offset: Mapping[str, Any], name: str) -> str | None:
    return None if offset.get(name) is None else str(offset[name])


def _number(offset: Mapping[str, Any], name: str, default: int) -> int:
    value = offset.get(name)
    if value is None:
        return default
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = -1
    if number < 0:
        raise SourceError(f"{name!r} of the stored offset is {value!r}; it must be a whole number of 0 or more")
    return number
