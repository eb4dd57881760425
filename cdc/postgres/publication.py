"""The publication that says which tables are sent: what is wrong with it, and how it is made and kept in step.

Source: PostgreSQL's manual, "CREATE PUBLICATION", `pg_publication`; Debezium 3.5.0.Final for when it is made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import structlog

from cdc.errors import Problem
from cdc.postgres.catalog import Found
from cdc.postgres.config import PostgresConfig
from cdc.postgres.wire import Session, quoted
from cdc.table import TableId

_log = structlog.get_logger(__name__)
_KEY = "publication.autocreate.mode"
_FOUND = """SELECT puballtables, pubviaroot, pubinsert, pubupdate, pubdelete, pubtruncate,
  pg_has_role(pubowner, 'USAGE') FROM pg_publication WHERE pubname = %s"""
_TABLES = "SELECT schemaname, tablename FROM pg_publication_tables WHERE pubname = %s"
_MAY = """SELECT current_user, r.rolsuper, pg_is_in_recovery(), current_database(),
  has_database_privilege(current_database(), 'CREATE') FROM pg_roles r WHERE r.rolname = current_user"""
_OWNED = """SELECT pg_has_role(c.relowner, 'USAGE') FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = %s"""
_OPERATIONS = {"c": "insert", "u": "update", "d": "delete", "t": "truncate"}


@dataclass(frozen=True)
class Publication:
    """One as the server describes it. `sent`: letters of c, u, d, t; `tables`: with what stands for partitions."""

    all_tables: bool
    via_root: bool
    sent: str
    owned: bool
    tables: frozenset[TableId]


def found(session: Session, name: str) -> Publication | None:
    for every, via_root, *sent, owned in session.rows(_FOUND, (name,)):
        letters = "".join(letter for letter, is_sent in zip("cudt", sent, strict=True) if is_sent)
        tables = frozenset(TableId(*row) for row in session.rows(_TABLES, (name,)))
        return Publication(every, via_root, letters, owned, tables)
    return None


def create_statement(config: PostgresConfig, captured: Sequence[Found], mode: str | None = None) -> str:
    mode = mode or config.publication_mode
    what = {"all_tables": " FOR ALL TABLES", "no_tables": ""}.get(mode, f" FOR TABLE {_list(captured) or '<tables>'}")
    root = " WITH (publish_via_partition_root = true)" if config.via_root else ""
    return f"CREATE PUBLICATION {quoted(config.publication)}{what}{root}"


def problems(session: Session, config: PostgresConfig, captured: Sequence[Found]) -> Iterator[Problem]:
    """Why the publication cannot be used, or made as `publication.autocreate.mode` says."""
    there = found(session, config.publication)
    mode, name = config.publication_mode, config.publication
    if there is None:
        yield from _why_not_made(session, config, captured)
    elif mode == "filtered" and there.all_tables:
        yield Problem(
            _KEY, f"publication {name!r} is one for all tables and cannot be altered to the captured ones; set {_KEY}="
            f"all_tables to use it as it is, or run: DROP PUBLICATION {quoted(name)}, so that it is made anew",
        )  # fmt: skip
    elif mode == "filtered" and _differs(there, captured):
        strange = [] if there.owned else [f"publication {name!r}"]
        strange += [str(table.id) for table in captured if not _owns(session, table.id)]
        if strange:
            yield Problem(
                _KEY, f"publication {name!r} holds other tables than the captured ones, and the user owns neither "
                f"{', '.join(strange)}; run as their owner: {_alter(name, captured)}",
            )  # fmt: skip


def warnings(session: Session, config: PostgresConfig, captured: Sequence[Found]) -> Iterator[str]:
    """What an existing publication does not send although the config captures it."""
    there, name = found(session, config.publication), config.publication
    if there is None:
        return
    if config.publication_mode != "filtered":
        missing = [table for table in _leaves(captured, there.via_root) if table.id not in there.tables]
        if missing and not there.all_tables:
            yield (f"publication {name!r} does not hold {_names(missing)}, so their changes are not sent; run: "
                   f"ALTER PUBLICATION {quoted(name)} ADD TABLE {_list(missing)}")  # fmt: skip
    lacking = [
        _OPERATIONS[letter] for letter in "cudt" if letter not in there.sent + "".join(config.skipped_operations)
    ]
    if lacking:
        every = ", ".join(_OPERATIONS.values())
        yield (f"publication {name!r} does not send {', '.join(lacking)}; if that is not meant, run: ALTER PUBLICATION "
               f"{quoted(name)} SET (publish = '{every}')")  # fmt: skip
    if there.via_root != config.via_root and any(table.partitioned for table in captured):
        yield (f"publication {name!r} has publish_via_partition_root = {str(there.via_root).lower()}, and "
               "publish.via.partition.root only says how one is made; run: ALTER PUBLICATION "
               f"{quoted(name)} SET (publish_via_partition_root = {str(config.via_root).lower()})")  # fmt: skip


def publish(session: Session, config: PostgresConfig, captured: Sequence[Found]) -> None:
    """Makes the publication, or keeps it in step with what is captured. Raises: SourceError: the server refuses."""
    there = found(session, config.publication)
    if there is None:
        session.rows(create_statement(config, captured))
        _log.info("publication created", publication=config.publication, mode=config.publication_mode)
    elif config.publication_mode == "filtered" and _differs(there, captured):
        session.rows(_alter(config.publication, captured))
        _log.info("publication changed to the captured tables", publication=config.publication)


def _why_not_made(session: Session, config: PostgresConfig, captured: Sequence[Found]) -> Iterator[Problem]:
    statement = create_statement(config, captured)
    mode, missing = config.publication_mode, f"publication {config.publication!r} does not exist"
    ((user, is_super, recovering, database, may),) = session.rows(_MAY)
    if mode == "disabled":
        yield Problem(_KEY, f"{missing} and {_KEY}=disabled; run as the tables' owner: "
                            f"{statement}")  # fmt: skip
    elif recovering:
        yield Problem("publication.name", f"{missing} and a standby cannot make one; run on its primary: "
                                          f"{statement}")  # fmt: skip
    elif mode == "filtered" and not captured:
        yield Problem(_KEY, f"{missing} and cannot be made, since no table matches schema.include.list and "
                            "table.include.list; correct the lists, or create a table first")  # fmt: skip
    elif mode == "all_tables" and not is_super:
        yield Problem(_KEY, f"{missing} and only a superuser can make one for all tables, which {user} is not; set "
                            f"{_KEY}=filtered, or run as a superuser: {statement}")  # fmt: skip
    elif not may:
        yield Problem("database.user", f"{missing} and {user} may not create it; run: GRANT CREATE ON DATABASE "
                                       f"{quoted(database)} TO {quoted(user)}")  # fmt: skip
    elif mode == "filtered" and (strange := [table for table in captured if not _owns(session, table.id)]):
        yield Problem(
            "database.user", f"{missing}, and only who owns its tables can make it, which {user} does not of "
            f"{_names(strange)}; run as their owner: {statement}",
        )  # fmt: skip


def _owns(session: Session, table: TableId) -> bool:
    return any(owned for (owned,) in session.rows(_OWNED, (table.database, table.name)))


def _differs(there: Publication, captured: Sequence[Found]) -> bool:
    return bool(captured) and {table.id for table in _leaves(captured, there.via_root)} != there.tables


def _leaves(captured: Sequence[Found], via_root: bool) -> list[Found]:
    """The tables as `pg_publication_tables` lists them: partitions without their root, or the other way round."""
    if via_root and any(table.partitioned for table in captured):
        return [table for table in captured if not table.partition]
    return [table for table in captured if not table.partitioned]


def _alter(name: str, captured: Sequence[Found]) -> str:
    return f"ALTER PUBLICATION {quoted(name)} SET TABLE {_list(captured)}"


def _list(captured: Sequence[Found]) -> str:
    return ", ".join(f"{quoted(table.id.database)}.{quoted(table.id.name)}" for table in captured)


def _names(captured: Sequence[Found]) -> str:
    return ", ".join(str(table.id) for table in captured)
