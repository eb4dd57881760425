"""`topic.naming.strategy` and its keys -> the topic of a table, what its key is told apart by, and the other topics.

Source: Debezium 3.5.0.Final, `AbstractTopicNamingStrategy` and its classes, and recorded events.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cdc.errors import Problem
from cdc.java.regex import compile_java, expand
from cdc.naming import topic_name, unicode_topic_name

_PACKAGE: Final = "io.debezium.schema."
_REGEX: Final = ("DefaultRegexTopicNamingStrategy", "SchemaRegexTopicNamingStrategy")
_UNICODE: Final = ("DefaultUnicodeTopicNamingStrategy", "SchemaUnicodeTopicNamingStrategy")
STRATEGIES: Final = tuple(
    _PACKAGE + name for name in ("DefaultTopicNamingStrategy", "SchemaTopicNamingStrategy", *_REGEX, *_UNICODE)
)


@dataclass(frozen=True, kw_only=True)
class RegexNaming:
    """Keys of the two strategies with `Regex` in their names; the wire names begin with `topic.`."""

    regex: str | None = None
    replacement: str | None = None
    unique: bool = True
    key_field: str = "__dbz__physicalTableIdentifier"
    key_regex: str | None = None
    key_replacement: str | None = None


class TopicNaming:
    """The topics of one connector. A table stands in a database or in a schema: `home` is its name."""

    def __init__(
        self,
        prefix: str,
        *,
        strategy: str | None = None,
        delimiter: str = ".",
        regex: RegexNaming | None = None,
        homes: str = "Default",
    ) -> None:
        """`homes`: how strategies are named that show the home: `Default` of databases, `Schema` of schemas."""
        self._prefix, self._delimiter, self._regex = prefix, delimiter, regex or RegexNaming()
        simple_name = (strategy or f"{homes}TopicNamingStrategy").removeprefix(_PACKAGE)
        self._routes = simple_name in _REGEX
        self._shows_home = simple_name.startswith(homes)
        self._legal: Callable[[str], str] = unicode_topic_name if simple_name in _UNICODE else topic_name

    @property
    def key_field(self) -> str | None:
        """A field at the end of every key that tells tables of one topic apart; None: there is none."""
        return self._regex.key_field if self._routes and self._regex.unique else None

    def topic(self, home: str, table: str) -> str:
        """Also the name that the schemas of the table's records begin with."""
        usual = self._legal(self._origin(home, table))
        if not self._routes:
            return usual
        return _replaced(self._regex.regex, self._regex.replacement, usual) or usual

    def key_value(self, home: str, table: str) -> str:
        """What stands in `key_field`."""
        origin = self._origin(home, table)
        if not (self._regex.key_regex or "").strip():
            return origin
        changed = _replaced(self._regex.key_regex, self._regex.key_replacement, origin)
        return origin if changed is None else changed

    def _origin(self, home: str, table: str) -> str:
        parts = (self._prefix, home if self._shows_home else "", table)
        return self._delimiter.join(part for part in parts if part and not part.isspace())


def _replaced(pattern: str | None, replacement: str | None, text: str) -> str | None:
    found = compile_java(pattern or "").fullmatch(text)
    return None if found is None else expand(found, replacement or "")


def problems(strategy: str, regex: RegexNaming, invalid: str) -> list[Problem]:
    """What is wrong with the naming; `invalid` is the sentence for a wrong value, with {name} and {problem}."""
    if strategy not in STRATEGIES:
        shown = ", ".join(STRATEGIES)
        problem = (
            f"{strategy} is not known here, where no Java runs: use one of {shown} (with topic.regex and "
            "topic.replacement), or name topics by the transform org.apache.kafka.connect.transforms.RegexRouter"
        )
        return [Problem("topic.naming.strategy", invalid.format(name="topic.naming.strategy", problem=problem))]
    if strategy.removeprefix(_PACKAGE) not in _REGEX:
        return []
    given: Mapping[str, str | None] = {
        "topic.regex": regex.regex, "topic.replacement": regex.replacement,
        "topic.key.field.regex": regex.key_regex, "topic.key.field.replacement": regex.key_replacement,
    }  # fmt: skip
    found = {name: "A value is required" for name in ("topic.regex", "topic.replacement") if not given[name]}
    if given["topic.key.field.regex"] and not given["topic.key.field.replacement"]:
        found["topic.key.field.replacement"] = "It must be non-empty if topic.key.field.regex is set"
    for name in ("topic.regex", "topic.key.field.regex"):
        try:
            pattern = compile_java(given[name] or "")
            _check_groups(pattern, given[name.replace("regex", "replacement")] or "")
        except (re.error, IndexError) as error:
            found.setdefault(name, f"A regular expression is expected, and its replacement names groups in it: {error}")
    return [Problem(name, invalid.format(name=name, problem=problem)) for name, problem in found.items()]


def _check_groups(pattern: re.Pattern[str], replacement: str) -> None:
    """Raises: IndexError: the replacement names a group that the pattern has not."""
    named: Sequence[str] = re.findall(r"\$\{(\w+)\}", replacement)
    numbered: Sequence[str] = re.findall(r"(?<!\\)\$(\d)", replacement)
    missing = [name for name in named if name not in pattern.groupindex]
    missing += [number for number in numbered if int(number) > pattern.groups]
    if missing:
        raise IndexError(f"there is no group {missing[0]}")
