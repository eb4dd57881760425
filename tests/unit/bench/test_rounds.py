"""Sides take turns: one round that is not counted, then rounds that each begin with another side."""

from __future__ import annotations

from dataclasses import dataclass

from bench.rounds import Figures, rounds, turn


@dataclass
class Counting:
    name: str
    asked: list[str]

    def measure(self) -> Figures:
        self.asked.append(self.name)
        return {"measured": len(self.asked)}


def test_each_round_begins_with_another_side() -> None:
    assert [turn("abc", number) for number in range(4)] == [
        ["a", "b", "c"],
        ["b", "c", "a"],
        ["c", "a", "b"],
        ["a", "b", "c"],
    ]


def test_the_first_round_warms_up_and_is_not_counted() -> None:
    asked: list[str] = []
    found = list(rounds([Counting("a", asked), Counting("b", asked)], 2))
    assert "".join(asked) == "abab" + "ba"
    assert [(run.side, run.round, run.figures["measured"]) for run in found] == [
        ("a", 0, 3),
        ("b", 0, 4),
        ("b", 1, 5),
        ("a", 1, 6),
    ]
