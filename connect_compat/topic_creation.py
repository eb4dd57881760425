"""The `topic.creation.*` settings of a source: a topic name in, the topic to create out.

Groups are tried in the order of `topic.creation.groups`, the implicit `default` last; include and exclude are lists of
regular expressions that match the whole name. Without any such setting a topic gets the log's own defaults.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from cdc.errors import ConfigError, Problem
from connect_compat.connector_config import aliases, with_prefix
from connect_compat.log import TopicSpec

_DEFAULT = "default"
_OWN = ("include", "exclude", "partitions", "replication.factor")


@dataclass(frozen=True)
class TopicGroup:
    """Topics that are created alike. `partitions`, `replication` of -1: the log's default."""

    include: tuple[re.Pattern[str], ...]
    exclude: tuple[re.Pattern[str], ...]
    partitions: int
    replication: int
    config: Mapping[str, str]

    def takes(self, topic: str) -> bool:
        return any(p.fullmatch(topic) for p in self.include) and not any(p.fullmatch(topic) for p in self.exclude)


@dataclass(frozen=True)
class TopicCreation:
    """What to create for each topic; `groups` ends with the default group, which takes every topic."""

    groups: tuple[TopicGroup, ...]

    def spec(self, topic: str) -> TopicSpec:
        group = next(group for group in self.groups if group.takes(topic))
        return TopicSpec(topic, group.partitions, group.replication, group.config)


def topic_creation(config: Mapping[str, str]) -> TopicCreation:
    """Raises: ConfigError with every problem of the `topic.creation.*` settings."""
    problems: list[Problem] = []
    below = with_prefix(config, "topic.creation.")
    names = aliases(below.pop("groups", None))
    default = with_prefix(below, f"{_DEFAULT}.")
    if below or names:
        problems += [_missing(f"{_DEFAULT}.{name}") for name in ("replication.factor", "partitions")
                     if name not in default]  # fmt: skip
    groups = [_group(name, {**_counts(default), **with_prefix(below, f"{name}.")}, problems)
              for name in names if name != _DEFAULT]  # fmt: skip
    groups.append(_group(_DEFAULT, {**default, "include": ".*"}, problems))
    if problems:
        raise ConfigError(problems)
    return TopicCreation(tuple(groups))


def _counts(default: Mapping[str, str]) -> dict[str, str]:
    return {name: default[name] for name in ("partitions", "replication.factor") if name in default}


def _missing(name: str) -> Problem:
    key = f"topic.creation.{name}"
    return Problem(key, f'Missing required configuration "{key}" which has no default value.')


def _group(name: str, settings: Mapping[str, str], problems: list[Problem]) -> TopicGroup:
    if "include" not in settings:
        problems.append(_missing(f"{name}.include"))
    return TopicGroup(
        _patterns(name, "include", settings, problems),
        _patterns(name, "exclude", settings, problems),
        _count(name, "partitions", settings, problems),
        _count(name, "replication.factor", settings, problems),
        {key: value for key, value in settings.items() if key not in _OWN},
    )


def _patterns(
    name: str, what: str, settings: Mapping[str, str], problems: list[Problem]
) -> tuple[re.Pattern[str], ...]:
    found = []
    for text in aliases(settings.get(what)):
        try:
            found.append(re.compile(text))
        except re.error as error:
            key = f"topic.creation.{name}.{what}"
            problems.append(
                Problem(key, f"Invalid value {text} for configuration {key}: no regular expression, {error}")
            )
    return tuple(found)


def _count(name: str, what: str, settings: Mapping[str, str], problems: list[Problem]) -> int:
    text = settings.get(what, "-1").strip()
    if re.fullmatch(r"-1|0*[1-9]\d*", text):
        return int(text)
    key = f"topic.creation.{name}.{what}"
    problems.append(Problem(key, f"Invalid value {text} for configuration {key}: "
                                 "Value must be -1 for the log's default, or at least 1"))  # fmt: skip
    return -1
