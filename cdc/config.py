"""Declare, parse, check and describe connector config: one frozen dataclass a plugin.

A field declared with `key(...)` parses its wire value, answers `validate`, and prints its row of the docs table.
Wire values are strings, as Kafka Connect has them.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Any, TypeVar

from cdc.errors import ConfigError, Problem

C = TypeVar("C")


class Importance(Enum):
    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"


class Password(str):
    """A secret. Prints as `[hidden]` everywhere; `reveal()` gives the text."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "[hidden]"

    def __str__(self) -> str:
        return "[hidden]"

    def __format__(self, spec: str) -> str:
        return "[hidden]"

    def reveal(self) -> str:
        return "".join(self)


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING: Any = _Missing()


@dataclass(frozen=True)
class Layout:
    """Where keys stand in Kafka Connect's definition when their declarations do not say; no order: they are counted."""

    group: str | None = "Common"
    width: str = "MEDIUM"
    order: int | None = None


PLAIN = Layout(group=None, width="NONE", order=-1)
"""As Kafka Connect declares its transforms and predicates."""
UNGROUPED = Layout(group=None, order=1)
"""As Debezium declares its transforms."""


CONFIG_DEF = "Invalid value {value} for configuration {name}: {problem}"
"""As Kafka's own definitions refuse a value."""
Check = Callable[[Any], str | None]
"""Given a parsed value: None, or a sentence why it cannot be used and what would be right."""


@dataclass(frozen=True, kw_only=True)
class Key:
    """One config key as declared.

    Attributes:
        type: Kafka Connect's type name: BOOLEAN STRING INT LONG DOUBLE LIST CLASS PASSWORD.
        default: the parsed default; MISSING when the key is required.
        aliases: older wire names of the same setting; using one logs one warning that names this one.
        values: the only values there are, in the order they are recommended.
        old_values: values of older releases, in lower case -> what they are called now.
        dependents: names of keys whose values make sense only with this one, as Connect's definition has them.
        needed: not `required` in Connect's definition, and still refused when it is missing (as Debezium does).
        invalid: the sentence for a wrong value, with `{name}`, `{value}` and `{problem}`.
        mistyped: what to say of a text that is not of a type, by type; in ConfigDef's words where nothing stands.
        internal: left out of `validate`, for the original's definition does not list it; it works and is documented.
        unset: what `validate` says too when a required key is missing, for the original checks the null as well.
    """

    name: str
    type: str
    default: Any
    doc: str
    importance: Importance
    group: str | None
    order: int
    width: str
    label: str
    aliases: tuple[str, ...]
    values: tuple[str, ...]
    old_values: Mapping[str, str]
    check: Check | None
    dependents: tuple[str, ...]
    needed: bool
    invalid: str
    mistyped: Mapping[str, str]
    internal: bool
    unset: str = ""

    @property
    def required(self) -> bool:
        return self.default is MISSING


def key(
    name: str,
    *,
    doc: str,
    default: Any = MISSING,
    type: str | None = None,
    importance: Importance = Importance.MEDIUM,
    group: str | None = None,
    order: int | None = None,
    width: str | None = None,
    label: str | None = None,
    aliases: Sequence[str] = (),
    values: Sequence[str] = (),
    old_values: Mapping[str, str] = MappingProxyType({}),
    check: Check | None = None,
    dependents: Sequence[str] = (),
    needed: bool = False,
    invalid: str = CONFIG_DEF,
    mistyped: Mapping[str, str] = MappingProxyType({}),
    internal: bool = False,
    unset: str = "",
) -> Any:
    """Declares a field of a config dataclass; the field's annotation gives the type unless `type` is given."""
    declared = {
        "name": name,
        "type": type,
        "default": default,
        "doc": doc,
        "importance": importance,
        "group": group,
        "order": order,
        "width": width,
        "label": label or name,
        "aliases": tuple(aliases),
        "values": tuple(values),
        "old_values": old_values,
        "check": check,
        "dependents": tuple(dependents),
        "needed": needed,
        "invalid": invalid,
        "mistyped": mistyped,
        "internal": internal,
        "unset": unset,
    }
    return dataclasses.field(metadata={"key": declared})


_TYPES: dict[Any, str] = {
    bool: "BOOLEAN", int: "INT", float: "DOUBLE", str: "STRING", Password: "PASSWORD", tuple: "LIST",
}  # fmt: skip


def _plain(annotation: Any) -> Any:
    """`int | None` -> int, `tuple[str, ...]` -> tuple."""
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union:
        annotation = next(a for a in typing.get_args(annotation) if a is not type(None))
    return typing.get_origin(annotation) or annotation


def keys(declared: type) -> dict[str, Key]:
    """Python field name -> key, in declaration order. Kept per class, whose `LAYOUT` places what has no place.

    A class's `WORDS` stand in its groups and docs for the names in braces, as `{server}`.
    """
    known: dict[str, Key] | None = declared.__dict__.get("__keys__")
    if known is None:
        hints = typing.get_type_hints(declared)
        layout: Layout = getattr(declared, "LAYOUT", Layout())
        known = {}
        for counted, item in enumerate(dataclasses.fields(declared), 1):
            meta = dict(item.metadata["key"])
            meta["type"] = meta["type"] or _TYPES[_plain(hints[item.name])]
            meta["group"] = meta["group"] or layout.group
            meta["width"] = meta["width"] or layout.width
            fixed = counted if layout.order is None else layout.order
            meta["order"] = fixed if meta["order"] is None else meta["order"]
            words = getattr(declared, "WORDS", {})
            meta |= {name: _worded(meta[name], words) for name in ("group", "doc") if meta[name]}
            known[item.name] = Key(**meta)
        declared.__keys__ = known  # type: ignore[attr-defined]
    return known


def _worded(text: str, words: Mapping[str, str]) -> str:
    for name, word in words.items():
        text = text.replace("{" + name + "}", word)
    return text


def _convert(kind: str, text: str) -> Any:
    """A trimmed wire value in its type. Raises ValueError, as `ConfigDef.parseType` refuses it."""
    match kind:
        case "BOOLEAN":
            if text.lower() not in ("true", "false"):
                raise ValueError("Expected value to be either true or false")
            return text.lower() == "true"
        case "INT" | "SHORT" | "LONG":
            if not re.fullmatch(r"[+-]?\d+", text):
                raise ValueError(f"Not a number of type {kind}")
            bits = {"SHORT": 15, "INT": 31, "LONG": 63}[kind]
            if not -(2**bits) <= int(text) < 2**bits:
                raise ValueError(f"Not a number of type {kind}")
            return int(text)
        case "DOUBLE":
            try:
                return float(text)
            except ValueError:
                raise ValueError("Not a number of type DOUBLE") from None
        case "LIST":
            return tuple(part.strip() for part in text.split(",")) if text else ()
        case "PASSWORD":
            return Password(text)
        case _:
            return text


def type_problem(kind: str, text: str) -> str | None:
    """Why a wire value is not of Kafka Connect's type `kind`; None when it is."""
    try:
        _convert(kind, text.strip())
    except ValueError as error:
        return str(error)
    return None


def wire_text(value: Any) -> str | None:
    """A parsed value (or default) as it stands on the wire; None for no value."""
    match value:
        case None | _Missing():
            return None
        case bool():
            return "true" if value else "false"
        case tuple() | list():
            return ",".join(map(str, value))
        case Enum():
            return str(value.value)
        case _:
            return str(value)


@dataclass(frozen=True)
class Value:
    """A key, what was given for it, and what is wrong with that; `mistyped`: it is not even of the key's type."""

    key: Key
    given: str | None
    parsed: Any
    errors: tuple[str, ...]
    deprecated_name: str | None = None
    mistyped: bool = False


def _problem(declared: Key, parsed: Any) -> str | None:
    """What is wrong with a parsed value; None when nothing is."""
    if declared.needed and parsed in ("", ()):
        return "A value is required"
    if declared.required and parsed in ("", ()):
        return (declared.check(parsed) if declared.check and parsed == "" else None) or "String must be non-empty"
    if declared.values:
        folded = {value.lower() for value in declared.values}
        asked = parsed if isinstance(parsed, tuple) else (parsed,)
        wrong = [part for part in asked if str(part).lower() not in folded]
        if wrong and declared.invalid == CONFIG_DEF:
            return f"String must be one of: {', '.join(declared.values)}"
        if wrong:
            return f"Value must be one of {', '.join(declared.values)}{_nearest(str(wrong[0]), declared.values)}"
    return None if declared.check is None else declared.check(parsed)


def _spelled(declared: Key, parsed: Any) -> Any:
    """A name of an old release or in other letter case, as it is declared."""
    if not isinstance(parsed, str) or not declared.values:
        return parsed
    parsed = declared.old_values.get(parsed.lower(), parsed)
    return next((value for value in declared.values if value.lower() == parsed.lower()), parsed)


def _value(declared: Key, raw: Mapping[str, str | None]) -> Value:
    names = [name for name in (declared.name, *declared.aliases) if raw.get(name) is not None]

    def wrong(name: str, value: str | None, problem: str) -> tuple[str, ...]:
        shown = "[hidden]" if declared.type == "PASSWORD" else value
        return (declared.invalid.format(name=name, value=shown, problem=problem),)

    if len(names) > 1:
        kept = names[0] if declared.type == "PASSWORD" else f"{names[0]}={raw[names[0]]}"
        problem = f"{names[0]} is set too and means the same; keep {kept} and remove {names[1]}"
        return Value(declared, raw[names[0]], None, wrong(names[1], raw[names[1]], problem), names[1])
    if not names:
        if declared.required:
            message = f'Missing required configuration "{declared.name}" which has no default value.'
            return Value(declared, None, None, (message, declared.unset) if declared.unset else (message,))
        errors = wrong(declared.name, None, "A value is required") if declared.needed else ()
        return Value(declared, None, declared.default, errors)
    old = names[0] if names[0] != declared.name else None
    given = raw[names[0]] or ""
    text = given if declared.type == "PASSWORD" else given.strip()
    try:
        parsed = _spelled(declared, _convert(declared.type, text))
    except ValueError as error:
        problem = declared.mistyped.get(declared.type, str(error))
        return Value(declared, given, None, wrong(names[0], given, problem), old, mistyped=True)
    found = _problem(declared, parsed)
    if found is not None:
        return Value(declared, given, None, wrong(names[0], given, found), old)
    return Value(declared, given, parsed, (), old)


def values(declared: type, raw: Mapping[str, str | None]) -> list[Value]:
    """Every key of `declared` with its value from `raw`; errors stand in each."""
    return [_value(item, raw) for item in keys(declared).values()]


def parse(declared: type[C], raw: Mapping[str, str | None]) -> C:
    """The typed config. Raises ConfigError with every problem at once."""
    parsed = values(declared, raw)
    problems = [Problem(value.key.name, error) for value in parsed for error in value.errors]
    if problems:
        raise ConfigError(problems)
    return declared(**dict(zip(keys(declared), (value.parsed for value in parsed), strict=True)))


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.75)
    return f"; did you mean {near[0]}?" if near else ""


def unknown(
    raw: Iterable[str], known: Iterable[str], prefixes: Sequence[str] = (), of: str = "this connector"
) -> list[Problem]:
    """One problem a key that nobody declared, naming the nearest declared one: to warn of, never to refuse."""
    names = set(known)
    return [
        Problem(name, f"{name} is not a setting of {of}{_nearest(name, names)}")
        for name in raw
        if name not in names and not name.startswith(tuple(prefixes))
    ]


def between(low: float, high: float) -> Check:
    return lambda value: None if low <= value <= high else f"Value must be between {low} and {high}"


def one_of(*known: str) -> Check:
    """As Kafka's own definitions have it: letter case counts."""
    return lambda value: None if value in known else f"String must be one of: {', '.join(known)}"


def at_least(low: float) -> Check:
    return lambda value: None if value >= low else f"Value must be at least {low}"
