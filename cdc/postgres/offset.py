"""Position in the WAL, as Debezium's offsets write it: what is complete, and how far into the next transaction.

Source: Debezium 3.5.0.Final, `io.debezium.connector.postgresql.PostgresOffsetContext`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from cdc.errors import SourceError
from cdc.transactions import members


@dataclass(frozen=True, slots=True)
class Position:
    """Everything before `start` is done, and the first `event` changes of the transaction after it.

    Attributes:
        lsn: of the last message.
        processed_lsn: the last LSN of which every message is done; Debezium's `lsn_proc`.
        commit_lsn: where the last complete transaction ends.
        message: kind of the last message: BEGIN, INSERT, UPDATE, DELETE, TRUNCATE, MESSAGE, COMMIT.
        event: changes of the open transaction that are done. Debezium has no such member and leaves it alone.
        commit_of: where the commit of that open transaction stands; 0 when none is open.
        done_lsn: before which all is done, where that is not `commit_lsn`: the server passed over what is not ours.
        held_lsn: from where the server must send again, to send a prepared transaction that is not decided yet.
        timeline: of the server it was read from: how often a standby was promoted before. None: nobody noted it.
        transaction: the members that `cdc.transactions` keeps of an open transaction.
        snapshot: INITIAL while the first rows are read, BLOCKING while rows are read again.
    """

    lsn: int
    processed_lsn: int | None = None
    commit_lsn: int | None = None
    tx_id: int | None = None
    time_us: int | None = None
    message: str | None = None
    xmin: int | None = None
    event: int = 0
    commit_of: int = 0
    done_lsn: int | None = None
    held_lsn: int | None = None
    timeline: int | None = None
    transaction: Mapping[str, Any] = field(default_factory=dict)
    snapshot: str | None = None
    last_snapshot_record: bool = False
    snapshot_completed: bool = False

    @property
    def start(self) -> int:
        """No transaction that ends before it is sent again."""
        if self.done_lsn is not None:
            return max(self.done_lsn, self.commit_lsn or 0)
        return self.commit_lsn or self.processed_lsn or self.lsn

    @property
    def stop(self) -> int | None:
        """The LSN up to which an open transaction's changes are done, where `event` does not count them.

        Debezium's offsets tell no count. They may stand in a transaction that is over: that with the COMMIT is saved
        with the next record only. A message outside of transactions is a commit of its own; the first change of a
        transaction may stand where the one before ended.
        """
        if self.event or self.message in (None, "BEGIN", "COMMIT"):
            return None
        return None if self.message == "MESSAGE" and self.lsn == self.commit_lsn else self.lsn

    @property
    def needed(self) -> int:
        """From where the server must still be able to send."""
        return self.start if self.held_lsn is None else min(self.start, self.held_lsn)

    @property
    def began(self) -> dict[str, Any]:
        """The members that tell the snapshot that began here from others."""
        return {"lsn": self.lsn}

    def to_offset(self) -> dict[str, Any]:
        offset: dict[str, Any] = {}
        members = (
            ("lsn_proc", self.processed_lsn), ("messageType", self.message), ("lsn_commit", self.commit_lsn),
            ("lsn", self.lsn), ("txId", self.tx_id), ("ts_usec", self.time_us), ("xmin", self.xmin),
        )  # fmt: skip
        for name, value in members:
            if value is not None:
                offset[name] = value
        if self.snapshot is not None:
            offset["snapshot"] = self.snapshot
            offset["last_snapshot_record"] = self.last_snapshot_record
            offset["snapshot_completed"] = self.snapshot_completed
        if self.event:
            offset["event"], offset["commit_of"] = self.event, self.commit_of
        if self.done_lsn is not None and self.done_lsn != self.commit_lsn:
            offset["lsn_done"] = self.done_lsn
        if self.held_lsn is not None:
            offset["lsn_held"] = self.held_lsn
        if self.timeline is not None:
            offset["timeline"] = self.timeline
        return {**offset, **self.transaction}

    @staticmethod
    def from_offset(offset: Mapping[str, Any]) -> Position:
        """Raises: SourceError: it names no position."""
        lsn = offset.get("lsn")
        if not isinstance(lsn, int):
            raise SourceError(f"the stored offset names no WAL position (lsn): {dict(offset)}; reset the connector's "
                              "offsets to take a snapshot")  # fmt: skip
        snapshot = offset.get("snapshot")
        return Position(
            lsn=lsn, processed_lsn=offset.get("lsn_proc"), commit_lsn=offset.get("lsn_commit"),
            tx_id=offset.get("txId"), time_us=offset.get("ts_usec"), message=offset.get("messageType"),
            xmin=offset.get("xmin"), event=offset.get("event", 0), commit_of=offset.get("commit_of", 0),
            done_lsn=offset.get("lsn_done"), held_lsn=offset.get("lsn_held"),
            timeline=offset.get("timeline"),
            transaction=members(offset),
            snapshot=("INITIAL" if snapshot is True else snapshot) or None,
            last_snapshot_record=bool(offset.get("last_snapshot_record")),
            snapshot_completed=bool(offset.get("snapshot_completed")),
        )  # fmt: skip

    @property
    def in_snapshot(self) -> bool:
        """The first snapshot is not over."""
        return self.snapshot is not None and not (self.snapshot_completed or self.last_snapshot_record)

    def with_(self, **changes: Any) -> Position:
        return replace(self, **changes)


def lsn_text(lsn: int) -> str:
    """As PostgreSQL writes it: 0/16B3748."""
    return f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}"


def lsn_of(text: str) -> int:
    """Raises: ValueError."""
    high, _, low = text.partition("/")
    return int(high, 16) << 32 | int(low, 16)
