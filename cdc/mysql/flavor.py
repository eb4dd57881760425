"""What MySQL and MariaDB have each in its own way: an object for each of the two, asked wherever they differ.

Source: MySQL's manual, "Replication with Global Transaction Identifiers"; MariaDB's Knowledge Base, "Global
Transaction ID".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

from cdc.mysql.domain_gtids import DomainGtids
from cdc.mysql.offset import Gtids, GtidSet, Position
from cdc.table import any_of, chosen

Filter: TypeAlias = Callable[[str], bool]
"""`gtid.source.includes` or `.excludes`, asked with a server's UUID (MySQL) or with `domain-server` (MariaDB)."""


class Asked(Protocol):
    """A server that answers; see `cdc.mysql.server`."""

    def run(self, sql: str) -> list[tuple[Any, ...]]: ...

    def version(self) -> tuple[int, ...]: ...

    def is_mariadb(self) -> bool: ...

    def variables(self, *names: str) -> dict[str, str]: ...

    def logs(self) -> list[str]: ...


class Resumption(NamedTuple):
    """How the log is asked for.

    Attributes:
        stamped: GTID events tell the time of their transaction.
        gtids: what need not be sent; None: the log is asked for by file and position.
        server: which server it is, for a transaction that was cut in two; None when that is not known.
    """

    stamped: bool
    gtids: Gtids | None
    server: str | None


class Compared(NamedTuple):
    """A position's GTIDs held against a server's.

    Attributes:
        lost: what the server purged and the position has not.
        lacking: what the position has and the server has not.
        server: which server that is, in words.
    """

    lost: Gtids
    lacking: Gtids
    server: str


class Resume(Protocol):
    """How to ask for the log after a position; `by_gtid` False: by file and position although there are GTIDs."""

    def __call__(self, server: Asked, start: Position, origin: Filter | None, *, by_gtid: bool) -> Resumption: ...


@dataclass(frozen=True, kw_only=True)
class Flavor:
    """One of the two.

    Attributes:
        name: what stands in `source.connector` and in the names of schemas.
        product: what people call it.
        ssl_modes: its own names of `database.ssl.mode` -> those of `wire.Settings`.
        status: the statement that tells where the log ends.
        gtids_now: the GTIDs that stand beside that answer.
        unlimited: lifts the time limit of a SELECT for a session.
        kept: sets a variable for good; `{name}` and `{value}` in it.
        monitor: the privilege to ask where the log ends.
        compared: a position's GTIDs held against the server's; None when the server has none.
        resumption: how to ask for the log after a position.
        sources: the filter of the patterns of `gtid.source.includes` and `.excludes`.
    """

    name: str
    product: str
    status: Callable[[Asked], str]
    gtids_now: Callable[[Asked, tuple[Any, ...]], Gtids]
    unlimited: str
    kept: str
    monitor: str
    compared: Callable[[Asked, str, Filter], Compared | None]
    resumption: Resume
    sources: Callable[[Sequence[str], Sequence[str]], Filter] = chosen
    ssl_modes: Mapping[str, str] = field(default_factory=dict)

    def keeping(self, name: str, value: str) -> str:
        """The statement that sets a global variable for good."""
        return self.kept.format(name=name, value=value)


# MySQL


def _mysql_status(server: Asked) -> str:
    """MariaDB, which this connector reads by file and position, has higher versions and the old statement."""
    return "SHOW BINARY LOG STATUS" if server.version() >= (8, 2) and not server.is_mariadb() else "SHOW MASTER STATUS"


def _mysql_compared(server: Asked, position: str, counts: Filter) -> Compared | None:
    known = server.variables("gtid_mode", "gtid_executed", "gtid_purged", "server_uuid")
    if known.get("gtid_mode", "OFF").upper() != "ON":
        return None
    had = GtidSet.parse(position).only(counts)
    executed, purged = (GtidSet.parse(known[name]).only(counts) for name in ("gtid_executed", "gtid_purged"))
    return Compared(purged.minus(had), had.minus(executed), f"server_uuid {known['server_uuid']}")


def _mysql_resumption(server: Asked, start: Position, origin: Filter | None, *, by_gtid: bool) -> Resumption:
    """By GTID when the server has gtid_mode=ON."""
    known = server.variables("gtid_mode", "gtid_purged", "server_uuid")
    uuid = known.get("server_uuid")
    if known.get("gtid_mode", "OFF").upper() != "ON":
        return Resumption(False, None, uuid)
    if start.gtids is None or not by_gtid:
        return Resumption(True, None, uuid)
    done, purged = GtidSet.parse(start.gtids), GtidSet.parse(known.get("gtid_purged", ""))
    return Resumption(True, requested(done, purged, origin), uuid)


def requested(done: GtidSet, purged: GtidSet, origin: Filter | None) -> GtidSet:
    """What a server need not send: what is done, and what it purged of servers never read or not wanted.

    What it purged of the servers that were read stays wanted, so that a gap is refused and not passed over.
    """
    read = {uuid for uuid, _ in done.intervals}
    return done.union(purged.only(lambda uuid: uuid not in read or (origin is not None and not origin(uuid))))


MYSQL: Final = Flavor(
    name="mysql",
    product="MySQL",
    status=_mysql_status,
    gtids_now=lambda server, answer: GtidSet.parse(answer[4] if len(answer) > 4 else ""),
    unlimited="SET SESSION max_execution_time = 0",
    kept="SET PERSIST {name} = '{value}'",
    monitor="REPLICATION CLIENT",
    compared=_mysql_compared,
    resumption=_mysql_resumption,
)


# MariaDB


def _mariadb_compared(server: Asked, position: str, counts: Filter) -> Compared:
    """What had been done before its oldest file is what it has purged."""
    had = DomainGtids.parse(position).only(counts)
    executed = DomainGtids.parse(server.variables("gtid_binlog_pos").get("gtid_binlog_pos", "")).only(counts)
    before = server.run(f"SELECT BINLOG_GTID_POS('{server.logs()[0]}', 4)")[0][0]
    purged = DomainGtids.parse(str(before or "")).only(counts)
    return Compared(purged.minus(had), had.minus(executed), f"server_id {_mariadb_name(server)}")


def _mariadb_name(server: Asked) -> str:
    """It has no UUID; who replicates must give each server a number of its own."""
    return server.variables("server_id")["server_id"]


def _mariadb_resumption(server: Asked, start: Position, origin: Filter | None, *, by_gtid: bool) -> Resumption:
    """By GTID: the server knows those of a position. Domains that are not wanted are read; their rows go later."""
    name, done = _mariadb_name(server), start.gtids
    if not by_gtid:
        return Resumption(False, None, name)
    if done is None:
        done = server.run(f"SELECT BINLOG_GTID_POS('{start.file}', {max(4, start.pos)})")[0][0]
    return Resumption(False, None if done is None else DomainGtids.parse(done), name)


def _by_domain_too(includes: Sequence[str], excludes: Sequence[str]) -> Filter:
    """Asked with `domain-server`; a pattern may name a domain alone, as Debezium's manual has it."""
    named = any_of(includes or excludes)

    def is_named(source: str) -> bool:
        return named(source) or named(source.partition("-")[0])

    return is_named if includes else lambda source: not is_named(source)


MARIADB: Final = Flavor(
    name="mariadb",
    product="MariaDB",
    status=lambda server: "SHOW MASTER STATUS",
    gtids_now=lambda server, answer: DomainGtids.parse(server.variables("gtid_binlog_pos")["gtid_binlog_pos"]),
    unlimited="SET SESSION max_statement_time = 0",
    kept="SET GLOBAL {name} = '{value}' (and write it into the server's option file)",
    monitor="BINLOG MONITOR",
    compared=_mariadb_compared,
    resumption=_mariadb_resumption,
    sources=_by_domain_too,
    ssl_modes={"disable": "disabled", "trust": "required", "verify-ca": "verify_ca", "verify-full": "verify_identity"},
)
