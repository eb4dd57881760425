"""Where services keep their programs and data, and how they tell progress."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent


def cache() -> Path:
    """Programs fetched once for this user: `$TAILRACE_CACHE`, else `$XDG_CACHE_HOME/tailrace`."""
    default = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tailrace"
    return Path(os.environ.get("TAILRACE_CACHE") or default)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@contextmanager
def step(text: str) -> Iterator[None]:
    """Says what is being done, that it still goes on, and how long it took."""
    began = time.monotonic()
    over = threading.Event()

    def ticking() -> None:
        while not over.wait(5):
            say(f"   … {text} ({time.monotonic() - began:.0f} s)")

    say(f"-> {text}")
    threading.Thread(target=ticking, daemon=True).start()
    try:
        yield
    finally:
        over.set()
    say(f"   {text}: done in {time.monotonic() - began:.1f} s")


@contextmanager
def alone(task: str) -> Iterator[None]:
    """Waits until nobody else of this user, thread or process, is at the same task."""
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / f"{task}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class ServiceError(Exception):
    """A server could not be made ready; the text says why and what to look at."""


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: dict[str, str] | None = None,
    given: str | None = None,
) -> str:
    """Standard output of a command that reads `given`. Raises ServiceError with the tail of what it said."""
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=env, capture_output=True, text=True, check=False, input=given
    )
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
        raise ServiceError(f"{' '.join(map(str, command))[:200]} failed ({done.returncode}):\n{tail}")
    return done.stdout
