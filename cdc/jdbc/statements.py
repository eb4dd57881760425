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
        number = self._quoted(self.incrementing) if self.incrementing else ""
        if self.mode == INCREMENTING:
            upper = f" AND {number} <= {self.mark}" if self.upper else ""
            return self._with(f"WHERE {number} > {self.mark}{upper} ORDER BY {number} ASC")
        if self.mode == BULK:
            return self._with("")
        order = f"{self._moment()},{number}" if self.mode == BOTH else self._moment()
        return self._with(f"WHERE {self._in_time()} ORDER BY {order} ASC")

    def in_range(self, column: str, after: int | None, upto: int | None) -> str:
        """Rows with a number of `column` in a range, in its order.

        Parameters: in the modes with timestamps those of `sql`; then `after`, then `upto`, where they are given.
        """
        number = self._quoted(column)
        conditions = [self._in_time()] if self.timestamps else []
        conditions += [f"{number} > {self.mark}"] if after is not None else []
        conditions += [f"{number} <= {self.mark}"] if upto is not None else []
        where = f"WHERE {' AND '.join(conditions)} " if conditions else ""
        return self._with(f"{where}ORDER BY {number} ASC")

    def _with(self, where: str) -> str:
        doubled = self.mark == "%s" and self.mark in where
        base, suffix = (text.replace("%", "%%") if doubled else text for text in (self.base, self.suffix))
        where = _numbered(where) if self.mark == NUMBERED else where
        return " ".join(part for part in (base, where, suffix) if part)

    def _in_time(self) -> str:
        mark, moment = self.mark, self._moment()
        if self.mode == TIMESTAMP:
            return f"{moment} > {mark} AND {moment} < {mark}"
        number = self._quoted(self.incrementing or "")
        return f"{moment} < {mark} AND (({moment} = {mark} AND {number} > {mark}) OR {moment} > {mark})"

    def _quoted(self, column: str) -> str:
        """As it stands beside parameters."""
        quoted = self.dialect.quote(column)
        return quoted.replace("%", "%%") if self.mark == "%s" else quoted

    def _moment(self) -> str:
        return _first_of([self._quoted(column) for column in self.timestamps])

    def moment(self) -> str:
        """The expression of a row's timestamp, where there are no parameters."""
        return _first_of([self.dialect.quote(column) for column in self.timestamps])

    def empty(self) -> str:
        """The same columns, no row."""
        return f"{self.base} WHERE 1 = 0"

    def highest(self) -> str:
        """The largest number there is now."""
        assert self.incrementing is not None
        return f"SELECT MAX({self.dialect.quote(self.incrementing)}) FROM ({self.base}) newest"

    def ends(self, column: str) -> str:
        """The smallest and the largest number of a column."""
        name = self.dialect.quote(column)
        return f"SELECT MIN({name}), MAX({name}) FROM ({self.base}) ends"

    def bounded(self) -> Select:
        return replace(self, upper=True)


def _first_of(columns: Sequence[str]) -> str:
    return columns[0] if len(columns) == 1 else f"COALESCE({','.join(columns)})"


def _numbered(where: str) -> str:
    """Oracle's parameters: `:1`, `:2`, …"""
    first, *rest = where.split(NUMBERED)
    return first + "".join(f":{at}{part}" for at, part in enumerate(rest, 1))


def of_table(dialect: Dialect, table: TableName) -> str:
    return f"SELECT * FROM {dialect.table(table)}"
