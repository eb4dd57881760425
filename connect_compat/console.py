"""The worker's log: structlog and the standard library's loggers as one stream on stderr, secrets masked.

For people on a terminal, one JSON object a line elsewhere.
"""

from __future__ import annotations

import logging
import sys
from collections import deque
from collections.abc import MutableMapping, Sequence
from typing import Any, Final

import structlog

from connect_compat.masking import MASK, looks_secret, text_without_secrets

LEVELS: Final = {"trace": 5, "debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING,
                 "warning": logging.WARNING, "error": logging.ERROR, "off": logging.CRITICAL + 10}  # fmt: skip


_TALKATIVE: Final = ("elastic_transport", "urllib3")
"""Libraries that log each request as INFO, and as WARNING each failure, which they raise too."""


_KEPT: Final = 2000


class Recent(logging.Handler):
    """The last lines that were logged, as fields, for those who ask over REST."""

    def __init__(self, processors: Sequence[Any], before: Sequence[Any]) -> None:
        super().__init__()
        kept = [*processors, self._keep]
        self.setFormatter(structlog.stdlib.ProcessorFormatter(processors=kept, foreign_pre_chain=list(before)))
        self._lines: deque[dict[str, Any]] = deque(maxlen=_KEPT)
        self.last = 0
        """Number of the last line; the first has 1."""

    def _keep(self, logger: Any, method: str, event: MutableMapping[str, Any]) -> str:
        self.last += 1
        self._lines.append(
            {key: value if isinstance(value, int | float) else str(value) for key, value in event.items()}
        )
        return ""

    def emit(self, record: logging.LogRecord) -> None:
        self.format(record)

    def lines(self, after: int) -> list[dict[str, Any]]:
        """Those with a greater number, as far as they are kept."""
        kept = list(self._lines)
        return kept[max(0, len(kept) - max(0, self.last - after)) :]


def recent() -> Recent | None:
    """What this process logged lately; None before `configure`."""
    return next((each for each in logging.getLogger().handlers if isinstance(each, Recent)), None)


def _quieten() -> None:
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.ERROR)


def mask(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Values under secret names, and secrets inside texts."""
    for key, value in event.items():
        if looks_secret(key) and value:
            event[key] = MASK
        elif isinstance(value, str) and not key.startswith("_"):
            event[key] = text_without_secrets(value)
    return event


def _process(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """What a record of a task process says of its task, as fields."""
    record = event.get("_record")
    for name in ("connector", "task"):
        value = getattr(record, name, None)
        if value is not None:
            event.setdefault(name, value)
    return event


def configure(level: str = "info", *, as_json: bool | None = None) -> None:
    """Sets up all logging of this process. `as_json` None: people when stderr is a terminal.

    Raises: KeyError: no such level; `LEVELS` has them.
    """
    plain = not sys.stderr.isatty() if as_json is None else as_json
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: Any = structlog.processors.JSONRenderer() if plain else structlog.dev.ConsoleRenderer()
    fields: list[Any] = [_process, structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    texts: list[Any] = [structlog.processors.format_exc_info, mask]
    ending = [*fields, *(texts if plain else [mask]), renderer]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=ending, foreign_pre_chain=shared))
    root = logging.getLogger()
    root.handlers = [handler, Recent([*fields, *texts], shared)]
    root.setLevel(LEVELS[level.lower()])
    _quieten()
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def through_logging() -> None:
    """structlog's events as records of the standard library, text and fields in one line: in a task's process."""
    _quieten()
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.processors.format_exc_info,
            _one_line,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _one_line(logger: Any, method: str, event: MutableMapping[str, Any]) -> str:
    trace = event.pop("exception", None)
    text = str(event.pop("event", ""))
    fields = " ".join(f"{key}={value}" for key, value in mask(logger, method, event).items())
    return " ".join(filter(None, (text, fields))) + (f"\n{trace}" if trace else "")
