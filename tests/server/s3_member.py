"""A task of the S3 sink in a process of its own that dies (SIGKILL) when S3 has answered its n-th request."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from typing import Any, Protocol

from cdc.record import Batch
from cdc.schema import INT64, STRING, struct
from sinks.s3 import bucket as _bucket  # noqa: F401  a forked process has it at once
from sinks.s3.connector import build

SCHEMA = struct(("id", INT64), ("text", STRING), name="shop.Value")
TOPIC = "rows"


class Offset(Protocol):
    """Shared with who started the process."""

    value: int


def run(config: Mapping[str, str], committed: Offset, total: int, die_at: int) -> None:
    """Records from `committed` to `total`, ten to a file; each is committed when the sink says that S3 has it."""
    sink = build(dict(config))
    _die(sink._store._client, die_at)  # type: ignore[attr-defined]
    for first in range(committed.value, total, 10):
        sink.put([batch(first, min(first + 10, total))])
        committed.value = sink.settle({(TOPIC, 0): min(first + 10, total)})[TOPIC, 0]
    sink.close()


def _die(client: Any, at: int) -> None:
    answered = 0

    def count(**_: Any) -> None:
        nonlocal answered
        answered += 1
        if answered == at:
            os.kill(os.getpid(), signal.SIGKILL)

    client.meta.events.register("after-call.s3", count)


def batch(first: int, end: int) -> Batch:
    numbers = range(first, end)
    return Batch(
        TOPIC, None, SCHEMA, keys=[None] * len(numbers), values=[(number, f"text {number}") for number in numbers],
        headers=[()] * len(numbers), partition=0, timestamps=list(numbers), offsets=list(numbers),
    )  # fmt: skip
