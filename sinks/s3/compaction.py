"""A file that ends is joined to the one before it of the same path, as long as both together are small.

Small files never come into being: what is written takes, in one step, the place of the file that it goes on with. So
whoever reads sees each record once at every moment. The one file that may be gone on with is the last of its path, and
says so in its mark (`Mark.form`). It is either replaced, or sealed before a file is written after it: both need the
version that was found, so of two tasks that both believe to have the partition only one gets on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from cdc.errors import BeginAgain
from sinks.s3.content import SPILL_BYTES, Content
from sinks.s3.open_file import OpenFile, tags_of
from sinks.s3.store import Exists, Mark, Numbered, Series, Store, Upload

_KNOWN: Final = 10_000


@dataclass(frozen=True)
class Merging:
    """The connector's settings for it.

    Attributes:
        target_bytes: of a file that others were joined to, at most.
        width: digits of the offsets in names.
        suffix: what stands after those.
        tags: of objects, beside their offsets; None: they have none.
    """

    target_bytes: int
    width: int
    suffix: str
    tags: Sequence[tuple[str, str]] | None


class Compaction:
    """The last file of each path of one topic's partition. `name` makes a file's name of path and offset."""

    def __init__(self, settings: Merging, store: Store, name: Callable[[str, int], str]) -> None:
        self._settings, self._store, self._name = settings, store, name
        self._last: dict[str, Numbered | None] = {}

    def last(self, path: str, offset: int) -> Numbered | None:
        """The file of the path that begins at `offset` or before it, and of those last. Raises: TargetError."""
        if path not in self._last:
            if len(self._last) >= _KNOWN:
                self._last.clear()
            width = self._settings.width
            prefix = self._name(path, offset).removesuffix(f"{offset:0{width}d}")
            self._last[path] = self._store.newest(Series(prefix, width, self._settings.suffix), offset)
        return self._last[path]

    def wrote(self, path: str, first: int, upload: Upload, mark: Mark) -> None:
        """A file is in the target: it is the last of its path."""
        known = self._last.get(path)
        begins = known.first if known is not None and known.name == upload.name else first
        self._last[path] = Numbered(upload.name, begins, mark)

    def found(self, path: str, offset: int, mark: Mark) -> None:
        """A file of an earlier run that begins with the record at `offset`."""
        self._last[path] = Numbered(self._name(path, offset) + self._settings.suffix, offset, mark)

    def merged(self, file: OpenFile, own: Upload) -> Upload:
        """What is to be written in place of `own`: the same, or the last file and it in one.

        Raises: BeginAgain: another task writes to the path; TargetError.
        """
        own = replace(own, mark=self._mark(own.mark, file.count, file.form, own.content.size))
        last = None if file.replace else self.last(file.path, file.first)
        if last is None or not last.mark.form:
            return own
        if last.mark.last >= file.first or self._store.look(own.name) is not None:
            raise BeginAgain(f"{own.name} was written by another task meanwhile; this one begins again after it")
        try:
            return self._joined(last, file, own) or self._sealed(last, file, own)
        except Exists:
            found = self._store.look(last.name)
            if found is None or found != self._closed(last, own).mark:
                raise BeginAgain(f"{last.name} was written by another task meanwhile; this one begins again after "
                                 "what it finds") from None  # fmt: skip
            return self._after_sealed(last, file, own, found)

    def _mark(self, mark: Mark, records: int, form: str, size: int) -> Mark:
        return replace(mark, records=records, form=form if size < self._settings.target_bytes else "")

    def _joined(self, last: Numbered, file: OpenFile, own: Upload) -> Upload | None:
        """None: they do not go together. Raises: Exists."""
        target = self._settings.target_bytes
        if last.mark.form != file.form or last.mark.size + own.content.size > target:
            return None
        before, content = self._store.read(last.name, last.mark.version), Content()
        try:
            for piece in file.joined(before):
                content.append(piece)
                if content.in_memory >= SPILL_BYTES:
                    content.spill()
        finally:
            before.close()
        if not last.mark.size < content.size <= target:
            content.close()
            return None
        count = last.mark.records + file.count
        return replace(
            own,
            name=last.name,
            content=content,
            mark=self._mark(own.mark, count, file.form, content.size),
            over=last.mark.version,
            tags=tags_of(last.first, own.mark.last, count, self._settings.tags),
        )

    def _sealed(self, last: Numbered, file: OpenFile, own: Upload) -> Upload:
        """Nobody joins anything to the last file from now on. Raises: Exists."""
        return self._after_sealed(last, file, own, self._store.reseal(self._closed(last, own)))

    def _after_sealed(self, last: Numbered, file: OpenFile, own: Upload, mark: Mark) -> Upload:
        self._last[file.path] = last._replace(mark=mark)
        return own

    def _closed(self, last: Numbered, own: Upload) -> Upload:
        mark = replace(last.mark, writer=own.mark.writer, form="")
        tags = tags_of(last.first, mark.last, mark.records, self._settings.tags)
        return Upload(last.name, Content(), own.content_type, mark, False, tags, last.mark.version)
