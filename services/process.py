"""One server as a background process: pid file, log, readiness, stop."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.place import ServiceError


@dataclass(frozen=True)
class Process:
    """A server program whose data, log and pid stand in `folder`."""

    name: str
    folder: Path

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    def pid(self) -> int | None:
        """None when it does not run."""
        try:
            pid = int((self.folder / "pid").read_text())
            os.kill(pid, 0)
        except (OSError, ValueError):
            return None
        return pid if self._is_ours(pid) else None

    def _is_ours(self, pid: int) -> bool:
        """A pid left by a crash may belong to another program by now: ours holds our folder in its command line."""
        try:
            return str(self.folder).encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return True

    def start(
        self,
        command: Sequence[str | Path],
        ready: Callable[[], bool],
        *,
        seconds: float = 180,
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Starts it detached from this process and waits until `ready`. Raises ServiceError with the log's tail."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            child = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env={**os.environ, **(env or {})},
            )  # fmt: skip
        (self.folder / "pid").write_text(str(child.pid))
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if child.poll() is not None:
                raise ServiceError(f"{self.name} ended with {child.returncode}; {self.log} says:\n{self.tail()}")
            if ready():
                child.returncode = 0  # it outlives this process: Python is not to warn that nobody waited for it
                return
            time.sleep(0.1)
        self.stop()
        raise ServiceError(f"{self.name} was not ready after {seconds:.0f} s; {self.log} says:\n{self.tail()}")

    def tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])

    def stop(self) -> None:
        """SIGTERM, and SIGKILL after 20 s."""
        pid = self.pid()
        if pid is None:
            return
        os.kill(pid, signal.SIGTERM)
        if not _ends(pid, 20):
            self.kill()
        (self.folder / "pid").unlink(missing_ok=True)

    def ended(self, seconds: float) -> bool:
        """Waits for the end of what was told to end."""
        pid = self.pid()
        return pid is None or _ends(pid, seconds)

    def kill(self) -> None:
        """SIGKILL, as a crash would: it is gone when this returns."""
        pid = self.pid()
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
            _ends(pid, 20)

    def wipe(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def _ends(pid: int, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not _gone(pid):
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def _gone(pid: int) -> bool:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    try:
        os.kill(pid, 0)
    except OSError:
        return True
    return False
