"""What a task frees stays with its process while it works, and goes back when it rests."""

from __future__ import annotations

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from connect_compat import freed_memory

PROGRAM = """
from pathlib import Path
from connect_compat import freed_memory

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 >> 20

freed = freed_memory.FreedMemory()
freed.look(1)
blocks = [bytes(1000 + number % 7) for number in range(40_000)]
used = resident()
blocks.clear()
kept = resident()
freed.look(1)
early = resident()
freed_memory._REST_S = 0.0
freed.look(1)
print(used - kept, used - early, used - resident())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's malloc")
def test_freed_memory_is_kept_until_the_task_rests() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True,
        env={**os.environ, **freed_memory.ENVIRONMENT},
    )  # fmt: skip
    freed, early, at_rest = map(int, done.stdout.split())
    assert freed <= 2
    assert early <= 2
    assert at_rest >= 35


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connect_compat.freed_memory.ctypes.CDLL", lambda _: SimpleNamespace())
    monkeypatch.setattr("connect_compat.freed_memory._REST_S", 0.0)
    freed = freed_memory.FreedMemory()
    for _ in range(3):
        freed.look(1)
