"""The compiled twin of `row_decoder.compile_rows` and `copy_rows.compile_lines`, where it is built."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cdc.native import hot
from cdc.postgres.row_decoder import Read
from cdc.postgres.usual import usual

if TYPE_CHECKING:
    from cdc.native._hot import PostgresRows


def compile_native(columns: int, reads: Sequence[Read]) -> PostgresRows | None:
    """Of a relation of so many columns; None: it is not built."""
    if hot is None:
        return None
    return hot.PostgresRows(columns, tuple(map(_told, reads)))  # type: ignore[no-any-return]


def _told(read: Read) -> tuple[object, ...]:
    kind, argument = usual(read.read)
    return read.place, kind, argument, read.read, read.required, read.null, read.nothing
