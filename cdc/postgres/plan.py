"""What a start has to do: `snapshot.mode`, the stored offset and what the slot holds -> read rows, stream, from where.

Source: Debezium 3.5.0.Final, the snapshotters of `io.debezium.snapshot.mode` and `PostgresSnapshotChangeEventSource`.
"""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import structlog

from cdc.errors import SourceError, SourceUnavailable
from cdc.gaps import Gap, remedy
from cdc.postgres import slot, wal_gap
from cdc.postgres.config import PostgresConfig
from cdc.postgres.offset import Position
from cdc.postgres.slot import Slot
from cdc.postgres.wal_gap import Server
from cdc.postgres.wire import Session
from cdc.table import TableId

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Plan:
    """What to do at a start.

    Attributes:
        rows: read the tables.
        stream: go on with the WAL; otherwise stay idle.
        since: the WAL is read from there, whatever view the rows are read in; None: from the view, or the slot's
            position.
        again: an earlier attempt at the snapshot began at `since`, and may have left something of the tables.
    """

    rows: bool
    stream: bool = True
    since: Position | None = None
    again: bool = False


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a start finds. `captured` are tables, `connector` its name, both for what is told of a gap."""

    config: PostgresConfig
    session: Session
    server: Server
    slot: Slot | None
    captured: Sequence[TableId]
    connector: str
    report: MutableMapping[str, Any]


def of_mode(config: PostgresConfig, stored: Position | None) -> Plan:
    """What `snapshot.mode` says of a start with that offset."""
    due = stored is None or stored.in_snapshot
    if config.snapshot_mode == "configuration_based":
        return Plan(config.based_snapshot_data, config.based_start_stream)
    return {
        "initial": Plan(due), "initial_only": Plan(due, stream=False), "when_needed": Plan(due), "always": Plan(True),
        "no_data": Plan(False), "never": Plan(False),
    }[config.snapshot_mode]  # fmt: skip


def plan(seen: Seen, stored: Position | None) -> Plan:
    """The plan of a start that goes on with the WAL. A slot that has lost its WAL is dropped.

    Raises: SourceUnavailable: waiting helps; SourceError: the slot lacks what follows the offset, and the mode does
        not heal that.
    """
    made = _from(seen, stored, of_mode(seen.config, stored))
    if seen.slot is not None and seen.slot.is_lost:
        if not made.rows:
            raise SourceError(f"slot {seen.config.slot!r} has lost the WAL that it needed, and with snapshot.mode="
                              f"{seen.config.snapshot_mode} no snapshot is taken; set when_needed")  # fmt: skip
        _log.warning("a slot that has lost its WAL is of no use to anybody; it is made anew", slot=seen.config.slot)
        slot.drop(seen.session, seen.config.slot)
    return made


def _from(seen: Seen, stored: Position | None, made: Plan) -> Plan:
    """The plan with where the WAL is read from, as far as the offset tells."""
    if stored is None:
        return made
    missing = None
    if seen.config.log_position_check or made.rows:
        missing = wal_gap.gap(stored, seen.server, seen.slot, seen.config.slot)
    if made.rows:
        if missing is None:
            return replace(made, since=stored, again=stored.in_snapshot)
        _log.warning("changes are lost since the stored offset; rows that were deleted meanwhile stay in the targets: "
                     "delete those there", reason=missing.what)  # fmt: skip
        return made
    if missing is not None and not _slot_is_trusted(seen, missing, stored):
        return _closing(seen, missing, made)
    return replace(made, since=stored if seen.slot is None else _matched(seen, stored, seen.slot))


def _slot_is_trusted(seen: Seen, missing: Gap, stored: Position) -> bool:
    """Whether a slot that is ahead is to be followed: by the config, or where it moves without the offset."""
    found, config = seen.slot, seen.config
    if found is None or found.is_lost or found.confirmed_lsn <= stored.needed:
        return False
    if config.flush_mode == "connector_and_driver":
        return True
    if config.mismatch not in ("trust_slot", "trust_greater_lsn"):
        return False
    _log.warning(f"{missing.what}. offset.mismatch.strategy={config.mismatch}: reading goes on at the slot")
    return True


def _matched(seen: Seen, stored: Position, found: Slot) -> Position:
    """Slot and offset brought to one position, as `offset.mismatch.strategy` says."""
    if found.confirmed_lsn > stored.needed:
        at = found.confirmed_lsn
        return stored.with_(lsn=at, processed_lsn=at, done_lsn=at, held_lsn=None, event=0, commit_of=0, message=None)
    if seen.config.seeks and found.confirmed_lsn < stored.needed:
        slot.advance(seen.session, seen.config.slot, stored.needed)
    return stored


def _closing(seen: Seen, missing: Gap, made: Plan) -> Plan:
    """A snapshot where the config allows it. Raises: SourceUnavailable: waiting helps; SourceError: it does not."""
    config = seen.config
    if missing.passes:
        raise SourceUnavailable(missing.what)
    based = config.snapshot_mode == "configuration_based" and config.based_on_data_error
    if config.snapshot_mode != "when_needed" and not based:
        raise SourceError(f"{missing.what}. {remedy(seen.connector, seen.captured)}")
    _log.warning("changes are lost between the stored offset and now; a snapshot is taken, and rows that were "
                 "deleted meanwhile stay in the targets: delete those there", reason=missing.what)  # fmt: skip
    seen.report["postgres.gap"] = missing.what
    return Plan(True, made.stream)
