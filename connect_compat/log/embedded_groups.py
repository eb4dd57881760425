"""Consumer groups of the embedded log: who is a member, and which partition belongs to whom.

A member holds a lease that a thread renews every second. It ends when the member leaves, when its process is gone, or
five seconds after the last renewal. Partitions change hands only between two reads of their owner: a member gives up
what `share` gives to another, and takes what nobody owns; both inside one transaction each, so no partition ever has
two owners.
"""

from __future__ import annotations

import os
import re
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import orjson

from cdc.errors import LogError, TailraceError
from connect_compat.log.embedded_file import File, bump, now_ms

LEASE_MS = 5000
_RENEW_S = 1.0


def share(wanted: Mapping[int, Sequence[int]], owners: Mapping[int, int]) -> dict[int, int]:
    """Partition -> the member that should own it: as even as the subscriptions allow, moving as little as possible.

    Args:
        wanted: the partitions each member subscribed to; members in the order they joined.
        owners: who owns which partition now; members that left may stand in it.
    """
    partitions = sorted({partition for some in wanted.values() for partition in some})
    subscribed = {member: set(some) for member, some in wanted.items()}
    most = -(-len(partitions) // len(wanted)) if wanted else 0
    loads = dict.fromkeys(wanted, 0)
    shared: dict[int, int] = {}
    for partition in partitions:
        owner = owners.get(partition)
        if owner in loads and partition in subscribed[owner] and loads[owner] < most:
            shared[partition] = owner
            loads[owner] += 1
    for partition in partitions:
        if partition not in shared:
            member = min((m for m in loads if partition in subscribed[m]), key=loads.__getitem__)
            shared[partition] = member
            loads[member] += 1
    while (move := _uneven(shared, subscribed, loads)) is not None:
        partition, member = move
        loads[shared[partition]] -= 1
        loads[member] += 1
        shared[partition] = member
    return shared


def _uneven(
    shared: Mapping[int, int], subscribed: Mapping[int, set[int]], loads: Mapping[int, int]
) -> tuple[int, int] | None:
    """A partition, and a member with at least two fewer than its owner that wants it."""
    for partition in reversed(shared):
        for member in loads:
            if loads[member] + 1 < loads[shared[partition]] and partition in subscribed[member]:
                return partition, member
    return None


class Subscription(NamedTuple):
    topics: Sequence[str]
    pattern: str | None

    def matches(self, topic: str) -> bool:
        return topic in self.topics or (self.pattern is not None and re.fullmatch(self.pattern, topic) is not None)


def _gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return False


def expel(db: sqlite3.Connection, group: str | None = None) -> None:
    """Ends the leases that ran out, of one group or of all."""
    now = now_ms()
    over = []
    for member, name, pid, expires in db.execute("SELECT id, grp, pid, expires FROM member").fetchall():
        # A lease further in the future than any we grant: the clock was set back.
        if group in (None, name) and (not now < expires <= now + 2 * LEASE_MS or _gone(pid)):
            over.append((member,))
    if over:
        db.executemany("DELETE FROM owner WHERE member = ?", over)
        db.executemany("DELETE FROM member WHERE id = ?", over)
        bump(db)


def members(db: sqlite3.Connection, group: str) -> int:
    expel(db, group)
    count: int = db.execute("SELECT count(*) FROM member WHERE grp = ?", (group,)).fetchone()[0]
    return count


class Membership:
    """This process's place in a group. `settle` is called by the reader, between reads; the lease renews itself."""

    def __init__(self, file: File, group: str, subscription: Subscription) -> None:
        self._file, self._group, self._subscription = file, group, subscription
        self.owned: set[int] = set()
        self._join()
        self._failed: TailraceError | None = None
        self._stop = threading.Event()
        self._lease = File(str(file.path.parent), durable=False)
        self._thread = threading.Thread(target=self._renew, name=f"lease of {group}", daemon=True)
        self._thread.start()

    def _join(self) -> None:
        topics = orjson.dumps(list(self._subscription.topics)).decode()
        with self._file.transaction() as db:
            expel(db, self._group)
            self.id = db.execute(
                "INSERT INTO member(grp, pid, expires, topics, pattern) VALUES (?, ?, ?, ?, ?)",
                (self._group, os.getpid(), now_ms() + LEASE_MS, topics, self._subscription.pattern),
            ).lastrowid
            bump(db)

    def _renew(self) -> None:
        while not self._stop.wait(_RENEW_S):
            try:
                with self._lease.transaction() as db:
                    db.execute("UPDATE member SET expires = ? WHERE id = ?", (now_ms() + LEASE_MS, self.id))
                    expel(db, self._group)
                self._failed = None
            except TailraceError as error:
                self._failed = error

    def settle(self) -> tuple[set[int], set[int]]:
        """Gives up and takes partitions so that the group gets even; (taken, given up or taken away).

        Raises: LogError, LogUnavailable: also when the lease could not be renewed.
        """
        if self._failed is not None:
            raise self._failed
        with self._file.transaction() as db:
            if db.execute("SELECT 1 FROM member WHERE id = ?", (self.id,)).fetchone() is None:
                lost, self.owned = self.owned, set()
            else:
                return self._take_and_give(db)
        self._join()
        return set(), lost

    def _take_and_give(self, db: sqlite3.Connection) -> tuple[set[int], set[int]]:
        wanted = self._wanted(db)
        owners: dict[int, int] = dict(
            db.execute("SELECT partition, member FROM owner WHERE grp = ?", (self._group,)).fetchall()
        )
        mine = {partition for partition, member in share(wanted, owners).items() if member == self.id}
        held = {partition for partition, member in owners.items() if member == self.id}
        given = held - mine
        taken = {partition for partition in mine if partition not in owners}
        db.executemany("DELETE FROM owner WHERE grp = ? AND partition = ?", ((self._group, p) for p in given))
        db.executemany("INSERT INTO owner VALUES (?, ?, ?)", ((self._group, p, self.id) for p in taken))
        if given or taken:
            bump(db)
        lost = self.owned - (held - given)
        self.owned = (held - given) | taken
        return taken, lost

    def _wanted(self, db: sqlite3.Connection) -> dict[int, list[int]]:
        topics: dict[str, list[int]] = {}
        found = "SELECT t.name, p.id FROM partition p JOIN topic t ON p.topic = t.id ORDER BY t.name, p.number"
        for name, partition in db.execute(found):
            topics.setdefault(name, []).append(partition)
        rows = db.execute("SELECT id, topics, pattern FROM member WHERE grp = ? ORDER BY id", (self._group,)).fetchall()
        wanted = {}
        for member, names, pattern in rows:
            subscription = Subscription(orjson.loads(names), pattern)
            wanted[member] = [p for name, some in topics.items() if subscription.matches(name) for p in some]
        return wanted

    def commit(self, offsets: Mapping[int, int]) -> None:
        """Saves the next offset of each partition; those that another member owns by now are left to it."""
        with self._file.transaction() as db:
            held = "SELECT partition FROM owner WHERE grp = ? AND member = ?"
            mine = {row[0] for row in db.execute(held, (self._group, self.id))}
            save(db, self._group, {partition: at for partition, at in offsets.items() if partition in mine})

    def leave(self) -> None:
        self._stop.set()
        self._thread.join()
        self._lease.close()
        with self._file.transaction() as db:
            db.execute("DELETE FROM owner WHERE member = ?", (self.id,))
            db.execute("DELETE FROM member WHERE id = ?", (self.id,))
            bump(db)


def save(db: sqlite3.Connection, group: str, offsets: Mapping[int, int | None]) -> None:
    """Sets committed offsets by partition id; None forgets."""
    for partition, offset in offsets.items():
        if offset is None:
            db.execute("DELETE FROM group_offset WHERE grp = ? AND partition = ?", (group, partition))
        else:
            db.execute(
                "INSERT INTO group_offset VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET offset = excluded.offset",
                (group, partition, offset),
            )


def refuse_members(db: sqlite3.Connection, group: str) -> None:
    """Raises: LogError: the group still has members."""
    if count := members(db, group):
        raise LogError(f"group {group} still has {count} member(s); stop the connector first")
