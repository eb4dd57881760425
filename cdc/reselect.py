"""Changed rows with nulls in them -> the same rows with what the table holds now, read again by their keys.

One query answers for all rows of a batch that lack the same columns. Source: Debezium 3.5.0.Final,
`ReselectColumnsPostProcessor`, and recorded events.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar

import structlog

from cdc.changes import Row
from cdc.config import key, keys, parse, unknown
from cdc.envelope import TableEnvelope
from cdc.errors import ConfigError, Problem, SourceError
from cdc.keys.texts import names as separated
from cdc.keys.texts import patterns
from cdc.table import Predicate, any_of, chosen

_log = structlog.get_logger(__name__)
CLASS_NAME: Final = "io.debezium.processors.reselect.ReselectColumnsPostProcessor"
_KEYS_A_QUERY: Final = 500


@dataclass(frozen=True, kw_only=True)
class ReselectConfig:
    """What `post.processors` says of this processor, below its name."""

    include: str | None = key("reselect.columns.include.list", default=None,
                              doc="Regular expressions of `db.table:column` to read again.")  # fmt: skip
    exclude: str | None = key("reselect.columns.exclude.list", default=None,
                              doc="Regular expressions of `db.table:column` not to read again.")  # fmt: skip
    unavailable: bool = key("reselect.unavailable.values", default=True,
                            doc="Read again what holds unavailable.value.placeholder.")  # fmt: skip
    nulls: bool = key("reselect.null.values", default=True, doc="Read again what is null.")
    by_event_key: bool = key("reselect.use.event.key", default=False,
                             doc="Find rows by the event's key in place of the primary key.")  # fmt: skip
    on_error: str = key("reselect.error.handling.mode", default="warn", values=["warn", "fail"],
                        doc="What to do where a row cannot be read again.")  # fmt: skip


def configured(names: str | None, raw: Mapping[str, str]) -> list[ReselectConfig]:
    """The processors that `post.processors` names, in order. Raises: ConfigError."""
    found = []
    for name in separated(names):
        below = _settings(name, raw)
        if below.get("type") != CLASS_NAME:
            raise ConfigError([Problem("post.processors", _unknown(name, below.get("type")))])
        found.append(parse(ReselectConfig, below))
    return found


def unread(names: str | None, raw: Mapping[str, str]) -> list[str]:
    """A sentence for each key below a processor's name that it does not know."""
    known = {"type", *(each.name for each in keys(ReselectConfig).values())}
    return [
        problem.message
        for name in separated(names)
        for problem in unknown(_settings(name, raw), known, of=f"the post processor {name}")
    ]


def _unknown(name: str, given: str | None) -> str:
    if given is None:
        return f"post.processors lists {name}, so {name}.type must be set, to {CLASS_NAME}"
    return (
        f"{name}.type={given}: it names a Java class, and no Java runs here; there is {CLASS_NAME}. What another "
        "processor does can be done by a transform"
    )


def _settings(name: str, raw: Mapping[str, str]) -> dict[str, str]:
    return _below(f"post.processors.{name}.", raw) or _below(f"{name}.", raw)


def _below(prefix: str, raw: Mapping[str, str]) -> dict[str, str]:
    return {name.removeprefix(prefix): value for name, value in raw.items() if name.startswith(prefix)}


class Shaped(Protocol):
    """A version of a table, as `cdc.mysql` and `cdc.postgres` shape it."""

    @property
    def envelope(self) -> TableEnvelope: ...
    @property
    def name(self) -> str: ...
    @property
    def primary_key(self) -> Sequence[str]: ...


class Connection(Protocol):
    def close(self) -> None: ...


S = TypeVar("S", bound=Shaped)
C = TypeVar("C", bound=Connection)
C_contra = TypeVar("C_contra", contravariant=True)


class Lookup(Protocol[C_contra]):
    """How some columns of a table are read for some keys."""

    def key(self, row: Row) -> Row: ...

    def run(self, connection: C_contra, keys: Sequence[Row]) -> dict[Row, Row]:
        """The columns by key, of the rows that are there. Raises: SourceUnavailable, SourceError."""
        ...


@dataclass(frozen=True, kw_only=True)
class Server(Generic[S, C]):
    """How the tables of a server are asked.

    Attributes:
        connect: gives a connection whose session is that of a snapshot.
        lookup: of a shape, the places of the columns that lack, and whether rows are found by the event's key.
        missing: whether a value, not None, stands for one that the log does not hold.
    """

    connect: Callable[[], C]
    lookup: Callable[[S, Sequence[int], bool], Lookup[C]]
    missing: Callable[[Any], bool]


class Reselect(Generic[S, C]):
    """One processor; connects when a row first needs it."""

    def __init__(self, config: ReselectConfig, server: Server[S, C]) -> None:
        self._config, self._server = config, server
        include, exclude = patterns(config.include or ""), patterns(config.exclude or "")
        self._wanted: Predicate = any_of(include) if include else chosen((), exclude)
        self._connection: C | None = None
        self._plans: dict[tuple[S, tuple[int, ...]], Lookup[C]] = {}
        self._places: dict[S, tuple[int, ...]] = {}

    def fill(self, shape: S, rows: Sequence[Row]) -> list[Row]:
        """The rows, in order, what they lack filled in where their table still has them.

        Raises: SourceUnavailable: the server is away; SourceError: it refuses, and the processor is to fail then.
        """
        filled = list(rows)
        if not (self._config.by_event_key and shape.envelope.key) and not shape.primary_key:
            return filled
        if not shape.envelope.key:
            return filled
        places = self._columns(shape)
        lacking: dict[tuple[int, ...], list[int]] = {}
        for number, row in enumerate(rows):
            lacks = tuple(i for i in places if self._lacks(row[i]))
            if lacks:
                lacking.setdefault(lacks, []).append(number)
        for lacks, numbers in lacking.items():
            for at in range(0, len(numbers), _KEYS_A_QUERY):
                self._fill(shape, lacks, filled, numbers[at : at + _KEYS_A_QUERY])
        return filled

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _lacks(self, value: Any) -> bool:
        if value is None:
            return self._config.nulls
        return self._config.unavailable and self._server.missing(value)

    def _columns(self, shape: S) -> tuple[int, ...]:
        """Places in a row of the columns that may be read again; only those that are shown."""
        places = self._places.get(shape)
        if places is None:
            names = [name for name, _ in shape.envelope.fields]
            places = tuple(i for i, name in enumerate(names) if self._wanted(f"{shape.name}:{name}"))
            self._places[shape] = places
        return places

    def _fill(self, shape: S, lacks: tuple[int, ...], rows: list[Row], numbers: Sequence[int]) -> None:
        query = self._plans.get((shape, lacks))
        if query is None:
            query = self._plans[shape, lacks] = self._server.lookup(shape, lacks, self._config.by_event_key)
        try:
            found = self._asked(query, [query.key(rows[number]) for number in numbers])
        except SourceError as error:
            if error.retriable or self._config.on_error == "fail":
                raise
            _log.warning("columns could not be read again", table=shape.name, reason=str(error))
            return
        for number in numbers:
            values = found.get(query.key(rows[number]))
            if values is not None:
                row = list(rows[number])
                for place, value in zip(lacks, values, strict=True):
                    row[place] = value
                rows[number] = tuple(row)
            elif self._config.on_error == "fail":
                raise SourceError(
                    f"a row of {shape.name} was to be read again and is not there (any more); set "
                    "reselect.error.handling.mode=warn to send it as it is"
                )
            else:
                _log.warning("a row that was to be read again is not there", table=shape.name)

    def _asked(self, query: Lookup[C], keys: Sequence[Row]) -> dict[Row, Row]:
        """Values by key. A connection that was lost meanwhile is made anew once."""
        if self._connection is not None:
            try:
                return query.run(self._connection, keys)
            except SourceError as error:
                if not error.retriable:
                    raise
                self.close()
        self._connection = self._server.connect()
        try:
            return query.run(self._connection, keys)
        except SourceError as error:
            if error.retriable:
                self.close()
            raise


class Processors(Generic[S, C]):
    """All processors of a connector, one after the other."""

    def __init__(self, configs: Sequence[ReselectConfig], server: Server[S, C], signals: Sequence[str]) -> None:
        """`signals`: tables whose rows stay as they are."""
        self._each = [Reselect(config, server) for config in configs]
        self._signals = frozenset(signals)

    def __bool__(self) -> bool:
        return bool(self._each)

    def fill(self, shape: S, operation: str, rows: Sequence[Any]) -> list[Any]:
        """Inserted rows, or for updates pairs of them. An update that is left out for changing nothing stays as it is.

        Raises: SourceUnavailable, SourceError: as `Reselect.fill`.
        """
        if shape.name in self._signals:
            return list(rows)
        if operation == "c":
            return self._filled(shape, rows)
        skips, width = shape.envelope.settings.skip_unchanged, len(shape.envelope.fields)
        filled = self._filled(shape, [after for _, after in rows])
        return [
            (before, after if skips and before is not None and before[:width] == after[:width] else new)
            for (before, after), new in zip(rows, filled, strict=True)
        ]

    def _filled(self, shape: S, rows: Sequence[Row]) -> list[Row]:
        filled = list(rows)
        for processor in self._each:
            filled = processor.fill(shape, filled)
        return filled

    def close(self) -> None:
        for processor in self._each:
            processor.close()
