"""Confluent's and Debezium's JDBC sink connectors: from their configs to the sink that both share."""

from __future__ import annotations

from typing import Any

import structlog

from cdc.connector import Raw, SinkConnector
from cdc.database import Database, database, told
from cdc.dialect import ALWAYS, NEVER
from cdc.errors import ConfigError, Problem
from cdc.jdbc_url import BadUrl, parse_jdbc_url
from sinks.jdbc import confluent, debezium
from sinks.jdbc.settings import Settings
from sinks.jdbc.sink import JdbcSink

_log = structlog.get_logger(__name__)
_CONFLUENT_OWN = ("url", "user", "password", "attempts", "backoff.ms")
_DEBEZIUM_OWN = (
    "url", "user", "username", "password", "provider", "pool.min_size", "pool.max_size", "pool.acquire_increment",
    "pool.timeout", "restart.on.errors",
)  # fmt: skip


def _confluent(raw: Raw) -> tuple[Database, Settings]:
    config, settings = confluent.settings(raw)
    return database(raw, quoting=config.quoting, known_as=config.dialect, own=_CONFLUENT_OWN), settings


def _debezium(raw: Raw) -> tuple[Database, Settings]:
    try:
        kind = parse_jdbc_url(raw.get("connection.url", "")).dialect
    except BadUrl:
        kind = ""
    _, settings = debezium.settings(raw, kind)
    named: dict[str, Any] = {**raw, "connection.user": raw.get("connection.username", "")}
    return database(named, quoting=ALWAYS if settings.quoted else NEVER, own=_DEBEZIUM_OWN), settings


def _sink(made: tuple[Database, Settings]) -> JdbcSink:
    where, settings = made
    for warning in where.warnings:
        _log.warning(warning)
    return JdbcSink(where, settings)


def _checked(where: Database, user_key: str) -> list[Problem]:
    """Connects once, as `validate` promises."""
    try:
        with where.engine.connect():
            return []
    except Exception as error:
        words = told(error)
        refused = any(sign in words.lower() for sign in ("password", "access denied", "authentication", "login"))
        remedy = "correct user and password" if refused else "check that it runs, and connection.url"
        return [
            Problem(user_key if refused else "connection.url", f"{where} cannot be connected to: {words}; {remedy}")
        ]


def _build_confluent(raw: Raw) -> JdbcSink:
    return _sink(_confluent(raw))


def _build_debezium(raw: Raw) -> JdbcSink:
    return _sink(_debezium(raw))


def _check_confluent(raw: Raw) -> list[Problem]:
    try:
        return _checked(_confluent(raw)[0], "connection.user")
    except ConfigError as error:
        return list(error.problems)


def _check_debezium(raw: Raw) -> list[Problem]:
    try:
        return _checked(_debezium(raw)[0], "connection.username")
    except ConfigError as error:
        return list(error.problems)


CONFLUENT = SinkConnector(
    class_name="io.confluent.connect.jdbc.JdbcSinkConnector",
    version="10.8.0",
    config=confluent.ConfluentConfig,
    prefixes=("connection.",),
    build=_build_confluent,
    check=_check_confluent,
)
DEBEZIUM = SinkConnector(
    class_name="io.debezium.connector.jdbc.JdbcSinkConnector",
    version="3.5.0.Final",
    config=debezium.DebeziumConfig,
    prefixes=("connection.", "hibernate."),
    build=_build_debezium,
    check=_check_debezium,
)
