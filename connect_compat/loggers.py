"""Levels of this process's loggers under Kafka Connect's names: told, and set while it runs."""

from __future__ import annotations

import logging
from typing import Any, Final

LEVELS: Final = {
    "OFF": logging.CRITICAL + 10, "FATAL": logging.CRITICAL, "ERROR": logging.ERROR, "WARN": logging.WARNING,
    "INFO": logging.INFO, "DEBUG": logging.DEBUG, "TRACE": 5, "ALL": 1,
}  # fmt: skip
_modified: dict[str, tuple[str, int]] = {}
"""What was set here: level by name as asked for, and when, in milliseconds since 1970."""


def with_levels() -> list[str]:
    """Loggers that have a level of their own, and `root`."""
    return sorted(["root", *(name for name, logger in _loggers().items() if logger.level)])


def is_known(name: str) -> bool:
    return name == "root" or name in _loggers()


def shown(name: str) -> dict[str, Any]:
    """A logger's level and when it was set, as REST shows them."""
    level, modified = _modified.get(name, (None, None))
    effective = _logger(name).getEffectiveLevel()
    if level is None or LEVELS[level] != effective:
        level = next((each for each, number in LEVELS.items() if number <= effective), "ALL")
    return {"level": level, "last_modified": modified}


def set_level(name: str, level: str, now_ms: int) -> list[str]:
    """Sets it for the logger and all whose names begin so; `root` is all. Those that changed by it, sorted."""
    known = _loggers()
    names = {"root", *known} if name == "root" else {name, *(each for each in known if each.startswith(name))}
    changed = sorted(each for each in names if _logger(each).level != LEVELS[level])
    for each in changed:
        _logger(each).setLevel(LEVELS[level])
        _modified[each] = (level, now_ms)
    return changed


def _loggers() -> dict[str, logging.Logger]:
    known = dict(logging.root.manager.loggerDict)
    return {name: found for name, found in known.items() if isinstance(found, logging.Logger)}


def _logger(name: str) -> logging.Logger:
    return logging.getLogger(None if name == "root" else name)
