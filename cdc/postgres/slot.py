"""The replication slot and the publication: looked at, created, kept in step with what is captured, dropped.

Source: PostgreSQL's manual, "Streaming Replication Protocol", "CREATE PUBLICATION", `pg_replication_slots`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from cdc.errors import SourceError
from cdc.postgres.config import PostgresConfig
from cdc.postgres.offset import lsn_of, lsn_text
from cdc.postgres.wire import Replication, Session, quoted
from cdc.table import TableId

_log = structlog.get_logger(__name__)
_SLOT = """SELECT slot_type, plugin, database, active, active_pid, restart_lsn::text, confirmed_flush_lsn::text,
  wal_status FROM pg_replication_slots WHERE slot_name = %s"""


@dataclass(frozen=True)
class Slot:
    """A slot as the server describes it. `status`: reserved, extended, unreserved or lost."""

    name: str
    active_pid: int | None
    confirmed_lsn: int
    status: str | None


@dataclass(frozen=True)
class Snapshot:
    """A view of the database, and the LSN that everything after it is streamed from."""

    name: str
    lsn: int


def find(session: Session, name: str) -> Slot | None:
    """Raises: SourceError: a slot of that name that cannot be read by pgoutput from this database."""
    for kind, plugin, database, _, pid, restart, confirmed, status in session.rows(_SLOT, (name,)):
        if kind != "logical" or plugin != "pgoutput":
            raise SourceError(
                f"slot {name!r} is a {kind} slot of {plugin or 'no plugin'}, not a logical one of pgoutput; set "
                f"slot.name to another name, or run: SELECT pg_drop_replication_slot('{name}')"
            )
        (here,) = session.rows("SELECT current_database()")[0]
        if database != here:
            raise SourceError(f"slot {name!r} belongs to database {database!r}; set slot.name to another name")
        if status == "lost":
            raise SourceError(
                f"slot {name!r} has lost WAL that it needed (wal_status=lost): changes since "
                f"{confirmed or restart} are gone from the server. Run: SELECT pg_drop_replication_slot('{name}'), "
                "reset this connector's offsets, and start it again for a new snapshot; raise max_slot_wal_keep_size "
                "so that it does not happen again"
            )
        return Slot(name, pid, lsn_of(confirmed or restart or "0/0"), status)
    return None


def create(replication: Replication, config: PostgresConfig, version: int) -> Snapshot:
    """The slot, and the view it begins from; the view is there as long as `replication` does nothing else."""
    return _created(replication, quoted(config.slot), version, failover=config.slot_failover)


def view(replication: Replication, config: PostgresConfig, version: int) -> Snapshot:
    """A view at a known LSN beside a slot that exists already, by a slot that ends with the session."""
    return _created(replication, f"{quoted(config.slot[:50] + '_snapshot')} TEMPORARY", version, failover=False)


def _created(replication: Replication, name: str, version: int, *, failover: bool) -> Snapshot:
    if version >= 150_000:
        options = "(SNAPSHOT 'export'" + (", FAILOVER true" if failover and version >= 170_000 else "") + ")"
    else:
        options = "EXPORT_SNAPSHOT"
    if failover and version < 170_000:
        _log.warning("slot.failover needs PostgreSQL 17 or newer; the slot is an ordinary one")
    ((_, lsn, snapshot, _),) = replication.execute(f"CREATE_REPLICATION_SLOT {name} LOGICAL pgoutput {options}")
    return Snapshot(snapshot or "", lsn_of(lsn or "0/0"))


def publish(session: Session, config: PostgresConfig, captured: Sequence[TableId]) -> None:
    """The publication, as `publication.autocreate.mode` says.

    Raises: SourceError: it is missing and must not be created, or there is nothing to put into it.
    """
    name, mode = config.publication, config.publication_mode
    found = session.rows("SELECT puballtables FROM pg_publication WHERE pubname = %s", (name,))
    tables = ", ".join(f"{quoted(table.database)}.{quoted(table.name)}" for table in captured)
    root = " WITH (publish_via_partition_root = true)" if config.via_root else ""
    if found:
        if mode == "filtered" and not found[0][0]:
            _keep_in_step(session, name, captured, tables)
        return
    if mode == "disabled":
        raise SourceError(
            f"publication {name!r} does not exist and publication.autocreate.mode=disabled; run as the tables' owner: "
            f"CREATE PUBLICATION {quoted(name)} FOR TABLE {tables or '<tables>'}{root}"
        )
    if mode == "filtered" and not tables:
        raise SourceError("no table matches schema.include.list and table.include.list, so publication "
                          f"{name!r} cannot be created; correct the lists, or create a table first")  # fmt: skip
    what = {"all_tables": " FOR ALL TABLES", "filtered": f" FOR TABLE {tables}", "no_tables": ""}[mode]
    session.rows(f"CREATE PUBLICATION {quoted(name)}{what}{root}")
    _log.info("publication created", publication=name, mode=mode)


def _keep_in_step(session: Session, name: str, captured: Sequence[TableId], tables: str) -> None:
    rows = session.rows("SELECT schemaname, tablename FROM pg_publication_tables WHERE pubname = %s", (name,))
    if captured and {TableId(*row) for row in rows} != set(captured):
        session.rows(f"ALTER PUBLICATION {quoted(name)} SET TABLE {tables}")
        _log.info("publication changed to the captured tables", publication=name)


def drop(session: Session, name: str) -> None:
    session.rows("SELECT pg_drop_replication_slot(%s)", (name,))


def behind(slot: Slot, needed: int) -> SourceError:
    """The stored offset is older than what the slot still has."""
    return SourceError(
        f"slot {slot.name!r} begins at {lsn_text(slot.confirmed_lsn)} and the stored offset is {lsn_text(needed)}: "
        "what was between is not sent again. The slot was dropped and made anew, or another reader moved it; reset "
        "this connector's offsets, or set snapshot.mode=when_needed, to read the tables anew"
    )
