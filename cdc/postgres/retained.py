"""How much WAL the server keeps for the slot: gauges, and a warning before it becomes too much."""

from __future__ import annotations

import time
from collections.abc import Callable, MutableMapping
from typing import Any, Final

import structlog

from cdc.postgres.wire import Session

_log = structlog.get_logger(__name__)
_EVERY_S: Final = 10
_ALARM: Final = 0.8
"""Share of max_slot_wal_keep_size that is told."""
_QUERY: Final = """SELECT pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
  ELSE pg_current_wal_lsn() END, restart_lsn)::bigint, safe_wal_size, wal_status FROM pg_replication_slots
WHERE slot_name = %s"""


class Retained:
    """Looks every ten seconds, and writes into the source's report what is kept and what may still be."""

    def __init__(
        self, session: Session, slot: str, report: MutableMapping[str, Any], budget: int = 0, *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._session, self._slot, self._report, self._clock = session, slot, report, clock
        self._budget = budget
        self._due = clock()
        self._told = False

    def look(self) -> None:
        """Raises: SourceUnavailable."""
        if self._clock() < self._due:
            return
        self._due = self._clock() + _EVERY_S
        for kept, safe, status in self._session.rows(_QUERY, (self._slot,)):
            self._report["slot.retained.wal.bytes"] = kept or 0
            if safe is not None:
                self._report["slot.safe.wal.bytes"] = safe
            self._tell(kept or 0, safe, status)

    def _tell(self, kept: int, safe: int | None, status: str | None) -> None:
        if self._budget:
            short, why = kept > self._budget, "more than tailrace.slot.wal.budget.bytes"
        else:
            short = status == "unreserved" or (safe is not None and kept > _ALARM * (kept + safe))
            left = "it may remove it at any checkpoint" if not safe else f"removes it after {safe >> 20} MiB more"
            why = f"{left} (max_slot_wal_keep_size)"
        if short and not self._told:
            _log.warning(f"the server keeps {kept >> 20} MiB of WAL for slot {self._slot!r}: {why}; raise that, or "
                         "look what holds this connector up")  # fmt: skip
        elif self._told and not short:
            _log.info("the slot's WAL is within its budget again", slot=self._slot, bytes=kept)
        self._told = short
