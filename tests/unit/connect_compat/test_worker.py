"""Real task processes on a real embedded log, with fake connectors."""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from connect_compat.log import LogSettings, open_log
from connect_compat.worker import Limits, TaskId, TaskSpec, Worker

ID = TaskId("c", 0)
QUICK = Limits(graceful_s=1.0, first_restart_s=0.1, longest_restart_s=0.2, still_s=1.2, silent_s=4.0)


def until(true: Callable[[], Any], seconds: float = 30.0) -> Any:
    """The first true answer; fails the test when there is none in time."""
    deadline = time.monotonic() + seconds
    while not (answer := true()):
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)
    return answer


class Watched:
    """A worker, and the states and topics it reported."""

    def __init__(self, folder: Path, limits: Limits = QUICK) -> None:
        self.folder = folder
        self.states: list[tuple[str, str | None]] = []
        self.topics: list[tuple[str, int, list[str]]] = []
        self.delays: list[float] = []
        self.worker = Worker(
            self._on_status, lambda c, t, topics: self.topics.append((c, t, list(topics))), limits=limits
        )

    def _on_status(self, connector: str, task: int, state: str, trace: str | None, extra: Mapping[str, Any]) -> None:
        self.states.append((state, trace))
        if "restart_in_s" in extra:
            self.delays.append(extra["restart_in_s"])

    def start(self, behaviour: str = "tick", config: Mapping[str, str] | None = None, *, paused: bool = False) -> None:
        spec = TaskSpec("c", 0, {"behaviour": behaviour, **(config or {})}, {}, LogSettings(path=str(self.folder)),
                        "tests.fakes:source_plugins")  # fmt: skip
        self.worker.start_task(spec, paused=paused)

    def names(self) -> list[str]:
        return [state for state, _ in self.states]

    def pid(self) -> int:
        return int(until(lambda: self.worker.view(ID).pid))

    def rows(self) -> int:
        return written(self.folder)


def written(folder: Path) -> int:
    with contextlib.closing(open_log(LogSettings(path=str(folder)))) as log:
        return sum(log.end_offsets("t").values())


def all_values(folder: Path) -> list[bytes | None]:
    with contextlib.closing(open_log(LogSettings(path=str(folder)))) as log:
        reader = log.reader("g", ["t"], None, {})
        values: list[bytes | None] = []
        while records := reader.read(1000, 0.1):
            values += [record.value for record in records]
        reader.close()
    return values


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    watched = Watched(tmp_path / "log")
    yield watched
    watched.worker.close()


def test_a_task_runs_in_a_process_of_its_own_reports_and_stops_gracefully(watched: Watched) -> None:
    watched.start()
    until(lambda: watched.rows() >= 5)
    pid = watched.pid()
    assert pid != os.getpid()
    view = until(
        lambda: (v := watched.worker.view(ID)).figures.get("counters", {}).get("source-record-write-total") and v
    )
    assert (view.state, view.healthy, view.reason, view.restarts) == ("RUNNING", True, None, 0)
    until(lambda: watched.topics == [("c", 0, ["t"])])
    watched.worker.stop_tasks([ID, TaskId("unknown", 7)])
    assert not alive(pid)
    assert watched.names() == ["RUNNING", "UNASSIGNED"]
    assert watched.worker.ids() == []


def test_every_task_that_is_asked_to_stop_ends_and_nobody_has_to_wait_for_it(watched: Watched) -> None:
    watched.start()
    until(lambda: watched.rows() >= 5)
    pid = watched.pid()
    watched.worker.ask_to_stop()
    until(lambda: not alive(pid))
    until(lambda: watched.names() == ["RUNNING", "UNASSIGNED"])
    assert watched.worker.ids() == []


def test_a_task_killed_at_any_moment_starts_again_and_every_row_is_there_exactly_once(watched: Watched) -> None:
    watched.start()
    for seen in (5, 20):
        until(functools.partial(lambda least: watched.rows() >= least, seen))
        os.kill(watched.pid(), signal.SIGKILL)
        until(lambda: watched.worker.view(ID).state == "RESTARTING")
        until(lambda: watched.worker.view(ID).state == "RUNNING")
    watched.worker.stop_tasks([ID])
    assert watched.names() == ["RUNNING"] + ["RESTARTING", "RUNNING"] * 2 + ["UNASSIGNED"]
    trace = watched.states[1][1] or ""
    assert trace.startswith("the process of task c-0 died by SIGKILL")
    values = all_values(watched.folder)
    assert values == [str(i).encode() for i in range(len(values))]


def test_a_task_that_kills_itself_again_and_again_is_started_with_back_off(watched: Watched) -> None:
    watched.start("die", {"at": "0"})
    until(lambda: watched.worker.view(ID).restarts >= 2)
    view = watched.worker.view(ID)
    assert not view.healthy
    assert set(watched.names()) == {"RUNNING", "RESTARTING"}
    assert watched.delays[:2] == [0.1, 0.2]


def test_a_task_that_carried_records_before_it_died_is_started_again_soon(watched: Watched) -> None:
    watched.start()
    for restarts in range(1, 5):
        view = until(lambda: (v := watched.worker.view(ID)).pid and v.figures.get("carried") and v)
        os.kill(view.pid, signal.SIGKILL)
        until(functools.partial(lambda least: watched.worker.view(ID).restarts >= least, restarts))
    assert watched.delays == [0.1] * 4


def test_an_error_for_a_human_fails_the_task_with_the_message_first_and_no_secret(watched: Watched) -> None:
    watched.start("refuse", {"database.password": "hunter2-secret"})
    trace = until(lambda: watched.worker.view(ID).state == "FAILED" and watched.worker.view(ID).trace)
    assert trace.splitlines()[0] == "access denied with ********; run GRANT ALL"
    assert "Traceback" in trace
    assert "hunter2" not in trace
    view = watched.worker.view(ID)
    assert (view.healthy, view.pid, view.reason) == (False, None, "access denied with ********; run GRANT ALL")
    watched.worker.stop_tasks([ID])
    assert watched.names() == ["RUNNING", "FAILED", "UNASSIGNED"]


def test_an_outage_keeps_the_task_running_shows_what_it_waits_for_and_becomes_unhealthy(watched: Watched) -> None:
    watched.start("away", {"at": "2"})
    view = until(lambda: (v := watched.worker.view(ID)).waiting_for and v)
    assert (view.state, view.waiting_for) == ("RUNNING", "db:3306 does not answer")
    assert abs(view.waiting_since / 1000 - time.time()) < 60
    view = until(lambda: not (v := watched.worker.view(ID)).healthy and v)
    assert "db:3306 does not answer" in view.reason
    assert watched.names() == ["RUNNING"]
    assert [view.id for view in watched.worker.health()] == [ID]


def test_a_task_that_hangs_becomes_unhealthy_and_is_killed_when_it_does_not_stop_in_time(watched: Watched) -> None:
    watched.start("hang")
    view = until(lambda: not (v := watched.worker.view(ID)).healthy and v)
    assert view.reason.startswith("no progress for")
    pid, before = watched.pid(), time.monotonic()
    watched.worker.stop_tasks([ID])
    assert time.monotonic() - before < 10
    assert not alive(pid)
    assert watched.names() == ["RUNNING", "UNASSIGNED"]


def test_a_process_without_heartbeat_is_killed_and_started_again(watched: Watched) -> None:
    watched.start("freeze", {"at": "3"})
    trace = until(lambda: watched.worker.view(ID).trace)
    assert "gave no sign of life" in trace
    until(lambda: watched.names().count("RUNNING") >= 2)


def test_pause_stops_the_flow_and_resume_goes_on(watched: Watched) -> None:
    watched.start(paused=True)
    until(lambda: watched.names() == ["PAUSED"])
    assert watched.rows() == 0
    watched.worker.resume_task(ID)
    until(lambda: watched.rows() >= 3)
    watched.worker.pause_task(ID)
    until(lambda: watched.worker.view(ID).state == "PAUSED")
    rows = watched.rows()
    time.sleep(0.3)
    assert watched.rows() == rows
    assert watched.worker.view(ID).healthy
    watched.worker.resume_task(ID)
    until(lambda: watched.rows() > rows)
    assert watched.names() == ["PAUSED", "RUNNING", "PAUSED", "RUNNING"]


def test_a_restart_replaces_the_process(watched: Watched) -> None:
    watched.start()
    until(lambda: watched.rows() >= 1)
    pid = watched.pid()
    watched.worker.restart_task(ID)
    until(lambda: watched.worker.view(ID).state == "RUNNING")
    assert watched.pid() != pid
    assert watched.names() == ["RUNNING", "RESTARTING", "UNASSIGNED", "RUNNING"]


def test_a_task_cannot_be_started_twice_nor_after_the_end(watched: Watched) -> None:
    watched.start()
    with pytest.raises(ValueError, match="c-0 is started already"):
        watched.start()
    watched.worker.close()
    with pytest.raises(ValueError, match="the worker is closed"):
        watched.start()
    watched.worker.close()


def test_what_a_task_warns_of_is_kept_until_it_starts_again(watched: Watched) -> None:
    watched.start("warn")
    until(lambda: len(watched.worker.view(ID).warnings) == 10)
    until(lambda: watched.worker.view(ID).warnings[-1] == "11")
    assert watched.worker.view(ID).warnings == tuple(map(str, range(2, 12)))
    watched.worker.restart_task(ID)
    until(lambda: watched.names()[-1] == "RUNNING" and not watched.worker.view(ID).warnings)


def test_outages_are_no_warnings_of_a_task(watched: Watched) -> None:
    watched.start("away")
    until(lambda: watched.worker.view(ID).waiting_for)
    time.sleep(0.2)
    assert watched.worker.view(ID).warnings == ()


def test_a_task_that_failed_is_logged_with_the_reason_and_no_secret(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "connect_compat.worker"):
        watched.start("refuse", {"database.password": "s3cret"})
        until(lambda: watched.names()[-1:] == ["FAILED"])
    assert [record.getMessage() for record in caplog.records] == [
        "Task c-0 failed: access denied with ********; run GRANT ALL"
    ]


def test_logs_of_a_task_are_written_by_the_worker_with_the_tasks_name(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "connect_compat.retry"):
        watched.start("away", {"at": "0"})
        record = until(lambda: next((r for r in caplog.records if r.name == "connect_compat.retry"), None))
    assert "db:3306 does not answer" in record.getMessage()
    assert (record.connector, record.task) == ("c", 0)


def test_a_sink_task_carries_what_the_source_task_wrote(watched: Watched, tmp_path: Path) -> None:
    out = tmp_path / "out"
    watched.start()
    settings = LogSettings(path=str(watched.folder))
    watched.worker.start_task(
        TaskSpec("s", 0, {"topics": "t", "path": str(out)}, {}, settings, "tests.fakes:sink_plugins")
    )
    until(lambda: out.exists() and len(out.read_text().splitlines()) >= 10)
    watched.worker.stop_tasks([TaskId("s", 0)])
    lines = out.read_text().splitlines()
    assert lines == [str(i) for i in range(len(lines))]
    with contextlib.closing(open_log(settings)) as log:
        assert log.group_offsets("connect-s") == {("t", 0): len(lines)}


@pytest.mark.parametrize("action", ["restart", "none"])
def test_a_value_that_a_config_provider_changes_reaches_the_task(action: str, watched: Watched, tmp_path: Path) -> None:
    given, settings = tmp_path / "given.properties", LogSettings(path=str(watched.folder))
    given.write_text("topic=t\n")
    config = {"behaviour": "tick", "topic": f"${{file:{given}:topic}}", "config.action.reload": action}
    worker = {"config.providers": "file",
              "config.providers.file.class": "org.apache.kafka.common.config.provider.FileConfigProvider"}  # fmt: skip
    watched.worker.start_task(TaskSpec("c", 0, config, worker, settings, "tests.fakes:source_plugins"))
    until(watched.rows)
    before = watched.pid()
    given.write_text("topic=other\n")
    if action == "none":
        time.sleep(4.5)
        assert watched.pid() == before
    else:
        until(lambda: watched.worker.view(ID).pid not in (None, before))
        until(lambda: watched.topics[-1][2] == ["other"])
        assert watched.names() == ["RUNNING"] and watched.worker.view(ID).restarts == 0


def test_when_the_worker_is_killed_its_tasks_end_at_once(tmp_path: Path) -> None:
    program = (
        "import sys, time\n"
        "from connect_compat.log import LogSettings\n"
        "from connect_compat.worker import TaskId, TaskSpec, Worker\n"
        "worker = Worker(lambda *_: None)\n"
        "settings = LogSettings(path=sys.argv[1])\n"
        "for behaviour in ('tick', 'hang'):\n"
        "    worker.start_task(TaskSpec(behaviour, 0, {'behaviour': behaviour}, {}, settings,\n"
        "                               'tests.fakes:source_plugins'))\n"
        "while not all(view.figures.get('topics') for view in worker.health()):\n"
        "    time.sleep(0.02)\n"
        "print(*(view.pid for view in worker.health()), flush=True)\n"
        "time.sleep(600)\n"
    )
    root = str(Path(__file__).parents[3])
    parent = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, cwd=root)
    assert parent.stdout is not None
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(pids) == 2
    assert all(map(alive, pids))
    os.kill(pids[1], signal.SIGSTOP)  # it cannot see that its orders have ended
    parent.kill()
    parent.wait()
    parent.stdout.close()
    until(lambda: not any(map(alive, pids)), 5)


@pytest.mark.parametrize("step", ["source:appended:3", "source:flushed:3", "source:committed:3"])
def test_killed_after_each_numbered_step_a_task_neither_loses_nor_repeats(
    step: str, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAILRACE_CRASH_AT", step)
    watched.start()
    until(lambda: watched.worker.view(ID).restarts)
    monkeypatch.delenv("TAILRACE_CRASH_AT")
    rows = watched.rows()
    until(lambda: watched.rows() >= rows + 5)
    watched.worker.stop_tasks([ID])
    values = all_values(watched.folder)
    assert values == [str(i).encode() for i in range(len(values))]


def limited(folder: Path, **more: Any) -> Watched:
    """A worker that waits for nothing but for what `more` says."""
    return Watched(folder / "log", Limits(graceful_s=1.0, first_restart_s=60.0, **more))


def test_a_task_with_too_much_in_memory_is_killed_and_says_so(tmp_path: Path) -> None:
    watched = limited(tmp_path, memory=1 << 20)
    watched.start()
    until(lambda: "RESTARTING" in watched.names())
    trace = watched.states[-1][1] or ""
    assert re.search(r"died by SIGKILL; it has \d+ MB in memory, more than tailrace\.task\.memory\.max\.mb=1,", trace)
    watched.worker.close()


def test_a_task_ends_itself_when_its_worker_says_nothing_and_lives_while_it_does(tmp_path: Path) -> None:
    watched = limited(tmp_path, lease_s=3.0)
    watched.start()
    until(lambda: watched.rows() >= 5)
    pid, began = watched.pid(), time.monotonic()
    until(lambda: time.monotonic() - began > 4.0)
    assert alive(pid) and watched.pid() == pid
    watched.worker._renewed_at = time.monotonic() + 3600  # as if the worker were stopped
    until(lambda: not alive(pid))
    assert time.monotonic() - began > 4.0
    until(lambda: (watched.states[-1][1] or "").startswith("the process of task c-0 ended with exit status 1, as it"))
    watched.worker.close()


def test_a_task_whose_worker_stood_still_is_not_started_again_at_once(tmp_path: Path) -> None:
    watched = Watched(tmp_path / "log", Limits(graceful_s=1.0, first_restart_s=0.1, lease_s=1.0))
    watched.start()
    until(lambda: watched.rows() >= 1)
    watched.worker._renewed_at = time.monotonic() + 3600  # as if the worker were stopped
    until(lambda: watched.delays == [1.0])  # the lease's length: what it must hear of the group comes first
    watched.worker.close()
