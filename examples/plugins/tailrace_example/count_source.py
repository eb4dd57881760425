"""A source that counts: `{"n": 1}`, `{"n": 2}` … from where it stopped, up to a last number."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cdc.config import Importance, at_least, key, parse
from cdc.connector import Raw, SourceConnector
from cdc.record import Batch, Poll, SourceContext, SourceOffset
from cdc.schema import INT64, struct

_VALUE = struct(("n", INT64), name="com.example.Count")
_PARTITION = {"counter": "only"}
_AT_ONCE = 500


@dataclass(frozen=True, kw_only=True)
class CountConfig:
    """What the source reads from its connector's config."""

    topic: str = key("topic", importance=Importance.HIGH, doc="Where the numbers go.")
    last: int = key("last", default=1000, check=at_least(0), doc="The number to stop at.")


class CountSource:
    """One task."""

    def __init__(self, config: CountConfig) -> None:
        self._config = config

    def polls(self, resume: Sequence[SourceOffset]) -> Iterator[Poll]:
        """Goes on behind the offset that was saved with the last records that are in the log."""
        done = next((each.offset["n"] for each in resume if each.partition == _PARTITION and each.offset), 0)
        while True:
            upto = min(done + _AT_ONCE, self._config.last)
            if upto == done:
                yield Poll(idle=True)  # at least once a second, so that the task can stop
                time.sleep(0.2)
                continue
            values = [(n,) for n in range(done + 1, upto + 1)]
            none = [None] * len(values)
            batch = Batch(self._config.topic, None, _VALUE, none, values, [()] * len(values))
            done = upto
            yield Poll([batch], [SourceOffset(_PARTITION, {"n": done})])

    def committed(self, offsets: Sequence[SourceOffset]) -> None:
        """A database would be told here what it may forget."""

    def close(self) -> None:
        """And disconnected from here."""


def _build(raw: Raw, context: SourceContext) -> CountSource:
    return CountSource(parse(CountConfig, raw))


COUNT = SourceConnector(
    class_name="com.example.CountSourceConnector", version="1.0", config=CountConfig, build=_build, knows_offsets=True
)
