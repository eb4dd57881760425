"""Live checks of a server before a connector is created and when its task starts: each problem with its remedy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cdc.errors import Problem
from cdc.postgres import publication
from cdc.postgres.catalog import Found
from cdc.postgres.config import PostgresConfig
from cdc.postgres.wire import Session, quoted
from cdc.table import TableId

OLDEST = 140_000


@dataclass(frozen=True)
class Findings:
    """What a look at the server found: what makes the connector impossible, and what is perhaps not meant."""

    problems: tuple[Problem, ...]
    warnings: tuple[str, ...]


def look(session: Session, config: PostgresConfig, captured: Sequence[Found]) -> Findings:
    """Everything about the server that the connector needs. Raises: SourceUnavailable, SourceError: no answer."""
    tables = [table.id for table in captured]
    problems = [
        *_server_problems(session),
        *_table_problems(session, tables),
        *publication.problems(session, config, captured),
    ]
    warnings = [*_warnings(config, tables), *publication.warnings(session, config, captured)]
    return Findings(tuple(problems), tuple(warnings))


def _server_problems(session: Session) -> Iterator[Problem]:
    if session.version < OLDEST:
        major = session.version // 10_000
        yield Problem("database.hostname", f"PostgreSQL {major} is too old; 14 is the oldest that is read")
    settings = dict(session.rows("SELECT name, setting FROM pg_settings WHERE name IN ('wal_level', "
                                 "'max_wal_senders', 'max_replication_slots')"))  # fmt: skip
    if settings.get("wal_level") != "logical":
        yield Problem("database.hostname", f"wal_level is {settings.get('wal_level')}, so rows cannot be decoded; run: "
                                           "ALTER SYSTEM SET wal_level = logical, and restart the server")  # fmt: skip
    for name in ("max_wal_senders", "max_replication_slots"):
        if settings.get(name) == "0":
            yield Problem(
                "database.hostname", f"{name} is 0; run: ALTER SYSTEM SET {name} = 10, and restart the server"
            )
    ((user, may),) = session.rows(
        "SELECT current_user, rolreplication OR rolsuper OR EXISTS (SELECT FROM pg_roles r WHERE "
        "r.rolname IN ('rds_replication', 'cloudsqlsuperuser') AND pg_has_role(current_user, r.oid, 'member')) "
        "FROM pg_roles WHERE rolname = current_user"
    )
    if not may:
        yield Problem("database.user", f"{user} may not replicate; run: ALTER ROLE {quoted(user)} REPLICATION")


def _table_problems(session: Session, captured: list[TableId]) -> Iterator[Problem]:
    for table in captured:
        name = f"{quoted(table.database)}.{quoted(table.name)}"
        ((user, usable, readable),) = session.rows(
            "SELECT current_user, has_schema_privilege(%s, 'USAGE'), has_table_privilege(%s, 'SELECT')",
            (table.database, name),
        )
        if not (usable and readable):
            yield Problem(
                "database.user", f"{user} may not read {table}; run: GRANT USAGE ON SCHEMA {quoted(table.database)} TO "
                f"{quoted(user)}; GRANT SELECT ON {name} TO {quoted(user)}",
            )  # fmt: skip


def _warnings(config: PostgresConfig, captured: list[TableId]) -> Iterator[str]:
    if config.plugin != "pgoutput":
        yield f"plugin.name={config.plugin}: pgoutput, which every server has, is used instead"
    if not captured:
        yield "no table of the database is captured: look at schema.include.list and table.include.list"
