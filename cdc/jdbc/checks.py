"""A JDBC source's config looked at: alone, and then with the database: each problem with its remedy."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from cdc.database import Database
from cdc.dialect import TableName
from cdc.errors import Problem, SourceError, SourceUnavailable
from cdc.jdbc import tables
from cdc.jdbc.columns import Definition
from cdc.jdbc.config import JdbcSourceConfig
from cdc.jdbc.reading import check_columns
from cdc.jdbc.session import Query, Session
from cdc.jdbc.source import reads
from cdc.jdbc.statements import BULK

_SELECT: Final = re.compile(r"(?is)^(SELECT|WITH)\b")
_LOOKED_AT_MOST: Final = 100
_COLUMN_KEYS: Final = ("incrementing.column.name", "incrementing.column.mapping", "timestamp.column.name",
                       "timestamp.columns.mapping", "tailrace.delete.detection.interval.ms")  # fmt: skip
_EXPLAINED: Final = {"mysql": "EXPLAIN ", "mariadb": "EXPLAIN ", "postgresql": "EXPLAIN ", "sqlite": "EXPLAIN "}


@dataclass(frozen=True)
class Findings:
    """What a look at the database found: what makes the connector impossible, and what is perhaps not meant."""

    problems: tuple[Problem, ...]
    warnings: tuple[str, ...]
    tables: Sequence[TableName] = ()


def problems(config: JdbcSourceConfig) -> list[Problem]:
    """What is wrong with the keys taken together; nothing is connected to."""
    return [*_mode_problems(config), *_list_problems(config), *_query_problems(config)]


def _mode_problems(config: JdbcSourceConfig) -> Iterator[Problem]:
    if not config.mode:
        yield Problem("mode", "Query mode must be specified; set mode to bulk, incrementing, timestamp or "
                              "timestamp+incrementing")  # fmt: skip
    if config.by_time and not (config.timestamps or config.timestamps_mapping):
        yield Problem("timestamp.column.name", f"mode={config.mode} needs the column that holds a row's timestamp; set "
                                               "timestamp.column.name, or timestamp.columns.mapping")  # fmt: skip
    if config.isolation == "SQL_SERVER_SNAPSHOT" and not config.url.startswith(("jdbc:sqlserver:", "jdbc:jtds:")):
        said = "Isolation mode of `SQL_SERVER_SNAPSHOT` can only be configured with a Sql Server Dialect; set another"
        yield Problem("transaction.isolation.mode", said)


def _list_problems(config: JdbcSourceConfig) -> Iterator[Problem]:
    if config.whitelist and config.blacklist:
        yield Problem("table.blacklist", "table.whitelist and table.blacklist cannot be set both; remove one")
    if config.exclude and not config.include:
        yield Problem(
            "table.exclude.list", "table.exclude.list cannot be used without table.include.list; set that too"
        )
    old = {"table.whitelist": config.whitelist, "table.blacklist": config.blacklist,
           "incrementing.column.name": config.incrementing, "timestamp.column.name": config.timestamps}  # fmt: skip
    new = {"table.include.list": config.include, "table.exclude.list": config.exclude,
           "incrementing.column.mapping": config.incrementing_mapping,
           "timestamp.columns.mapping": config.timestamps_mapping}  # fmt: skip
    if not config.text and any(old.values()) and any(new.values()):
        for name in (name for name, value in old.items() if value):
            yield Problem(name, f"Cannot mix legacy and new configuration approaches: {name} is not read together with "
                                f"{', '.join(each for each, value in new.items() if value)}; use one kind")  # fmt: skip


def _query_problems(config: JdbcSourceConfig) -> Iterator[Problem]:
    key = "query.masked" if config.query_masked else "query"
    if config.query and config.query_masked:
        yield Problem(
            "query", "Both 'query' and 'query.masked' configs cannot be set at the same time; use one of them"
        )
    if not config.text:
        return
    if config.whitelist or config.blacklist or config.include or config.exclude:
        yield Problem(key, "Do not specify table filtering configs with 'query'; remove them, or the query")
    if not _SELECT.match(config.text):
        yield Problem(key, f"Only SELECT statements are supported for '{key}'; begin it with SELECT")
    if config.by_number and not config.incrementing:
        said = f"must be provided when using mode '{config.mode}' with a custom query; name a column of it"
        yield Problem("incrementing.column.name", f"'incrementing.column.name' {said}")
    if not config.topic_prefix:
        yield Problem("topic.prefix", "With a query topic.prefix is the topic's whole name; set it")


def warned(config: JdbcSourceConfig, database: Database) -> Iterator[str]:
    """What is possible, but perhaps not meant."""
    yield from database.warnings
    if not config.topic_prefix and not config.text:
        yield "topic.prefix is not set: topics are named after the tables; set topic.prefix to tell them apart"
    if config.precision_mapping:
        yield "numeric.precision.mapping is deprecated; set numeric.mapping=precision_only"


def look(config: JdbcSourceConfig, database: Database) -> Findings:
    """Everything about the database that the connector needs; connects once."""
    try:
        session = Session(database, config.isolation, 1)
    except SourceError as error:
        key = "connection.user" if "refuses the login" in str(error) else "connection.url"
        return Findings((Problem(key, f"Could not connect to database. {error}"),), ())
    try:
        if config.text:
            return Findings(tuple(_query_looked_at(session, config)), ())
        return _tables_looked_at(session, config)
    except SourceUnavailable as error:
        return Findings((Problem("connection.url", str(error)),), ())
    finally:
        session.close()


def _query_looked_at(session: Session, config: JdbcSourceConfig) -> Iterator[Problem]:
    """Without reading its rows: with a condition that none meets, or by having it explained."""
    key = "query.masked" if config.query_masked else "query"
    kind = session.database.kind
    try:
        if config.mode != BULK:
            found = reads(config, session, None)
            result = session.rows(found.select.empty(), (), Query(found.select.base, None))
            result.fetch()
            names = {column.name.lower() for column in result.columns}
            result.close()
            for of, name in _positions(config):
                if name.lower() not in names:
                    yield Problem(of, f"column {name} is not in the query's result; select it, or correct {of}")
        elif kind in _EXPLAINED:
            session.all(_EXPLAINED[kind] + config.text)
    except SourceUnavailable:
        raise
    except SourceError as error:
        said = "what the database says would show it" if config.query_masked else error
        yield Problem(key, f"The configured query is not valid: {said}; in all modes but bulk a WHERE is added to it")


def _positions(config: JdbcSourceConfig) -> Iterator[tuple[str, str]]:
    if config.by_number:
        yield "incrementing.column.name", config.incrementing
    if config.by_time:
        yield from (("timestamp.column.name", name) for name in config.timestamps)


def _tables_looked_at(session: Session, config: JdbcSourceConfig) -> Findings:
    found: list[Problem] = []
    there = tables.found(session, config)
    if not there:
        key = "table.include.list" if config.include else "table.whitelist"
        asked = ", ".join(config.include or config.whitelist) or "any name"
        where = "catalog.pattern" if session.database.dialect.qualifier == "catalog" else "schema.pattern"
        said = f"no table of {asked} is in {session.database}, or the user may not see it"
        found.append(Problem(key, f"{key}: {said}; create it, correct {key} or {where}, or grant SELECT on it"))
    for table in there[:_LOOKED_AT_MOST]:
        found += _table_problems(session, config, table)
    return Findings(tuple(found), tuple(_missing(config, there)), there)


def _table_problems(session: Session, config: JdbcSourceConfig, table: TableName) -> Iterator[Problem]:
    try:
        columns: Sequence[Definition] = tables.definitions(session, table)
        if wrong := tables.nullable_problem(config, table, columns):
            yield Problem(*wrong)
            return
        found = reads(config, session, table)
        query = Query(found.select.base, table)
        result = session.rows(found.select.empty(), (), query)
        result.fetch()
        result.close()
        check_columns(result.columns, found.select, query)
    except SourceUnavailable:
        raise
    except SourceError as error:
        text = str(error)
        key = next((name for name in _COLUMN_KEYS if name in text), None)
        if key is None:
            user, name = session.database.user or "the user", session.database.dialect.table(table)
            yield Problem("connection.user", f"{table} cannot be read: {text}; run: GRANT SELECT ON {name} TO {user}")
        else:
            yield Problem(key, text)


def _missing(config: JdbcSourceConfig, there: Sequence[TableName]) -> Iterator[str]:
    """Tables that are listed and not there, yet."""
    known = {name for table in there for name in (table.name, str(table))}
    for name in config.whitelist:
        if there and name.strip('`"[]') not in known and name not in known:
            yield (f"table.whitelist: there is no table {name} yet, or the user may not see it; it is read when it is "
                   "there, so correct the name only if that is not meant")  # fmt: skip
