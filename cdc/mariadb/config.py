"""The keys of a MariaDB source: those of a MySQL source, but for what Debezium 3.5 declares otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from cdc.config import Importance
from cdc.keys.declare import declared
from cdc.mysql.config import MySqlConfig
from cdc.mysql.flavor import MARIADB, Flavor

_server = partial(declared, group="{group}")
_connector = partial(declared, group="Connector")
_events = partial(declared, group="Events")
_unlisted = partial(declared, group="Advanced", internal=True)


@dataclass(frozen=True, kw_only=True)
class MariaDbConfig(MySqlConfig):
    """What a MariaDB source reads from its connector config."""

    flavor: ClassVar[Flavor] = MARIADB
    WORDS: ClassVar[Mapping[str, str]] = {**MySqlConfig.WORDS, "server": "MariaDB", "group": "MariaDB"}

    jdbc_driver: str = _unlisted("database.jdbc.driver", default="org.mariadb.jdbc.Driver", type="CLASS",
                                    importance=Importance.LOW,
                                    doc="Java driver class; accepted, there is no JDBC here.")  # fmt: skip
    protocol: str = _unlisted("database.protocol", default="jdbc:mariadb", importance=Importance.LOW,
                                 doc="JDBC protocol; accepted, there is no JDBC here.")  # fmt: skip
    ssl_mode: str = _server(
        "database.ssl.mode", default="disable", values=["trust", "disable", "verify-ca", "verify-full"],
        doc="Whether to encrypt, and whether to check the server's certificate and name.",
    )  # fmt: skip
    locking_mode: str = _connector(
        "snapshot.locking.mode", default="minimal", importance=Importance.LOW,
        values=["minimal", "custom", "none", "extended"],
        doc="How long a snapshot keeps writers out: milliseconds (minimal), its whole time (extended), not at all.",
    )  # fmt: skip
    gtid_includes: tuple[str, ...] | None = _events(
        "gtid.source.includes", default=None, importance=Importance.HIGH,
        dependents=["table.include.list"],
        doc="Regular expressions of `domain-server` (or of a domain's number alone) whose GTIDs count.",
    )  # fmt: skip
    gtid_excludes: str | None = _events(
        "gtid.source.excludes", default=None,
        doc="Regular expressions of `domain-server` (or of a domain's number alone) to leave out.",
    )  # fmt: skip
    source_maker: str = _events(
        "sourceinfo.struct.maker", default="io.debezium.connector.mariadb.MariaDbSourceInfoStructMaker", type="CLASS",
        importance=Importance.LOW, doc="Java class that makes the source block.",
    )  # fmt: skip

    @property
    def keeps_comments(self) -> bool:
        """Debezium's MariaDB connector goes by include.schema.changes here."""
        return self.schema_changes
