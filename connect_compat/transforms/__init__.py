"""Single message transforms and predicates, a batch at a time; one file each, named after its Connect class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from cdc.record import Batch


class Transform(Protocol):
    """Compiled once per schema, applied to batches."""

    def apply(self, batch: Batch) -> Sequence[Batch]:
        """The records that come out, in order; several batches when shapes differ, none when all are dropped.

        Raises: TransformError naming the transform, the field and the remedy; nothing of the batch is used then.
        """


class Predicate(Protocol):
    """Which records a transform applies to."""

    def test(self, batch: Batch) -> Sequence[bool]:
        """One answer a record."""
