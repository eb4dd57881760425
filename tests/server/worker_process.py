"""A worker as its own process, as a user starts it: started, asked, killed, read."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from confluent_kafka.admin import AdminClient

from connect_compat.log import Log, LogSettings, open_log
from tests.server.lane import free_port


def wait_until(
    seen: Callable[[], bool], what: str, seconds: float = 60, *, every: float = 0.05, told: Callable[[], str] = str
) -> None:
    """`told` is asked when `what` was not seen in time, for the error."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if seen():
            return
        time.sleep(every)
    raise AssertionError(f"not seen in {seconds:.0f} s: {what}; {told()}")


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def task_processes(worker: int) -> dict[str, int]:
    """Process ids of a worker's tasks by connector and number, such as `source-0`."""
    found = {}
    for forker in _children(worker):
        for pid in _children(forker):
            with contextlib.suppress(OSError, IndexError):  # one that ends has no command line any more
                found[Path(f"/proc/{pid}/cmdline").read_text().split("\0")[4]] = pid
    return {name: pid for name, pid in found.items() if "-" in name}  # one that begins has not its own name yet


def _children(process: int) -> list[int]:
    """A child stands under the thread that started it."""
    found: list[int] = []
    for children in Path(f"/proc/{process}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += map(int, children.read_text().split())
    return found


class WorkerProcess:
    """`kafka` None: the embedded log in `folder`/data. `name` is the group and names the internal topics.

    Attributes:
        flush_ms: with another value than the default the embedded log is run in standalone mode, which keeps no
            configs: create the connectors after each start.
        more: further lines of its properties file.
    """

    def __init__(self, folder: Path, name: str, kafka: str | None) -> None:
        self.folder, self.name, self.kafka = folder, name, kafka
        self.flush_ms: int | None = None
        self.more = ""
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def properties(self) -> str:
        place = f"bootstrap.servers={self.kafka}" if self.kafka else f"tailrace.data.dir={self.folder / 'data'}"
        return f"""\
{place}
group.id={self.name}
listeners=http://127.0.0.1:{self.port}
key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
offset.flush.interval.ms={self.flush_ms or 1000}
config.storage.topic={self.name}-configs
offset.storage.topic={self.name}-offsets
status.storage.topic={self.name}-status
config.storage.replication.factor=1
offset.storage.replication.factor=1
status.storage.replication.factor=1
{self.more}
"""

    def start(self, environment: Mapping[str, str] | None = None) -> None:
        """Starts the worker and waits for its REST answer, unless the environment makes it crash."""
        self.folder.mkdir(parents=True, exist_ok=True)
        tailrace = str(Path(sys.executable).with_name("tailrace"))
        if self.kafka is None and self.flush_ms is None:
            command = [tailrace, "--data", str(self.folder / "data"), "--port", str(self.port)]
        else:
            written = self.folder / "worker.properties"
            written.write_text(self.properties())
            command = [tailrace, "distributed" if self.kafka else "standalone", str(written)]
        with (self.folder / "worker.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, env={**os.environ, **(environment or {})}, start_new_session=True
            )
        wait_until(self.answers, f"an answer of the worker; it said:\n{self.said()}")

    def answers(self) -> bool:
        if self.process is not None and self.process.poll() is not None:
            raise AssertionError(f"the worker ended with {self.process.returncode}:\n{self.said()}")
        with contextlib.suppress(requests.ConnectionError, requests.Timeout):
            return requests.get(self.url, timeout=5).status_code == 200
        return False

    def log_text(self) -> str:
        """All it has ever logged."""
        log = self.folder / "worker.log"
        return log.read_text(errors="replace") if log.exists() else ""

    def said(self) -> str:
        return "\n".join(self.log_text().splitlines()[-40:])

    def tasks(self) -> dict[str, int]:
        """Process ids of its tasks by connector and number, such as `source-0`."""
        assert self.process is not None
        return task_processes(self.process.pid)

    def kill(self) -> None:
        """SIGKILL, and waits until its task processes are gone too."""
        assert self.process is not None
        tasks = self.tasks().values()
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)
        wait_until(lambda: not any(alive(pid) for pid in tasks), "the end of orphaned tasks", 5)
        self.process = None

    def stop(self) -> int:
        assert self.process is not None
        self.process.terminate()
        code = self.process.wait(30)
        self.process = None
        return code

    @contextmanager
    def log(self) -> Iterator[Log]:
        """The worker's log, opened beside it."""
        if self.kafka is None:
            log = open_log(LogSettings(path=str(self.folder / "data")))
        else:
            log = open_log(LogSettings(client={"bootstrap.servers": self.kafka}))
        try:
            yield log
        finally:
            log.close()

    def close(self) -> None:
        """Ends it, however it is."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None

    def forget(self) -> None:
        """Deletes what it left in Kafka."""
        admin = AdminClient({"bootstrap.servers": self.kafka or ""})
        topics = [name for name in admin.list_topics(timeout=10).topics if name.startswith(self.name)]
        groups = [each.group_id for each in admin.list_consumer_groups().result(10).valid if self.name in each.group_id]
        for future in (*(admin.delete_topics(topics) if topics else {}).values(),
                       *(admin.delete_consumer_groups(groups) if groups else {}).values()):  # fmt: skip
            future.exception(10)

    # REST

    def call(self, method: str, path: str, body: object = None) -> requests.Response:
        return requests.request(method, self.url + path, json=body, timeout=60)

    def put(self, name: str, config: Mapping[str, str]) -> None:
        answer = self.call("PUT", f"/connectors/{name}/config", config)
        assert answer.status_code in (200, 201), answer.text

    def status(self, name: str) -> dict[str, Any]:
        return dict(self.call("GET", f"/connectors/{name}/status").json())
