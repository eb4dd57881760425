"""The SELECT of each mode: what is read of a table or a query after the last position. Text only.

Source: kafka-connect-jdbc's `TimestampIncrementingCriteria`; what is added stands at `Select.upper`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from cdc.dialect import Dialect, TableName

NUMBERED: Final = ":n"
BULK, INCREMENTING, TIMESTAMP, BOTH = "bulk", "incrementing", "timestamp", "timestamp+incrementing"
MODES: Final = (BULK, INCREMENTING, TIMESTAMP, BOTH)


@dataclass(frozen=True)
class Select:
    """What to read, how.

    Attributes:
        base: `SELECT * FROM table`, or the user's query.
        mark: how a parameter stands in the driver's SQL; NUMBERED: each with its number.
        upper: in the mode `incrementing`, whether there is an upper bound, which Confluent's source has not.
    """

    dialect: Dialect
    base: str
    mode: str
    mark: str
    incrementing: str | None = None
    timestamps: Sequence[str] = ()
    suffix: str = ""
    upper: bool = False

    def sql(self) -> str:
        """Parameters in order: number[, upper]; or begin, end; or, with both columns, end, begin, number, begin."""
        where = _numbered(self._where()) if self.mark == NUMBERED else self._where()
        base = self.base.replace("%", "%%") if self.mark == "%s" and where else self.base
        suffix = self.suffix.replace("%", "%%") if self.mark == "%s" and where else self.suffix
        return " ".join(part for part in (base, where, suffix) if part)

    def _where(self) -> str:
        mark, number = self.mark, self.dialect.quote(self.incrementing) if self.incrementing else ""
        moment = self.moment()
        if self.mode == INCREMENTING:
            upper = f" AND {number} <= {mark}" if self.upper else ""
            return f"WHERE {number} > {mark}{upper} ORDER BY {number} ASC"
        if self.mode == TIMESTAMP:
            return f"WHERE {moment} > {mark} AND {moment} < {mark} ORDER BY {moment} ASC"
        if self.mode == BOTH:
            return (
                f"WHERE {moment} < {mark} AND (({moment} = {mark} AND {number} > {mark}) OR {moment} > {mark}) "
                f"ORDER BY {moment},{number} ASC"
            )
        return ""

    def moment(self) -> str:
        columns = [self.dialect.quote(column) for column in self.timestamps]
        return columns[0] if len(columns) == 1 else f"COALESCE({','.join(columns)})"

    def empty(self) -> str:
        """The same columns, no row."""
        return f"{self.base} WHERE 1 = 0"

    def highest(self) -> str:
        """The largest number there is now."""
        assert self.incrementing is not None
        return f"SELECT MAX({self.dialect.quote(self.incrementing)}) FROM ({self.base}) newest"

    def bounded(self) -> Select:
        return replace(self, upper=True)


def _numbered(where: str) -> str:
    """Oracle's parameters: `:1`, `:2`, …"""
    first, *rest = where.split(NUMBERED)
    return first + "".join(f":{at}{part}" for at, part in enumerate(rest, 1))


def of_table(dialect: Dialect, table: TableName) -> str:
    return f"SELECT * FROM {dialect.table(table)}"
