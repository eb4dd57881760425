"""One task process as its supervisor holds it: orders go in, messages come out, and it can be killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from connect_compat.task_spec import TaskSpec

_ENTRY: Final = "from connect_compat.task_process import main; main()"
_CHUNK: Final = 1 << 16


class Child:
    """A running task process. Not thread-safe but for `order`, whose lines are shorter than a pipe's atomic write."""

    def __init__(self, spec: TaskSpec, levels: Mapping[str, int], *, paused: bool) -> None:
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path),
            # Two malloc arenas instead of one for each thread: librdkafka's threads would keep 64 MB each reserved.
            "MALLOC_ARENA_MAX": os.environ.get("MALLOC_ARENA_MAX", "2"),
        }
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _ENTRY, f"{spec.connector}-{spec.task}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            bufsize=0,
            process_group=0,  # a Ctrl-C on the terminal is the worker's to handle
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._orders = self._process.stdin.fileno()
        self._messages = self._process.stdout.fileno()
        self._rest = b""
        self.leased_at = 0.0
        first = {"spec": spec.to_json(), "paused": paused, "levels": dict(levels)}
        self._write(json.dumps(first).encode() + b"\n")

    @property
    def pid(self) -> int:
        return self._process.pid

    def fileno(self) -> int:
        return self._messages

    def lease(self, seconds: float) -> None:
        """Lets it live on for so long; see task_process.py."""
        self.leased_at = time.monotonic()
        self.order(lease=self.leased_at + seconds)

    def order(self, **what: Any) -> None:
        self._write(json.dumps(what).encode() + b"\n")

    def _write(self, line: bytes) -> None:
        with contextlib.suppress(BrokenPipeError):  # it is gone: the end of its messages says so
            while line:
                line = line[os.write(self._orders, line) :]

    def messages(self) -> list[dict[str, Any]] | None:
        """What it said since the last call; None when it has closed its side. Call when `fileno` is readable."""
        chunk = os.read(self._messages, _CHUNK)
        if not chunk:
            return None
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        return [json.loads(line) for line in lines]

    def kill(self) -> None:
        self._process.kill()

    def end(self) -> str:
        """How it ended, in words; waits for it after its messages have ended. Frees its pipes."""
        status = self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        if status < 0:
            return f"died by {signal.Signals(-status).name}"
        return f"ended with exit status {status}"
