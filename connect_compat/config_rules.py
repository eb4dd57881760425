"""What is wrong with a connector config as a whole, in Kafka Connect's words: keys that are right, but not together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from cdc.config import parse
from cdc.errors import Problem
from connect_compat.connector_config import aliases, with_prefix
from connect_compat.plugins import Kind

_NO_BOUNDARIES: Final = (
    "The connector does not support connector-defined transaction boundaries with the given configuration. "
    "Please reconfigure it to use a different transaction boundary definition."
)


def problems(kind: Kind, given: Mapping[str, str], *, exactly_once: bool) -> list[Problem]:
    """`exactly_once`: whether the log takes a source's records and offsets together."""
    return list(_of_sink(given)) if kind is Kind.SINK else list(_of_source(given, exactly_once=exactly_once))


def _of_source(given: Mapping[str, str], *, exactly_once: bool) -> Iterator[Problem]:
    """A source that must not repeat a record cannot run where a crash repeats some."""
    if given.get("exactly.once.support", "").strip().lower() == "required" and not exactly_once:
        yield Problem("exactly.once.support", "This worker does not have exactly-once source support enabled.")
    if given.get("transaction.boundary", "").strip().lower() == "connector":
        yield Problem("transaction.boundary", _NO_BOUNDARIES)


def _of_sink(given: Mapping[str, str]) -> Iterator[Problem]:
    """A sink reads either a list or a pattern, and never its own dead letters."""
    listed = [name.strip() for name in given.get("topics", "").split(",")]
    if len(listed) > 1 and not all(listed):
        yield Problem("topics", "Configuration 'topics' values must not be empty.")
    elif len(set(listed)) < len(listed):
        yield Problem("topics", "Configuration 'topics' values must not be duplicated.")
    topics, pattern = aliases(given.get("topics")), given.get("topics.regex", "").strip()
    if bool(topics) is bool(pattern):
        both = "topics and topics.regex are mutually exclusive options, but both are set."
        message = both if topics else "Must configure one of topics or topics.regex"
        yield from (Problem(name, message) for name in ("topics", "topics.regex"))
    dead = given.get("errors.deadletterqueue.topic.name", "").strip()
    if dead and dead in topics:
        yield Problem("topics", f"The DLQ topic '{dead}' may not be included in the list of topics "
                                f"('topics=[{', '.join(topics)}]') consumed by the connector")  # fmt: skip
    if dead and pattern and _matches(pattern, dead):
        yield Problem("topics.regex", f"The DLQ topic '{dead}' may not be matched by the regex for the topics "
                                      f"('topics.regex={pattern}') consumed by the connector")  # fmt: skip


def _matches(pattern: str, topic: str) -> bool:
    try:
        return re.fullmatch(pattern, topic) is not None
    except re.error:
        return False


def of_several(config: type | None, given: Mapping[str, str], prefix: str) -> list[Problem]:
    """What is wrong with settings that are right one by one, as the `problems` of their class tell."""
    if config is None or not hasattr(config, "problems"):
        return []
    below = with_prefix(given, prefix)
    found: Sequence[Problem] = parse(config, below).problems(below)
    return [Problem(prefix + each.key, each.message) for each in found]
