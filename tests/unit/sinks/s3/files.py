"""An S3 sink on a store in memory, and what stands in its files: shared by the tests beside it."""

from __future__ import annotations

import gzip
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from cdc.connector import Raw
from cdc.errors import Problem, TargetUnavailable
from cdc.record import Batch
from cdc.schema import INT64, STRING, Schema, struct
from sinks.s3.connector import layout
from sinks.s3.content import Content
from sinks.s3.keys import parsed
from sinks.s3.listing import newest
from sinks.s3.sink import S3Sink
from sinks.s3.store import Exists, Mark, Numbered, Series, Upload

SCHEMA = struct(("id", INT64), ("country", STRING), ("at", INT64), name="shop.Value", version=1)
CONFIG = {"s3.bucket.name": "b", "flush.size": "3", "format.class": "io.confluent.connect.s3.format.json.JsonFormat"}


@dataclass
class MemoryStore:
    """Objects by name. `away`: what the next calls raise, after they have done their work or before."""

    objects: dict[str, tuple[bytes, Mark]] = field(default_factory=dict)
    away: list[str] = field(default_factory=list)
    looks: int = 0
    steps: int = 0

    def look(self, name: str) -> Mark | None:
        self.looks += 1
        found = self.objects.get(name)
        return None if found is None else found[1]

    def put(self, upload: Upload) -> Mark:
        content = b"".join(upload.content.parts(1000))
        return self._written(upload, content, replace(upload.mark, size=len(content)))

    def reseal(self, upload: Upload) -> Mark:
        return self._written(upload, self.objects[upload.name][0], upload.mark)

    def _written(self, upload: Upload, content: bytes, mark: Mark) -> Mark:
        when = self._answers()
        there = self.objects.get(upload.name)
        wanted = there is not None and there[1].version == upload.over if upload.over else there is None
        if not wanted and not upload.replace:
            raise Exists(upload.name)
        self.steps += 1
        self.objects[upload.name] = content, replace(mark, version=f"v{self.steps}")
        if when == "after":
            raise TargetUnavailable("no answer")
        return self.objects[upload.name][1]

    def _answers(self) -> str:
        when = self.away.pop(0) if self.away else ""
        if when == "before":
            raise TargetUnavailable("away")
        return when

    def newest(self, series: Series, offset: int) -> Numbered | None:
        def page(after: str) -> tuple[list[str], bool]:
            names = sorted(name for name in self.objects if name.startswith(series.prefix) and name > after)
            return names[:2], len(names) > 2

        found = newest(page, series, offset)
        return None if found is None else Numbered(found[1], found[0], self.objects[found[1]][1])

    def read(self, name: str, version: str) -> Content:
        self._answers()
        there = self.objects.get(name)
        if there is None or there[1].version != version:
            raise Exists(name)
        content = Content()
        content.append(there[0])
        return content

    def check(self) -> list[Problem]:
        return []

    def close(self) -> None:
        """A store outlives the tasks that use it."""

    def records(self) -> list[Any]:
        """The lines of all JSON objects that hold values."""
        found: list[Any] = []
        for name, (content, _) in sorted(self.objects.items()):
            if ".keys." not in name and ".headers." not in name:
                text = gzip.decompress(content) if name.endswith(".gz") else content
                found += [orjson.loads(line) for line in text.splitlines()]
        return found


def sink(store: MemoryStore, now: Any = (0,), writer: str = "w", **changes: str) -> S3Sink:
    """`now[0]` is what the clock shows; keys of the config have underscores here."""
    return S3Sink(layout(parsed(config(**changes))), store, writer, lambda: now[0])


def config(**changes: str) -> Raw:
    return {**CONFIG, **{name.replace("_", "."): value for name, value in changes.items()}}


def batch(values: Sequence[Any], first: int = 0, *, schema: Schema | None = SCHEMA, **more: Any) -> Batch:
    """Records of topic t, partition 0; their times are a second apart."""
    count = len(values)
    given: Mapping[str, Any] = {
        "partition": 0,
        "timestamps": [1000 * (first + i) for i in range(count)],
        "offsets": list(range(first, first + count)),
        "headers": [()] * count,
        "keys": [None] * count,
        "key_schema": None,
    }
    return Batch("t", value_schema=schema, values=values, **{**given, **more})


def rows(count: int, seed: int = 1, first: int = 0) -> list[tuple[int, str, int]]:
    chance = random.Random(seed)
    return [(first + i, chance.choice(("at", "de", "ch")), (first + i) * 60_000) for i in range(count)]
