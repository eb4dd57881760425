"""The config of a PostgreSQL source: names, types and defaults as Debezium 3.5 declares them, 1.x names as aliases.

A key that is declared but does nothing yet is listed in `unsupported.py`, which refuses it or warns of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from cdc.keys.advanced import AdvancedKeys
from cdc.keys.connector import ConnectorKeys, QueueKeys
from cdc.keys.events import ColumnKeys, EventKeys, TableKeys
from cdc.postgres.keys.advanced import PostgresAdvancedKeys
from cdc.postgres.keys.connector import PostgresConnectorKeys
from cdc.postgres.keys.events import PostgresEventKeys, SchemaKeys
from cdc.postgres.keys.server import PostgresServerKeys


@dataclass(frozen=True, kw_only=True)
class PostgresConfig(
    PostgresAdvancedKeys, AdvancedKeys, PostgresEventKeys, ColumnKeys, TableKeys, SchemaKeys, EventKeys,
    PostgresConnectorKeys, ConnectorKeys, QueueKeys, PostgresServerKeys,
):  # fmt: skip
    """What a PostgreSQL source reads from its connector config; `None` where nothing was given and no default is.

    `validate` answers the keys in Debezium's order: the last class's first.
    """

    WORDS: ClassVar[Mapping[str, str]] = {
        "server": "PostgreSQL", "group": "Postgres", "log": "WAL", "home": "schema", "table": "schema.table",
        "type": "schema.table.type",
    }  # fmt: skip
