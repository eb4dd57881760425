"""The methods that expressions may call: of texts, numbers, lists, maps, structs and schemas. All only read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from cdc.errors import TransformError
from cdc.java.hashing import signed
from cdc.java.regex import compile_java, expand
from connect_compat.expressions.values import HeaderView, Moment, SchemaView, StructView, equal, text

Methods = Mapping[str, Callable[..., Any]]
_TRIMMED: Final = "".join(map(chr, range(33)))


def _matches(item: str, pattern: str) -> bool:
    return compile_java(pattern).fullmatch(item) is not None


def _replaced(item: str, pattern: str, replacement: str) -> str:
    return compile_java(pattern).sub(lambda found: expand(found, replacement), item)


def _part(item: str, start: int, end: int | None = None) -> str:
    if not 0 <= start <= (len(item) if end is None else end) <= len(item):
        raise TransformError(f"begin {start}, end {len(item) if end is None else end}, length {len(item)}")
    return item[start:end]


_TEXT: Final[Methods] = {
    "startsWith": lambda item, *other: item.startswith(*other),
    "endsWith": str.endswith,
    "contains": lambda item, other: other in item,
    "includes": lambda item, other: other in item,
    "equals": lambda item, other: item == other,
    "equalsIgnoreCase": lambda item, other: isinstance(other, str) and item.lower() == other.lower(),
    "compareTo": lambda item, other: (item > other) - (item < other),
    "toLowerCase": str.lower,
    "toUpperCase": str.upper,
    "trim": lambda item: item.strip(_TRIMMED),
    "strip": str.strip,
    "length": len,
    "size": len,
    "isEmpty": lambda item: not item,
    "isBlank": lambda item: not item.strip(),
    "matches": _matches,
    "substring": _part,
    "indexOf": str.find,
    "lastIndexOf": str.rfind,
    "charAt": lambda item, at: item[at],
    "concat": lambda item, other: item + text(other),
    "replace": lambda item, old, new: item.replace(old, new),
    "replaceAll": _replaced,
    "split": lambda item, by: [*re.split(compile_java(by), item)],
    "toInteger": int,
    "toLong": int,
    "toDouble": float,
    "toBigDecimal": Decimal,
}
_NUMBER: Final[Methods] = {
    "intValue": lambda item: signed(int(item)),
    "longValue": int,
    "doubleValue": float,
    "equals": equal,
    "compareTo": lambda item, other: (item > other) - (item < other),
    "abs": abs,
}
_LIST: Final[Methods] = {
    "contains": lambda item, other: any(equal(each, other) for each in item),
    "includes": lambda item, other: any(equal(each, other) for each in item),
    "size": len,
    "isEmpty": lambda item: not item,
    "get": lambda item, at: item[at],
    "join": lambda item, by=",": by.join(map(text, item)),
}
_MAP: Final[Methods] = {
    "containsKey": lambda item, name: name in item,
    "get": lambda item, name, default=None: item.get(name, default),
    "size": len,
    "isEmpty": lambda item: not item,
}
_STRUCT: Final[Methods] = {
    **dict.fromkeys(
        ("get", "getString", "getInt8", "getInt16", "getInt32", "getInt64", "getFloat32", "getFloat64", "getBoolean",
         "getStruct", "getArray", "getMap"), StructView.get,
    ),
    "schema": lambda item: SchemaView(item.schema),
}  # fmt: skip
_SCHEMA: Final[Methods] = {
    "name": lambda item: item.schema.name if item.called is None else item.called,
    "version": lambda item: item.schema.version,
    "doc": lambda item: item.schema.doc,
    "isOptional": lambda item: item.schema.optional,
    "schema": lambda item: SchemaView(item.schema),
    "type": lambda item: item.schema.type.name,
    "field": lambda item, name: None if (found := item.schema.field(name)) is None else SchemaView(found.schema, name),
}
_MOMENT: Final[Methods] = {"getTime": lambda item: item.milliseconds}
_REGEX: Final[Methods] = {"test": lambda item, other: item.search(other) is not None}
_EVERY: Final[Methods] = {"toString": text, "equals": equal}
_BY_TYPE: Final[tuple[tuple[Any, Methods], ...]] = (
    (str, _TEXT), (bool, {}), ((int, float, Decimal), _NUMBER), (list, _LIST), (dict, _MAP), (StructView, _STRUCT),
    (SchemaView, _SCHEMA), (Moment, _MOMENT), (re.Pattern, _REGEX),
)  # fmt: skip
NAMES: Final = frozenset(name for _, methods in (*_BY_TYPE, (None, _EVERY)) for name in methods)
"""Every method there is."""


def call(item: Any, name: str, arguments: list[Any]) -> Any:
    """Raises: TransformError: no such method of such a value, or arguments it does not take."""
    methods = next((methods for kind, methods in _BY_TYPE if isinstance(item, kind)), {})
    method = methods.get(name) or _EVERY.get(name)
    if method is None:
        raise TransformError(f"{name}() is not a method of {type(item).__name__.removesuffix('View').lower()}")
    try:
        return method(item, *arguments)
    except (TypeError, ValueError, IndexError, ArithmeticError) as error:
        raise TransformError(f"{name}(): {error}") from None


def member(item: Any, name: str, *, script: bool) -> Any:
    """`item.name`; `script`: as JavaScript, where what is missing is undefined.

    Raises: TransformError: nothing of that name.
    """
    match item:
        case None:
            raise TransformError(f"Cannot get property '{name}' on null object; write ?. where a value may be null")
        case StructView():
            return item.get(name) if not script or item.has(name) else None
        case dict():
            return item.get(name)
        case HeaderView():
            return {"value": item.value, "schema": item.schema}.get(name)
        case str() | list() if name == "length" and script:
            return len(item)
    raise TransformError(f"No such property: {name} of {type(item).__name__.removesuffix('View').lower()}")
