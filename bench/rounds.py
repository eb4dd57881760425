"""Sides are measured by turns, round after round, so that what the machine does besides hits all of them alike."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
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
    """One round that is not counted (a JVM compiles what is hot, files come into the cache), then `count`.

    Each side begins on a machine that has come to rest: what the one before it left to do is not the next one's cost.
    """
    for side in sides:
        side.measure()
    for number in range(count):
        for side in turn(sides, number):
            rest()
            yield Run(side.name, number, side.measure())


def rest(most_s: float = 10.0) -> None:
    """Returns when the processors were idle for nine tenths of half a second, or after `most_s`."""
    until = time.monotonic() + most_s
    while time.monotonic() < until:
        (idle, whole) = _processor_time()
        time.sleep(0.5)
        (idle_then, whole_then) = _processor_time()
        if idle_then - idle >= 0.9 * (whole_then - whole):
            return


def _processor_time() -> tuple[int, int]:
    """Ticks that all processors were idle, and all ticks, since the start; see proc(5), /proc/stat."""
    with Path("/proc/stat").open() as file:
        ticks = [int(each) for each in file.readline().split()[1:]]
    return ticks[3] + ticks[4], sum(ticks)
