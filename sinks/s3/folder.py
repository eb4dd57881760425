"""Files in a folder of this machine, under the names they would have in a bucket: `store.url=file:///some/folder`.

Beside each stands a hidden file `.NAME.last` with the offset of its last record.
"""

from __future__ import annotations

import os
from pathlib import Path

from cdc.errors import Problem, TargetError, TargetUnavailable
from sinks.s3.store import UNKNOWN, Exists, Mark, Upload

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
            last, _, writer = _beside(path).read_text().partition(" ")
            return Mark(int(last), writer)
        except (OSError, ValueError):
            return Mark(UNKNOWN, "")

    def put(self, upload: Upload) -> None:
        path = self._root / upload.name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists() and not upload.replace:
                raise Exists(upload.name)
            _write(_beside(path), f"{upload.mark.last} {upload.mark.writer}".encode())
            self._write_content(path, upload)
        except (PermissionError, NotADirectoryError, IsADirectoryError) as error:
            raise TargetError(f"{path} cannot be written: {error.strerror}; correct store.url or the folder's rights, "
                              "then restart the task") from error  # fmt: skip
        except OSError as error:  # a full disk
            raise TargetUnavailable(f"{path} cannot be written: {error.strerror}") from error

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
