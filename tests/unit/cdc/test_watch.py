from __future__ import annotations

import json
from collections.abc import Generator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from cdc.java.objects import JavaValue, Key
from cdc.notifications import Notifications
from cdc.table import TableId
from cdc.watch import Context, Watch
from cdc.watched import Chunk, Place, Steps

TABLE = TableId("shop", "t")


class Envelope:
    """Of a table with the one column `id`; its batches are the rows."""

    fields = (("id", None),)
    key_only = ()
    key = ("id",)

    def reads(self, rows: Sequence[Any], sources: Sequence[Any], now_ns: int) -> list[Any]:
        return list(rows)


class InMemory:
    """A table of `rows` ids; `windows` are the watermarks that were written."""

    def __init__(self, rows: int) -> None:
        self.ids = list(range(1, rows + 1))
        self.windows: list[str] = []
        self._shape: Any = SimpleNamespace(envelope=Envelope(), columns=(SimpleNamespace(name="id"),))
        self.unprepared = self.unmarked = ""

    def known(self) -> list[str]:
        return ["shop.t"]

    def find(self, name: str) -> TableId:
        return TABLE

    def shape(self, id: TableId) -> Any:
        return self._shape

    def refresh(self, id: TableId) -> None: ...

    def defined(self, id: TableId) -> list[Any]:
        return []

    def define(self, database: str, changes: Sequence[Mapping[str, Any]]) -> list[Any]:
        return []

    def keys(self, shape: Any, surrogate: str | None) -> Sequence[Any]:
        return ["id"]

    def key_reader(self, columns: Sequence[Any], surrogate: str | None, key: Sequence[str]) -> Any:
        return lambda row: row[0]

    def open_window(self, id: str) -> None:
        self.windows.append(f"{id}-open")

    def close_window(self, id: str, *, by_delete: bool) -> None:
        self.windows.append(f"{id}-close")

    def moment(self) -> Any: ...

    def reached(self, low: Any, high: Any) -> bool:
        return True

    def greatest(self, chunk: Chunk) -> Steps:
        return _at_once([(self.ids[-1],)] if self.ids else [])

    def rows(self, chunk: Chunk, limit: int) -> Steps:
        after = _id(chunk.after) if chunk.after else 0
        assert chunk.upto is not None
        return _at_once([(id,) for id in self.ids if after < id <= _id(chunk.upto)][:limit])

    def key_in(self, chunk: Chunk, row: Any) -> Key:
        return (JavaValue("java.lang.Integer", row[0]),)

    def converted(self, chunk: Chunk, rows: Sequence[Any]) -> Sequence[Any]:
        return rows

    def estimate(self, id: TableId) -> int:
        return len(self.ids)

    def wait(self, seconds: float) -> None: ...

    def close(self) -> None: ...

    def source(self, now_ns: int, id: TableId) -> Any:
        return ()

    def offset(self) -> Mapping[str, Any]:
        return {}

    def unwritable(self, error: Exception) -> str:
        return str(error)


def _id(key: Key) -> int:
    (value,) = key
    assert value is not None
    return int(value.value)


def _at_once(rows: list[Any]) -> Generator[None, None, list[Any]]:
    return rows
    yield


def _watch(tables: InMemory, chunk: int) -> Watch:
    config = SimpleNamespace(
        read_only=False, watermarking="INSERT_INSERT", signal_channels=("source",), signal_poll_ms=5000,
        incremental_chunk=chunk,
    )  # fmt: skip
    watch = Watch(Context(
        config=config, tables=tables, signals=frozenset({TableId("shop", "signals")}), place=Place(),
        notifications=Notifications("shop"),
    ), {})  # fmt: skip
    watch.start()
    return watch


def _signal(watch: Watch, id: str, type: str, data: str | None = None) -> list[Any]:
    return watch.signal(("id", "type", "data"), "c", (id, type, data))


def _execute(watch: Watch) -> list[Any]:
    return _signal(watch, "s", "execute-snapshot", json.dumps({"data-collections": ["shop.t"]}))


def _mark(watch: Watch, id: str) -> list[Any]:
    return _signal(watch, id, f"snapshot-window-{id.rpartition('-')[2]}")


def _change(watch: Watch, id: int) -> None:
    watch.changed(("id",), [(id,)], pairs=False)


def test_rows_that_change_in_the_window_are_left_out() -> None:
    tables = InMemory(3)
    watch = _watch(tables, 10)
    _execute(watch)
    opened, closed = tables.windows
    assert _mark(watch, opened) == []
    _change(watch, 2)
    assert _mark(watch, closed) == [(1,), (3,)]


def test_rows_may_change_in_the_last_window_in_which_nothing_was_found() -> None:
    tables = InMemory(2)
    watch = _watch(tables, 2)
    _execute(watch)
    assert [row for mark in tables.windows[:2] for row in _mark(watch, mark)] == [(1,), (2,)]
    opened, closed = tables.windows[2:]
    assert _mark(watch, opened) == []
    assert TABLE in watch.tables
    _change(watch, 1)
    assert _mark(watch, closed) == []
    assert TABLE not in watch.tables
    assert watch.offset() == {}


def test_a_table_without_rows_is_done_at_once() -> None:
    tables = InMemory(0)
    watch = _watch(tables, 2)
    _execute(watch)
    opened, closed = tables.windows
    _mark(watch, opened)
    _change(watch, 1)
    assert _mark(watch, closed) == []
    assert watch.offset() == {}
