"""Keys that are accepted by name but do nothing: which are refused, which are warned of, and in what words.

Refused is what would change or reveal data when it is ignored; warned of is what only leaves something out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, NamedTuple

from cdc.config import keys, wire_text
from cdc.errors import Problem
from cdc.keys.declare import INVALID

NO_JAVA: Final = "it names a Java class, and no Java runs here; remove it"


class Limit(NamedTuple):
    """When `ignored` says yes to a field's value, `words` tell what that means."""

    field: str
    ignored: Callable[[Any], bool]
    words: str


def given(value: object) -> bool:
    return value not in (None, (), "", False)


def unless(*usual: str) -> Callable[[Any], bool]:
    return lambda value: value not in usual


def refused(config: object, limits: Iterable[Limit]) -> list[Problem]:
    """What the config asks for and must not be ignored."""
    return [
        Problem(name, INVALID.format(name=name, problem=f"{text}: {words}"))
        for name, text, words in _met(config, limits)
    ]  # fmt: skip


def warned(config: object, limits: Iterable[Limit]) -> list[str]:
    """What the config asks for and is not done, one sentence a key."""
    return [f"{name}={text}: {words}" for name, text, words in _met(config, limits)]


def _met(config: object, limits: Iterable[Limit]) -> Iterator[tuple[str, str | None, str]]:
    declared = keys(type(config))
    for limit in limits:
        value = getattr(config, limit.field)
        if limit.ignored(value):
            yield declared[limit.field].name, wire_text(value), limit.words
