"""What readers of columns make of texts of the usual form, told by name: the compiled twin knows it by that name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

from cdc.postgres import moments, texts

Reader = TypeVar("Reader", bound=Callable[[str], Any])


class Usual(NamedTuple):
    """`kind` is one of those that `cdc/native/postgres_rows.c` names; `argument` is the kind's own."""

    kind: str
    argument: int = 0


CALL: Final = Usual("call")
"""The reader is asked for every text."""
TEXT: Final = Usual("text")
_KNOWN: Final[WeakKeyDictionary[Callable[[str], Any], Usual]] = WeakKeyDictionary()


def known(read: Reader, kind: str, argument: int = 0) -> Reader:
    """The reader, of which is told what it makes of usual texts. What it makes of others, it is asked."""
    _KNOWN[read] = Usual(kind, argument)
    return read


known(int, "int")
known(float, "float")
known(texts.truth, "truth")
known(moments.time_micros, "time", 1)


def usual(read: Callable[[str], Any] | None) -> Usual:
    """`read` as in `row_decoder.Read`."""
    return TEXT if read is None else _KNOWN.get(read, CALL)
