"""Frames that hold rows of one version of a table -> row tuples, by one function generated for each kind of frame.

The function is straight-line Python. A text value begins with `t` and four bytes of its length, and no text holds a
zero byte: so the values of a row are what stands between `t`, zero, zero, and when as many pieces as columns come out,
none of them is null. Source: PostgreSQL's manual, "Logical Replication Message Formats": TupleData.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from cdc.postgres import texts
from cdc.postgres.pgoutput import HEADER_SIZE

Decode = Callable[[Sequence[bytes], int, list[Any], list[int]], int]
"""(frames, index of the first, rows, LSNs) -> index after the run; rows and LSNs are added to.

A row is a tuple, of updates a pair (before or None, after). The run ends before a frame that begins with another
prefix.
"""

PREFIX_END: Final = HEADER_SIZE + 8
"""Kind, relation, kind of the first tuple, its number of columns: frames that agree in these are decoded alike."""
_LARGE: Final = 1 << 20
DAMAGE: Final = (StopIteration, struct.error, IndexError, ValueError, TypeError, OverflowError)
"""What comes up where a frame is not of the usual form."""
_LSN: Final = struct.Struct(">Q").unpack_from
PLAIN: Final[dict[Any, str]] = {int: "int({raw})", float: "float({raw})", texts.truth: "{raw} == b't'"}
"""What takes bytes as they are, and never gives null."""


class Read(NamedTuple):
    """How one column of a row tuple is made.

    Attributes:
        place: of the column in the relation.
        read: from its text; None: the text itself.
        required: null stands in no row but those that hold the replica identity alone.
        null: what is shown for null.
        nothing: what is shown of a required column where a text stands for a value that events cannot hold.
    """

    place: int
    read: Callable[[str], Any] | None
    required: bool
    null: Any
    nothing: Any


def compile_rows(prefix: bytes, columns: int, reads: Sequence[Read], slow: Callable[[bytes], Any]) -> Decode:
    """The decoder of all frames that begin (after their header) with `prefix`, of a relation of so many columns.

    `slow` decodes one frame that is not of the usual form: it holds values that the log left out, or is damaged.
    """
    tuples = {b"N": ["N"], b"K": ["K", "N"], b"O": ["O", "N"]}[prefix[5:6]]
    if prefix[:1] == b"D":
        tuples = tuples[:1]
    source = _Source(columns, reads)
    plain = source.plain(tuples)
    careful = source.careful(tuples)
    made = ", ".join(source.row(kind, number) for number, kind in enumerate(tuples))
    if prefix[:1] == b"U":
        made = f"({made if len(tuples) == 2 else 'None, ' + made})"
    lines = [
        "def decode(frames, at, rows, lsns):",
        " add = rows.append; told = lsns.append; end = len(frames)",
        " while at < end:",
        "  frame = frames[at]",
        f"  if frame[{HEADER_SIZE}:{PREFIX_END}] != prefix: break",
        "  told(lsn(frame, 1)[0])",
        "  try:",
        f"   if len(frame) > {_LARGE}: raise ValueError",
        f"   parts = frame[{PREFIX_END}:].split(b't\\0\\0')",
        f"   if len(parts) == {1 + columns * len(tuples)}:",
        *("    " + line for line in plain),
        "   else:",
        *("    " + line for line in careful),
        f"   row = {made}",
        "  except damage:",
        "   row = slow(frame)",
        "  add(row)",
        "  at += 1",
        " return at",
    ]
    scope = source.constants | {"prefix": prefix, "lsn": _LSN, "damage": DAMAGE, "slow": slow}
    exec(compile("\n".join(lines), "<rows of a relation>", "exec"), scope)
    decode: Decode = scope["decode"]
    return decode


class _Source:
    """Writes the parts of a decoder."""

    def __init__(self, columns: int, reads: Sequence[Read]) -> None:
        self._columns, self._reads = columns, reads
        self.constants: dict[str, Any] = {"between": b"N" + columns.to_bytes(2, "big")}
        self._codes = [self._code(number, read) for number, read in enumerate(reads)]

    def _code(self, number: int, read: Read) -> str:
        if read.read is None:
            return "{raw}.decode()"
        if read.read in PLAIN:
            return PLAIN[read.read]
        self.constants[f"read{number}"] = read.read
        return f"read{number}({{raw}}.decode())"

    def plain(self, kinds: Sequence[str]) -> list[str]:
        """No value is null: each part is two bytes of its length and the text; another tuple's head ends the last."""
        pieces = [f"t{number}p{place}" for number in range(len(kinds)) for place in range(self._columns)]
        lines = [f"_, {''.join(piece + ', ' for piece in pieces)} = parts"]
        wrong = ["_"]
        for at, piece in enumerate(pieces, 1):
            ends = at < len(pieces) and at % self._columns == 0
            wrong.append(f"{piece}[0] << 8 | {piece}[1] != len({piece}) - {5 if ends else 2}")
            wrong += [f"{piece}[-3:] != between"] if ends else []
        lines.append(f"if {' or '.join(wrong)}: raise ValueError")
        for number in range(len(kinds)):
            for i, read in enumerate(self._reads):
                last = number + 1 < len(kinds) and read.place == self._columns - 1
                raw = f"t{number}p{read.place}[2:{'-3' if last else ''}]"
                lines += self._assigned(number, i, raw)
        return lines

    def careful(self, kinds: Sequence[str]) -> list[str]:
        """`p` is the part of the last value that is not null, `e` is where in it what follows the text begins.

        A column that must not be null is not looked for: when it is null all the same, the parts do not suffice.
        """
        lines = ["more = iter(parts).__next__; p = more(); e = 0"]
        some = ["if e != len(p): raise ValueError", "p = more(); e = 2 + (p[0] << 8 | p[1])"]
        wanted: dict[int, list[int]] = {}
        for i, read in enumerate(self._reads):
            wanted.setdefault(read.place, []).append(i)
        for number, kind in enumerate(kinds):
            if number:
                lines += ["if p[e:e + 3] != between: raise ValueError", "e += 3"]
            for place in range(self._columns):
                reads = wanted.get(place, [])
                made = [*some, *(line for i in reads for line in self._assigned(number, i, "p[2:e]"))]
                if reads and self._reads[reads[0]].required and kind != "K":
                    lines += made
                    continue
                none = "".join(f"; t{number}v{i} = {self._null(i)}" for i in reads)
                lines += [f"if len(p) > e and p[e] == 110: e += 1{none}", "else:", *(" " + line for line in made)]
        return [*lines, "if e != len(p) or p is not parts[-1]: raise ValueError"]

    def _assigned(self, number: int, i: int, raw: str) -> list[str]:
        """The lines that make a value."""
        name, read = f"t{number}v{i}", self._reads[i]
        lines = [f"{name} = {self._codes[i].format(raw=raw)}"]
        if read.required and read.read is not None and read.read not in PLAIN:
            self.constants[f"nothing{i}"] = read.nothing
            lines.append(f"if {name} is None: {name} = nothing{i}")
        return lines

    def _null(self, number: int) -> str:
        if self._reads[number].null is None:
            return "None"
        self.constants[f"null{number}"] = self._reads[number].null
        return f"null{number}"

    def row(self, kind: str, number: int) -> str:
        return f"({''.join(f't{number}v{i}, ' for i in range(len(self._reads)))})"
