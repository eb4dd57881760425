"""Connect schemas, and how a value of each stands in memory.

A value is plain Python, chosen so that a row needs no objects of its own:

    INT8 INT16 INT32 INT64   int
    FLOAT32 FLOAT64          float
    BOOLEAN STRING BYTES     bool, str, bytes
    ARRAY MAP                list, dict
    STRUCT                   tuple, one item per field in schema order
    Decimal                  int, the unscaled value; the scale stands in the schema's parameters
    Date Time Timestamp      int: days, milliseconds of the day, milliseconds since 1970-01-01

`None` is null. Source: Kafka Connect's `org.apache.kafka.connect.data`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from struct import Struct
from typing import Any, Final

DECIMAL: Final = "org.apache.kafka.connect.data.Decimal"
DATE: Final = "org.apache.kafka.connect.data.Date"
TIME: Final = "org.apache.kafka.connect.data.Time"
TIMESTAMP: Final = "org.apache.kafka.connect.data.Timestamp"
_SINGLE: Final = Struct("<f")


class Type(Enum):
    """A Connect schema type; the value is its name in `JsonConverter`'s schemas."""

    INT8 = "int8"
    INT16 = "int16"
    INT32 = "int32"
    INT64 = "int64"
    FLOAT32 = "float"
    FLOAT64 = "double"
    BOOLEAN = "boolean"
    STRING = "string"
    BYTES = "bytes"
    ARRAY = "array"
    MAP = "map"
    STRUCT = "struct"


@dataclass(frozen=True, slots=True)
class Field:
    """One member of a struct schema."""

    name: str
    schema: Schema


@dataclass(frozen=True, eq=False)
class Schema:
    """A Connect schema. Hashable and compared by content, so compiled functions are kept per schema.

    Attributes:
        parameters: pairs in the order they are written.
        default: a value as the module's table says; None is "no default".
        fields: members of a STRUCT.
        keys, items: key and value schema of a MAP; `items` alone is the element schema of an ARRAY.
    """

    type: Type
    optional: bool = False
    name: str | None = None
    version: int | None = None
    doc: str | None = None
    parameters: tuple[tuple[str, str], ...] = ()
    default: Any = None
    fields: tuple[Field, ...] = ()
    keys: Schema | None = None
    items: Schema | None = None

    def _content(self) -> tuple[Any, ...]:
        default = self.default if isinstance(self.default, int | str | bytes | None) else repr(self.default)
        kind = type(self.default).__name__
        return (self.type, self.optional, self.name, self.version, self.doc, self.parameters,
                kind, default, self.fields, self.keys, self.items)  # fmt: skip

    def __hash__(self) -> int:
        known: int | None = self.__dict__.get("_hash")
        if known is None:
            known = hash(self._content())
            self.__dict__["_hash"] = known
        return known

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Schema) or hash(self) != hash(other):
            return False
        return self._content() == other._content()

    def parameter(self, name: str) -> str | None:
        return next((value for key, value in self.parameters if key == name), None)

    def index(self, name: str) -> int | None:
        """Where the field `name` stands in a struct's tuple; None when there is no such field."""
        known: dict[str, int] | None = self.__dict__.get("_index")
        if known is None:
            known = {field.name: i for i, field in enumerate(self.fields)}
            self.__dict__["_index"] = known
        return known.get(name)

    def field(self, name: str) -> Field | None:
        at = self.index(name)
        return None if at is None else self.fields[at]

    def with_(self, **changes: Any) -> Schema:
        """The same schema with some attributes changed."""
        return replace(self, **changes)

    @property
    def scale(self) -> int:
        """Digits after the point of a Decimal schema."""
        return int(self.parameter("scale") or 0)


def struct(*fields: tuple[str, Schema], **attributes: Any) -> Schema:
    """A STRUCT schema of (name, schema) pairs."""
    return Schema(Type.STRUCT, fields=tuple(Field(n, s) for n, s in fields), **attributes)


def array(items: Schema, **attributes: Any) -> Schema:
    return Schema(Type.ARRAY, items=items, **attributes)


def map_of(keys: Schema, values: Schema, **attributes: Any) -> Schema:
    return Schema(Type.MAP, keys=keys, items=values, **attributes)


def decimal(scale: int, *, precision: int | None = None, **attributes: Any) -> Schema:
    """A Decimal schema; `precision` adds Debezium's `connect.decimal.precision` parameter."""
    parameters: tuple[tuple[str, str], ...] = (("scale", str(scale)),)
    if precision is not None:
        parameters += (("connect.decimal.precision", str(precision)),)
    return Schema(Type.BYTES, name=DECIMAL, version=1, parameters=parameters, **attributes)


INT8 = Schema(Type.INT8)
INT16 = Schema(Type.INT16)
INT32 = Schema(Type.INT32)
INT64 = Schema(Type.INT64)
FLOAT32 = Schema(Type.FLOAT32)
FLOAT64 = Schema(Type.FLOAT64)
BOOLEAN = Schema(Type.BOOLEAN)
STRING = Schema(Type.STRING)
BYTES = Schema(Type.BYTES)
OPTIONAL_INT8 = Schema(Type.INT8, optional=True)
OPTIONAL_INT16 = Schema(Type.INT16, optional=True)
OPTIONAL_INT32 = Schema(Type.INT32, optional=True)
OPTIONAL_INT64 = Schema(Type.INT64, optional=True)
OPTIONAL_FLOAT32 = Schema(Type.FLOAT32, optional=True)
OPTIONAL_FLOAT64 = Schema(Type.FLOAT64, optional=True)
OPTIONAL_BOOLEAN = Schema(Type.BOOLEAN, optional=True)
OPTIONAL_STRING = Schema(Type.STRING, optional=True)
OPTIONAL_BYTES = Schema(Type.BYTES, optional=True)


def decimal_bytes(unscaled: int) -> bytes:
    """The unscaled value as Java's `BigInteger.toByteArray` writes it: shortest big-endian two's complement."""
    return unscaled.to_bytes((unscaled + (unscaled < 0)).bit_length() // 8 + 1, "big", signed=True)


def to_single(value: float) -> float:
    """The nearest 32-bit float, which is all a FLOAT32 holds; infinity when it is out of range."""
    try:
        single: float = _SINGLE.unpack(_SINGLE.pack(value))[0]
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
    return single


def decimal_text(unscaled: int, scale: int) -> str:
    """Plain text of a Decimal with exactly `scale` digits after the point, never an exponent."""
    sign, digits = ("-", str(-unscaled)) if unscaled < 0 else ("", str(unscaled))
    if scale <= 0:
        return sign + digits + "0" * -scale if unscaled else "0"
    digits = digits.rjust(scale + 1, "0")
    return f"{sign}{digits[:-scale]}.{digits[-scale:]}"
