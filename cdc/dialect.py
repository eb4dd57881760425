"""What differs in SQL between databases: quoting, the parts of a table's name, and how rows are counted off.

A dialect's name is that of `cdc.jdbc_url`, and what `dialect.name` of Confluent's connectors calls it stands here too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from cdc.jdbc_url import MARIADB, MYSQL, ORACLE, POSTGRES, SQLITE, SQLSERVER

ALWAYS, NEVER = "ALWAYS", "NEVER"


class TableName(NamedTuple):
    """A table's name with the parts the database uses; the text is what offsets and configs show."""

    catalog: str | None
    schema: str | None
    name: str

    def __str__(self) -> str:
        return ".".join(part for part in self if part)


@dataclass(frozen=True)
class Dialect:
    """How one kind of database writes SQL.

    Attributes:
        known_as: its name in `dialect.name`.
        opening, closing: quotes of an identifier; a closing one inside is doubled.
        qualifier: which part a name of two parts begins with: `catalog` (MySQL) or `schema`.
        driver: the name SQLAlchemy has for dialect and driver.
        quotes: whether identifiers are quoted (`quote.sql.identifiers`).
    """

    name: str
    known_as: str
    driver: str
    opening: str = '"'
    closing: str = '"'
    qualifier: str = "schema"
    quotes: bool = True

    def quoting(self, method: str) -> Dialect:
        """The same dialect with identifiers quoted `ALWAYS` or `NEVER`."""
        return replace(self, quotes=method.upper() != NEVER)

    def quote(self, identifier: str) -> str:
        """One identifier as it stands in a statement."""
        if not self.quotes:
            return identifier
        return self.opening + identifier.replace(self.closing, self.closing * 2) + self.closing

    def quoted(self, *parts: str | None) -> str:
        """The parts of a qualified name, outermost first, those that are None left out."""
        return ".".join(self.quote(part) for part in parts if part)

    def table(self, name: TableName) -> str:
        return self.quoted(*name)

    def parse_table(self, text: str) -> TableName:
        """`table`, `schema.table` or `catalog.schema.table`, each part possibly in the dialect's quotes.

        Raises: ValueError: it has no part, or more than three.
        """
        parts = self.split(text)
        if len(parts) == 1:
            return TableName(None, None, parts[0])
        if len(parts) == 2:
            first, name = parts
            return TableName(first, None, name) if self.qualifier == "catalog" else TableName(None, first, name)
        if len(parts) == 3:
            return TableName(*parts)
        raise ValueError(f"{text!r} is no table name; expected table, schema.table or catalog.schema.table")

    def split(self, text: str) -> Sequence[str]:
        """The parts of a qualified name, without their quotes. A dot in quotes is part of the name."""
        parts, at = [], 0
        text = text.strip()
        while at < len(text):
            if text[at] == self.opening:
                part, at = self._in_quotes(text, at + 1)
            else:
                end = text.find(".", at)
                end = len(text) if end < 0 else end
                part, at = text[at:end].strip(), end
            parts.append(part)
            if at < len(text) and text[at] != ".":
                raise ValueError(f"{text!r} is no table name: a dot is missing after {part!r}")
            at += 1
        return parts

    def _in_quotes(self, text: str, at: int) -> tuple[str, int]:
        """The rest of a quoted name, and where the text goes on after its closing quote."""
        part = ""
        while at < len(text):
            if text.startswith(self.closing * 2, at):
                part, at = part + self.closing, at + 2
            elif text[at] == self.closing:
                return part, at + 1
            else:
                part, at = part + text[at], at + 1
        raise ValueError(f"{text!r} is no table name: its closing {self.closing} is missing")


DIALECTS: Final = {
    dialect.name: dialect
    for dialect in (
        Dialect(MYSQL, "MySqlDatabaseDialect", "mysql+pymysql", "`", "`", "catalog"),
        Dialect(MARIADB, "MySqlDatabaseDialect", "mariadb+pymysql", "`", "`", "catalog"),
        Dialect(POSTGRES, "PostgreSqlDatabaseDialect", "postgresql+psycopg"),
        Dialect(SQLITE, "SqliteDatabaseDialect", "sqlite+pysqlite", "`", "`"),
        Dialect(ORACLE, "OracleDatabaseDialect", "oracle+oracledb"),
        Dialect(SQLSERVER, "SqlServerDatabaseDialect", "mssql+pymssql", "[", "]"),
    )
}
KNOWN_AS: Final = tuple(dict.fromkeys(dialect.known_as for dialect in DIALECTS.values()))


def dialect_named(known_as: str, url_kind: str) -> Dialect:
    """The dialect that `dialect.name` asks for; that of the URL when it asks for none or for the same.

    Raises: ValueError: there is no such dialect, or it is not that of the URL's database.
    """
    own = DIALECTS[url_kind]
    if not known_as or known_as == own.known_as:
        return own
    asked = "is not known; expected one of " + ", ".join(KNOWN_AS) if known_as not in KNOWN_AS else (
        f"is not the dialect of connection.url, which is {own.known_as}")  # fmt: skip
    raise ValueError(f"{known_as} {asked}; remove dialect.name")
