"""Changed rows with nulls in them -> the same rows with what the table holds now, read again by their keys.

One query answers for all rows of a batch that lack the same columns. It waits for the locks of the rows, for a change
stands in the log a moment before others see it in the table. Source: Debezium 3.5.0.Final,
`ReselectColumnsPostProcessor`, and recorded events.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog

from cdc.changes import Row
from cdc.config import key, keys, parse, unknown
from cdc.errors import ConfigError, Problem, SourceError
from cdc.keys.texts import names as separated
from cdc.keys.texts import patterns
from cdc.mysql.failures import numbered
from cdc.mysql.log_tables import Shape
from cdc.mysql.rows import Select
from cdc.mysql.server import Server, quoted
from cdc.mysql.snapshot_values import compile_snapshot_rows, snapshot_select
from cdc.schema import DECIMAL, Schema, decimal_text
from cdc.table import Predicate, any_of, chosen

_log = structlog.get_logger(__name__)
CLASS_NAME: Final = "io.debezium.processors.reselect.ReselectColumnsPostProcessor"
_KEYS_A_QUERY: Final = 500
_NO_LOCK: Final = frozenset((1044, 1142, 1143, 1205, 1213, 1227))
"""No right to lock, or another's lock for a second: then rows are read as they are seen."""


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


class Reselect:
    """One processor; connects when a row first needs it."""

    def __init__(self, config: ReselectConfig, placeholder: str, connect: Callable[[], Server]) -> None:
        """`connect` gives a connection whose session is that of a snapshot; `placeholder` stands for no value."""
        self._config, self._connect = config, connect
        self._missing = frozenset((placeholder, placeholder.encode())) if config.unavailable else frozenset()
        include, exclude = patterns(config.include or ""), patterns(config.exclude or "")
        self._wanted: Predicate = any_of(include) if include else chosen((), exclude)
        self._server: Server | None = None
        self._plans: dict[tuple[Shape, tuple[int, ...]], _Query] = {}
        self._places: dict[Shape, tuple[int, ...]] = {}

    def fill(self, shape: Shape, rows: Sequence[Row]) -> list[Row]:
        """The rows, in order, what they lack filled in where their table still has them.

        Raises: SourceUnavailable: the server is away; SourceError: it refuses, and the processor is to fail then.
        """
        filled = list(rows)
        if not (self._config.by_event_key and shape.envelope.key) and not shape.table.primary_key:
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
        server, self._server = self._server, None
        if server is not None:
            server.close()

    def _lacks(self, value: Any) -> bool:
        if value is None:
            return self._config.nulls
        return type(value) in (str, bytes) and value in self._missing

    def _columns(self, shape: Shape) -> tuple[int, ...]:
        """Places in a row of the columns that may be read again; only those that are shown."""
        places = self._places.get(shape)
        if places is None:
            names = [name for name, _ in shape.envelope.fields]
            places = tuple(i for i, name in enumerate(names) if self._wanted(f"{shape.table.id}:{name}"))
            self._places[shape] = places
        return places

    def _fill(self, shape: Shape, lacks: tuple[int, ...], rows: list[Row], numbers: Sequence[int]) -> None:
        query = self._plans.get((shape, lacks))
        if query is None:
            query = self._plans[shape, lacks] = _Query(shape, lacks, by_event_key=self._config.by_event_key)
        try:
            found = self._asked(query, [query.key(rows[number]) for number in numbers])
        except SourceError as error:
            if error.retriable or self._config.on_error == "fail":
                raise
            _log.warning("columns could not be read again", table=str(shape.table.id), reason=str(error))
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
                    f"a row of {shape.table.id} was to be read again and is not there (any more); set "
                    "reselect.error.handling.mode=warn to send it as it is"
                )
            else:
                _log.warning("a row that was to be read again is not there", table=str(shape.table.id))

    def _asked(self, query: _Query, keys: Sequence[Row]) -> dict[Row, Row]:
        """Values by key. A connection that was lost meanwhile is made anew once."""
        if self._server is not None:
            try:
                return query.run(self._server, keys)
            except SourceError as error:
                if not error.retriable:
                    raise
                self.close()
        self._server = self._connect()
        self._server.run("SET SESSION innodb_lock_wait_timeout = 1")
        try:
            return query.run(self._server, keys)
        except SourceError as error:
            if error.retriable:
                self.close()
            raise


class _Query:
    """How some columns of a table are read for some keys."""

    def __init__(self, shape: Shape, lacks: Sequence[int], *, by_event_key: bool) -> None:
        names = shape.envelope.key if by_event_key else shape.table.primary_key
        masks = shape.masks or (None,) * len(shape.columns)
        last = {column.name: i for i, column in enumerate(shape.columns)}
        self._key = tuple(last[name] for name in names if name in last)
        self._schemas = [schema for _, schema in (*shape.envelope.fields, *shape.envelope.key_only)]
        places = [*self._key, *lacks]
        columns = [shape.columns[i] for i in places]
        self._table = shape.table.id
        self._start = f"SELECT {snapshot_select(shape.table, columns)} FROM {quoted(*shape.table.id)} WHERE "
        self._keys = [quoted(shape.columns[i].name) for i in self._key]
        self._convert = compile_snapshot_rows(columns, shape.options, [masks[i] for i in places])

    def key(self, row: Row) -> Row:
        return tuple(row[i] for i in self._key)

    def run(self, server: Server, keys: Sequence[Row]) -> dict[Row, Row]:
        """Raises: SourceUnavailable, SourceError."""
        wanted = [[self._literal(server, value, i) for value, i in zip(k, self._key, strict=True)] for k in keys]
        alternatives = " OR ".join(
            "(" + " AND ".join(f"{name} = {value}" for name, value in zip(self._keys, one, strict=True)) + ")"
            for one in wanted
        )
        try:
            return self._read(server, f"{self._start}{alternatives} LOCK IN SHARE MODE")
        except SourceError as error:
            if numbered(error.__cause__ or error)[0] not in _NO_LOCK:
                raise
            return self._read(server, self._start + alternatives)

    def _read(self, server: Server, sql: str) -> dict[Row, Row]:
        count = len(self._key)
        found: dict[Row, Row] = {}
        for raw in Select(server.connection, server.settings, sql).chunks(_KEYS_A_QUERY):
            for row in self._convert(raw):
                found.setdefault(row[:count], row[count:])
        return found

    def _literal(self, server: Server, value: Any, place: int) -> str:
        schema: Schema = self._schemas[place]
        if isinstance(value, int) and schema.name == DECIMAL:
            value = decimal_text(value, schema.scale)
        return str(server.connection.escape(value))
