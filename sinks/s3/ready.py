"""A batch prepared for files: its paths and times are known, and its records written in their formats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from cdc.record import Batch
from cdc.schema import Schema
from sinks.s3.open_file import Prepared
from sinks.s3.partition import Paths
from sinks.s3.schema_fit import projection


@dataclass(frozen=True)
class Ready:
    """Records of one shape. Nobody mutates it.

    Attributes:
        schema: of their values; None for tombstones.
        times: the moments they go by, if they do.
        prepare: writes a batch in the formats of all sides.
    """

    batch: Batch
    schema: Schema | None
    paths: Paths
    times: Sequence[int] | None
    offsets: Sequence[int]
    sides: Sequence[Prepared]
    prepare: Callable[[Batch], Sequence[Prepared]]

    def __len__(self) -> int:
        return len(self.offsets)

    def path(self, at: int) -> str:
        return self.paths if isinstance(self.paths, str) else self.paths[at]

    def part(self, start: int, end: int) -> Ready:
        if (start, end) == (0, len(self)):
            return self
        return self.pick(range(start, end)) if end > start else replace(
            self, batch=self.batch.pick(()), paths="", times=None, offsets=(), sides=()
        )  # fmt: skip

    def pick(self, wanted: Sequence[int]) -> Ready:
        return replace(
            self,
            batch=self.batch.pick(wanted),
            paths=self.paths if isinstance(self.paths, str) else [self.paths[i] for i in wanted],
            times=None if self.times is None else [self.times[i] for i in wanted],
            offsets=[self.offsets[i] for i in wanted],
            sides=[replace(side, rows=side.rows.pick(wanted)) for side in self.sides],
        )

    def of_schema(self, schema: Schema | None) -> Ready:
        """The same records with values of another schema, which they fit."""
        if schema == self.schema or schema is None or self.schema is None:
            return self
        project = projection(self.schema, schema)
        batch = replace(self.batch, value_schema=schema, values=list(map(project, self.batch.values)))
        return replace(self, batch=batch, schema=schema, sides=self.prepare(batch))

    def by_path(self, start: int, end: int) -> dict[str, Sequence[int]]:
        """The records from `start` to `end` of each path."""
        if isinstance(self.paths, str):
            return {self.paths: range(start, end)}
        found: dict[str, list[int]] = {}
        for at in range(start, end):
            found.setdefault(self.paths[at], []).append(at)
        return dict(found)
