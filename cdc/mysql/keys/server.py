"""Keys of the group of the server, beyond what every source declares."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

from cdc.config import Importance, Password, between
from cdc.keys.connector import ServerKeys
from cdc.keys.declare import declared, not_negative

_HIGH, _LOW = Importance.HIGH, Importance.LOW
_server = partial(declared, group="{group}")
_BEYOND_INT: Final = 2**32 - 1


@dataclass(frozen=True, kw_only=True)
class MySqlServerKeys(ServerKeys):
    """How to connect, and under which number."""

    query_timeout_ms: int = _server("database.query.timeout.ms", default=600000, check=not_negative, importance=_LOW,
                                    doc="Milliseconds a query may take; 0 is no limit.")  # fmt: skip
    initial_statements: str | None = _server(
        "database.initial.statements", default=None, importance=_LOW,
        doc="SQL run on every connection that reads tables, separated by `;` (`;;` is a semicolon).",
    )  # fmt: skip
    server_id: int = _server(
        "database.server.id", default=None, needed=True, type="LONG", check=between(1, _BEYOND_INT), importance=_HIGH,
        doc="Number of this reader among the server's replicas; must differ from every other replica's.",
    )  # fmt: skip
    server_id_offset: int = _server("database.server.id.offset", default=10000, type="LONG", importance=_HIGH,
                                    doc="Debezium's distance between server ids of parallel snapshots.")  # fmt: skip
    ssl_keystore: str | None = _server("database.ssl.keystore", default=None,
                                       doc="File with the client's certificate and key: PEM or PKCS #12.")  # fmt: skip
    ssl_keystore_password: Password | None = _server(  # noqa: RUF009
        "database.ssl.keystore.password", default=None, doc="Password of the key store."
    )
    ssl_truststore: str | None = _server("database.ssl.truststore", default=None,
                                         doc="File with the authorities to trust: PEM or PKCS #12.")  # fmt: skip
    ssl_truststore_password: Password | None = _server(  # noqa: RUF009
        "database.ssl.truststore.password", default=None, doc="Password of the trust store."
    )
    jdbc_driver: str = _server("database.jdbc.driver", default="com.mysql.cj.jdbc.Driver", type="CLASS",
                               importance=_LOW, doc="Java driver class; accepted, there is no JDBC here.")  # fmt: skip
    protocol: str = _server("database.protocol", default="jdbc:mysql", importance=_LOW,
                            doc="JDBC protocol; accepted, there is no JDBC here.")  # fmt: skip
    ssl_mode: str = _server(
        "database.ssl.mode", default="preferred",
        values=["verify_identity", "disabled", "preferred", "required", "verify_ca"],
        doc="Whether to encrypt, and whether to check the server's certificate and name.",
    )  # fmt: skip
