"""A source, a transform and a sink of another package on a running worker, over a kill."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

from tests.example_package import EXAMPLE, put_metadata
from tests.server.worker_process import WorkerProcess, wait_until


def test_plugins_of_another_package_run_like_our_own(tmp_path: Path) -> None:
    packages, out = tmp_path / "packages", tmp_path / "out"
    packages.mkdir()
    put_metadata(packages)
    worker = WorkerProcess(tmp_path / "worker", f"plugins{time.time_ns()}", None)
    path = os.pathsep.join([str(packages), str(EXAMPLE), os.environ.get("PYTHONPATH", "")])
    worker.start({"PYTHONPATH": path})
    try:
        listed = [each["class"] for each in worker.call("GET", "/connector-plugins").json()]
        assert "com.example.CountSourceConnector" in listed
        worker.put("count", {
            "connector.class": "CountSource", "topic": "numbers", "last": "20000", "transforms": "m",
            "transforms.m.type": "com.example.Mirror", "transforms.m.field": "n",
        })  # fmt: skip
        wait_until(lambda: "count-0" in worker.tasks(), "the task")
        os.kill(worker.tasks()["count-0"], signal.SIGKILL)
        worker.put("lines", {"connector.class": "JsonLinesSink", "file": str(out), "topics": "numbers"})
        wait_until(lambda: out.exists() and out.read_text().count("\n") == 20000, "every record", 60)
        assert [json.loads(line) for line in out.read_text().splitlines()] == [
            {"n": n, "minus_n": -n} for n in range(1, 20001)
        ]
    finally:
        worker.close()
