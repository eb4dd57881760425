"""Zones and patterns of paths: what is wrong with them, in words an operator can act on."""

from __future__ import annotations

import re
from datetime import timedelta, timezone, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cdc.errors import Problem
from sinks.s3.joda import compile_pattern

_OFFSET: Final = re.compile(r"([+-])([01]\d|2[0-3])(?::?([0-5]\d))?")


def zone(name: str) -> tzinfo:
    """A zone by its name, or one that is always so far from UTC: `+02:00`, `-0330`. Raises: ValueError."""
    if (found := _OFFSET.fullmatch(name)) is not None:
        sign, hours, minutes = found.groups("0")
        ahead = timedelta(hours=int(hours), minutes=int(minutes))
        return timezone(-ahead if sign == "-" else ahead, f"{sign}{int(hours):02d}:{int(minutes):02d}")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"there is no time zone {name!r}") from None


def problem_of_zone(name: str) -> list[Problem]:
    if not name:
        return [Problem("timezone", "Invalid value  for configuration timezone: Timezone cannot be empty.; set it, "
                        "such as timezone=UTC")]  # fmt: skip
    try:
        zone(name)
    except ValueError as error:
        return [Problem("timezone", f"Invalid value {name} for configuration timezone: {error}; use a name such as "
                        "UTC or Europe/Vienna, or hours from UTC such as +02:00")]  # fmt: skip
    return []


def problem_of_pattern(pattern: str, delimiter: str, locale: str) -> list[Problem]:
    if not pattern.strip() or pattern == delimiter:
        return [Problem("path.format", f"Invalid value {pattern} for configuration path.format: Path format cannot be "
                        "empty.; set it, such as 'year'=YYYY/'month'=MM/'day'=dd")]  # fmt: skip
    try:
        compile_pattern(pattern, locale)
    except ValueError as error:
        return [Problem("path.format", f"Invalid value {pattern} for configuration path.format: {error}")]
    return []
