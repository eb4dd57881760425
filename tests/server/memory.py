"""How much memory the tasks of a worker take."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

from tests.server.worker_process import WorkerProcess


@contextlib.contextmanager
def watched(worker: WorkerProcess) -> Iterator[list[int]]:
    """The PSS of the task in MB, its highest last; looked at five times a second."""
    highest, stop = [0], threading.Event()

    def look() -> None:
        while not stop.wait(0.2):
            for pid in worker.tasks().values():
                with contextlib.suppress(OSError, StopIteration):
                    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
                    highest[0] = max(highest[0], int(next(x for x in lines if x.startswith("Pss:")).split()[1]) >> 10)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield highest
    finally:
        stop.set()
        thread.join()
