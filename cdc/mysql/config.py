"""The config of a MySQL source: names, types and defaults as Debezium 3.5 declares them, 1.x names as aliases.

A key that is declared but does nothing yet is listed in `unsupported.py`, which refuses it or warns of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from cdc.keys.advanced import AdvancedKeys
from cdc.keys.connector import ConnectorKeys
from cdc.keys.events import ColumnKeys, EventKeys
from cdc.mysql.flavor import MYSQL, Flavor
from cdc.mysql.keys.advanced import MySqlAdvancedKeys
from cdc.mysql.keys.connector import MySqlConnectorKeys, MySqlQueueKeys
from cdc.mysql.keys.events import MySqlEventKeys, MySqlTableKeys
from cdc.mysql.keys.history import HistoryKeys, HistoryTopicKeys
from cdc.mysql.keys.server import MySqlServerKeys


@dataclass(frozen=True, kw_only=True)
class MySqlConfig(
    MySqlAdvancedKeys, AdvancedKeys, HistoryTopicKeys, MySqlEventKeys, ColumnKeys, MySqlTableKeys, EventKeys,
    HistoryKeys, MySqlConnectorKeys, ConnectorKeys, MySqlQueueKeys, MySqlServerKeys,
):  # fmt: skip
    """What a MySQL source reads from its connector config; `None` where nothing was given and there is no default.

    `validate` answers the keys in Debezium's order: the last class's first.
    """

    flavor: ClassVar[Flavor] = MYSQL
    WORDS: ClassVar[Mapping[str, str]] = {
        "server": "MySQL", "group": "MySQL", "log": "binlog", "home": "database", "table": "db.table",
        "type": "db.type",
    }  # fmt: skip

    @property
    def keeps_comments(self) -> bool:
        """Whether tables and columns are known with their comments."""
        return self.schema_comments
