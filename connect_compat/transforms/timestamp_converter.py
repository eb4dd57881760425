"""Timestamps from one form to another: text, a Unix number, or Connect's Date, Time and Timestamp."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, ClassVar, Final

from cdc.config import PLAIN, Importance, key
from cdc.errors import ConfigError, Problem, TransformError
from cdc.java.dates import DatePattern, date_pattern
from cdc.record import NULL, Batch
from cdc.schema import DATE, INT64, STRING, TIME, TIMESTAMP, Field, Schema, Type
from connect_compat.transforms.keys import null_default_key
from connect_compat.transforms.side import Each, Side, changed, need_maps, need_struct

_PURPOSE: Final = "timestamp conversion"
_DAY: Final = 86_400_000
_SCHEMAS: Final = {
    "string": STRING,
    "unix": INT64,
    "Date": Schema(Type.INT32, name=DATE, version=1),
    "Time": Schema(Type.INT32, name=TIME, version=1),
    "Timestamp": Schema(Type.INT64, name=TIMESTAMP, version=1),
}
_PER_SECOND: Final = {"nanoseconds": 10**9, "microseconds": 10**6, "milliseconds": 10**3, "seconds": 1}
Convert = Callable[[Any], Any]


@dataclass(frozen=True, kw_only=True)
class TimestampConverterConfig:
    """Which field, to which form."""

    LAYOUT = PLAIN
    field: str = key(
        "field", default="", importance=Importance.HIGH,
        doc="The field containing the timestamp, or empty if the entire value is a timestamp")  # fmt: skip
    target: str = key(
        "target.type", importance=Importance.HIGH, values=tuple(_SCHEMAS),
        unset=f"Invalid value null for configuration target.type: String must be one of: {', '.join(_SCHEMAS)}",
        doc="The desired timestamp representation: string, unix, Date, Time, or Timestamp")  # fmt: skip
    format: str = key(
        "format", default="",
        doc="A SimpleDateFormat-compatible format for the timestamp. Used to generate the output when type=string or "
            "used to parse the input if the input is a string.")  # fmt: skip
    precision: str = key(
        "unix.precision", default="milliseconds", importance=Importance.LOW, values=tuple(_PER_SECOND),
        doc="The desired Unix precision for the timestamp: seconds, milliseconds, microseconds, or nanoseconds. Used "
            "to generate the output when type=unix or used to parse the input if the input is a Long.Note: This SMT "
            "will cause precision loss during conversions from, and to, values with sub-millisecond "
            "components.")  # fmt: skip
    defaults: bool = null_default_key()


class _TimestampConverter:
    CLASS_NAME: ClassVar[str]
    CONFIG = TimestampConverterConfig
    _SIDE: ClassVar[Side]

    def __init__(self, config: TimestampConverterConfig) -> None:
        self._config = config
        self._pattern = _pattern(config)
        self._shape = lru_cache(maxsize=1000)(self._compile)

    def apply(self, batch: Batch) -> Sequence[Batch]:
        if not self._config.field and any(item is NULL for item in self._SIDE.items(batch)):
            schema = self._SIDE.schema(batch)
            assert schema is not None
            new, convert = self._shape(schema)
            items = self._SIDE.items(batch)
            return [self._SIDE.put(batch, new, [i if i is None or i is NULL else convert(i) for i in items])]
        return changed(batch, self._SIDE, self._rows)

    def _rows(self, schema: Schema | None, items: Sequence[Any]) -> tuple[Schema | None, Sequence[Any]]:
        if schema is not None:
            new, convert = self._shape(schema)
            return new, [convert(item) for item in items]
        if not self._config.field:
            return None, [self._free(item) for item in items]
        name = self._config.field
        return None, [{**item, name: self._free(item.get(name))} for item in need_maps(items, _PURPOSE)]

    def _free(self, value: Any) -> Any:
        """A schemaless value, whose form its class tells."""
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise TransformError(f"TimestampConverter does not support {type(value).__name__} as timestamp")
        return self._written(self._read(STRING if isinstance(value, str) else INT64)(value))

    def _compile(self, schema: Schema) -> tuple[Schema, Each]:
        target, defaults = _SCHEMAS[self._config.target], self._config.defaults
        if not self._config.field:
            read = self._read(schema)
            return target.with_(optional=schema.optional), lambda item: self._written(read(item))
        need_struct(schema, _PURPOSE)
        at = schema.index(self._config.field)
        fillings = [field.schema.default if defaults else None for field in schema.fields]
        fields = list(schema.fields)
        if at is None:
            return schema, lambda item: item
        read = self._read(fields[at].schema)
        fields[at] = Field(fields[at].name, target.with_(optional=fields[at].schema.optional))

        def convert(item: Any) -> Any:
            row = [filling if value is None else value for value, filling in zip(item, fillings, strict=True)]
            if row[at] is not None:
                row[at] = self._written(read(row[at]))
            return tuple(row)

        return schema.with_(fields=tuple(fields)), convert

    def _read(self, schema: Schema) -> Convert:
        """A function from a value under `schema` to milliseconds since 1970."""
        if schema.name == DATE:
            return lambda value: value * _DAY
        if schema.name in (TIME, TIMESTAMP):
            return lambda value: value
        if schema.type is Type.INT64:
            per_second = _PER_SECOND[self._config.precision]
            return lambda value: value * 1000 // per_second
        if schema.type is Type.STRING:
            return self._parsed
        raise TransformError(f"Schema {schema.name or schema.type.name} does not correspond to a known timestamp type "
                             "format; it must be STRING, INT64, Date, Time or Timestamp")  # fmt: skip

    def _parsed(self, text: str) -> int:
        if self._pattern is None:
            raise TransformError(
                "TimestampConverter requires format option to be specified when using string timestamps"
            )
        try:
            return self._pattern.parse(text, datetime.now(UTC).year)
        except ValueError:
            raise TransformError("Could not parse timestamp: a text does not match pattern "
                                 f"({self._config.format})") from None  # fmt: skip

    def _written(self, millis: int) -> Any:
        match self._config.target:
            case "string":
                return self._pattern.format(millis) if self._pattern else None
            case "unix":
                return millis * _PER_SECOND[self._config.precision] // 1000
            case "Date":
                return millis // _DAY
            case "Time":
                return millis % _DAY
            case _:
                return millis


def _pattern(config: TimestampConverterConfig) -> DatePattern | None:
    """Raises: ConfigError: a format that is missing or is none."""
    if not config.format:
        if config.target == "string":
            raise ConfigError([Problem("format", "TimestampConverter requires format option to be specified when using "
                                                 "string timestamps")])  # fmt: skip
        return None
    try:
        return date_pattern(config.format)
    except ValueError as error:
        raise ConfigError([Problem("format", f"TimestampConverter requires a SimpleDateFormat-compatible pattern for "
                                             f"string timestamps: {error}")]) from None  # fmt: skip


class TimestampConverterKey(_TimestampConverter):
    CLASS_NAME = "org.apache.kafka.connect.transforms.TimestampConverter$Key"
    _SIDE = Side.KEY


class TimestampConverterValue(_TimestampConverter):
    CLASS_NAME = "org.apache.kafka.connect.transforms.TimestampConverter$Value"
    _SIDE = Side.VALUE
