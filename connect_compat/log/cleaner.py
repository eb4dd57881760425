"""Retention and compaction of a log that does not do so itself, once a minute on a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cdc.errors import TailraceError
from connect_compat.log import Log

EVERY_S = 60.0
_GRACE_S = 5.0
_logger = logging.getLogger(__name__)


@contextmanager
def cleaned(open_log: Callable[[], Log], every_s: float = EVERY_S) -> Iterator[None]:
    """Cleans while the block runs. What fails is logged and tried again; a round cut short leaves the log whole."""
    over = threading.Event()
    thread = threading.Thread(target=_clean, args=(open_log, every_s, over), name="log-cleaner", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(_GRACE_S)


def _clean(open_log: Callable[[], Log], every_s: float, over: threading.Event) -> None:
    while not over.wait(every_s):
        try:
            log = open_log()
            try:
                log.clean()
            finally:
                log.close()
        except TailraceError as error:
            _logger.warning("The log could not be cleaned, which is tried again in %.0f s: %s", every_s, error)
