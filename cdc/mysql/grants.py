"""What an account may do, from the lines of SHOW GRANTS. Source: MySQL's manual, "SHOW GRANTS Statement"."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from cdc.table import TableId

_GRANT: Final = re.compile(r"GRANT (?P<what>.+?) ON (?:TABLE )?(?P<where>\S.*?) TO ", re.IGNORECASE)
_NAME: Final = r"(?:`(?:[^`]|``)*`|\*|[^`.\s]+)"
_SCOPE: Final = re.compile(rf"({_NAME})\.({_NAME})")
_ALL: Final = "ALL PRIVILEGES"
_NOT_IN_DATABASES: Final = frozenset(("RELOAD", "SHOW DATABASES", "REPLICATION SLAVE", "REPLICATION CLIENT"))


@dataclass
class Grants:
    """Privileges by what they hold for: everywhere, databases by LIKE pattern, single tables."""

    everywhere: set[str] = field(default_factory=set)
    databases: dict[str, set[str]] = field(default_factory=dict)
    tables: dict[TableId, set[str]] = field(default_factory=dict)

    @classmethod
    def parse(cls, lines: Iterable[str]) -> Grants:
        """From SHOW GRANTS; lines that grant roles, PROXY or routines say nothing here."""
        grants = cls()
        for line in lines:
            match = _GRANT.match(line)
            scope = _SCOPE.fullmatch(match["where"].strip()) if match is not None else None
            if match is None or scope is None:
                continue
            database, table = (_unquoted(name) for name in scope.groups())
            grants._scope(database, table).update(_privileges(match["what"]))
        return grants

    def _scope(self, database: str, table: str) -> set[str]:
        if database == "*":
            return self.everywhere
        if table == "*":
            return self.databases.setdefault(database, set())
        return self.tables.setdefault(TableId(database, table), set())

    def has(self, privilege: str) -> bool:
        """Everywhere."""
        return privilege in self.everywhere or _ALL in self.everywhere

    def has_somewhere(self, privilege: str) -> bool:
        """Everywhere, or at least on some database or table."""
        if self.has(privilege):
            return True
        if privilege in _NOT_IN_DATABASES:
            return False
        return any(privilege in held or _ALL in held for held in (*self.databases.values(), *self.tables.values()))

    def has_on(self, privilege: str, table: TableId) -> bool:
        held = set(self.everywhere) | self.tables.get(table, set())
        for pattern, privileges in self.databases.items():
            if _like(pattern, table.database):
                held |= privileges
        return privilege in held or _ALL in held


def _privileges(text: str) -> set[str]:
    """Upper-case names; a list of columns after a name is dropped: what holds for columns holds for no row."""
    whole = re.sub(r"\w[\w ]*\([^)]*\),?", "", text.upper())
    return {name.strip() for name in whole.split(",") if name.strip()}


def _unquoted(name: str) -> str:
    return name[1:-1].replace("``", "`") if name.startswith("`") else name


def _like(pattern: str, name: str) -> bool:
    """MySQL's LIKE, as database names in grants are compared."""
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    wild = {"%": ".*", "_": "."}
    expression = "".join(wild.get(part) or re.escape(part.removeprefix("\\")) for part in parts)
    return re.fullmatch(expression, name, re.DOTALL) is not None
