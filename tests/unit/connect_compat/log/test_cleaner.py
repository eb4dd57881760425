from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cdc.errors import LogUnavailable
from connect_compat.log import Encoded, Log, LogSettings, TopicSpec, open_log
from connect_compat.log.cleaner import cleaned
from connect_compat.log.embedded_file import File


def wait_until(seen: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not seen():
        assert time.monotonic() < end, "not seen in time"
        time.sleep(0.01)


def test_records_past_their_retention_go_while_the_worker_runs(tmp_path: Path) -> None:
    settings = LogSettings(path=str(tmp_path))
    log = open_log(settings)
    log.create_topics([TopicSpec("old", config={"retention.ms": "1000"})])
    appender = log.appender("c", 0, {})
    appender.append([Encoded("old", [None], [b"v"], [()], timestamps=[1])], ())
    appender.flush()
    file = File(str(tmp_path))
    with cleaned(lambda: open_log(settings), every_s=0.05):
        wait_until(lambda: file.query("SELECT count(*) FROM chunk") == [(0,)])
    for each in (file, appender, log):
        each.close()


def test_a_log_that_is_away_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    tries: list[int] = []

    def away() -> Log:
        tries.append(len(tries))
        raise LogUnavailable("the disk is full")

    with caplog.at_level(logging.WARNING), cleaned(away, every_s=0.01):
        wait_until(lambda: len(tries) > 2)
    assert "tried again" in caplog.text and "the disk is full" in caplog.text
