"""How PostgreSQL is asked for rows that are read again by their keys: as a snapshot reads rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from cdc import reselect
from cdc.changes import Row
from cdc.postgres import texts
from cdc.postgres.capture import Shape
from cdc.postgres.types import signed
from cdc.postgres.wire import Session, quoted
from cdc.schema import DECIMAL, Schema, decimal_text

_SINCE_1970: Final = {
    "io.debezium.time.Date": "DATE '1970-01-01' + {}",
    "org.apache.kafka.connect.data.Date": "DATE '1970-01-01' + {}",
    "io.debezium.time.MicroTimestamp": "TIMESTAMP '1970-01-01' + {} * INTERVAL '1 microsecond'",
    "io.debezium.time.Timestamp": "TIMESTAMP '1970-01-01' + {} * INTERVAL '1 millisecond'",
    "org.apache.kafka.connect.data.Timestamp": "TIMESTAMP '1970-01-01' + {} * INTERVAL '1 millisecond'",
}  # fmt: skip
"""Keys that stand as numbers in events and as moments in the table, by the names of their schemas."""


def asked(
    placeholder: bytes, connect: Callable[[], Session], snapshot: Callable[[Shape], Shape]
) -> reselect.Server[Shape, Session]:
    """`placeholder` stands for no value; `snapshot` gives the shape of the same table as a snapshot reads it."""
    text = placeholder.decode("utf-8", "replace")
    whole = (text, placeholder, texts.json_text({text: text}))
    lists = ([text], [placeholder], signed(placeholder))

    def missing(value: Any) -> bool:
        if type(value) is list:
            return value in lists
        return value == {text: text} if type(value) is dict else type(value) in (str, bytes) and value in whole

    return reselect.Server(
        connect=connect, lookup=lambda shape, lacks, by_key: Lookup(shape, snapshot(shape), lacks, by_key),
        missing=missing,
    )  # fmt: skip


class Lookup:
    """As `cdc.reselect.Lookup` says."""

    def __init__(self, shape: Shape, read: Shape, lacks: Sequence[int], by_event_key: bool) -> None:
        """`read` gives rows in the order of `shape`."""
        names = shape.envelope.key if by_event_key else shape.primary_key
        last = {column.name: i for i, column in enumerate(shape.columns)}
        self._key = tuple(last[name] for name in names if name in last)
        self._lacks, self._read = tuple(lacks), read
        schemas = [schema for _, schema in (*shape.envelope.fields, *shape.envelope.key_only)]
        self._keys = [(quoted(shape.columns[i].name), _typed(shape, i), schemas[i]) for i in self._key]

    def key(self, row: Row) -> Row:
        return tuple(row[i] for i in self._key)

    def run(self, connection: Session, keys: Sequence[Row]) -> dict[Row, Row]:
        """Raises: SourceUnavailable, SourceError, ConversionError."""
        alternatives = " OR ".join(
            "(" + " AND ".join(_equal(*column, value) for column, value in zip(self._keys, key, strict=True)) + ")"
            for key in keys
        )
        found: dict[Row, Row] = {}
        for values in connection.texts(f"{self._read.select} WHERE {alternatives}"):
            row = self._read.row(values)
            found.setdefault(self.key(row), tuple(row[i] for i in self._lacks))
        return found


def _typed(shape: Shape, place: int) -> str:
    type_ = shape.columns[place].type
    return f"{quoted(type_.schema)}.{quoted(type_.name)}"


def _equal(column: str, type_: str, schema: Schema, value: Any) -> str:
    if type(value) is int and schema.name in _SINCE_1970:
        return f"{column} = {_SINCE_1970[schema.name].format(value)}"
    if type(value) is int and schema.name == DECIMAL:
        value = decimal_text(value, schema.scale)
    text = value.hex() if type(value) is bytes else str(value)
    literal = ("'\\x" if type(value) is bytes else "'") + text.replace("'", "''") + "'"
    return f"{column} = {literal}::{type_}"
