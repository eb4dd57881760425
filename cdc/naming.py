"""Topic and schema names, and the legal-character rule. Source: Debezium's topic naming and schema name adjusters."""

from __future__ import annotations

import re

_NOT_IN_TOPICS = re.compile(r"[^A-Za-z0-9._-]")
_NOT_IN_AVRO_NAMES = re.compile(r"[^A-Za-z0-9._]")
MAX_TOPIC_NAME = 249


def topic_name(*parts: str, delimiter: str = ".") -> str:
    """Parts joined by the delimiter, every character that Kafka refuses replaced by `_`, cut at 249."""
    return _NOT_IN_TOPICS.sub("_", delimiter.join(parts))[:MAX_TOPIC_NAME]


def avro_name(name: str) -> str:
    """A full schema name made legal for Avro: `_` for other characters, and before a leading digit of a part."""
    parts = _NOT_IN_AVRO_NAMES.sub("_", name).split(".")
    return ".".join("_" + part if part[:1].isdigit() else part for part in parts)
