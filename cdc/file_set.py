"""The lines of every file that a glob matches as records; each file from where it was left, under whatever name."""

from __future__ import annotations

import contextlib
import csv
import glob
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson
import structlog

from cdc.errors import SourceError
from cdc.lines import Lines
from cdc.record import Batch, Poll, SourceOffset
from cdc.schema import OPTIONAL_STRING, STRING, Schema, struct

FILENAME, POSITION, INODE = "filename", "position", "inode"
_WAIT_S: Final = 0.5
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Form:
    """What a line is: `name` text, json or csv. `skip_bad`: a line that is not so is left out, else it is an error."""

    name: str
    delimiter: str = ","
    skip_bad: bool = False


class _Place(NamedTuple):
    """How far a file was read, and which file that was."""

    position: int
    inode: int | None


class FileSet:
    """One task: all files of a glob, a batch of each in turn."""

    def __init__(self, pattern: str, topic: str, most: int, form: Form) -> None:
        self._pattern, self._topic, self._most, self._form = pattern, topic, most, form
        self._places: dict[str, _Place] = {}

    def polls(self, resume: Sequence[SourceOffset]) -> Iterator[Poll]:
        for partition, offset in resume:
            if FILENAME in partition and offset is not None:
                self._places[partition[FILENAME]] = _Place(offset[POSITION], offset.get(INODE))
        while True:
            some = False
            if renamed := self._renamed():
                yield Poll((), renamed)
            for path in self._paths():
                poll = self._read(path)
                if poll is not None:
                    some = True
                    yield poll
            if not some:
                yield Poll(idle=True)
                time.sleep(_WAIT_S)

    def _renamed(self) -> list[SourceOffset]:
        """Takes up files under their new names, before what stands under the old ones is read."""
        furthest = sorted(self._places.values(), key=lambda place: place.position)
        known = {place.inode: place for place in furthest if place.inode is not None}
        found = {}
        for path in self._paths():
            with contextlib.suppress(FileNotFoundError):
                place = known.get(Path(path).stat().st_ino)
                if place is not None and self._places.get(path) != place:
                    found[path] = place
        self._places.update(found)
        return [_offset(path, place) for path, place in found.items()]

    def _paths(self) -> list[str]:
        return sorted(glob.glob(self._pattern, recursive=True))  # noqa: PTH207 - any pattern, absolute or not

    def _read(self, path: str) -> Poll | None:
        """The next lines of one file; None when it has none. Raises: SourceError."""
        try:
            status = Path(path).stat()
        except FileNotFoundError:  # rotated away between glob and look
            return None
        place = self._place(path, status.st_ino, status.st_size)
        if status.st_size <= place.position:
            return None
        lines = Lines(path, place.position)
        try:
            found = lines.read(self._most)
            if not found or lines.inode() != status.st_ino:
                return None
        finally:
            lines.close()
        values, schema = self._values(path, found, place.position)
        self._places[path] = _Place(lines.position, status.st_ino)
        count = len(values)
        now_ms = [time.time_ns() // 1_000_000] * count
        batch = Batch(self._topic, None, schema, [None] * count, values, [()] * count, timestamps=now_ms)
        return Poll([batch] if count else [], [_offset(path, self._places[path])])

    def _place(self, path: str, inode: int, size: int) -> _Place:
        """Where to read on: a file is known by its inode; one set by hand in an offset, by its name alone."""
        known = self._places.get(path, _Place(0, inode))
        if known.inode not in (None, inode):
            return _Place(0, inode)
        if known.position > size:
            _log.warning("a file is shorter than what was read of it: it is read from its beginning", file=path)
            return _Place(0, inode)
        return known

    def _values(self, path: str, lines: list[str], position: int) -> tuple[list[Any], Schema | None]:
        if self._form.name == "text":
            return lines, STRING
        if self._form.name == "json":
            return self._each(path, [line for line in lines if line.strip()], orjson.loads), None
        header = lines.pop(0) if position == 0 else _first_line(path)
        columns = _cells(header, self._form.delimiter)

        def row(line: str) -> tuple[str, ...]:
            cells = _cells(line, self._form.delimiter)
            if len(cells) != len(columns):
                raise ValueError(f"it has {len(cells)} values, and the file {len(columns)} columns")
            return tuple(cells)

        schema = struct(*((name, OPTIONAL_STRING) for name in columns))
        return self._each(path, [line for line in lines if line.strip()], row), schema

    def _each(self, path: str, lines: list[str], read: Callable[[str], Any]) -> list[Any]:
        values = []
        for line in lines:
            try:
                values.append(read(line))
            except (ValueError, csv.Error) as error:
                what = f"a line of {path} is no {self._form.name.upper()}: {error}"
                if not self._form.skip_bad:
                    raise SourceError(f"{what}; mend the file, or set tailrace.files.skip.bad.lines=true to leave such "
                                      "lines out, then restart the task") from error  # fmt: skip
                _log.warning(what)
        return values

    def committed(self, offsets: Sequence[SourceOffset]) -> None:
        """Nothing to forget: the files stay as they are."""

    def close(self) -> None:
        """No file is held open between two reads."""


def _offset(path: str, place: _Place) -> SourceOffset:
    return SourceOffset({FILENAME: path}, {POSITION: place.position, INODE: place.inode})


def _cells(line: str, delimiter: str) -> list[str]:
    """Raises: csv.Error."""
    return next(csv.reader([line], delimiter=delimiter, strict=True), [])


def _first_line(path: str) -> str:
    first = Lines(path, 0)
    try:
        return first.read(1)[0]
    finally:
        first.close()
