"""Sides are measured by turns, round after round, so that what the machine does besides hits all of them alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

T = TypeVar("T")
Figures = Mapping[str, float]


class Side(Protocol):
    """One of those that are compared."""

    @property
    def name(self) -> str: ...

    def measure(self) -> Figures: ...


@dataclass(frozen=True)
class Run:
    """What one measurement gave. `at`: at which load, where there are several."""

    side: str
    round: int
    figures: Figures
    at: str = ""


def turn(sides: Sequence[T], number: int) -> list[T]:
    """The order of a round: each round begins with another side."""
    first = number % len(sides) if sides else 0
    return [*sides[first:], *sides[:first]]


def rounds(sides: Sequence[Side], count: int) -> Iterator[Run]:
    """One round that is not counted (a JVM compiles what is hot, files come into the cache), then `count`."""
    for side in sides:
        side.measure()
    for number in range(count):
        for side in turn(sides, number):
            yield Run(side.name, number, side.measure())
