"""`tailrace` as a user runs it: a command line, its REST answers, what it says, how it ends."""

from __future__ import annotations

import contextlib
import json
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from tests.server.lane import free_port
from tests.server.worker_process import task_processes, wait_until

TAILRACE = str(Path(sys.executable).with_name("tailrace"))
Config = Mapping[str, str]


def run(*arguments: str, folder: Path, seconds: float = 30) -> tuple[int, str]:
    """Exit code and all output of a command that ends by itself."""
    done = subprocess.run([TAILRACE, *arguments], capture_output=True, text=True, timeout=seconds, cwd=folder)
    return done.returncode, done.stdout + done.stderr


class Tailrace:
    """A worker that stays up. `said` is all it wrote to stdout and stderr so far."""

    def __init__(self, folder: Path, *arguments: str, port: int, program: str = TAILRACE, scheme: str = "http",
                 **requests_with: Any) -> None:  # fmt: skip
        self.folder, self.command, self.url = folder, [program, *arguments], f"{scheme}://localhost:{port}"
        self.requests_with = requests_with
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *, healthy: bool = True) -> Tailrace:
        """`healthy`: returns when it has read what is stored and serves; else when it answers at all."""
        with (self.folder / "said").open("ab") as said:
            self.process = subprocess.Popen(
                self.command, stdout=said, stderr=said, cwd=self.folder, start_new_session=True
            )
        wait_until(lambda: self.health() in ((200,) if healthy else (200, 503)), f"a worker: {self.command}", 30)
        return self

    def health(self) -> int:
        """The status of /health; 0 while nothing answers."""
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError(f"the worker ended with {self.process.returncode}: {self.said()}")
        with contextlib.suppress(requests.ConnectionError, requests.Timeout):
            return self.call("GET", "/health").status_code
        return 0

    def said(self) -> str:
        return (self.folder / "said").read_text(errors="replace")

    def ended(self, seconds: float = 30) -> int:
        assert self.process is not None
        return self.process.wait(seconds)

    def stop(self) -> int:
        """SIGTERM, as an init system does."""
        assert self.process is not None
        self.process.terminate()
        return self.ended()

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)

    # REST

    def call(self, method: str, path: str, body: object = None) -> requests.Response:
        return requests.request(method, self.url + path, json=body, timeout=60, **self.requests_with)

    def done(self, method: str, path: str, body: object = None) -> Any:
        """The body of an answer that must be a success."""
        answer = self.call(method, path, body)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def create(self, name: str, config: Config) -> None:
        self.done("PUT", f"/connectors/{name}/config", config)
        self.is_in(name, "RUNNING", "RUNNING")

    def states(self, name: str) -> list[str]:
        """The connector's, then its tasks'."""
        answer = self.call("GET", f"/connectors/{name}/status")
        if answer.status_code == 404:  # told a moment after the connector was created
            return []
        status = answer.json()
        return [status["connector"]["state"], *(task["state"] for task in status["tasks"])]

    def is_in(self, name: str, *states: str, seconds: float = 30) -> None:
        """Waits for the state of the connector and of each task."""
        try:
            wait_until(lambda: self.states(name) == list(states), "", seconds)
        except AssertionError:
            status = json.dumps(self.done("GET", f"/connectors/{name}/status"))
            raise AssertionError(f"{name} is not {states} within {seconds:.0f} s: {status}") from None

    def task(self, name: str) -> dict[str, Any]:
        task: dict[str, Any] = self.done("GET", f"/connectors/{name}/tasks/0/status")
        return task

    def pid(self, name: str) -> int | None:
        """The process of task 0 of a connector."""
        assert self.process is not None
        return task_processes(self.process.pid).get(f"{name}-0")


class Gate:
    """A TCP port that leads to a server while it is open, and refuses and drops connections while it is shut."""

    def __init__(self, target: tuple[str, int]) -> None:
        self.target, self.port = target, free_port()
        self._threads: list[threading.Thread] = []
        self._stop = threading.Event()

    def open(self) -> None:
        self._stop = threading.Event()
        listener = socket.create_server(("127.0.0.1", self.port))
        self._run(self._accept, listener)

    def shut(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    def _run(self, work: Callable[..., None], *sockets: socket.socket) -> None:
        self._threads.append(threading.Thread(target=work, args=sockets))
        self._threads[-1].start()

    def _accept(self, listener: socket.socket) -> None:
        with listener:
            while not self._stop.is_set():
                if select.select([listener], [], [], 0.02)[0]:
                    self._run(self._carry, listener.accept()[0], socket.create_connection(self.target))

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with one, other, contextlib.suppress(OSError):
            while not self._stop.is_set():
                for ready in select.select([one, other], [], [], 0.02)[0]:
                    data = ready.recv(65536)
                    if not data:
                        return
                    (other if ready is one else one).sendall(data)


@contextmanager
def gate(target: tuple[str, int]) -> Iterator[Gate]:
    made = Gate(target)
    try:
        yield made
    finally:
        made.shut()


def properties(path: Path, settings: Mapping[str, object]) -> str:
    """A properties file; its path."""
    path.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
    return str(path)
