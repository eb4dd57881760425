"""Live checks of a server before a connector is created and when its task starts: each problem with its remedy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from cdc.errors import Problem, SourceError
from cdc.mysql.capture import Capture
from cdc.mysql.config import MySqlConfig
from cdc.mysql.flavor import MARIADB, MYSQL
from cdc.mysql.grants import Grants
from cdc.mysql.server import Server, quoted
from cdc.table import Predicate, TableId, any_of

_VARIABLES: Final = (
    "log_bin", "binlog_format", "binlog_row_image", "binlog_row_metadata", "gtid_mode",
)  # fmt: skip
_NAMED_AT_MOST: Final = 5


@dataclass(frozen=True)
class Findings:
    """What a look at the server found.

    Attributes:
        problems: the connector cannot work.
        warnings: it can, but perhaps not as meant.
        facts: the server's version and how its binary log is set up, for the task's report.
    """

    problems: tuple[Problem, ...]
    warnings: tuple[str, ...]
    facts: dict[str, str]

    def require(self) -> None:
        """Raises: SourceError: every problem at once."""
        if self.problems:
            raise SourceError("\n".join(problem.message for problem in self.problems))


def look(server: Server, config: MySqlConfig, capture: Capture) -> Findings:
    """Everything about the server that the connector needs. Raises: SourceUnavailable, SourceError: no answer."""
    known = server.variables(*_VARIABLES)
    grants, account = _grants(server)
    seen = server.tables()
    tables = [table for table in seen if capture.table(table)]
    problems = [
        *_product_problems(server),
        *_log_problems(server, known),
        *_grant_problems(config, grants, account, tables),
    ]
    warnings = [*_product_warnings(server), *_log_warnings(known), *_filter_warnings(server, config, account)]
    if config.guardrail_action == "fail":
        problems += _too_many(config, capture, seen)
    else:
        warnings += [problem.message for problem in _too_many(config, capture, seen)]
    warnings += _signal_warnings(config, capture, grants, seen, account)
    if not grants.has("SHOW DATABASES"):
        warnings.append(
            f"database.user: {account} may not see all databases; run: GRANT SHOW DATABASES ON *.* TO {account}"
        )
    facts = {f"mysql.{name}": known[name] for name in _VARIABLES if name in known}
    facts["mysql.version"] = ".".join(map(str, server.version()))
    return Findings(tuple(problems), tuple(warnings), facts)


def _signal_warnings(
    config: MySqlConfig, capture: Capture, grants: Grants, seen: Sequence[TableId], account: str
) -> Iterator[str]:
    """Without the table, or the right to write there, no incremental snapshot can be taken."""
    for table in capture.signals:
        name = quoted(*table)
        if table not in seen:
            yield (
                f"signal.data.collection: {table} is not there, or {account} may not see it, so no signal comes "
                f"from it; run: CREATE TABLE {name} (id VARCHAR(42) PRIMARY KEY, type VARCHAR(32), data VARCHAR(2048))"
            )
        elif not config.read_only and not grants.has_on("INSERT", table):
            yield (
                f"signal.data.collection: {account} may not write watermarks into {table}, so no incremental snapshot "
                f"can be taken; run: GRANT INSERT, DELETE ON {name} TO {account}"
            )


def _grants(server: Server) -> tuple[Grants, str]:
    """The session's privileges, those of active roles included, and the account as GRANT names it."""
    user, _, host = str(server.run("SELECT CURRENT_USER()")[0][0]).rpartition("@")
    return Grants.parse(row[0] for row in server.run("SHOW GRANTS")), f"'{user}'@'{host}'"


def _product_problems(server: Server) -> Iterator[Problem]:
    """Debezium's MySQL connector reads MariaDB too, by file and position; its MariaDB connector reads no MySQL."""
    if server.flavor is MARIADB and not server.is_mariadb():
        text = f"{server.settings} is MySQL; set connector.class=io.debezium.connector.mysql.MySqlConnector"
        yield Problem("database.hostname", text)


def _product_warnings(server: Server) -> Iterator[str]:
    if server.flavor is MYSQL and server.is_mariadb():
        yield (
            f"database.hostname: {server.settings} is MariaDB: it is read by file and position, which does not survive "
            "a switch to another server; io.debezium.connector.mariadb.MariaDbConnector reads it by GTID"
        )


def _log_problems(server: Server, known: dict[str, str]) -> Iterator[Problem]:
    where, keeping = str(server.settings), server.flavor.keeping
    if known.get("log_bin", "ON").upper() in ("OFF", "0"):
        text = f"{where} writes no binary log (log_bin=OFF); start mysqld with log_bin and without skip-log-bin"
        yield Problem("database.hostname", text)
        return
    if (format_ := known.get("binlog_format", "ROW").upper()) != "ROW":
        yield Problem(
            "database.hostname",
            f"{where} has binlog_format={format_}, which does not hold row values; run: "
            f"{keeping('binlog_format', 'ROW')}; and reconnect all clients, for sessions keep the format they began "
            "with",
        )
    if (image := known.get("binlog_row_image", "FULL").upper()) != "FULL":
        yield Problem(
            "database.hostname",
            f"{where} has binlog_row_image={image}, so rows lack columns; run: {keeping('binlog_row_image', 'FULL')}; "
            "and reconnect all clients, for sessions keep the image they began with",
        )


def _log_warnings(known: dict[str, str]) -> Iterator[str]:
    if (mode := known.get("gtid_mode", "OFF").upper()) in ("ON_PERMISSIVE", "OFF_PERMISSIVE"):
        yield (
            f"database.hostname: the server has gtid_mode={mode}: transactions without GTID are found by file and "
            "position only, which does not survive a switch to another server"
        )


def _grant_problems(
    config: MySqlConfig, grants: Grants, account: str, tables: Sequence[TableId]
) -> Iterator[Problem]:  # fmt: skip
    def lacking(privileges: str, why: str, where: str = "*.*") -> Problem:
        text = f"{account} lacks {privileges}, {why}; run: GRANT {privileges} ON {where} TO {account}"
        return Problem("database.user", text)

    if not grants.has_somewhere("SELECT"):
        yield lacking("SELECT", "needed to see and read tables")
    else:
        unreadable = [table for table in tables if not grants.has_on("SELECT", table)]
        for table in unreadable[:_NAMED_AT_MOST]:
            yield lacking("SELECT", f"needed to read {table}", quoted(*table))
    if not grants.has("REPLICATION SLAVE"):
        yield lacking("REPLICATION SLAVE", "needed to read the binary log")
    if not (grants.has("REPLICATION CLIENT") or grants.has("BINLOG MONITOR") or grants.has("SUPER")):
        yield lacking(config.flavor.monitor, "needed to know the binary log's position")
    if config.snapshot_mode == "never" or config.locking_mode == "none":
        return
    if not any(map(grants.has, ("RELOAD", "FLUSH_TABLES"))) and not grants.has_somewhere("LOCK TABLES"):
        yield lacking("RELOAD, LOCK TABLES", "one of which a snapshot needs to lock tables for a moment")


def _too_many(config: MySqlConfig, capture: Capture, seen: Sequence[TableId]) -> Iterator[Problem]:
    """As Debezium has it, all tables count whose definitions are kept, captured or not."""
    kept = [table for table in seen if capture.recorded(table)]
    remedy = "narrow table.include.list"
    if config.only_captured_tables:
        kept = [table for table in kept if capture.table(table)]
    elif config.only_captured_databases:
        kept = [table for table in kept if capture.database(table.database)]
    else:
        remedy = "set schema.history.internal.store.only.captured.tables.ddl=true so that only captured tables count"
    if 0 < config.guardrail_max < len(kept):
        yield Problem(
            "guardrail.collections.max",
            f"{len(kept)} tables are kept and guardrail.collections.max is {config.guardrail_max}; {remedy}, or raise "
            "the limit",
        )


def _filter_warnings(server: Server, config: MySqlConfig, account: str) -> Iterator[str]:
    """Patterns of the include lists that match nothing this user can see."""
    databases = server.databases()
    for pattern in _without_match(config.database_include, databases):
        where = quoted(pattern) if pattern.isidentifier() else "*"
        yield (
            f"database.include.list: no database matches {pattern!r}; create it, correct the name, or, when it exists, "
            f"run: GRANT SELECT ON {where}.* TO {account}"
        )
    if config.table_include:
        names = [str(table) for table in server.tables()]
        for pattern in _without_match(config.table_include, names):
            yield f"table.include.list: no table matches {pattern!r} (expected database.table); check its spelling"


def _without_match(patterns: Sequence[str] | None, names: Sequence[str]) -> list[str]:
    def matches_none(wanted: Predicate) -> bool:
        return not any(map(wanted, names))

    return [pattern for pattern in patterns or () if matches_none(any_of([pattern]))]
