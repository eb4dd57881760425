"""One table, or the query: its rows after the last position, as polls, again and again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog

from cdc.dialect import TableName
from cdc.errors import SourceError
from cdc.jdbc import moments
from cdc.jdbc.columns import Column, Kind
from cdc.jdbc.config import JdbcSourceConfig
from cdc.jdbc.deletions import Deletions
from cdc.jdbc.horizon import Horizon
from cdc.jdbc.offset import Position, partition
from cdc.jdbc.session import Query, Result, Session
from cdc.jdbc.statements import BULK, INCREMENTING, TIMESTAMP, Select
from cdc.jdbc.types import Shape, compiled, moment_of, value_of
from cdc.record import Batch, Poll, SourceOffset

MARGIN_MICROS: Final = 250_000
"""A statement stamps its rows when it begins, a moment before the database counts it among the open ones."""
_SAME_TIME_BATCHES: Final = 20
"""So many batches of rows of one timestamp are held together, to begin none of them again after a restart."""
_NUMBERS: Final = (Kind.BIT, Kind.TINYINT, Kind.SMALLINT, Kind.INTEGER, Kind.BIGINT, Kind.NUMERIC, Kind.DECIMAL)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Reads:
    """What is read, and from where.

    Attributes:
        table: None for the query.
        select: see there; `select.base` without the user's suffix.
        position: after which to go on.
        keys: the columns of the table's key, when deleted rows are to be found.
    """

    table: TableName | None
    select: Select
    topic: str
    position: Position
    keys: Sequence[str] = ()


@dataclass(frozen=True)
class _Keys:
    """What of a row is its position: functions over a row of the driver."""

    number: Callable[[Sequence[Any]], int | None]
    raw_time: Callable[[Sequence[Any]], Any]
    micros: Callable[[Sequence[Any]], int | None]


class TableReader:
    """Rounds of one table. A round that raised is not to be repeated with the same reader."""

    def __init__(self, session: Session, config: JdbcSourceConfig, reads: Reads) -> None:
        self._session, self._config, self.table = session, config, reads.table
        self._options, self._functions = config.options(), session.product.FUNCTIONS
        self._topic, self.position = reads.topic, reads.position
        self._query = Query(reads.select.base, reads.table)
        wait = config.wait_for_open
        numbers_only = config.mode == INCREMENTING
        self._select = reads.select.bounded() if wait and numbers_only else reads.select
        name = str(reads.table) if reads.table else "the query"
        self._horizon = Horizon(session, name, writers=numbers_only, wait=wait)
        self._times: tuple[bool, int] | None = None
        self._shapes: dict[tuple[Column, ...], tuple[Shape, _Keys]] = {}
        self._warned = False
        self._deletions: Deletions | None = None
        if reads.keys and reads.table:
            self._deletions = Deletions(session, reads.table, reads.keys, reads.topic, config.delete_look_ms)

    @property
    def waits(self) -> bool:
        """There may be rows, and transactions must end first: look again soon."""
        return self._horizon.waits

    def polls(self) -> Iterator[Poll]:
        """One round, to the end of what there is now. Raises: SourceUnavailable, SourceError, DataError."""
        yield from self._rows()
        if self._deletions is not None:
            yield from self._deletions.polls(self._options, self._config.batch_rows)

    def close(self) -> None:
        if self._deletions is not None:
            self._deletions.close()

    def _rows(self) -> Iterator[Poll]:
        mode = self._config.mode
        parameters: Sequence[Any] | None = ()
        if mode == INCREMENTING:
            parameters = self._between_numbers()
        elif mode != BULK:
            parameters = self._between_times()
        if parameters is None:
            return
        result = self._session.rows(self._select.sql(), parameters, self._query)
        yield from self._in_time(result) if mode == TIMESTAMP else self._in_order(result)
        result.close()

    def _in_order(self, result: Result) -> Iterator[Poll]:
        """Each batch ends at a position of its own; in the mode bulk there are none."""
        while rows := result.fetch():
            shape, keys = self._shape(result.columns)
            batch = self._batch(shape, rows)
            if self._config.mode == BULK:
                yield Poll([batch])
                continue
            last = rows[-1]
            self.position = Position(keys.number(last), keys.micros(last))
            yield Poll([batch], [self._offset()])
            if result.whole:
                return

    def _in_time(self, result: Result) -> Iterator[Poll]:
        """A position is reached when every row of its timestamp is out."""
        held: list[Any] = []
        while True:
            fetched = result.fetch()
            rows = [*held, *fetched]
            if not rows:
                return
            shape, keys = self._shape(result.columns)
            count = len(rows) if result.whole else _before_last_time(rows, keys.raw_time)
            if count:
                self.position = Position(None, keys.micros(rows[count - 1]))
                yield Poll([self._batch(shape, rows[:count])], [self._offset()])
            elif len(rows) > _SAME_TIME_BATCHES * self._config.batch_rows:
                yield Poll([self._batch(shape, rows)])
                count = len(rows)
            held = rows[count:]
            if result.whole:
                return

    def _offset(self) -> SourceOffset:
        return SourceOffset(partition(self.table), self.position.as_offset())

    def _batch(self, shape: Shape, rows: Sequence[Any]) -> Batch:
        values = shape.convert(rows)
        if self._deletions is not None:
            self._deletions.sent(shape, values)
        return Batch(self._topic, None, shape.schema, [None] * len(values), values, [()] * len(values))

    # Bounds

    def _between_numbers(self) -> Sequence[Any] | None:
        last = -1 if self.position.number is None else self.position.number
        if not self._config.wait_for_open:
            return (last,)

        def highest() -> int | None:
            found = self._session.one(self._select.highest())
            return int(found) if found is not None and int(found) > last else None

        bound = self._horizon.reach(highest)
        return None if bound is None else (last, bound)

    def _between_times(self) -> Sequence[Any] | None:
        zoned, digits = self._described()

        def now() -> int:
            product, zone = self._session.product, self._options.zone
            wall = product.now(self._session.one(product.NOW), moments.to_wall(zone) if zone else None)
            margin = MARGIN_MICROS if self._config.wait_for_open else 0
            return moments.floored(wall - self._config.delay_ms * 1000 - margin, max(digits, 0))

        wall = self._horizon.reach(now)
        if wall is None:
            return None
        zone = self._options.zone
        end = self._parameter(moments.to_moment(zone)(wall) if zone else wall, zoned, digits)
        begin = self._parameter(self.position.micros or 0, zoned, digits)
        if self._config.mode == TIMESTAMP:
            return begin, end
        number = -1 if self.position.number is None else self.position.number
        return end, begin, number, begin

    def _parameter(self, moment: int, zoned: bool, digits: int) -> Any:
        zone = self._options.zone
        wall = moments.to_wall(zone)(moment) if zone else moment
        return self._session.product.parameter(wall, moment, zoned, digits)

    def _described(self) -> tuple[bool, int]:
        """Whether the timestamps are moments, and the fewest digits of a second one keeps."""
        if self._times is None:
            result = self._session.rows(self._select.empty(), (), self._query)
            result.fetch()
            result.close()
            columns = [_named(result.columns, name) for name in self._select.timestamps]
            digits = min(column.digits for column in columns)
            if self._session.database.kind == "sqlite":
                digits = self._sqlite_digits()
            self._times = any(column.zoned for column in columns), digits
        return self._times

    def _sqlite_digits(self) -> int:
        """As the first row has it: digits of its text, or -1 for milliseconds since 1970."""
        moment = self._select.moment()
        sample = self._session.one(f"SELECT {moment} FROM ({self._select.base}) WHERE {moment} IS NOT NULL LIMIT 1")
        if isinstance(sample, int | float):
            return -1
        return max(0, len(str(sample or "")) - 20)

    # Shapes

    def _shape(self, columns: Sequence[Column]) -> tuple[Shape, _Keys]:
        known = self._shapes.get(tuple(columns))
        if known is None:
            name = self.table.name if self.table else None
            known = compiled(name, columns, self._options, self._functions), self._keys(columns)
            self._shapes[tuple(columns)] = known
            self._tell_dropped(known[0])
        return known

    def _tell_dropped(self, shape: Shape) -> None:
        if shape.dropped and not self._warned:
            self._warned = True
            named = ", ".join(f"{column.name} ({column.type_name or 'unknown'})" for column in shape.dropped)
            _log.warning(f"{self.table or 'query'}: columns of types that records cannot hold are left out: {named}; "
                         "to have them, select them as text with query")  # fmt: skip

    def _keys(self, columns: Sequence[Column]) -> _Keys:
        """What the position is made of, from a row as the driver gives it."""
        names = [column.name for column in columns]

        def nothing(row: Sequence[Any]) -> None:
            return None

        number: Callable[[Sequence[Any]], int | None] = nothing
        micros: Callable[[Sequence[Any]], int | None] = nothing
        raw_time: Callable[[Sequence[Any]], Any] = nothing
        if self._select.incrementing:
            column = _named(columns, self._select.incrementing)
            number = self._number(column, names.index(column.name))
        if self._select.timestamps:
            times = [_named(columns, name) for name in self._select.timestamps]
            places = [names.index(column.name) for column in times]
            moment = [value_of(each, moment_of(each, self._options), self._options, self._functions) for each in times]

            def raw_time(row: Sequence[Any]) -> Any:
                return next((row[at] for at in places if row[at] is not None), None)

            def micros(row: Sequence[Any]) -> int | None:
                return next(
                    (of(row[at]) for at, of in zip(places, moment, strict=True) if row[at] is not None), None
                )  # fmt: skip

        return _Keys(number, raw_time, micros)

    def _number(self, column: Column, at: int) -> Callable[[Sequence[Any]], int]:
        if column.kind not in _NUMBERS or column.scale > 0:
            raise SourceError(
                f"incrementing.column.name: column {column.name} of {self.table or 'the query'} is a "
                f"{column.type_name or column.kind.value}, and must be a whole number; name another, or use timestamps"
            )
        of = value_of(column, column.form, self._options, self._functions)

        def number(row: Sequence[Any]) -> int:
            if row[at] is None:
                raise SourceError(f"incrementing.column.name: column {column.name} is null in a row; fill it, and make "
                                  "the column NOT NULL")  # fmt: skip
            return int(of(row[at]))

        return number


def _before_last_time(rows: Sequence[Any], raw_time: Callable[[Sequence[Any]], Any]) -> int:
    """How many rows come before those of the last one's timestamp."""
    last = raw_time(rows[-1])
    return next((at + 1 for at in range(len(rows) - 2, -1, -1) if raw_time(rows[at]) != last), 0)


def _named(columns: Sequence[Column], name: str) -> Column:
    """Raises: SourceError: a result has no such column."""
    same = [column for column in columns if column.name == name] or [
        column for column in columns if column.name.lower() == name.lower()
    ]
    if len(same) != 1:
        shown = ", ".join(column.name for column in columns)
        raise SourceError(f"column {name} is not in what is read, which has {shown}; correct incrementing.column.name, "
                          "timestamp.column.name or query")  # fmt: skip
    return same[0]
