"""One table, or the query: its rows after the last position, as polls, again and again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Final

import structlog

from cdc.dialect import TableName
from cdc.errors import SourceError
from cdc.jdbc import moments
from cdc.jdbc.columns import Column, Kind
from cdc.jdbc.config import JdbcSourceConfig
from cdc.jdbc.deletions import Deletions
from cdc.jdbc.first_read import FirstRead, before_last, between, cut
from cdc.jdbc.first_read import partition as of_ranges
from cdc.jdbc.horizon import Horizon
from cdc.jdbc.offset import Position, partition
from cdc.jdbc.session import Query, Result, Session
from cdc.jdbc.sessions import Sessions, Statement
from cdc.jdbc.statements import BULK, INCREMENTING, TIMESTAMP, Select
from cdc.jdbc.types import Shape, compiled, moment_of, value_of
from cdc.record import Batch, Poll, SourceOffset

MARGIN_MICROS: Final = 250_000
"""A statement stamps its rows when it begins, a moment before the database counts it among the open ones."""
_SAME_TIME_BATCHES: Final = 20
"""So many batches of rows of one timestamp are held together, to begin none of them again after a restart."""
_NUMBERS: Final = (Kind.BIT, Kind.TINYINT, Kind.SMALLINT, Kind.INTEGER, Kind.BIGINT, Kind.NUMERIC, Kind.DECIMAL)
_TIMES: Final = (Kind.TIMESTAMP, Kind.DATE)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Reads:
    """What is read, and from where.

    Attributes:
        table: None for the query.
        select: see there; `select.base` without the user's suffix.
        position: after which to go on.
        keys: the columns of the table's key, when deleted rows are to be found.
        walk: a column whose numbers divide the table into ranges that are read at once; None: it is read in one go.
        begun: what an earlier start left of these ranges.
    """

    table: TableName | None
    select: Select
    topic: str
    position: Position
    keys: Sequence[str] = ()
    walk: str | None = None
    begun: FirstRead | None = None


@dataclass(frozen=True)
class _Keys:
    """What of a row is its position, and its place in a range: functions over a row of the driver.

    Attributes:
        later: the larger, the later the row's timestamp.
    """

    number: Callable[[Sequence[Any]], int | None]
    raw_time: Callable[[Sequence[Any]], Any]
    micros: Callable[[Sequence[Any]], int | None]
    later: Callable[[Sequence[Any]], Any]
    walked: Callable[[Sequence[Any]], int | None]


class TableReader:
    """Rounds of one table. A round that raised is not to be repeated with the same reader."""

    def __init__(
        self, session: Session, config: JdbcSourceConfig, reads: Reads, sessions: Callable[[], Sessions]
    ) -> None:  # fmt: skip
        """`sessions` gives those that read ranges."""
        self._session, self._config, self.table, self._sessions = session, config, reads.table, sessions
        self._options, self._functions = config.options(), session.product.FUNCTIONS
        self._topic, self.position = reads.topic, reads.position
        self._query = Query(reads.select.base, reads.table)
        self._walk = reads.walk
        self.begun = reads.begun if reads.begun is not None and self._goes_on(reads.begun) else None
        wait = config.wait_for_open
        numbers_only = config.mode == INCREMENTING
        self._select = reads.select.bounded() if wait and numbers_only else reads.select
        name = str(reads.table) if reads.table else "the query"
        self._horizon = Horizon(session, name, writers=numbers_only, wait=wait)
        self._times: tuple[bool, int] | None = None
        self._shapes: dict[tuple[Column, ...], tuple[Shape, _Keys]] = {}
        self._warned = self._looked = False
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
        if self._config.mode != BULK and not self._looked:
            if self.table is not None or self._session.database.kind != "sqlite":  # where values tell types
                check_columns(self._columns(), self._select, self._query)
            self._looked = True
        if self._walk is not None and self.begun is None:
            self.begun = self._cut()
            if self.begun is None and self.waits:
                return
        if self.begun is not None:
            yield from self._in_ranges(self.begun)
            return
        mode = self._config.mode
        parameters: Sequence[Any] | None = ()
        if mode == INCREMENTING:
            parameters = self._between_numbers()
        elif mode != BULK and (until := self._until()) is not None:
            parameters = self._between_times(until)
        elif mode != BULK:
            parameters = None
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
            count = len(rows) if result.whole else before_last(rows, keys.raw_time)
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

    # Ranges

    def _cut(self) -> FirstRead | None:
        """The table in ranges; None while transactions must end first, or when it is not worth it."""
        config, mode, walk = self._config, self._config.mode, self._walk
        assert walk is not None
        column, least = _named(self._columns(), walk), 2 * config.batch_rows
        low, high = self._session.all(self._select.ends(walk))[0]
        if not _is_whole(column) or low is None:
            low = high = 0
        low, high = max(int(low), 0) if mode == INCREMENTING else int(low), int(high)
        if not cut(low, high, config.sessions, least):
            self._walk = walk if mode == BULK else None
            return None
        if mode == BULK:
            return FirstRead(self._walk_key(), None, between(cut(low, high, config.sessions, least), None, None))
        bound = self._horizon.reach(lambda: high) if mode == INCREMENTING else self._until()
        if bound is None:
            return None
        if mode == INCREMENTING:
            return FirstRead(self._walk_key(), bound, between(cut(low, bound, config.sessions, least), -1, bound))
        return FirstRead(self._walk_key(), bound, between(cut(low, high, config.sessions, least), None, None))

    def _in_ranges(self, first: FirstRead) -> Iterator[Poll]:
        """Each range in the order of its numbers; at the end the position that the mode goes on from."""
        assert self.table is not None and self._walk is not None
        walk, by_time = self._walk, self._config.by_time
        given = self._between_times(first.bound) if by_time and first.bound is not None else ()

        def statement(after: int | None, upto: int | None) -> Statement:
            numbers = [number for number in (after, upto) if number is not None]
            return self._select.in_range(walk, after, upto), (*given, *numbers)

        statements = [statement(each.after, each.upto) for each in first.ranges]
        for fetched in self._sessions().read(statements, self._query):
            if fetched is None:
                yield Poll()
                continue
            shape, keys = self._shape(fetched.columns)
            rows = first.ranges[fetched.number].take(fetched.rows, keys.walked, whole=fetched.whole)
            first.rows += len(rows)
            if rows and by_time:
                first.reached = _further(first.reached, rows, keys)
            yield Poll([self._batch(shape, rows)] if rows else [], [first.offset(self.table)])
        yield Poll([], self._all_read(first))

    def _all_read(self, first: FirstRead) -> list[SourceOffset]:
        assert self.table is not None
        forgotten = SourceOffset(of_ranges(self.table), None)
        self.begun = None
        if self._config.mode == BULK:
            return [forgotten]
        self._walk = None
        reached = Position(first.bound) if self._config.mode == INCREMENTING else first.reached
        if reached == Position():
            return [forgotten]
        self.position = reached
        return [self._offset(), forgotten]

    def _goes_on(self, begun: FirstRead) -> bool:
        """Whether an earlier start's ranges are of this mode, column and beginning; without any, all were read."""
        bounded = begun.bound is not None or self._config.mode == BULK
        return self._walk is not None and bounded and (begun.key == self._walk_key() or not begun.ranges)

    def _walk_key(self) -> str:
        return f"{self._config.mode} {self._walk} {self.position.micros or 0}"

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

    def _until(self) -> int | None:
        """The microseconds since 1970 before which timestamps can be read; None while they are not known."""
        _, digits = self._described()

        def now() -> int:
            product, zone = self._session.product, self._options.zone
            wall = product.now(self._session.one(product.NOW), moments.to_wall(zone) if zone else None)
            margin = MARGIN_MICROS if self._config.wait_for_open else 0
            return moments.floored(wall - self._config.delay_ms * 1000 - margin, max(digits, 0))

        wall = self._horizon.reach(now)
        if wall is None:
            return None
        zone = self._options.zone
        return moments.to_moment(zone)(wall) if zone else wall

    def _between_times(self, until: int) -> Sequence[Any]:
        zoned, digits = self._described()
        end = self._parameter(until, zoned, digits)
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
            found = self._columns()
            columns = [_named(found, name) for name in self._select.timestamps]
            digits = min(column.digits for column in columns)
            if self._session.database.kind == "sqlite":
                digits = self._sqlite_digits()
            self._times = any(column.zoned for column in columns), digits
        return self._times

    def _columns(self) -> Sequence[Column]:
        """What is read would have them."""
        result = self._session.rows(self._select.empty(), (), self._query)
        result.fetch()
        result.close()
        return result.columns

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
        later: Callable[[Sequence[Any]], Any] = nothing
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

            later = itemgetter(places[0]) if len(places) == 1 else micros
        walked: Callable[[Sequence[Any]], int | None] = nothing
        if self._walk is not None:
            column = _named(columns, self._walk)
            walked = self._number(column, names.index(column.name))
        return _Keys(number, raw_time, micros, later, walked)

    def _number(self, column: Column, at: int) -> Callable[[Sequence[Any]], int]:
        if not _is_whole(column):
            raise _no_number(column, self._query)
        of = value_of(column, column.form, self._options, self._functions)

        def number(row: Sequence[Any]) -> int:
            if row[at] is None:
                raise SourceError(f"incrementing.column.name: column {column.name} is null in a row; fill it, and make "
                                  "the column NOT NULL")  # fmt: skip
            return int(of(row[at]))

        return number


def check_columns(columns: Sequence[Column], select: Select, query: Query) -> None:
    """Raises: SourceError: those that rows are read by are not in the result, or of another kind."""
    if select.incrementing and not _is_whole(column := _named(columns, select.incrementing)):
        raise _no_number(column, query)
    for name in select.timestamps:
        column = _named(columns, name)
        if column.kind not in _TIMES:
            raise SourceError(f"timestamp.column.name: {_told(column, query)}, and must be a timestamp or a date; name "
                              "another, or use mode=incrementing")  # fmt: skip


def _is_whole(column: Column) -> bool:
    return column.kind in _NUMBERS and column.scale <= 0


def _no_number(column: Column, query: Query) -> SourceError:
    told = f"{_told(column, query)}, and must be a whole number"
    return SourceError(f"incrementing.column.name: {told}; name another, or use timestamps")


def _told(column: Column, query: Query) -> str:
    return f"column {column.name} of {query.table or 'the query'} is a {column.type_name or column.kind.value}"


def _further(reached: Position, rows: Sequence[Any], keys: _Keys) -> Position:
    """The later one of a position and the rows', which stand in the order of their numbers."""
    row = max(reversed(rows), key=keys.later)
    found = Position(keys.number(row), keys.micros(row))
    return max(reached, found, key=lambda each: (each.micros is not None, each.micros or 0, each.number or 0))


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
