"""What a target of files must do: tell whether one is there and how far it goes, and take one whole or not at all."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from cdc.errors import Problem
from sinks.s3.content import Content


class Mark(NamedTuple):
    """What is kept beside a file: the offset of its last record, and which run of which task wrote it."""

    last: int
    writer: str


class Exists(Exception):
    """A file of that name is there already; nothing was written."""


class Upload(NamedTuple):
    """A whole file.

    Attributes:
        replace: whether it takes the place of one that is there.
        tags: names and values to tag it with.
    """

    name: str
    content: Content
    content_type: str
    mark: Mark
    replace: bool
    tags: tuple[tuple[str, str], ...] = ()


class Store(Protocol):
    def look(self, name: str) -> Mark | None:
        """What stands beside the file; None when there is none, a last offset of -1 when another program wrote it.

        Raises: TargetError.
        """

    def put(self, upload: Upload) -> None:
        """Writes it; durable on return. Raises: Exists; TargetError."""

    def check(self) -> list[Problem]:
        """What would keep it from taking files, each with its remedy."""

    def close(self) -> None: ...


UNKNOWN = -1
"""The last offset of a file that another program wrote."""
