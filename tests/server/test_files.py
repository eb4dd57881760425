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


def test_a_secret_that_is_replaced_reaches_the_running_connector_by_itself(tmp_path: Path) -> None:
    """As a mounted secret is: a link to the folder of its version, replaced as a whole."""
    worker = WorkerProcess(tmp_path / "worker", "secret", None)
    mounted, came = tmp_path / "secret", tmp_path / "in"
    topic = f"${{dir:{mounted}:topic}}"
    mounted.mkdir()
    (mounted / "topic").symlink_to("..data/topic")

    def replace(version: str) -> None:
        (mounted / f"..{version}").mkdir()
        (mounted / f"..{version}" / "topic").write_text(version)
        (mounted / "..new").symlink_to(f"..{version}")
        (mounted / "..new").rename(mounted / "..data")

    def in_topic(name: str) -> bool:
        return name in worker.call("GET", "/connectors/c/topics").json()["c"]["topics"]

    replace("first")
    came.write_text("a\n")
    worker.flush_ms = 200
    worker.more = ("config.providers=dir\n"
                   "config.providers.dir.class=org.apache.kafka.common.config.provider.DirectoryConfigProvider\n"
                   f"config.providers.dir.param.allowed.paths={tmp_path}")  # fmt: skip
    try:
        worker.start()
        worker.put(
            "c", {"connector.class": "FileStreamSource", "file": str(came), "topic": f"${{dir:{mounted}:topic}}"}
        )
        wait_until(lambda: in_topic("first"), "the first line")
        before = worker.tasks()
        replace("second")
        wait_until(lambda: worker.tasks().keys() == before.keys() and worker.tasks() != before, "another process", 15)
        with came.open("a") as file:
            file.write("b\n")
        wait_until(lambda: in_topic("second"), "the line under the new value")
        (task,) = worker.status("c")["tasks"]
        assert task["state"] == "RUNNING"
        assert worker.call("GET", "/connectors/c/config").json()["topic"] == topic
    finally:
        worker.close()


def _json_lines(path: Path) -> list[str]:
    return sorted(line for each in path.parent.glob(path.name + "*") for line in each.read_text().splitlines())


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []
