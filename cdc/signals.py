"""Signals: what a row of the signal table, or a text of another channel, asks for. No I/O.

Source: Debezium 3.5.0.Final, `io.debezium.pipeline.signal`, and its documentation "Sending signals".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

import structlog

from cdc.record import Inbox
from cdc.table import TableId

_log = structlog.get_logger(__name__)

SOURCE, KAFKA, FILE = "source", "kafka", "file"
CHANNELS: Final = (SOURCE, KAFKA, FILE)
WINDOW_OPEN, WINDOW_CLOSE = "snapshot-window-open", "snapshot-window-close"
TYPES: Final = (
    "log", "execute-snapshot", "stop-snapshot", "pause-snapshot", "resume-snapshot", "schema-changes",
    WINDOW_OPEN, WINDOW_CLOSE,
)  # fmt: skip


class Signal(NamedTuple):
    """A signal as it came. `data` is a JSON object as text, empty or None for none."""

    id: str
    type: str
    data: str | None = None


class Channel(Protocol):
    """A place other than the source's own log where signals come from."""

    def read(self) -> Sequence[Signal]:
        """What has come since the last call; returns at once."""

    def done(self) -> None:
        """All that was read is carried out and saved: it must not come again."""

    def close(self) -> None: ...


class Condition(NamedTuple):
    """`filter` holds for the tables whose whole name matches the regular expression `tables`, in any case.

    It is a condition for an incremental snapshot, and a SELECT statement for a blocking one.
    """

    tables: str
    filter: str


@dataclass(frozen=True)
class Execute:
    """`execute-snapshot`. `tables` are regular expressions of whole names, or names."""

    id: str
    tables: tuple[str, ...]
    blocking: bool = False
    conditions: tuple[Condition, ...] = ()
    surrogate_key: str | None = None

    def asks(self, table: TableId) -> bool:
        """Whether the table is meant, by its name with or without double quotes."""
        names = (str(table), f'"{table.database}"."{table.name}"')
        return any(re.fullmatch(pattern, name, re.IGNORECASE) for pattern in self.tables for name in names)

    def filter(self, table: str) -> str | None:
        """That of the first condition on the table."""
        found = (each.filter for each in self.conditions if re.fullmatch(each.tables, table, re.IGNORECASE))
        return next(found, None) or None


@dataclass(frozen=True)
class Stop:
    """`stop-snapshot`. `tables` are regular expressions of whole names; none: all."""

    tables: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pause:
    """`pause-snapshot`."""


@dataclass(frozen=True)
class Resume:
    """`resume-snapshot`."""


@dataclass(frozen=True)
class Log:
    """`log`. `{}` in the message stands for the offset."""

    message: str


@dataclass(frozen=True)
class SchemaChanges:
    """`schema-changes`: tables as `tableChanges` of the schema history describe them."""

    database: str
    changes: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Window:
    """`snapshot-window-open` and `-close`: a chunk's watermark."""

    id: str
    closes: bool


Request = Execute | Stop | Pause | Resume | Log | SchemaChanges | Window


class _Unusable(Exception):
    """Why a signal is passed over."""


def parse(signal: Signal) -> Request | None:
    """What the signal asks for; None, with a warning, for one that is not known or says too little."""
    try:
        return _parsed(signal)
    except _Unusable as unusable:
        _log.warning(f"a signal is passed over: {unusable}", id=signal.id, type=signal.type)
        return None


def _parsed(signal: Signal) -> Request:
    known = _KINDS.get(signal.type)
    if known is None:
        raise _Unusable(f"its type {signal.type!r} is not known; the types are {', '.join(TYPES)}")
    data: Any = {}
    if signal.data and signal.data.strip():
        try:
            data = json.loads(signal.data)
        except ValueError as error:
            raise _Unusable(f"its data is no JSON ({error}); give an object such as {_EXAMPLE}") from error
    if not isinstance(data, dict):
        raise _Unusable(f"its data is no JSON object; give one such as {_EXAMPLE}")
    return known(signal, data)


_EXAMPLE: Final = '{"data-collections": ["shop.orders"]}'


def _execute(signal: Signal, data: Mapping[str, Any]) -> Request:
    tables = _texts(data.get("data-collections"))
    if not tables:
        raise _Unusable(f'"data-collections" is missing or empty; name the tables, as in {_EXAMPLE}')
    blocking = _kind(data) == "BLOCKING"
    conditions = tuple(map(_condition, _list(data.get("additional-conditions"), "additional-conditions")))
    older = data.get("additional-condition")
    if isinstance(older, str) and older.strip() and not conditions:
        conditions = (Condition(".*", older),)
    surrogate = data.get("surrogate-key")
    return Execute(
        signal.id, tables, blocking, conditions, surrogate if isinstance(surrogate, str) and surrogate.strip() else None
    )


def _condition(given: Any) -> Condition:
    if not isinstance(given, dict):
        raise _Unusable('each of "additional-conditions" must be an object with "data-collection" and "filter"')
    tables, filter = given.get("data-collection"), given.get("filter")
    if not isinstance(tables, str) or not isinstance(filter, str):
        raise _Unusable('each of "additional-conditions" needs the texts "data-collection" and "filter"')
    _compiled(tables)
    return Condition(tables.strip(), filter)


def _stop(signal: Signal, data: Mapping[str, Any]) -> Request:
    if _kind(data) != "INCREMENTAL":
        raise _Unusable("a blocking snapshot cannot be stopped by a signal; restart the task")
    return Stop(_texts(data.get("data-collections")))


def _message(signal: Signal, data: Mapping[str, Any]) -> Request:
    message = data.get("message")
    if not isinstance(message, str) or not message:
        raise _Unusable('"message" is missing from its data')
    return Log(message)


def _changes(signal: Signal, data: Mapping[str, Any]) -> Request:
    database, changes = data.get("database"), data.get("changes")
    if not isinstance(changes, list) or not changes or not all(isinstance(change, dict) for change in changes):
        raise _Unusable('"changes" must be a list of table changes')
    if not isinstance(database, str) or not database:
        raise _Unusable('"database" is missing from its data')
    return SchemaChanges(database, tuple(changes))


def _kind(data: Mapping[str, Any]) -> str:
    kind = str(data.get("type") or "INCREMENTAL").upper()
    if kind not in ("INCREMENTAL", "BLOCKING"):
        raise _Unusable(f'its "type" {data["type"]!r} is not known; it is INCREMENTAL or BLOCKING')
    return kind


def _list(given: Any, name: str) -> list[Any]:
    if given is None:
        return []
    if not isinstance(given, list):
        raise _Unusable(f'"{name}" must be a list')
    return given


def _texts(given: Any) -> tuple[str, ...]:
    texts = _list(given, "data-collections")
    if not all(isinstance(text, str) for text in texts):
        raise _Unusable('"data-collections" must be a list of texts')
    stripped = tuple(text.strip() for text in texts)
    for text in stripped:
        _compiled(text)
    return stripped


def _compiled(pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise _Unusable(f"{pattern!r} is no regular expression ({error})") from error


_KINDS: Final[dict[str, Callable[[Signal, Mapping[str, Any]], Request]]] = {
    "log": _message,
    "execute-snapshot": _execute,
    "stop-snapshot": _stop,
    "pause-snapshot": lambda signal, data: Pause(),
    "resume-snapshot": lambda signal, data: Resume(),
    "schema-changes": _changes,
    WINDOW_OPEN: lambda signal, data: Window(signal.id, closes=False),
    WINDOW_CLOSE: lambda signal, data: Window(signal.id, closes=True),
}


def from_json(text: str | bytes) -> Signal | None:
    """A signal as the file and Kafka channels and REST carry it: `{"id"?, "type", "data"?}`; None with a warning."""
    try:
        found = json.loads(text)
        type = found["type"]
    except (ValueError, TypeError, KeyError):
        found, type = None, None
    if not isinstance(found, dict) or not isinstance(type, str):
        _log.warning('a signal is passed over: it is no JSON object such as {"id": "1", "type": "log", "data": {}}')
        return None
    data = found.get("data")
    text = data if isinstance(data, str) else "" if data is None else json.dumps(data)
    return Signal(str(found.get("id") or ""), type, text)


class Messages:
    """Signals as JSON in the values of messages; `key` None takes those of any key."""

    def __init__(self, inbox: Inbox, key: str | None = None) -> None:
        self._inbox, self._key = inbox, None if key is None else key.encode()

    def read(self) -> Sequence[Signal]:
        ours = [value for key, value in self._inbox.read() if value and self._key in (None, key)]
        return [signal for value in ours if (signal := from_json(value)) is not None]

    def done(self) -> None:
        self._inbox.done()

    def close(self) -> None:
        self._inbox.close()
