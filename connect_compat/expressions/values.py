"""What an expression sees of a record, and how its values compare, add up and turn into text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Context, Decimal
from typing import Any, Final, NamedTuple

from cdc.errors import TransformError
from cdc.java.numbers import double_text
from cdc.record import NULL, Headers
from cdc.schema import DATE, DECIMAL, TIME, TIMESTAMP, Schema, Type, to_single

_EXACT: Final = Context(prec=10_000)
_DAY: Final = 86_400_000
_NUMBERS: Final = (int, float, Decimal)


class Record(NamedTuple):
    """One record as a transform has it."""

    topic: str
    key_schema: Schema | None
    key: Any
    value_schema: Schema | None
    value: Any
    headers: Headers


class StructView:
    """A struct; `get` as Connect's `Struct.get`, which gives the default for a null."""

    __slots__ = ("items", "schema")

    def __init__(self, schema: Schema, items: Any) -> None:
        self.schema, self.items = schema, items

    def has(self, name: str) -> bool:
        return self.schema.index(name) is not None

    def get(self, name: str) -> Any:
        """Raises: TransformError: no such field."""
        at = self.schema.index(name)
        if at is None:
            raise TransformError(f"{name} is not a valid field name; the fields are "
                                 f"{', '.join(field.name for field in self.schema.fields)}")  # fmt: skip
        schema, item = self.schema.fields[at].schema, self.items[at]
        return seen(schema, schema.default if item is None else item)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StructView) and (self.schema, self.items) == (other.schema, other.items)

    def __hash__(self) -> int:
        return hash(self.schema)


class SchemaView(NamedTuple):
    """A schema, for `valueSchema.name()` and `valueSchema.field('x')`; `called` is a field's name."""

    schema: Schema
    called: str | None = None


class Moment(NamedTuple):
    """A Connect Date, Time or Timestamp, which is a `java.util.Date` in Java."""

    milliseconds: int


class HeaderView(NamedTuple):
    schema: SchemaView | None
    value: Any


def seen(schema: Schema | None, item: Any) -> Any:
    """A value of `schema` as expressions work with it."""
    if item is None or item is NULL or schema is None:
        return None if item is NULL else item
    if schema.type is Type.STRUCT:
        return StructView(schema, item)
    if schema.name == DECIMAL:
        return Decimal(item).scaleb(-schema.scale, _EXACT)
    if schema.name in (DATE, TIME, TIMESTAMP):
        return Moment(item * _DAY if schema.name == DATE else item)
    if schema.type is Type.FLOAT32:
        return to_single(item)
    if schema.type is Type.ARRAY:
        return [seen(schema.items, each) for each in item]
    if schema.type is Type.MAP:
        return {seen(schema.keys, name): seen(schema.items, each) for name, each in item.items()}
    return item


def schema_of(schema: Schema | None) -> SchemaView | None:
    return None if schema is None else SchemaView(schema)


NAMES: Final[Mapping[str, Callable[[Record], Any]]] = {
    "topic": lambda record: record.topic,
    "key": lambda record: seen(record.key_schema, record.key),
    "value": lambda record: seen(record.value_schema, record.value),
    "keySchema": lambda record: schema_of(record.key_schema),
    "valueSchema": lambda record: schema_of(record.value_schema),
    "header": lambda record: {h.name: HeaderView(schema_of(h.schema), seen(h.schema, h.value)) for h in record.headers},
}
"""What an expression can name."""


def truth(item: Any) -> bool:
    """Null, zero and what is empty are false."""
    return item not in (None, False, 0, "") and item != [] and item != {}


def js_truth(item: Any) -> bool:
    """As `truth`; an empty list is true."""
    return not (item is None or item is False or item == "" or (_is_number(item) and (item == 0 or item != item)))


def _is_number(item: Any) -> bool:
    return isinstance(item, _NUMBERS) and not isinstance(item, bool)


def equal(left: Any, right: Any) -> bool:
    """Numbers by value whatever their types, nothing else across types."""
    if _is_number(left) and _is_number(right):
        return _same_kind(left, right)
    if isinstance(left, bool) != isinstance(right, bool):
        return False
    return type(left) is type(right) and bool(left == right)


def loosely_equal(left: Any, right: Any) -> bool:
    """JavaScript's `==`: a text that is a number equals the number."""
    for one, other in ((left, right), (right, left)):
        if isinstance(one, str) and (_is_number(other) or isinstance(other, bool)):
            try:
                return float(one or 0) == float(other)
            except ValueError:
                return False
        if isinstance(one, bool) and _is_number(other):
            return bool(int(one) == other)
    return equal(left, right)


def _same_kind(left: Any, right: Any) -> bool:
    """A decimal against a floating point number is compared as one."""
    if isinstance(left, float) or isinstance(right, float):
        return float(left) == float(right)
    return bool(left == right)


def compare(left: Any, right: Any) -> int:
    """Below 0, 0, above 0; null comes first. Raises: TransformError: what has no order."""
    if left is None or right is None:
        return (left is not None) - (right is not None)
    if _is_number(left) and _is_number(right):
        if isinstance(left, float) or isinstance(right, float):
            left, right = float(left), float(right)
        return int(left > right) - int(left < right)
    if isinstance(left, Moment) and isinstance(right, Moment):
        left, right = left.milliseconds, right.milliseconds
    elif not (isinstance(left, str) and isinstance(right, str)):
        raise TransformError(f"Cannot compare {_kind(left)} with {_kind(right)}")
    return int(left > right) - int(left < right)


def _kind(item: Any) -> str:
    return "null" if item is None else type(item).__name__.removesuffix("View").lower()


def text(item: Any) -> str:
    """As Java's `toString`."""
    match item:
        case None:
            return "null"
        case bool():
            return "true" if item else "false"
        case float():
            return double_text(item)
        case list():
            return f"[{', '.join(map(text, item))}]"
        case StructView() | Moment():
            raise TransformError(
                "a struct or a date has no text that an expression can use; name a field or call getTime()"
            )
        case _:
            return str(item)


def calculated(sign: str, left: Any, right: Any) -> Any:
    """`+` joins texts. Raises: TransformError: no numbers."""
    if sign == "+" and (isinstance(left, str) or isinstance(right, str)):
        return text(left) + text(right)
    if not (_is_number(left) and _is_number(right)):
        raise TransformError(f"{sign!r} cannot be applied to {_kind(left)} and {_kind(right)}")
    if isinstance(left, float) or isinstance(right, float):
        left, right = float(left), float(right)
    match sign:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
    if right == 0:
        raise TransformError("an expression divides by zero")
    if sign == "/":
        return left / right if isinstance(left, float) else Decimal(left) / Decimal(right)
    return left - right * int(left / right)
