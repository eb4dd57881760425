"""Questions to a MySQL server over a plain connection: variables, position, tables, definitions, grants."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from pymysql.connections import Connection
from pymysql.cursors import DictCursor
from pymysql.err import MySQLError

from cdc.errors import SourceError
from cdc.mysql import wire
from cdc.mysql.failures import NO_GRANT
from cdc.mysql.flavor import Flavor
from cdc.mysql.offset import Position
from cdc.table import TableId

Row: TypeAlias = tuple[Any, ...]
_TABLES: Final = "'BASE TABLE', 'SYSTEM VERSIONED'"
"""The types of tables that hold rows; the second is MariaDB's."""


def quoted(*names: str) -> str:
    """Names as MySQL quotes them: `db`.`table`."""
    return ".".join("`" + name.replace("`", "``") + "`" for name in names)


@dataclass(frozen=True)
class Locales:
    """Default character set and collation of a database."""

    charset: str | None
    collation: str | None

    def ddl(self) -> str:
        """What follows the name in CREATE DATABASE."""
        charset = f" CHARSET {self.charset}" if self.charset else ""
        return charset + (f" COLLATE {self.collation}" if self.collation else "")


class Server:
    """A connection and what can be asked over it. Every method raises SourceUnavailable or SourceError."""

    def __init__(self, settings: wire.Settings, **options: Any) -> None:
        self.settings = settings
        self.connection: Connection[Any] = wire.connect(settings, **options)

    def run(self, sql: str, *values: str) -> list[Row]:
        """All rows of a statement's answer; `values` stand where the text says %s."""
        try:
            return self.tried(sql, *values)
        except (MySQLError, OSError) as error:
            raise wire.failure(error, self.settings) from error

    def tried(self, sql: str, *values: str) -> list[Row]:
        """The same, with the driver's own errors: for statements whose refusal has an answer."""
        with self.connection.cursor() as cursor:
            cursor.execute(sql, values or None)
            return list(cursor.fetchall())

    def close(self) -> None:
        self.connection._force_close()  # type: ignore[attr-defined]

    @property
    def flavor(self) -> Flavor:
        """What the connector takes the server for; `is_mariadb` tells what it is."""
        return self.settings.flavor

    def version(self) -> tuple[int, ...]:
        """(8, 4, 2) for `8.4.2-debug`."""
        text = str(self.connection.server_version)  # type: ignore[attr-defined]
        return tuple(int(part) for part in re.findall(r"\d+", text.removeprefix("5.5.5-"))[:3])

    def is_mariadb(self) -> bool:
        return "mariadb" in str(self.connection.server_version).lower()  # type: ignore[attr-defined]

    def variables(self, *names: str) -> dict[str, str]:
        """Global variables by lower-case name; those the server does not know are left out."""
        listed = ", ".join(f"'{name}'" for name in names)
        rows = self.run(f"SHOW GLOBAL VARIABLES WHERE Variable_name IN ({listed})")
        return {name.lower(): value for name, value in rows}

    def position(self) -> Position:
        """Where the binary log ends now. Raises: SourceError: there is no binary log."""
        rows = self.run(self.flavor.status(self))
        if not rows:
            raise SourceError(
                f"{self.settings} writes no binary log; start mysqld with log_bin (and binlog_format=ROW), "
                "without skip-log-bin"
            )
        return Position(file=rows[0][0], pos=int(rows[0][1]), gtids=str(self.flavor.gtids_now(self, rows[0])) or None)

    def logs(self) -> list[str]:
        """Names of the binary logs the server still has, oldest first."""
        return [row[0] for row in self.run("SHOW BINARY LOGS")]

    def log_sizes(self) -> dict[str, int]:
        """The binary logs the server still has, oldest first, and their bytes."""
        return {row[0]: int(row[1]) for row in self.run("SHOW BINARY LOGS")}

    def replication(self) -> list[dict[str, Any]] | None:
        """What this server replicates from others: the columns of SHOW REPLICA STATUS, one channel each.

        None when this user may not know, for MariaDB has a privilege for it alone.
        """
        renamed = self.version() >= (8, 0, 22)  # MariaDB, whose versions are higher, knows the new name since 10.5
        try:
            with self.connection.cursor(DictCursor) as cursor:
                cursor.execute("SHOW REPLICA STATUS" if renamed else "SHOW SLAVE STATUS")
                return list(cursor.fetchall())
        except (MySQLError, OSError) as error:
            if error.args[:1] == (NO_GRANT,):
                return None
            raise wire.failure(error, self.settings) from error

    def tables(self) -> list[TableId]:
        """Every base table this user may see, system databases included."""
        rows = self.run(
            f"SELECT table_schema, table_name FROM information_schema.tables WHERE table_type IN ({_TABLES})"
        )  # fmt: skip
        return [TableId(database, name) for database, name in rows]

    def databases(self) -> list[str]:
        return [row[0] for row in self.run("SHOW DATABASES")]

    def row_counts(self, tables: Sequence[TableId]) -> dict[TableId, int]:
        """The server's estimates; a table it has none of is left out."""
        wanted = set(tables)
        rows = self.run(
            "SELECT table_schema, table_name, table_rows FROM information_schema.tables "
            f"WHERE table_rows IS NOT NULL AND table_type IN ({_TABLES})"
        )  # fmt: skip
        counted = {TableId(database, name): int(rows) for database, name, rows in rows}
        return {table: count for table, count in counted.items() if table in wanted}

    def locales(self) -> Mapping[str, Locales]:
        rows = self.run(
            "SELECT schema_name, default_character_set_name, default_collation_name FROM information_schema.schemata"
        )
        return {name: Locales(charset, collation) for name, charset, collation in rows}

    def charset_statement(self) -> str:
        """The SET statement that gives a reader of DDL this server's default character set."""
        values = sorted(self.variables("character_set_server", "collation_server").items())
        return "SET " + ", ".join(f"{name}={value}" for name, value in values)

    def definition(self, table: TableId) -> str:
        """SHOW CREATE TABLE."""
        return str(self.run(f"SHOW CREATE TABLE {quoted(*table)}")[0][1])

    def seconds(self) -> int:
        """The server's clock, whole seconds since 1970."""
        return int(self.run("SELECT UNIX_TIMESTAMP()")[0][0])
