"""What declaring the keys of a Debezium source needs: its sentences for wrong values, and the checks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import Final

from cdc.config import key

INVALID: Final = "The '{name}' value is invalid: {problem}"
"""Debezium's sentence for a wrong value."""
FAILURE_MODES: Final = ("warn", "fail", "ignore", "skip")
_MISTYPED: Final = {
    "BOOLEAN": "Either 'true' or 'false' is expected", "INT": "An integer is expected",
    "LONG": "A long value is expected", "DOUBLE": "A double value is expected",
}  # fmt: skip

declared = partial(key, invalid=INVALID, mistyped=_MISTYPED)
"""Declares a field as `cdc.config.key` does, with Debezium's sentences."""


def positive(value: int) -> str | None:
    return None if value > 0 else "A positive, non-zero integer value is expected"


def not_negative(value: int) -> str | None:
    return None if value >= 0 else "A non-negative integer value is expected"


def topic_characters(value: str) -> str | None:
    if re.fullmatch(r"[A-Za-z0-9._-]+", value):
        return None
    return f"{value} has invalid format (only the underscore, hyphen, dot and alphanumeric characters are allowed)"


def java_regexes(value: Sequence[str] | str) -> str | None:
    """Java's regular expressions are nearly Python's; what does not compile here is refused with the reason."""
    for pattern in [value] if isinstance(value, str) else value:
        try:
            re.compile(pattern)
        except re.error as error:
            return f"A comma-separated list of valid regular expressions is expected, but {pattern!r}: {error}"
    return None


def operations(value: Sequence[str]) -> str | None:
    unknown = [name for name in value if name not in ("c", "u", "d", "t", "none")]
    return f"Operations are c, u, d, t and none, not {', '.join(unknown)}" if unknown else None
