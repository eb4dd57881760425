"""Kafka Connect's file connectors on a running worker: lines in, lines out, over kills and restarts."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.worker_process import WorkerProcess, wait_until

STRING = "org.apache.kafka.connect.storage.StringConverter"


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[WorkerProcess]:
    worker = WorkerProcess(tmp_path, f"files{time.time_ns()}", None)
    worker.start()
    yield worker
    worker.close()


def test_lines_of_a_file_arrive_in_another_each_once_whatever_is_killed(worker: WorkerProcess, tmp_path: Path) -> None:
    came, went = tmp_path / "in", tmp_path / "out"
    files = {"value.converter": STRING, "key.converter": STRING}
    worker.put("lines-in", {**files, "connector.class": "FileStreamSource", "file": str(came), "topic": "lines"})
    worker.put("lines-out", {**files, "connector.class": "FileStreamSink", "file": str(went), "topics": "lines"})
    wait_until(lambda: len(worker.tasks()) == 2, "both tasks")
    written: list[str] = []
    for round_ in range(4):
        with came.open("a") as file:
            for number in range(500):
                written.append(f"{round_} {number} für")
                file.write(written[-1] + "\n")
                if number == 250:
                    file.flush()
                    os.kill(worker.tasks()["lines-in-0"], signal.SIGKILL)
        wait_until(lambda: _lines(went) == written, "every line, once and in order", 30)
        answer = worker.call("GET", "/connectors/lines-in/offsets").json()
        (offset,) = answer["offsets"]
        assert offset == {"partition": {"filename": str(came)}, "offset": {"position": came.stat().st_size}}


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []
