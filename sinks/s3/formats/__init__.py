"""How a file's bytes come about: records are prepared a batch at a time, gathered, and encoded in blocks.

A block stands for itself (gzip and zstd members, Avro blocks, Parquet row groups), so an open file keeps no more than
what was added since the last one, and no compressor's memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from cdc.schema import Schema
from sinks.s3.content import Content


class Unfit(Exception):
    """Records that a format has no form for; the text says why and what would help."""


class Rows(Protocol):
    """Records of one shape, ready for a file."""

    def part(self, start: int, end: int) -> Rows: ...

    def pick(self, wanted: Sequence[int]) -> Rows: ...


class Encoder(Protocol):
    """The content of one file as it grows.

    Attributes:
        added: bytes of all that was added, before they are encoded.
        waiting: those of them that are not encoded yet.
        form: files of one form can be joined to one.
    """

    added: int
    waiting: int

    @property
    def form(self) -> str: ...

    def add(self, rows: Any) -> bytes:
        """Rows that `prepare` of the same format gave; what of the file is final by that."""

    def flush(self) -> bytes:
        """Has all that was added out of memory; what of the file is final by that. Raises: OSError."""

    def finish(self) -> bytes:
        """The rest of the file."""

    def joined(self, first: Content, second: Content) -> Iterator[bytes]:
        """Two finished files of its form as one, bit by bit. Raises: OSError."""

    def close(self) -> None:
        """Whether finished or not."""


class Format(Protocol):
    """How records of any schema are written.

    Attributes:
        extension: of its files, such as `.json.gz`.
        content_type: of its objects.
    """

    extension: str
    content_type: str

    def prepare(self, schema: Schema | None, values: Sequence[Any]) -> Rows:
        """Raises: Unfit; whatever a value provokes that is not of its schema."""

    def encoder(self, schema: Schema | None) -> Encoder: ...
