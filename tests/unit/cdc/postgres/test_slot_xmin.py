"""`source.xmin`: asked when it is wanted, and no more often."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cdc.postgres.slot_xmin import SlotXmin


class Asked:
    """Answers 1, 2, 3 and so on."""

    def __init__(self) -> None:
        self.times = 0

    def rows(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        assert tuple(parameters) == ("s",)
        self.times += 1
        return [(self.times,)]


def test_xmin_is_told_anew_after_the_interval() -> None:
    now = [0.0]
    xmin = SlotXmin(Asked(), "s", 500, clock=lambda: now[0])
    assert [xmin(), xmin()] == [1, 1]
    now[0] = 0.5
    assert [xmin(), xmin()] == [2, 2]


def test_without_an_interval_nobody_is_asked() -> None:
    ask = Asked()
    assert SlotXmin(ask, "s", 0)() is None and ask.times == 0
