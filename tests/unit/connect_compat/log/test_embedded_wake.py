from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import pytest

from connect_compat.log import Encoded, LogSettings, TopicSpec, embedded_read, open_log
from connect_compat.log.embedded_wake import Wake

linux = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")


@linux
def test_a_write_ends_the_wait(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.touch()
    wake = Wake(file)
    assert not wake.wait(0.01)
    with file.open("ab", buffering=0) as writer:
        threading.Timer(0.05, writer.write, [b"x"]).start()
        began = time.monotonic()
        assert wake.wait(10)
    assert time.monotonic() - began < 5
    assert not wake.wait(0.01)
    wake.close()


def test_a_file_that_cannot_be_watched_is_waited_for_in_vain(tmp_path: Path) -> None:
    wake = Wake(tmp_path / "missing")
    began = time.monotonic()
    assert not wake.wait(0.05)
    assert time.monotonic() - began >= 0.05
    wake.close()


@linux
def test_a_record_is_read_as_soon_as_it_is_committed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_read, "_SHORTEST_S", 20.0)  # what is not woken sleeps so long
    monkeypatch.setattr(embedded_read, "_LONGEST_S", 20.0)
    settings = LogSettings(path=str(tmp_path))
    log, other = open_log(settings), open_log(settings)
    log.create_topics([TopicSpec("t")])
    reader, appender = log.reader("g", ["t"], None, {}), other.appender("c", 0, {})

    def write() -> None:
        appender.append([Encoded("t", [None], [b"v"], [()])], ())
        appender.flush()

    for _ in range(3):
        thread = threading.Timer(0.1, write)
        thread.start()
        began = time.monotonic()
        assert len(reader.read(10, 20)) == 1
        assert time.monotonic() - began < 5
        thread.join()
    for each in (appender, reader, log, other):
        each.close()
