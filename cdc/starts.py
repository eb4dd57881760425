"""How a source's task begins: at the offset that is its own, after the pauses that its config wants."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from cdc.connector import Raw
from cdc.errors import RequestError, SourceError
from cdc.record import Poll, SourceOffset

_IDLE_SECONDS: Final = 0.5


def own_offset(server: str, resume: Sequence[SourceOffset]) -> Mapping[str, Any] | None:
    """The stored offset of the server of that `topic.prefix`."""
    return next((offset for partition, offset in resume if dict(partition) == {"server": server}), None)


def offsets_check(read: Callable[[Mapping[str, Any]], object]) -> Callable[[Raw, Sequence[SourceOffset]], None]:
    """Refuses (RequestError) offsets of a server that `read` cannot read (SourceError)."""

    def check(raw: Raw, offsets: Sequence[SourceOffset]) -> None:
        for partition, offset in offsets:
            if offset is None or "server" not in partition:
                continue
            try:
                read(offset)
            except SourceError as error:
                raise RequestError(400, str(error)) from error

    return check


def pause(milliseconds: int) -> Iterator[Poll]:
    """Empty polls for so long."""
    until = time.monotonic() + milliseconds / 1000
    while (left := until - time.monotonic()) > 0:
        yield Poll()
        time.sleep(min(left, _IDLE_SECONDS))
