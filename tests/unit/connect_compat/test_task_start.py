"""Task processes that are forked from one that has imported what they need."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from connect_compat.log import LogSettings
from connect_compat.plugins import TABLE
from connect_compat.task_spec import TaskSpec
from connect_compat.task_start import Starter
from connect_compat.worker import TaskId
from tests.unit.connect_compat.test_worker import ID, Watched, until


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_no_module_of_ours_starts_a_thread_when_it_is_imported() -> None:
    """A fork would not have it."""
    modules = {plugin.where.partition(":")[0] for plugin in TABLE} | {
        "connect_compat.task_forker", "connect_compat.log.kafka", "connect_compat.log.embedded",
    }  # fmt: skip
    program = "import importlib, os, sys\nfor each in sys.argv[1:]: importlib.import_module(each)\n"
    program += "print(len(os.listdir('/proc/self/task')))"
    done = subprocess.run([sys.executable, "-c", program, *modules], capture_output=True, check=True)
    assert done.stdout == b"1\n"


def test_tasks_of_one_kind_have_one_parent_and_names_of_their_own(tmp_path: Path) -> None:
    starter = Starter()
    ends, processes = [], []
    for number in range(2):
        stdin, orders = os.pipe()
        spec = TaskSpec("shop", number, {}, {}, LogSettings(path=str(tmp_path)))
        until(lambda spec=spec: starter.ready(spec))  # type: ignore[misc]
        processes.append(starter.start(spec, stdin, os.open(os.devnull, os.O_WRONLY)))
        os.close(stdin)
        ends.append(orders)
    first, second = processes
    until(lambda: b"shop-1" in Path(f"/proc/{second.pid}/cmdline").read_bytes().split(b"\0"))
    assert parent(first.pid) == parent(second.pid) != os.getpid()
    second.kill()
    assert second.wait() == -signal.SIGKILL
    os.close(ends[0])  # its worker is gone, as far as it knows
    assert first.wait() == 1
    os.close(ends[1])
    starter.close()


def test_when_the_process_that_tasks_are_forked_from_dies_they_start_again(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    with contextlib.closing(watched.worker):
        watched.start()
        until(watched.rows)
        before = watched.pid()
        os.kill(parent(before), signal.SIGKILL)
        until(lambda: watched.worker.view(ID).state == "RUNNING" and watched.worker.view(ID).pid not in (None, before))
        rows = watched.rows()
        until(lambda: watched.rows() > rows)


def test_a_task_has_the_environment_that_its_worker_has_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(tmp_path)
    with contextlib.closing(watched.worker):
        for value in ("one", "two"):
            monkeypatch.setenv("TAILRACE_TESTED", value)
            watched.start()
            assert f"TAILRACE_TESTED={value}".encode() in Path(f"/proc/{watched.pid()}/environ").read_bytes()
            watched.worker.stop_tasks([TaskId("c", 0)])
