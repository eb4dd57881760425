"""One file while records are added to it: its values, and its keys and headers where they are stored too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cdc.schema import Schema
from sinks.s3.content import Content
from sinks.s3.formats import Encoder, Format, Rows
from sinks.s3.store import Mark, Upload


@dataclass(frozen=True)
class Side:
    """What of a record goes into an object of its own: `""` the value, `.keys` the key, `.headers` the headers.

    `wrap`: the field of a struct that it stands in, in formats whose records are structs.
    """

    name: str
    format: Format
    wrap: str | None = None


@dataclass(frozen=True)
class Prepared:
    """One side of a batch's records, ready for a file."""

    side: Side
    schema: Schema | None
    rows: Rows


class _Object:
    """One side of an open file."""

    def __init__(self, side: Side, schema: Schema | None) -> None:
        self.side = side
        self.encoder: Encoder = side.format.encoder(schema)
        self.content = Content()

    def add(self, rows: Rows) -> None:
        self.content.append(self.encoder.add(rows))

    @property
    def size(self) -> int:
        """About what it would be if it were finished now: what waits will shrink as the rest did."""
        encoded = self.encoder.added - self.encoder.waiting
        return self.content.size + self.encoder.waiting * (self.content.size or 1) // (encoded or 1)

    @property
    def in_memory(self) -> int:
        return self.encoder.waiting + self.content.in_memory

    def spill(self) -> None:
        self.content.append(self.encoder.flush())
        self.content.spill()


class OpenFile:
    """Objects whose names differ in side and extension alone; the last of them is there only when all are.

    Attributes:
        name: of its objects, without side and extension; `path`: the part of it that the partitioner made.
        first, last: the offsets of its first and last record; `count`: how many there are.
        replace: whether an object of another program is replaced.
        merged: what is written instead of its own object, once that is decided.
    """

    def __init__(self, name: str, path: str, first: int, sides: Sequence[Prepared], *, replace: bool) -> None:
        self.name, self.path, self.first, self.last, self.count = name, path, first, first, 0
        self.replace = replace
        self._objects = [_Object(each.side, each.schema) for each in sides]
        self._finished = 0
        self.written = 0
        self.merged: Upload | None = None

    def add(self, sides: Sequence[Rows], last: int, count: int) -> None:
        for each, rows in zip(self._objects, sides, strict=True):
            each.add(rows)
        self.last = last
        self.count += count

    @property
    def in_memory(self) -> int:
        return sum(each.in_memory for each in self._objects)

    @property
    def size(self) -> int:
        """About the bytes of its largest object if it were finished now."""
        return max(each.size for each in self._objects)

    def spill(self) -> None:
        """Moves all to disk. Raises: OSError."""
        for each in self._objects:
            each.spill()

    def finish(self) -> None:
        """No more records come: its content is made whole. Once is enough. Raises: OSError."""
        for each in self._objects[self._finished :]:
            each.content.append(each.encoder.finish())
            self._finished += 1

    @property
    def form(self) -> str:
        """Of the object of its values: those of one form can be joined."""
        return self._objects[-1].encoder.form

    def joined(self, before: Content) -> Iterator[bytes]:
        """The object of its values, which is finished, behind another of the same form. Raises: OSError."""
        return self._objects[-1].encoder.joined(before, self._objects[-1].content)

    def uploads(self, writer: str, tags: Sequence[tuple[str, str]] | None) -> list[Upload]:
        """What is left to write. Headers and keys go first and replace what a crash left of them."""
        told = tags_of(self.first, self.last, self.count, tags)
        last = len(self._objects) - 1
        return [
            Upload(
                self.name + each.side.name + each.side.format.extension,
                each.content,
                each.side.format.content_type,
                Mark(self.last, writer),
                self.replace or number != last,
                told,
            )
            for number, each in enumerate(self._objects)
        ][self.written :]

    def close(self) -> None:
        for each in self._objects:
            each.encoder.close()
            each.content.close()
        if self.merged is not None:
            self.merged.content.close()


def tags_of(first: int, last: int, count: int, more: Sequence[tuple[str, str]] | None) -> tuple[tuple[str, str], ...]:
    """An object's tags; none when `more` is None."""
    if more is None:
        return ()
    return ("startOffset", str(first)), ("endOffset", str(last)), ("recordCount", str(count)), *more
