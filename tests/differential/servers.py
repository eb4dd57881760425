"""The database servers that scenarios run on: how one connects, what is read, what both connectors are told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from tests.differential.postgres_scenario import PostgresScenario
from tests.differential.postgres_session import PostgresSession
from tests.differential.scenario import Scenario as MySqlScenario
from tests.differential.session import Session

DATABASES = "df"
"""What the names of all databases of scenarios begin with."""
CLASSES = {
    False: "io.debezium.connector.mysql.MySqlConnector",
    True: "io.debezium.connector.mariadb.MariaDbConnector",
}


class Scenario(Protocol):
    """See `tests.differential.scenario.Scenario`; a session is of the kind that `Servers.session` gives."""

    @property
    def seed(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def kept(self) -> dict[str, list[str]]: ...
    @property
    def options(self) -> dict[str, str]: ...
    @property
    def databases(self) -> tuple[str, str]: ...
    @property
    def done_records(self) -> int: ...
    def setup(self, session: Any) -> None: ...
    def changes(self, session: Any) -> None: ...
    def end(self, session: Any) -> None: ...
    def shortened(self, copy: int, kept: dict[str, list[str]]) -> Scenario: ...


class Watch(Protocol):
    """A connection beside the scenarios'."""

    def drop_databases(self, start: str) -> None: ...
    def log_readers(self) -> frozenset[int]: ...
    def close(self) -> None: ...


class Servers(Protocol):
    """`apart`: scenarios do not see each other's changes, so they may run at the same time."""

    apart: bool

    def scenario(self, seed: int) -> Scenario: ...
    def watch(self) -> Watch: ...
    def session(self, scenario: Any) -> Any: ...
    def config(self, scenario: Any, prefix: str, side: int, kafka: str) -> dict[str, str]: ...


@dataclass
class MySqlServers:
    """MySQL or MariaDB."""

    host: str
    port: int
    apart: bool = False

    def scenario(self, seed: int) -> MySqlScenario:
        return MySqlScenario(seed)

    def watch(self) -> Session:
        return Session(self.host, self.port)

    def session(self, scenario: MySqlScenario) -> Session:
        return Session(self.host, self.port)

    def config(self, scenario: MySqlScenario, prefix: str, side: int, kafka: str) -> dict[str, str]:
        watch = self.watch()
        is_mariadb = watch.is_mariadb
        watch.close()
        return {
            "connector.class": CLASSES[is_mariadb],
            "database.hostname": self.host,
            "database.port": str(self.port),
            "database.user": "app",
            "database.password": "apppw",
            "database.server.id": str(scenario.server_id + side),
            "schema.history.internal.kafka.bootstrap.servers": kafka,
            "schema.history.internal.kafka.topic": f"{prefix}-history",
        }


@dataclass
class PostgresServers:
    """PostgreSQL: a database of its own for each scenario."""

    host: str
    port: int
    apart: bool = True

    def scenario(self, seed: int) -> PostgresScenario:
        return PostgresScenario(seed)

    def watch(self) -> PostgresSession:
        return PostgresSession(self.host, self.port)

    def session(self, scenario: PostgresScenario) -> PostgresSession:
        watch = self.watch()
        watch.run(f"CREATE DATABASE {scenario.name}")
        watch.close()
        return PostgresSession(self.host, self.port, scenario.name)

    def config(self, scenario: PostgresScenario, prefix: str, side: int, kafka: str) -> dict[str, str]:
        own = f"{scenario.name}_{side}"
        return {
            "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
            "plugin.name": "pgoutput",
            "database.hostname": self.host,
            "database.port": str(self.port),
            "database.user": "app",
            "database.password": "apppw",
            "database.dbname": scenario.name,
            "slot.name": own,
            "publication.name": own,
        }
