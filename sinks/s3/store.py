"""What a target of files must do: tell whether one is there and how far it goes, and take one whole or not at all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from cdc.errors import Problem
from sinks.s3.content import Content


@dataclass(frozen=True)
class Mark:
    """What is kept beside a file: the offset of its last record, and which run of which task wrote it.

    Attributes:
        records: how many it has; 0: not known.
        form: files of the same form may be joined to it; "": none may, ever again.
        version, size: of the file as it is in the target, which tells them.
    """

    last: int
    writer: str
    records: int = 0
    form: str = ""
    version: str = field(default="", compare=False)
    size: int = field(default=0, compare=False)


class Exists(Exception):
    """Another file of that name is there than was thought; nothing was written."""


@dataclass(frozen=True)
class Upload:
    """A whole file.

    Attributes:
        replace: whether it takes the place of one that is there, whichever.
        tags: names and values to tag it with.
        over: the version that must be there, whose place it takes.
    """

    name: str
    content: Content
    content_type: str
    mark: Mark
    replace: bool
    tags: tuple[tuple[str, str], ...] = ()
    over: str = ""


class Numbered(NamedTuple):
    """A file, and the offset of its first record, which its name ends with."""

    name: str
    first: int
    mark: Mark


class Store(Protocol):
    def look(self, name: str) -> Mark | None:
        """What stands beside the file; None when there is none, a last offset of -1 when another program wrote it.

        Raises: TargetError.
        """

    def put(self, upload: Upload) -> Mark:
        """Writes it; durable on return. Its mark, with version and size. Raises: Exists; TargetError."""

    def newest(self, series: Series, offset: int) -> Numbered | None:
        """The file with the highest number that is not above `offset`. Raises: TargetError."""

    def read(self, name: str, version: str) -> Content:
        """All of it. Raises: Exists: it is another version; TargetError."""

    def reseal(self, upload: Upload) -> Mark:
        """Gives the file another mark and another version; the upload's content is not used. As `put`."""

    def check(self) -> list[Problem]:
        """What would keep it from taking files, each with its remedy."""

    def close(self) -> None: ...


class Series(NamedTuple):
    """Files whose names differ in a number alone: `prefix`, the number with zeros up to `width`, `suffix`."""

    prefix: str
    width: int
    suffix: str

    def number(self, name: str) -> int | None:
        digits = name.removeprefix(self.prefix).removesuffix(self.suffix)
        whole = len(digits) + len(self.prefix) + len(self.suffix) == len(name)
        return int(digits) if whole and digits.isascii() and digits.isdecimal() else None


UNKNOWN: Final = -1
"""The last offset of a file that another program wrote."""
