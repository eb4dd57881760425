"""A predicate: holds for records whose first field is an odd number."""

from __future__ import annotations

from collections.abc import Sequence

from cdc.record import Batch


class IsOdd:
    CLASS_NAME = "com.example.IsOdd"
    CONFIG = None

    def test(self, batch: Batch) -> Sequence[bool]:
        return [isinstance(value, tuple) and value[0] % 2 == 1 for value in batch.values]
