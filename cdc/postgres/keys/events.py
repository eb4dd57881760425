"""Keys of the group of events, beyond what every source declares."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from cdc.config import Importance
from cdc.keys.declare import declared, java_regexes

_HIGH, _LOW = Importance.HIGH, Importance.LOW
_events = partial(declared, group="Events")


@dataclass(frozen=True, kw_only=True)
class SchemaKeys:
    """Which schemas are captured."""

    ignore_builtin: bool = _events("table.ignore.builtin", default=True, importance=_LOW,
                                   doc="Leave out pg_catalog and information_schema.")  # fmt: skip
    schema_include: tuple[str, ...] | None = _events(
        "schema.include.list", default=None, check=java_regexes, importance=_HIGH, aliases=["schema.whitelist"],
        dependents=["table.include.list"], doc="Regular expressions of schemas to capture.",
    )  # fmt: skip
    schema_exclude: tuple[str, ...] | None = _events(
        "schema.exclude.list", default=None, check=java_regexes, aliases=["schema.blacklist"],
        doc="Regular expressions of schemas to leave out.",
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class PostgresEventKeys:
    """What stands last in Debezium's order."""

    unknown_types: bool = _events("include.unknown.datatypes", default=False,
                                  doc="Send columns of types that have no mapping as bytes of their text.")  # fmt: skip
    source_maker: str = _events(
        "sourceinfo.struct.maker", default="io.debezium.connector.postgresql.PostgresSourceInfoStructMaker",
        type="CLASS", importance=_LOW, doc="Java class that makes the source block.",
    )  # fmt: skip
