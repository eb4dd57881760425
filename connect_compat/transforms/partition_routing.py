"""Records to the partition that the hash of some fields of their row gives.

Source: Debezium 3.5.0.Final, `PartitionRouting`, by what it gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Final

from cdc.config import UNGROUPED, Importance, key
from cdc.errors import TransformError
from cdc.java.hashing import Hash, java_hash, murmur_hash, signed
from cdc.record import Batch
from cdc.schema import Schema
from connect_compat.transforms.change_events import is_envelope, reader, split
from connect_compat.transforms.side import Each, is_null

_NO_EVENTS_OF_ROWS: Final = ("t", "m")
_LARGEST: Final = 0x7FFFFFFF


def _full(value: tuple[str, ...]) -> str | None:
    return None if all(value) else "Empty string element(s) not allowed"


def _positive(value: int) -> str | None:
    return None if value > 0 else "A positive, non-zero integer value is required"


@dataclass(frozen=True, kw_only=True)
class PartitionRoutingConfig:
    """Which fields, and how many partitions there are."""

    LAYOUT = UNGROUPED
    fields: tuple[str, ...] = key(
        "partition.payload.fields", default=None, needed=True, check=_full, importance=Importance.HIGH,
        group="partitions", order=1, width="NONE", label="List of payload fields to use for compute partition.",
        doc="Payload fields to use to calculate the partition. Supports Struct nesting using dot notation.To "
            "access fields related to data collections, you can use: after, before or change, where 'change' is a"
            " special field that will automatically choose, based on operation, the 'after' or 'before'. If a "
            "field not exist for the current record it will simply not usede.g. "
            "after.name,source.table,change.name")  # fmt: skip
    count: int = key(
        "partition.topic.num", default=None, needed=True, check=_positive, importance=Importance.HIGH,
        group="partitions", order=2, width="NONE", label="Number of partition configured for topic",
        doc="Number of partition for the topic on which this SMT act. Use TopicNameMatches predicate to filter "
            "records by topic")  # fmt: skip
    hash: str = key(
        "partition.hash.function", default="java", importance=Importance.LOW, group="partitions", order=3,
        width="NONE", label="Hash function",
        doc="Hash function to be used when computing hash of the fields which would determine number of the "
            "destination partition.")  # fmt: skip


class PartitionRouting:
    CLASS_NAME = "io.debezium.transforms.partitions.PartitionRouting"
    CONFIG = PartitionRoutingConfig

    def __init__(self, config: PartitionRoutingConfig) -> None:
        self._count = config.count
        self._paths = [tuple(step.strip() for step in path.split(".")) for path in config.fields]
        self._hash = murmur_hash if config.hash.strip().lower() == "murmur" else java_hash
        self._shape = lru_cache(maxsize=1000)(self._compile)

    def apply(self, batch: Batch) -> Sequence[Batch]:
        schema = batch.value_schema
        if schema is None or not is_envelope(schema):
            return [batch]
        partition = self._shape(schema)
        partitions = [None if is_null(value) else partition(value) for value in batch.values]
        return [
            part if number is None else replace(part, partition=number) for number, part in split(batch, partitions)
        ]

    def _compile(self, schema: Schema) -> Each:
        """A function from an envelope to its partition; None: as it was."""
        op = reader(schema, "op")
        after, before = self._readers(schema, "after"), self._readers(schema, "before")
        count = self._count

        def partition(value: object) -> int | None:
            kind = None if op is None else op(value)
            if kind in _NO_EVENTS_OF_ROWS:
                return None
            found = [hashed(value) for hashed in (before if kind == "d" else after)]
            present = [number for number in found if number is not None]
            if not present:
                return None
            total = signed(sum(present)) & _LARGEST
            return 0 if total == _LARGEST else total % count

        return partition

    def _readers(self, schema: Schema, change: str) -> list[Each]:
        """From an envelope to a field's hash, for those fields that there are; `change` is one side of the envelope."""
        found: list[Each] = []
        for path in self._paths:
            steps = (*(change if step == "change" else step for step in path[:-1]), path[-1])
            read, at = reader(schema, *steps), schema
            if read is None:
                continue
            for step in steps:
                field = at.field(step)
                assert field is not None
                at = field.schema
            above = reader(schema, *steps[:-1]) if len(steps) > 1 else None
            found.append(partial(_hashed, self._hash(at), read, above, ".".join(path)))
        return found


def _hashed(hashed: Hash, read: Each, above: Each | None, path: str, value: object) -> int | None:
    item = read(value)
    if item is not None:
        return hashed(item)
    if above is not None and above(value) is None:
        raise TransformError(f"PartitionRouting: what {path!r} is part of is null; use change.* for rows that are "
                             "deleted, or keep such records away with a predicate")  # fmt: skip
    return None
