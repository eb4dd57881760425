"""One task process as its supervisor holds it: orders go in, messages come out, and it can be killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections.abc import Mapping
from typing import Any, Final

from connect_compat.task_spec import TaskSpec
from connect_compat.task_start import Starter

_CHUNK: Final = 1 << 16


class Child:
    """A running task process. Not thread-safe but for `order`, whose lines are shorter than a pipe's atomic write."""

    def __init__(self, starter: Starter, spec: TaskSpec, levels: Mapping[str, int], *, paused: bool) -> None:
        """Raises: OSError: no memory, no more processes or files."""
        stdin, self._orders = os.pipe()
        self._messages, stdout = os.pipe()
        try:
            self._process = starter.start(spec, stdin, stdout)
        except OSError:
            self._close()
            raise
        finally:
            os.close(stdin)
            os.close(stdout)
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
        self._close()
        if status < 0:
            return f"died by {signal.Signals(-status).name}"
        return f"ended with exit status {status}"

    def _close(self) -> None:
        os.close(self._orders)
        os.close(self._messages)
