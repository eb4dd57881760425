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


def test_csv_files_of_a_folder_become_rotated_json_lines_each_once(worker: WorkerProcess, tmp_path: Path) -> None:
    folder, out = tmp_path / "csv", tmp_path / "out.jsonl"
    folder.mkdir()
    worker.put("csv-in", {"connector.class": "FileStreamSource", "topic": "rows", "tailrace.files": f"{folder}/*.csv*",
                          "tailrace.files.format": "csv"})  # fmt: skip
    worker.put("json-out", {"connector.class": "FileStreamSink", "topics": "rows", "file": str(out),
                            "tailrace.files.format": "json", "tailrace.files.rotate.bytes": "2000"})  # fmt: skip
    wanted = set()
    for number in range(3):
        path = folder / "log.csv"
        path.write_text("id,name\n")
        with path.open("a") as file:
            for line in range(100):
                wanted.add(f'{{"id":"{number}-{line}","name":"x"}}')
                file.write(f"{number}-{line},x\n")
        wait_until(lambda: "csv-in-0" in worker.tasks(), "the task")
        os.kill(worker.tasks()["csv-in-0"], signal.SIGKILL)
        wait_until(lambda: _json_lines(out) == sorted(wanted), f"every row of file {number}, once", 30)
        path.rename(folder / f"log.csv.{number}")
    assert len(list(tmp_path.glob("out.jsonl.*"))) >= 2


def _json_lines(path: Path) -> list[str]:
    return sorted(line for each in path.parent.glob(path.name + "*") for line in each.read_text().splitlines())


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []
