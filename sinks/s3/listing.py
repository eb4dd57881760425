"""Finds the file of a series with the highest number below a limit, in a store that lists names upwards only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from sinks.s3.store import Series

Page = Callable[[str], tuple[Sequence[str], bool]]
"""The names of a series after the given text, in order, as many as come at once; and whether there are more."""
_REACH: Final = 1000
_WIDER: Final = 32


def newest(page: Page, series: Series, limit: int) -> tuple[int, str] | None:
    """Number and name; None when there is none.

    One page where it holds all. Else it looks at the names from a little below the limit, then from further below:
    names are in the order of their numbers as long as those fit into the series' width.
    """
    names, more = page("")
    if not more:
        return _highest(series, names, limit)
    if limit >= 10**series.width:
        return _highest(series, _all(page), limit)
    reach = _REACH
    while True:
        start = max(limit - reach, 0)
        found = _highest(series, _up_to(page, series, start, limit), limit)
        if found is not None or start == 0:
            return found
        reach *= _WIDER


def _highest(series: Series, names: Sequence[str] | Iterator[str], limit: int) -> tuple[int, str] | None:
    numbered = ((series.number(name), name) for name in names)
    return max(((number, name) for number, name in numbered if number is not None and number <= limit), default=None)


def _all(page: Page, after: str = "") -> Iterator[str]:
    more = True
    while more:
        names, more = page(after)
        yield from names
        after = names[-1] if names else after


def _up_to(page: Page, series: Series, start: int, limit: int) -> Iterator[str]:
    whole = len(series.prefix) + series.width + len(series.suffix)
    for name in _all(page, f"{series.prefix}{start:0{series.width}d}"):
        number = series.number(name)
        if number is not None and number > limit and len(name) == whole:
            return
        yield name
