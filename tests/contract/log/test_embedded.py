"""What only the embedded log promises of several processes: one file, opened at once; leases; both or none."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import IO

import pytest

from connect_compat.log import Encoded, LogRecord, LogSettings, TopicSpec
from connect_compat.log.embedded import EmbeddedLog

ROOT = Path(__file__).parents[3]


@pytest.fixture
def settings(tmp_path: Path) -> LogSettings:
    return LogSettings(path=str(tmp_path / "data"))


class Started:
    """Other processes on the log; all are killed at the end."""

    def __init__(self, settings: LogSettings) -> None:
        self._settings = json.dumps(asdict(settings))
        self._processes: list[subprocess.Popen[str]] = []

    def process(self, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.contract.log.other_process", self._settings, *arguments]
        self._processes.append(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True))
        return self._processes[-1]

    def kill(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()
            out(process).close()


def out(process: subprocess.Popen[str]) -> IO[str]:
    assert process.stdout is not None
    return process.stdout


@pytest.fixture
def started(settings: LogSettings) -> Iterator[Started]:
    group = Started(settings)
    yield group
    group.kill()


def test_processes_that_open_a_new_folder_at_once_all_write_to_it(settings: LogSettings, started: Started) -> None:
    processes = [started.process("append", f"c{n}", "t") for n in range(4)]
    for process in processes:
        assert json.loads(out(process).readline()) == [{"pos": 300}]
    started.kill()
    log = EmbeddedLog(settings)
    saved = [log.source_offsets(f"c{n}")[0].offset or {} for n in range(4)]
    assert log.end_offsets("t") == {("t", 0): sum(offset["pos"] for offset in saved)}
    log.close()


def test_killed_at_any_moment_records_and_offset_are_both_there_or_neither(
    settings: LogSettings, started: Started
) -> None:
    log = EmbeddedLog(settings)
    chance = random.Random(7)
    for turn in range(8):
        process = started.process("append", f"c{turn}", f"t{turn}")
        out(process).readline()
        time.sleep(chance.random() * 0.1)
        process.kill()
        process.wait()
        saved = log.source_offsets(f"c{turn}")[0].offset or {}
        assert log.end_offsets(f"t{turn}") == {(f"t{turn}", 0): saved["pos"]}
    log.close()


def test_a_member_that_hangs_loses_its_lease_and_what_it_reads_later_is_not_what_it_owned(
    settings: LogSettings, started: Started
) -> None:
    log = EmbeddedLog(settings)
    log.create_topics([TopicSpec("t", 1)])
    process = started.process("read", "g", "t")
    appender = log.appender("c", 0, {})
    appender.append([Encoded("t", [None], [b"1"], [()])], [])
    appender.flush()
    assert json.loads(out(process).readline()) == [0, 0]
    with closing(log.reader("g", ["t"], None, {})) as reader:
        assert list(reader.read(10, 0.2)) == []
        os.kill(process.pid, signal.SIGSTOP)
        began = time.monotonic()
        records: list[LogRecord] = []
        while not records and time.monotonic() - began < 20:
            records += reader.read(10, 0.5)
        assert [r.value for r in records] == [b"1"], "it was not committed, so it comes again"
        assert time.monotonic() - began < 10
        os.kill(process.pid, signal.SIGCONT)
        reader.commit({("t", 0): 1})
        appender.append([Encoded("t", [None], [b"2"], [()])], [])
        appender.flush()
        assert [r.value for r in reader.read(10, 5)] == [b"2"]
    appender.close()
    log.close()
