"""`converters` of a config -> for a column the schema and the values that Debezium's own column converters give it.

Source: Debezium 3.5.0.Final, `TinyIntOneToBooleanConverter`, `JdbcSinkDataTypesConverter`, and recorded events.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from cdc.errors import Problem
from cdc.keys.declare import INVALID
from cdc.keys.texts import patterns
from cdc.mysql.charset import AS_JAVA, codec, encoder
from cdc.mysql.column_default import default_value
from cdc.mysql.type_family import Family, TypeOptions, family, options_of
from cdc.schema import BOOLEAN, FLOAT32, FLOAT64, INT16, STRING, Schema, decimal_text, to_single
from cdc.table import Column, Predicate, TableId, any_of

Change = Callable[[Any], Any]
_PACKAGES: Final = ("io.debezium.connector.binlog.converters.", "io.debezium.connector.mysql.converters.")
_REAL, _DOUBLE = 7, 8
_NUMBERS: Final = (Family.INTEGER, Family.FLOAT, Family.DECIMAL)


@dataclass(frozen=True, eq=False)
class Conversion:
    """What a converter makes of one column.

    Attributes:
        schema: without default, and whether it is optional.
        log, snapshot: value as it is shown without the converter, perhaps None -> value; they differ where Debezium's
            converter is given different things, such as the number and the text of an ENUM's member.
        default: of the schema.
        decoded: the column, described so that values come as the converter is given them.
    """

    schema: Schema
    log: Change
    snapshot: Change
    default: Any
    decoded: Column


Converter = Callable[[str, Column, TypeOptions], Conversion | None]
"""(`db.table.column`, column, options) -> the conversion, None for columns that it leaves alone."""


def problems(raw: Mapping[str, str]) -> list[Problem]:
    """Converters of `converters` that are not at hand."""
    found = []
    for name in _names(raw):
        class_name = raw.get(f"{name}.type", "").strip()
        if _KINDS.get(_simple(class_name)) is None:
            given = f"{class_name} is a Java class, and no Java runs here" if class_name else "it has no class"
            known = ", ".join(_PACKAGES[0] + kind for kind in _KINDS)
            problem = f"{name}: {given}; {name}.type can be {known}. Else remove {name}"
            found.append(Problem("converters", INVALID.format(name="converters", problem=problem)))
    return found


class CustomConverters:
    """The converters of one connector; of those that want a column the first has it."""

    def __init__(self, raw: Mapping[str, str]) -> None:
        self._converters = [_KINDS[_simple(raw[f"{name}.type"].strip())](_settings(raw, name)) for name in _names(raw)]

    def of(self, table: TableId, column: Column, options: TypeOptions) -> Conversion | None:
        name = f"{table}.{column.name}"
        found = (converter(name, column, options) for converter in self._converters)
        return next((conversion for conversion in found if conversion is not None), None)


def _names(raw: Mapping[str, str]) -> Sequence[str]:
    return [name.strip() for name in raw.get("converters", "").split(",") if name.strip()]


def _simple(class_name: str) -> str:
    for package in _PACKAGES:
        if class_name.startswith(package):
            return class_name.removeprefix(package)
    return ""


def _settings(raw: Mapping[str, str], name: str) -> dict[str, str]:
    return {key.removeprefix(name + "."): value for key, value in raw.items() if key.startswith(name + ".")}


def _selector(settings: Mapping[str, str], key: str, *, otherwise: bool) -> Predicate:
    text = settings.get(key, "").strip()
    return any_of(patterns(text)) if text else lambda name: otherwise


def _made(
    schema: Schema, column: Column, options: TypeOptions, log: Change, snapshot: Change | None = None,
    default: Change | None = None,
) -> Conversion:  # fmt: skip
    """`default` is for the default's value; without it that is taken as a snapshot's."""
    change, value = default or snapshot or log, default_value(column, options)
    shown = None if value is None else change(value)
    # REAL in DDL that was streamed is shown as a float, but stored as a double
    decoded = replace(column, jdbc_type=_DOUBLE) if column.jdbc_type == _REAL else column
    return Conversion(schema, _or_none(log), _or_none(snapshot or log), shown, decoded)


def _or_none(change: Change) -> Change:
    return lambda value: None if value is None else change(value)


def _tiny_int_one_to_boolean(settings: Mapping[str, str]) -> Converter:
    selected = _selector(settings, "selector", otherwise=True)
    any_length = settings.get("length.checker", "true").lower() != "true"

    def convert(name: str, column: Column, options: TypeOptions) -> Conversion | None:
        is_tiny = column.type_name.upper() in ("TINYINT", "TINYINT UNSIGNED")
        if not is_tiny or not (any_length or column.length == 1) or not selected(name):
            return None
        return _made(BOOLEAN, column, options, lambda value: value > 0)

    return convert


def _jdbc_sink_data_types(settings: Mapping[str, str]) -> Converter:
    booleans, reals, strings = (
        _selector(settings, f"selector.{kind}", otherwise=False) for kind in ("boolean", "real", "string")
    )
    double = settings.get("treat.real.as.double", "true").lower() == "true"

    def convert(name: str, column: Column, options: TypeOptions) -> Conversion | None:
        if booleans(name):
            return _as_small_int(column, options)
        if reals(name):
            return _as_real(column, options, double=double)
        if strings(name):
            return _as_string(column, options)
        return None

    return convert


_KINDS: Final = {
    "TinyIntOneToBooleanConverter": _tiny_int_one_to_boolean,
    "JdbcSinkDataTypesConverter": _jdbc_sink_data_types,
}


def _number(column: Column, options: TypeOptions) -> Change | None:
    """A column's value as it is shown -> the number it stands for; None: the column holds no numbers."""
    kind = family(column)
    if kind is Family.DECIMAL and options.decimal == "precise":
        return lambda value: value / 10 ** (column.scale or 0)
    if kind in _NUMBERS:
        return float if kind is Family.DECIMAL else lambda value: value
    if kind is Family.ENUM:
        places = _places(column)
        return lambda value: places[value]
    return None


def _places(column: Column) -> dict[str, int]:
    """A member of an ENUM as the log shows it -> its number, as it stands in the log."""
    return {"": 0, **{member: place for place, member in enumerate(options_of(column), 1)}}


def _as_small_int(column: Column, options: TypeOptions) -> Conversion:
    kind, number = family(column), _number(column, options)
    if kind is Family.BOOLEAN:
        return _made(INT16, column, options, int)
    if kind is Family.BIT and (column.length or 1) == 1:
        return _made(INT16, column, options, lambda value: 0, int)
    if number is None:
        return _made(INT16, column, options, lambda value: 0)
    return _made(INT16, column, options, lambda value: int(int(number(value)) > 0),
                 _text_is_true if kind is Family.ENUM else None)  # fmt: skip


def _text_is_true(text: str) -> int:
    try:
        return int(int(text) > 0)
    except ValueError:
        return int(text.lower() == "true")


def _as_real(column: Column, options: TypeOptions, *, double: bool) -> Conversion:
    schema, rounded = (FLOAT64, float) if double else (FLOAT32, to_single)
    number = _number(column, options)
    if number is None:
        return _made(schema, column, options, lambda value: 0.0)
    return _made(schema, column, options, lambda value: rounded(float(number(value))))


def _as_string(column: Column, options: TypeOptions) -> Conversion:
    """Debezium takes the bytes of a text for UTF-8, whatever the column's character set."""
    charset = (("__debezium.source.column.character_set", column.charset),) if column.charset else ()
    schema, kind = STRING.with_(parameters=charset), family(column)
    if kind is Family.TEXT:
        if codec(column.charset) in ("utf_8", "ascii"):
            return _made(schema, column, options, lambda value: value)
        encode = encoder(column.charset)
        return _made(schema, column, options, lambda value: encode(value).decode("utf-8", AS_JAVA),
                     default=lambda value: value)  # fmt: skip
    if kind is Family.ENUM:
        places = _places(column)
        return _made(schema, column, options, lambda value: str(places[value]), lambda value: value)
    if kind is Family.SET:
        members = {member: 1 << place for place, member in enumerate(options_of(column))}
        return _made(schema, column, options,
                     lambda value: str(sum(map(members.__getitem__, value.split(",")))) if value else "0",
                     lambda value: value)  # fmt: skip
    if kind is Family.BINARY and options.binary == "bytes":
        return _made(schema, column, options, lambda value: value.decode("utf-8", AS_JAVA))
    if kind is Family.DECIMAL and options.decimal == "precise":
        return _made(schema, column, options, lambda value: decimal_text(value, column.scale or 0))
    if kind in _NUMBERS or kind is Family.JSON:
        return _made(schema, column, options, str)
    return _made(schema, column, options, lambda value: "")
