"""A stored position held against a server's WAL and slot: nothing is missing, not there yet, or gone and told in full.

Source: PostgreSQL's manual, `pg_replication_slots`, "IDENTIFY_SYSTEM", "TIMELINE_HISTORY", "Replication Slot
Synchronization".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cdc.gaps import Gap, moment
from cdc.postgres.offset import Position, lsn_of, lsn_text
from cdc.postgres.replication import Replication
from cdc.postgres.slot import Slot
from cdc.postgres.wire import Session

_END: Final = """SELECT pg_is_in_recovery(), (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
  ELSE pg_current_wal_flush_lsn() END)::text"""
_REASONS: Final = {
    "wal_removed": "more WAL was kept for it than max_slot_wal_keep_size; raise that, or look why nobody read",
    "rows_removed": "the standby's conflict with VACUUM removed rows of the catalog; set hot_standby_feedback=on",
    "wal_level_insufficient": "the primary's wal_level was less than logical for a time; set it back",
    "idle_timeout": "nobody read it for longer than idle_replication_slot_timeout; raise that, or set it to 0",
}
_ELSEWHERE: Final = (
    "Was the server restored, or replaced by a standby? Slots do not follow by themselves; from PostgreSQL 17 on they "
    "do with slot.failover=true here and sync_replication_slots=on at the standby"
)


@dataclass(frozen=True)
class Server:
    """The server that is to be read now.

    Attributes:
        timeline: how often a standby was promoted before it.
        end_lsn: of its WAL.
        left_at: where the timeline that the stored position is of was left; None: it is still that one.
    """

    name: str
    timeline: int
    recovering: bool
    end_lsn: int
    left_at: int | None


def server_now(session: Session, replication: Replication, stored: Position | None) -> Server:
    """Raises: SourceUnavailable, SourceError."""
    ((_, told, _, _),) = replication.execute("IDENTIFY_SYSTEM")
    ((recovering, end),) = session.rows(_END)
    timeline, left_at = int(told or 0), None
    if stored is not None and stored.timeline is not None and timeline > stored.timeline:
        ((_, history),) = replication.execute(f"TIMELINE_HISTORY {timeline}")
        left_at = _left_at(history or "", stored.timeline)
    return Server(session.name, timeline, recovering, lsn_of(end or "0/0"), left_at)


def resumed(stored: Position, server: Server) -> Position:
    """Where to go on: WAL that held nothing of ours and that a promoted standby never got is not waited for."""
    left = server.left_at
    if left is None or not (stored.commit_lsn or stored.start) <= left < stored.start:
        return stored
    return stored.with_(lsn=left, processed_lsn=left, done_lsn=left)


def gap(stored: Position, server: Server, slot: Slot | None, name: str) -> Gap | None:
    """None: everything after `stored` is sent. `name`: of the slot."""
    since = f"{lsn_text(stored.start)}" + (f" of {moment(stored.time_us / 1e6)}" if stored.time_us else "")
    if server.left_at is not None and stored.start > server.left_at:
        return Gap(
            f"{server.name} was promoted at {lsn_text(server.left_at)}, before it had what was read and sent up to "
            f"{since}: what those transactions changed stands in the topics and not in this server. With "
            "synchronized_standby_slots set at the primary that cannot happen"
        )
    if stored.start > server.end_lsn:
        return _not_there(stored, server, since)
    if slot is None:
        return Gap(f"{server.name} has no slot {name!r}: of what changed since {since}, the stored offset, until "
                   f"{lsn_text(server.end_lsn)} nothing was kept. {_ELSEWHERE}")  # fmt: skip
    if slot.is_lost:
        why = _REASONS.get(slot.reason or "wal_removed", slot.reason)
        return Gap(f"{server.name} no longer has the WAL that slot {name!r} needs (wal_status={slot.status}): {why}. "
                   f"What changed since {since}, the stored offset, until {lsn_text(server.end_lsn)} cannot be "
                   "read")  # fmt: skip
    if slot.confirmed_lsn > stored.needed:
        return Gap(f"slot {name!r} of {server.name} begins at {lsn_text(slot.confirmed_lsn)}, and the stored offset is "
                   f"{since}: what is between is not sent again. The slot was made anew, or another reader moved "
                   "it")  # fmt: skip
    return None


def _not_there(stored: Position, server: Server, since: str) -> Gap:
    """The position lies past the end of the server's WAL."""
    end = lsn_text(server.end_lsn)
    if server.recovering:
        return Gap(f"{server.name} is a standby that has replayed the WAL up to {end}, and was read up to {since} "
                   "elsewhere; reading goes on when it has that", passes=True)  # fmt: skip
    return Gap(
        f"{server.name} has WAL up to {end} only, and was read up to {since}: it was restored from a backup, promoted "
        "before it had the rest, or it is another server"
    )


def _left_at(history: str, timeline: int) -> int | None:
    """Where a later timeline branched off; lines are `timeline LSN reason`."""
    for line in history.splitlines():
        parts = line.split()
        if len(parts) >= 2 and parts[0] == str(timeline):
            return lsn_of(parts[1])
    return None
