"""The file of signals."""

from __future__ import annotations

from pathlib import Path

from cdc.signal_file import SignalFile
from cdc.signals import Signal

LINE = '{"id": "1", "type": "log", "data": {"message": "x"}}\n'
SIGNAL = Signal("1", "log", '{"message": "x"}')


def test_a_line_stays_until_it_is_carried_out_and_comes_once(tmp_path: Path) -> None:
    path = tmp_path / "signals"
    channel = SignalFile(str(path))
    assert channel.read() == []
    path.write_text(LINE)
    assert channel.read() == [SIGNAL]
    assert channel.read() == []
    assert path.read_text() == LINE
    channel.done()
    assert path.read_text() == ""


def test_lines_that_were_added_meanwhile_stay_and_come_next(tmp_path: Path) -> None:
    path = tmp_path / "signals"
    channel = SignalFile(str(path))
    path.write_text(LINE)
    channel.read()
    with path.open("a") as file:
        file.write(LINE)
    channel.done()
    assert path.read_text() == LINE
    assert channel.read() == [SIGNAL]


def test_after_a_crash_the_lines_come_again(tmp_path: Path) -> None:
    path = tmp_path / "signals"
    path.write_text(LINE + "no signal\n\n" + LINE.rstrip())
    SignalFile(str(path)).read()
    assert SignalFile(str(path)).read() == [SIGNAL]


def test_a_line_that_is_being_written_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "signals"
    channel = SignalFile(str(path))
    path.write_text(LINE[:20])
    assert channel.read() == []
    path.write_text(LINE)
    assert channel.read() == [SIGNAL]
