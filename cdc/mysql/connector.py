"""A MySQL or MariaDB source as the runtime sees it: its keys, the checks of a config, and how a task is built."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final

import structlog

from cdc import channels, key_rules, masks, naming_keys
from cdc.config import parse
from cdc.connector import Raw, SourceConnector
from cdc.errors import ConfigError, Problem, SourceError
from cdc.key_rules import OVERRIDES, wrong
from cdc.mysql import parts
from cdc.mysql.checks import look
from cdc.mysql.config import MySqlConfig
from cdc.mysql.offset import Position
from cdc.mysql.outlook import outlook
from cdc.mysql.server import Server
from cdc.mysql.source import MySqlSource
from cdc.mysql.unsupported import refused, warned
from cdc.record import SourceContext
from cdc.reselect import configured
from cdc.source_block import VERSION
from cdc.starts import offsets_check

_log = structlog.get_logger(__name__)

CLASS_NAME: Final = "io.debezium.connector.mysql.MySqlConnector"
_PASSED_THROUGH: Final = (*parts.HISTORY_CLIENT, OVERRIDES, "driver.", *masks.PREFIXES, "post.processors.",
                          channels.CLIENT, "openlineage.")  # fmt: skip


def problems(config: MySqlConfig, raw: Raw) -> list[Problem]:
    """What is wrong with the keys taken together; nothing is connected to."""
    found = refused(config, raw) + masks.problems(raw)
    found += naming_keys.problems(config)
    found += key_rules.problems(config, raw, "database")
    if not config.history_topic:
        problem = f"A value is required: the topic for table definitions, such as schemahistory.{config.topic_prefix}"
        found.append(wrong("schema.history.internal.kafka.topic", problem))
    try:
        configured(config.post_processors, raw)
    except ConfigError as error:
        found += error.problems
    return found


def check(declared: type[MySqlConfig], raw: Raw) -> list[Problem]:
    """Looks at the server the config names, within connection.validation.timeout.ms a step."""
    try:
        config = parse(declared, raw)
    except ConfigError as error:
        return list(error.problems)
    found = problems(config, raw)
    if found:
        return found
    limit_ms = config.validation_timeout_ms
    settings = parts.settings(config)
    settings = replace(settings, connect_timeout_ms=min(settings.connect_timeout_ms, limit_ms))
    try:
        server = Server(settings, read_timeout=max(1, limit_ms // 1000))
    except SourceError as error:
        return [Problem("database.hostname", f"Unable to connect: {error}")]
    try:
        findings = look(server, config, parts.capture(config, raw))
    except SourceError as error:
        return [Problem("database.hostname", f"Unable to look at the server: {error}")]
    finally:
        server.close()
    for warning in (*warned(config, raw), *findings.warnings):
        _log.warning(warning, connector=raw.get("name"))
    return list(findings.problems)


def build(declared: type[MySqlConfig], raw: Raw, context: SourceContext) -> MySqlSource:
    """Raises: ConfigError."""
    config = parse(declared, raw)
    found = problems(config, raw)
    if found:
        raise ConfigError(found)
    return MySqlSource(config, raw, context)


def declare(class_name: str, config: type[MySqlConfig]) -> SourceConnector:
    """The connector of that name; the config's class tells which of the two kinds of servers it reads."""
    return SourceConnector(
        class_name=class_name,
        version=VERSION,
        config=config,
        build=partial(build, config),
        prefixes=_PASSED_THROUGH,
        chains=("post.processors", "converters"),
        check=partial(check, config),
        check_offsets=offsets_check(Position.from_offset),
        takes_signals=True,
        outlook=partial(outlook, config),
    )


MYSQL: Final = declare(CLASS_NAME, MySqlConfig)
