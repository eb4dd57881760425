"""What runs golden cases: one worker a log, and what a case's connector has written to it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from connect_compat.log import Log
from tests.server.golden_case import recorded
from tests.server.worker_process import WorkerProcess, wait_until

Records = dict[str, list[dict[str, Any]]]


class Workers:
    """Each is started when it is first asked for: `embedded` or `kafka`."""

    def __init__(self, folder: Path, kafka: str) -> None:
        self._folder, self._kafka = folder, kafka
        self._started: dict[str, WorkerProcess] = {}

    def on(self, log_kind: str) -> WorkerProcess:
        if log_kind not in self._started:
            kafka = self._kafka if log_kind == "kafka" else None
            worker = WorkerProcess(self._folder / log_kind, f"golden{time.time_ns()}", kafka)
            worker.start()
            self._started[log_kind] = worker
        return self._started[log_kind]

    def close(self) -> None:
        for worker in self._started.values():
            worker.close()


@contextmanager
def connector(worker: WorkerProcess, name: str, config: dict[str, str], topics: tuple[str, ...]) -> Iterator[None]:
    """A connector that has taken its snapshot, in a log without topics of such names; gone afterwards."""
    with worker.log() as log:
        log.delete_topics([topic for topic in log.topics() if topic.startswith(topics)])
    worker.put(name, config)
    try:
        wait_until(lambda: _snapshot_is_over(worker, name), f"the end of the snapshot; {worker.said()}")
        yield
    finally:
        worker.call("DELETE", f"/connectors/{name}")
        wait_until(lambda: f"{name}-0" not in worker.tasks(), f"the end of {name}")


def came(worker: WorkerProcess, name: str, expected: Records, topics: tuple[str, ...]) -> Records:
    """The records of the topics, as many as are expected if they come."""
    with worker.log() as log:
        wanted = {topic: len(events) for topic, events in expected.items()}
        with contextlib.suppress(AssertionError):  # what is missing is told by the comparison
            wait_until(lambda: _ends(log, wanted) == wanted or _failed(worker, name), "as many records", 20)
        time.sleep(0.5)  # one too many would come now
        found = recorded(log, topics)
        log.delete_topics(list(found))
    return found


def _snapshot_is_over(worker: WorkerProcess, name: str) -> bool:
    assert not _failed(worker, name), worker.status(name)
    offsets = worker.call("GET", f"/connectors/{name}/offsets").json().get("offsets", [])
    return bool(offsets) and all(
        not entry["offset"].get("snapshot") or entry["offset"].get("snapshot_completed") for entry in offsets
    )


def _failed(worker: WorkerProcess, name: str) -> bool:
    return any(task["state"] == "FAILED" for task in worker.status(name).get("tasks", []))


def _ends(log: Log, wanted: dict[str, int]) -> dict[str, int]:
    known = log.topics()
    return {topic: sum(log.end_offsets(topic).values()) if topic in known else 0 for topic in wanted}
