"""The MariaDB source as the runtime sees it."""

from __future__ import annotations

from typing import Final

from cdc.mariadb.config import MariaDbConfig
from cdc.mysql.connector import declare

CLASS_NAME: Final = "io.debezium.connector.mariadb.MariaDbConnector"

MARIADB: Final = declare(CLASS_NAME, MariaDbConfig)
