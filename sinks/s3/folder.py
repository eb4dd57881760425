"""Files in a folder of this machine, under the names they would have in a bucket: `store.url=file:///some/folder`.

Beside each stands a hidden file `.NAME.last` with its mark as a line: offset of the last record, writer, number of
records, form (`-`: none), size. While a file takes the place of a shorter one both have their line; the size tells
which one holds.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from cdc.errors import Problem, TargetError, TargetUnavailable
from sinks.s3.content import SPILL_BYTES, Content
from sinks.s3.store import UNKNOWN, Exists, Mark, Numbered, Series, Upload

_PART: int = 1 << 20


class FolderStore:
    """The folder `root/bucket`, made when it is missing."""

    def __init__(self, root: str, bucket: str) -> None:
        self._root = Path(root) / bucket

    def look(self, name: str) -> Mark | None:
        path = self._root / name
        if not path.exists():
            return None
        try:
            size = path.stat().st_size
            marks = [_mark(line, size) for line in _beside(path).read_text().splitlines()]
            return next(mark for mark in reversed(marks) if mark.size == size)
        except (OSError, ValueError, StopIteration):
            return Mark(UNKNOWN, "")

    def put(self, upload: Upload) -> Mark:
        """Over another version, it must be longer than that."""
        return self._written(upload, replace(upload.mark, size=upload.content.size), with_content=True)

    def reseal(self, upload: Upload) -> Mark:
        return self._written(upload, upload.mark, with_content=False)

    def _written(self, upload: Upload, mark: Mark, *, with_content: bool) -> Mark:
        """The mark goes first: a file with no mark would be another program's."""
        path = self._root / upload.name
        before: list[str] = []
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if upload.over:
                before = [self._of_version(upload.name, upload.over).version]
            elif path.exists() and not upload.replace:
                raise Exists(upload.name)
            line = _line(mark)
            _write(_beside(path), "\n".join([*before, line] if with_content else [line]).encode())
            if with_content:
                self._write_content(path, upload)
            return replace(mark, version=line)
        except (PermissionError, NotADirectoryError, IsADirectoryError) as error:
            raise TargetError(f"{path} cannot be written: {error.strerror}; correct store.url or the folder's rights, "
                              "then restart the task") from error  # fmt: skip
        except OSError as error:  # a full disk
            raise TargetUnavailable(f"{path} cannot be written: {error.strerror}") from error

    def _of_version(self, name: str, version: str) -> Mark:
        found = self.look(name)
        if found is None or found.version != version:
            raise Exists(name)
        return found

    def newest(self, series: Series, offset: int) -> Numbered | None:
        folder = (self._root / series.prefix).parent
        names = [str(path.relative_to(self._root)) for path in folder.iterdir()] if folder.is_dir() else []
        numbered = [(number, name) for name in names if (number := series.number(name)) is not None]
        first, name = max((each for each in numbered if each[0] <= offset), default=(0, ""))
        mark = self.look(name) if name else None
        return None if mark is None else Numbered(name, first, mark)

    def read(self, name: str, version: str) -> Content:
        self._of_version(name, version)
        content = Content()
        with (self._root / name).open("rb") as file:
            while piece := file.read(SPILL_BYTES):
                content.append(piece)
                content.spill()
        return content

    def _write_content(self, path: Path, upload: Upload) -> None:
        written = path.with_name(f".{path.name}.new")
        with written.open("wb") as file:
            for part in upload.content.parts(_PART):
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        written.replace(path)
        _make_durable(path.parent)

    def check(self) -> list[Problem]:
        try:
            self._root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            return [Problem("store.url", f"store.url: {self._root} cannot be made: {error.strerror}; name a folder "
                            "that the worker may write")]  # fmt: skip
        if not os.access(self._root, os.W_OK):
            return [Problem("store.url", f"store.url: {self._root} cannot be written by the worker; run "
                            f"`chmod u+w {self._root}` or name another folder")]  # fmt: skip
        return []

    def close(self) -> None:
        return None


def _mark(line: str, size: int) -> Mark:
    """Of a file with so many bytes where the line does not say. Raises: ValueError."""
    found = line.split(" ")
    last, writer, records, form, told = [*found, *("", "0", "-", str(size))[len(found) - 1 :]]
    return Mark(int(last), writer, int(records), "" if form == "-" else form, line, int(told))


def _line(mark: Mark) -> str:
    return f"{mark.last} {mark.writer} {mark.records} {mark.form or '-'} {mark.size}"


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.last")


def _write(path: Path, text: bytes) -> None:
    written = path.with_name(f"{path.name}.new")
    with written.open("wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    written.replace(path)


def _make_durable(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
