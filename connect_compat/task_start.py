"""Task processes started: forked from one that has imported what they need, or, where no Linux is, each by itself."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, Protocol

from connect_compat.freed_memory import ENVIRONMENT
from connect_compat.plugins import CONNECTORS, Kind, Plugins
from connect_compat.task_spec import TaskSpec

_ALONE: Final = "from connect_compat.task_process import main; main()"
_FORKER: Final = "from connect_compat.task_forker import main; main()"
_MESSAGE: Final = 1 << 12
_ROOM_FOR_A_NAME: Final = " " * 256
_ANSWER_S: Final = 30.0
_READY_S: Final = 120.0
_OURS: Final = ("cdc.", "sinks.", "connect_compat.")
"""Modules whose import starts no thread, which a fork would not survive."""
_PLUGINS: Final = Plugins()
_Kind = tuple[object, ...]


class Process(Protocol):
    """A task process."""

    @property
    def pid(self) -> int: ...

    def kill(self) -> None: ...

    def wait(self) -> int:
        """Its exit status once it has ended; negative: the signal that ended it."""


class Starter:
    """Starts the task processes of a worker. One thread calls it: when that ends, they do."""

    def __init__(self) -> None:
        self._forkers: dict[_Kind, _Forker] = {}

    def ready(self, spec: TaskSpec) -> bool:
        """Whether `start` takes no time. On a busy machine imports take seconds, and who calls has others to see to.

        Raises: OSError: no memory, no more processes or files.
        """
        if sys.platform != "linux":
            return True
        environment = _environment()
        kind = _kind(spec, environment)
        if kind not in self._forkers:
            self._forkers[kind] = _Forker(_modules(spec), environment)
        with self._forgotten(kind) as forker:
            return forker.ready()

    def start(self, spec: TaskSpec, stdin: int, stdout: int) -> Process:
        """When it is ready. Raises: OSError: no memory, no more processes or files."""
        name, environment = f"{spec.connector}-{spec.task}", _environment()
        if sys.platform != "linux":
            command = _command(_ALONE, name)
            return subprocess.Popen(command, stdin=stdin, stdout=stdout, env=environment, process_group=0)
        with self._forgotten(_kind(spec, environment)) as forker:
            return _Forked(forker, forker.start(name, stdin, stdout))

    @contextlib.contextmanager
    def _forgotten(self, kind: _Kind) -> Iterator[_Forker]:
        """Forgotten if it fails, so that the next try has another."""
        if kind not in self._forkers:
            raise BlockingIOError("the environment has changed meanwhile")
        try:
            yield self._forkers[kind]
        except OSError:
            self._forkers.pop(kind).close()
            raise

    def close(self) -> None:
        for forker in self._forkers.values():
            forker.close()


def _kind(spec: TaskSpec, environment: Mapping[str, str]) -> _Kind:
    """Tasks of one kind have one parent: they import the same, and have the same environment."""
    return (spec.builder, spec.log.path is None, spec.config.get("connector.class"), *environment.items())


def _command(program: str, *arguments: str) -> list[str]:
    return [sys.executable, "-P", "-c", program, *arguments]


def _environment() -> Mapping[str, str]:
    path = os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
    return {**ENVIRONMENT, **os.environ, "PYTHONPATH": path}


def _modules(spec: TaskSpec) -> list[str]:
    """What a task of this kind imports at its start, as far as it is ours."""
    config = spec.config
    named = [
        _PLUGINS.find(config.get("connector.class", "").strip(), *CONNECTORS),
        *(_PLUGINS.find(config.get(key, "").strip(), Kind.CONVERTER) for key in ("key.converter", "value.converter")),
    ]
    of_plugins = [plugin.where.partition(":")[0] for plugin in named if plugin is not None]
    log = "connect_compat.log.embedded" if spec.log.path is not None else "connect_compat.log.kafka"
    return [spec.builder.partition(":")[0], log, *(each for each in of_plugins if each.startswith(_OURS))]


class _Forker:
    """The process that those of one kind of task are forked from: task_forker.py."""

    def __init__(self, modules: list[str], environment: Mapping[str, str]) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.settimeout(_ANSWER_S)
        self._ended: dict[int, int] = {}
        self._ready, self._patient_until = False, time.monotonic() + _READY_S
        with theirs:
            self._process = subprocess.Popen(
                _command(_FORKER, str(theirs.fileno()), ",".join(modules), _ROOM_FOR_A_NAME),
                stdin=subprocess.DEVNULL, env=environment, pass_fds=[theirs.fileno()],
                process_group=0,  # a Ctrl-C on the terminal is the worker's to handle
            )  # fmt: skip

    def ready(self) -> bool:
        """Raises: OSError: it is gone, or not ready after a long time."""
        if not self._ready and select.select([self._socket], [], [], 0.0)[0]:
            self._ready = self._hear() == ["ready"]
        if not self._ready and time.monotonic() > self._patient_until:
            raise TimeoutError(f"the process that tasks are forked from is not ready after {_READY_S:.0f} s")
        return self._ready

    def start(self, name: str, stdin: int, stdout: int) -> int:
        """The process id of a new task process. Raises: OSError."""
        socket.send_fds(self._socket, [f"start {name[: _MESSAGE // 8]}".encode()], [stdin, stdout])
        while True:
            match self._hear():
                case ["pid", pid]:
                    return int(pid)
                case _:
                    pass

    def kill(self, pid: int) -> None:
        with contextlib.suppress(OSError):  # it is gone, and its task processes with it
            self._socket.send(f"kill {pid}".encode())

    def wait(self, pid: int) -> int:
        try:
            while pid not in self._ended:
                self._hear()
        except OSError:
            return -signal.SIGKILL
        return self._ended.pop(pid)

    def _hear(self) -> list[str]:
        message = self._socket.recv(_MESSAGE)
        if not message:
            raise ConnectionResetError("the process that tasks are forked from is gone")
        words = message.decode().split()
        if words[0] == "end":
            self._ended[int(words[1])] = int(words[2])
        return words

    def close(self) -> None:
        self._socket.close()
        self._process.kill()  # none of its tasks is there any more, or it is of no use
        self._process.wait()


class _Forked:
    def __init__(self, forker: _Forker, pid: int) -> None:
        self._forker, self.pid = forker, pid

    def kill(self) -> None:
        self._forker.kill(self.pid)

    def wait(self) -> int:
        return self._forker.wait(self.pid)
