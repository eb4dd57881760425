"""The replication slot: looked at, created, dropped.

Source: PostgreSQL's manual, "Streaming Replication Protocol", `pg_replication_slots`.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass
from typing import Final

import structlog

from cdc.errors import SourceError, SourceUnavailable
from cdc.postgres.config import PostgresConfig
from cdc.postgres.offset import lsn_of, lsn_text
from cdc.postgres.replication import Replication
from cdc.postgres.wire import Session, quoted
from cdc.record import Poll

_log = structlog.get_logger(__name__)
_SLOT: Final = """SELECT slot_type, plugin, database, active_pid, restart_lsn::text, confirmed_flush_lsn::text,
  wal_status, {reason} FROM pg_replication_slots WHERE slot_name = %s"""
_REASONS: Final = ((170_000, "invalidation_reason"), (160_000, "CASE WHEN conflicting THEN 'rows_removed' END"))
_BLOCKING: Final = """SELECT pid, coalesce(nullif(application_name, ''), usename::text, '?'), coalesce(state, '?'),
  xact_start::text FROM pg_stat_activity
WHERE xact_start IS NOT NULL AND pid <> pg_backend_pid() AND backend_type = 'client backend'
ORDER BY xact_start LIMIT 3"""
_READER: Final = """SELECT s.active_pid, a.application_name, a.usename::text, a.client_addr::text, a.backend_start::text
FROM pg_replication_slots s LEFT JOIN pg_stat_activity a ON a.pid = s.active_pid
WHERE s.slot_name = %s AND s.active_pid IS NOT NULL"""
_PATIENCE_S: Final = 90
"""Debezium's `internal.create.slot.command.timeout`."""


@dataclass(frozen=True)
class Slot:
    """A slot as the server describes it.

    Attributes:
        restart_lsn: of the oldest WAL that the server keeps for it; 0: it keeps none.
        status: reserved, extended, unreserved or lost; None where a server does not say.
        reason: why the server made it useless: wal_removed, rows_removed, wal_level_insufficient, idle_timeout.
    """

    name: str
    active_pid: int | None
    restart_lsn: int
    confirmed_lsn: int
    status: str | None = None
    reason: str | None = None

    @property
    def is_lost(self) -> bool:
        """Nobody can read it any more."""
        return self.status == "lost" or self.reason is not None


@dataclass(frozen=True)
class Snapshot:
    """A view of the database, and the LSN that everything after it is streamed from."""

    name: str
    lsn: int


def find(session: Session, name: str) -> Slot | None:
    """Raises: SourceError: a slot of that name that cannot be read by pgoutput from this database."""
    reason = next((text for version, text in _REASONS if session.version >= version), "NULL")
    for kind, plugin, database, pid, restart, confirmed, status, why in session.rows(
        _SLOT.format(reason=reason), (name,)
    ):
        if kind != "logical":
            raise SourceError(f"slot {name!r} is a {kind} slot, not a logical one; set slot.name to another name")
        ((here,),) = session.rows("SELECT current_database()")
        if database != here:
            raise SourceError(f"slot {name!r} belongs to database {database!r}; set slot.name to another name")
        if plugin != "pgoutput":
            raise SourceError(
                f"slot {name!r} is one of {plugin}, and only pgoutput is read; set slot.name to another name. To go on "
                "where it stands, make the publication, let its present reader pass that point, stop that reader, and "
                f"run: SELECT pg_copy_logical_replication_slot('{name}', '<new name>', false, 'pgoutput')"
            )
        return Slot(name, pid, lsn_of(restart or "0/0"), lsn_of(confirmed or restart or "0/0"), status, why)
    return None


def unused(session: Session, name: str) -> None:
    """Raises: SourceUnavailable: somebody reads the slot now; says who."""
    for pid, program, user, address, since in session.rows(_READER, (name,)):
        who = ", ".join(part for part in (program, user and f"user {user}", address and f"from {address}") if part)
        raise SourceUnavailable(
            f"slot {name!r} is read by another connection, pid {pid} ({who or 'not known'}; since {since}); stop that "
            "reader, or give this connector a slot.name of its own. A connection whose client is gone ends by itself "
            f"after wal_sender_timeout, or by: SELECT pg_terminate_backend({pid})"
        )


def create(session: Session, replication: Replication, config: PostgresConfig) -> Generator[Poll, None, Snapshot]:
    """The slot, and the view it begins from; the view is there as long as `replication` does nothing else.

    Raises: SourceUnavailable: transactions that are open stand in the way; SourceError.
    """
    options = {"SNAPSHOT": "'export'"}
    if config.slot_failover and session.version < 170_000:
        _log.warning("slot.failover needs PostgreSQL 17 or newer; the slot is an ordinary one")
    elif config.slot_failover:
        options["FAILOVER"] = "true"
    made = yield from _created(session, replication, quoted(config.slot), options)
    _log.info("slot created", slot=config.slot, failover="FAILOVER" in options)
    return made


def view(session: Session, replication: Replication, config: PostgresConfig) -> Generator[Poll, None, Snapshot]:
    """A view at a known LSN beside a slot that exists already, by a slot that ends with the session."""
    name = f"{quoted(config.slot[:50] + '_snapshot')} TEMPORARY"
    return (yield from _created(session, replication, name, {"SNAPSHOT": "'export'"}))


def _created(
    session: Session, replication: Replication, name: str, options: dict[str, str]
) -> Generator[Poll, None, Snapshot]:
    """The server waits for the end of every transaction that is open, so this may take long."""
    given = f"({', '.join(' '.join(item) for item in options.items())})"
    if session.version < 150_000:
        given = "EXPORT_SNAPSHOT"
    replication.begin(f"CREATE_REPLICATION_SLOT {name} LOGICAL pgoutput {given}")
    began, told = time.monotonic(), False
    while (rows := replication.answer(0.5)) is None:
        yield Poll()
        waited = time.monotonic() - began
        if waited > 5 and not told:
            told = True
            _log.warning(f"creating the slot waits until transactions end that are open: {_blocking(session)}")
        if waited > _PATIENCE_S:
            raise SourceUnavailable(f"the slot could not be created within {_PATIENCE_S} s, since transactions are "
                                    f"open; end them: {_blocking(session)}")  # fmt: skip
    ((_, lsn, snapshot, _),) = rows
    return Snapshot(snapshot or "", lsn_of(lsn or "0/0"))


def _blocking(session: Session) -> str:
    """The oldest transactions, with the statement that ends them."""
    seen = [
        f"{name} ({state} since {since}): SELECT pg_terminate_backend({pid})"
        for pid, name, state, since in session.rows(_BLOCKING)
    ]
    return "; ".join(seen) or "none is seen by this user; look at pg_stat_activity and pg_prepared_xacts"


def advance(session: Session, name: str, lsn: int) -> None:
    """Lets the server forget what stands before. What it refuses is no loss: the reader passes over it."""
    try:
        session.rows("SELECT pg_replication_slot_advance(%s, %s::pg_lsn)", (name, lsn_text(lsn)))
    except SourceError as error:
        _log.warning(
            "the slot could not be moved to the stored offset", slot=name, lsn=lsn_text(lsn), reason=str(error)
        )


def drop(session: Session, name: str) -> None:
    """Does nothing where there is none. Raises: SourceUnavailable: it is in use."""
    session.rows("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %s", (name,))


def dropped_at_stop(session: Session, name: str, tries: int = 10) -> None:
    """Drops the slot as soon as the server has seen its reader go. Raises: SourceError, SourceUnavailable."""
    for left in range(tries, 0, -1):
        try:
            drop(session, name)
        except SourceUnavailable:
            if left == 1:
                raise
            time.sleep(0.2)
        else:
            return
