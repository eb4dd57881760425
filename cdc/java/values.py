"""Values as the readable text of Kafka Connect's `Values` and back: strings as they are, the rest like JSON.

Source: Kafka Connect 4.3.1, by what it gives. What looks like a number, a boolean, a date, a list or a map is read as
one; all else is a string.
"""

from __future__ import annotations

import json
import re
from binascii import b2a_base64
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Never

from cdc.java.numbers import shortest_single
from cdc.java.text import instant, java_text
from cdc.schema import (
    BOOLEAN,
    DATE,
    FLOAT32,
    FLOAT64,
    INT8,
    INT16,
    INT32,
    INT64,
    STRING,
    TIME,
    TIMESTAMP,
    Schema,
    Type,
    array,
    decimal,
    map_of,
    to_single,
)

_FORMATS: Final = {DATE: "%Y-%m-%d", TIME: "%H:%M:%S.%fZ", TIMESTAMP: "%Y-%m-%dT%H:%M:%S.%fZ"}
_NUMBER: Final = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?")
_WHOLE: Final = ((7, INT8), (15, INT16), (31, INT32), (63, INT64))
_MOMENTS: Final = (
    (re.compile(r"\d{4}-\d{2}-\d{2}"), Schema(Type.INT32, name=DATE, version=1)),
    (re.compile(r"\d{2}:\d{2}:\d{2}\.\d{3}Z"), Schema(Type.INT32, name=TIME, version=1)),
    (re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z"), Schema(Type.INT64, name=TIMESTAMP, version=1)),
)
Read = tuple[Schema | None, Any]


def value_text(schema: Schema | None, value: Any, *, embedded: bool = False) -> str:
    """`embedded`: inside a list, a map or a struct, where strings stand in quotes."""
    match value:
        case None:
            return "null"
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' if embedded else value
        case bytes():
            text = b2a_base64(value, newline=False).decode()
            return f'"{text}"' if embedded else text
    if schema is not None and schema.name in _FORMATS:
        text = instant(schema, value).strftime(_FORMATS[schema.name])
        return re.sub(r"(\.\d{3})\d{3}Z$", r"\1Z", text)
    match value:
        case tuple() if schema is not None and schema.type is Type.STRUCT:
            pairs = [(f'"{f.name}"', value_text(f.schema, v, embedded=True))
                     for f, v in zip(schema.fields, value, strict=True)]  # fmt: skip
            return "{" + ",".join(f"{name}:{text}" for name, text in pairs) + "}"
        case list() | tuple():
            items = schema.items if schema else None
            return "[" + ",".join(value_text(items, item, embedded=True) for item in value) + "]"
        case dict():
            keys, items = (schema.keys, schema.items) if schema else (None, None)
            texts = [
                (value_text(keys, k, embedded=True), value_text(items, v, embedded=True)) for k, v in value.items()
            ]
            return "{" + ",".join(f"{key}:{text}" for key, text in texts) + "}"
        case _:
            return java_text(schema, value)


def parse_text(text: str) -> Read:
    """The value that a header's text most likely was, with its schema. `null` is a null."""
    bare = text.strip()
    if bare == "null":
        return None, None
    if bare in ("true", "false"):
        return BOOLEAN, bare == "true"
    if _NUMBER.fullmatch(bare):
        return _number(Decimal(bare))
    if moment := _moment(bare):
        return moment
    if bare[:1] in ("[", "{"):
        try:
            parsed = json.loads(bare, parse_float=Decimal, parse_constant=_refuse)
            return _structured(parsed)
        except (ValueError, ArithmeticError, RecursionError):
            return STRING, text
    return STRING, text


def _refuse(constant: str) -> Never:
    raise ValueError(constant)


def _moment(text: str) -> Read | None:
    for pattern, schema in _MOMENTS:
        if pattern.fullmatch(text):
            try:
                moment = datetime.strptime(text, _FORMATS[schema.name or DATE])
            except ValueError:
                return None
            since = moment - datetime(1900 if schema.name == TIME else 1970, 1, 1)
            return schema, since.days if schema.name == DATE else since // timedelta(milliseconds=1)
    return None


def _number(number: Decimal) -> Read:
    """The narrowest type that holds it: INT8 to INT64, FLOAT32, FLOAT64, Decimal."""
    if number.adjusted() < 19 and number == int(number):
        whole = int(number)
        for bits, schema in _WHOLE:
            if -(2**bits) <= whole < 2**bits:
                return schema, whole
    sign, digits, exponent = number.as_tuple()
    if exponent != 0 and abs(float(number)) != float("inf"):
        single = to_single(float(number))
        return (FLOAT32, shortest_single(single)) if abs(single) != float("inf") else (FLOAT64, float(number))
    unscaled = int("".join(map(str, digits))) * (-1 if sign else 1)
    return decimal(-int(exponent)), unscaled


def _structured(parsed: Any) -> Read:
    """A list or a map of parsed JSON; items of one type get its schema, mixed ones none."""
    match parsed:
        case str():
            return _moment(parsed) or (STRING, parsed)
        case bool():
            return BOOLEAN, parsed
        case int() | Decimal():
            return _number(Decimal(parsed))
        case list():
            schema, items = _alike([_structured(item) for item in parsed])
            return array(schema) if schema else Schema(Type.ARRAY), items
        case dict():
            schema, items = _alike([_structured(item) for item in parsed.values()])
            value = dict(zip(parsed, items, strict=True))
            return map_of(STRING, schema) if schema else Schema(Type.MAP, keys=STRING), value
        case _:
            return None, None


_WIDTHS: Final = {kind: width for width, kind in enumerate(
    (Type.INT8, Type.INT16, Type.INT32, Type.INT64, Type.FLOAT32, Type.FLOAT64))}  # fmt: skip


def _alike(items: Sequence[Read]) -> tuple[Schema | None, list[Any]]:
    """The one schema of all items, the widest of plain numbers, or None; and the items under it."""
    schemas, values = [schema for schema, _ in items], [value for _, value in items]
    if not schemas or any(schema is None for schema in schemas):
        return None, values
    known = [schema for schema in schemas if schema is not None]
    if all(schema == known[0] for schema in known):
        return known[0], values
    if all(schema.type in _WIDTHS and schema.name is None for schema in known):
        widest = max(known, key=lambda schema: _WIDTHS[schema.type])
        as_type: Callable[[Any], Any] = float if widest.type in (Type.FLOAT32, Type.FLOAT64) else int
        return widest, [as_type(value) for value in values]
    return None, values
