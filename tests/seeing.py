"""A watch for readers of logs that notes what it sees, and asks for nothing."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

from cdc.table import TableId


class Seeing:
    """A watch that wants to see the rows of some tables, and the signals in others."""

    blocking, busy, waits, redefined = None, False, False, False

    def __init__(self, tables: Iterable[TableId], signals: Iterable[TableId] = ()) -> None:
        self.place = SimpleNamespace()
        self.tables, self.signals = frozenset(tables), frozenset(signals)
        self.seen: list[Any] = []

    def signal(self, columns: object, operation: str, row: Any) -> list[Any]:
        self.seen.append((operation, row))
        return []

    def changed(self, columns: object, images: Iterable[Any], *, pairs: bool) -> None:
        self.seen.append((list(images), pairs))

    def advance(self, patience: float) -> bool:
        return False

    def take(self) -> list[Any]:
        return []

    def taken(self) -> bool:
        return False

    def offset(self) -> dict[str, Any]:
        return {}
