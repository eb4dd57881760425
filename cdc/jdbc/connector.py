"""The JDBC source as the runtime sees it: its keys, the checks of a config, and how tasks are made."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any, Final, cast

import structlog

from cdc.config import parse
from cdc.connector import Raw, SourceConnector
from cdc.database import database
from cdc.errors import ConfigError, Problem
from cdc.jdbc.checks import look, problems, warned
from cdc.jdbc.config import JdbcSourceConfig
from cdc.jdbc.first_read import check_offsets
from cdc.jdbc.outlook import outlook
from cdc.jdbc.source import JdbcSource
from cdc.record import SourceContext

_log = structlog.get_logger(__name__)

CLASS_NAME: Final = "io.confluent.connect.jdbc.JdbcSourceConnector"
VERSION: Final = "10.9.0"


def task_configs(raw: Raw, most: int) -> list[Raw]:
    """One task for a query; else the tables are shared, those of a list in turn, others by their names."""
    config = parse(JdbcSourceConfig, raw)
    count = 1 if config.text else min(most, len(config.whitelist)) if config.whitelist else most
    if count <= 1:
        return [raw]
    return [{**raw, "tailrace.tasks": str(count), "tailrace.task": str(number)} for number in range(count)]


def check(raw: Raw) -> list[Problem]:
    """Looks at the database the config names."""
    try:
        config = parse(JdbcSourceConfig, raw)
        if found := problems(config):
            return found
        where = database(raw, quoting=config.quoting, known_as=config.dialect_name)
    except ConfigError as error:
        return list(error.problems)
    findings = look(config, where)
    for warning in (*warned(config, where), *findings.warnings):
        _log.warning(warning, connector=raw.get("name"))
    return list(findings.problems)


def build(raw: Raw, context: SourceContext) -> JdbcSource:
    """Raises: ConfigError."""
    config = parse(JdbcSourceConfig, raw)
    if found := problems(config):
        raise ConfigError(found)
    report = cast(MutableMapping[str, Any], context.report)
    return JdbcSource(config, database(raw, quoting=config.quoting, known_as=config.dialect_name), report)


JDBC_SOURCE: Final = SourceConnector(
    class_name=CLASS_NAME,
    version=VERSION,
    config=JdbcSourceConfig,
    build=build,
    prefixes=("connection.",),
    task_configs=task_configs,
    check=check,
    check_offsets=check_offsets,
    knows_offsets=True,
    outlook=outlook,
)
