from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import pytest

from connect_compat.log import Encoded, LogSettings, TopicSpec, open_log
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
def test_a_record_is_read_as_soon_as_it_is_committed(tmp_path: Path) -> None:
    settings = LogSettings(path=str(tmp_path))
    log, other = open_log(settings), open_log(settings)
    log.create_topics([TopicSpec("t")])
    reader, appender = log.reader("g", ["t"], None, {}), other.appender("c", 0, {})
    took = []
    for _ in range(3):
        assert reader.read(10, 0.3) == []  # dozing by now
        written: list[float] = []

        def write(written: list[float] = written) -> None:
            appender.append([Encoded("t", [None], [b"v"], [()])], ())
            appender.flush()
            written.append(time.monotonic())

        thread = threading.Timer(0.1, write)
        thread.start()
        assert len(reader.read(10, 10)) == 1
        thread.join()
        took.append(time.monotonic() - written[0])
    assert sorted(took)[1] < 0.03
    for each in (appender, reader, log, other):
        each.close()
