"""Actions wait for the log while it is away; a worker that is told to stop does not wait again and again."""

from __future__ import annotations

import pytest

from cdc.errors import LogUnavailable
from connect_compat import turns
from connect_compat.turns import Turns


class Log:
    """A log that does not answer so many times."""

    def __init__(self, failures: int) -> None:
        self.left, self.asked = failures, 0

    def write(self) -> str:
        self.asked += 1
        if self.left:
            self.left -= 1
            raise LogUnavailable("the log is away")
        return "written"


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "RETRY_S", 0.001)


def test_an_action_is_repeated_until_the_log_answers() -> None:
    log = Log(3)
    assert Turns().patiently(log.write) == "written"
    assert log.asked == 4


def test_a_stop_asks_a_log_that_is_away_once_for_all_that_is_left() -> None:
    log, taking = Log(100), Turns()
    taking.stopping.set()
    for _ in range(3):
        with pytest.raises(LogUnavailable):
            taking.patiently(log.write)
    assert log.asked == 1


def test_what_is_left_at_a_stop_is_done_while_the_log_answers() -> None:
    log, taking = Log(1), Turns()
    assert taking.patiently(log.write) == "written"
    taking.stopping.set()
    assert [taking.patiently(log.write) for _ in range(3)] == ["written"] * 3
