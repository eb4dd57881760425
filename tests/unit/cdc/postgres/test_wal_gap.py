"""What is said when a server cannot send what follows a stored position, and when nothing is missing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cdc.gaps import Gap
from cdc.postgres.offset import Position
from cdc.postgres.slot import Slot
from cdc.postgres.wal_gap import Server, gap, resumed

SERVER = Server("app@db", timeline=1, recovering=False, end_lsn=0x9000, left_at=None)
SLOT = Slot("s", None, restart_lsn=0x1000, confirmed_lsn=0x2000, status="reserved")
STORED = Position(lsn=0x3000, processed_lsn=0x3000, commit_lsn=0x3000, time_us=1_600_000_000_000_000, timeline=1)


def told(stored: Position = STORED, server: Server = SERVER, slot: Slot | None = SLOT) -> Gap | None:
    return gap(stored, server, slot, "s")


def test_nothing_is_missing_where_the_slot_begins_before_the_offset() -> None:
    assert told() is None
    assert told(slot=replace(SLOT, confirmed_lsn=0x3000)) is None


@pytest.mark.parametrize(
    ("slot", "words"),
    [
        (
            None,
            "app@db has no slot 's': of what changed since 0/3000 of 2020-09-13T12:26:40Z, the stored offset, until ",
        ),
        (replace(SLOT, confirmed_lsn=0x3001), "slot 's' of app@db begins at 0/3001, and the stored offset is 0/3000"),
        (replace(SLOT, status="lost"), "(wal_status=lost): more WAL was kept for it than max_slot_wal_keep_size"),
        (replace(SLOT, status="lost", reason="idle_timeout"), "idle_replication_slot_timeout"),
        (replace(SLOT, status="lost", reason="rows_removed"), "set hot_standby_feedback=on"),
    ],
)
def test_what_a_slot_lacks_is_named(slot: Slot | None, words: str) -> None:
    found = told(slot=slot)
    assert found is not None and words in found.what and not found.passes


def test_a_standby_that_is_behind_is_waited_for_and_any_other_server_is_not() -> None:
    behind = replace(SERVER, end_lsn=0x2FFF)
    waiting = told(server=replace(behind, recovering=True))
    assert waiting is not None and waiting.passes and "has replayed the WAL up to 0/2FFF" in waiting.what
    other = told(server=behind)
    assert other is not None and not other.passes and "has WAL up to 0/2FFF only" in other.what


def test_a_standby_promoted_before_it_had_what_was_sent_is_told_although_it_has_gone_on_since() -> None:
    promoted = replace(SERVER, timeline=2, left_at=0x2F00)
    found = told(resumed(STORED, promoted), promoted)
    assert (
        found is not None and "was promoted at 0/2F00, before it had what was read and sent up to 0/3000" in found.what
    )


def test_wal_that_held_nothing_of_ours_may_be_missing_at_a_promoted_standby() -> None:
    passed_over = STORED.with_(commit_lsn=0x2800, lsn=0x3000, processed_lsn=0x3000, done_lsn=0x3000)
    promoted = replace(SERVER, timeline=2, left_at=0x2F00)
    goes_on = resumed(passed_over, promoted)
    assert goes_on.start == 0x2F00
    assert told(goes_on, promoted) is None
    assert resumed(passed_over, SERVER) is passed_over
