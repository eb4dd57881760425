"""Change events to JSON a run at a time: what all of a run have in common is written once, with holes for the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby, repeat
from operator import itemgetter
from typing import Any, Final

import orjson

from cdc.changes import Changes, Row, Rows, SourceRun
from cdc.json.code import Code, Form
from cdc.json.rows import Texts, compile_texts
from cdc.json.shape import compile_shape
from cdc.json.text import jackson
from cdc.schema import Schema, Type

Template = Callable[[Row, Row, Any, Any], bytes]
"""(source, rest, before, after) -> the envelope, with a zero byte in each hole."""

_HOLE: Final = orjson.Fragment(b"\0")
_MOVING: Final = (Type.INT8, Type.INT16, Type.INT32, Type.INT64, Type.STRING)


def compile_changes(
    schema: Schema, form: Form, before: bytes, after: bytes
) -> Callable[[Changes], list[bytes | None]] | None:
    """`before` and `after` stand around each event's JSON; None when `schema` is no envelope.

    The function raises whatever a wrong value provokes.
    """
    fields = schema.fields
    if [field.name for field in fields[:3]] != ["before", "after", "source"]:
        return None
    rows = fields[0].schema
    if any(field.schema.type is not Type.STRUCT for field in fields[:3]) or fields[1].schema != rows or rows.default:
        return None
    return _Writer(schema, form, before, after)


class _Writer:
    """Holds a template for each set of moving members seen."""

    def __init__(self, schema: Schema, form: Form, before: bytes, after: bytes) -> None:
        self._schema, self._form = schema, form
        self._before, self._after = before, after
        self._texts = compile_texts(schema.fields[0].schema, form)
        self._source = schema.fields[2].schema
        self._blocks: Texts | None = None
        self._shape = compile_shape(schema.fields[0].schema, form)
        self._block_shape = compile_shape(schema.fields[3].schema, form) if len(schema.fields) > 3 else None
        self._member_shapes = [compile_shape(f.schema.with_(default=None), form) for f in self._source.fields]
        self._templates: dict[tuple[tuple[int, ...], bool], Template] = {}
        self._moved: set[int] = set()

    def __call__(self, changes: Changes) -> list[bytes | None]:
        if self._shape is not None:
            try:
                return self._by_shape(changes)
            except Exception:  # the reference says what is wrong, if anything is
                pass
        return self._by_texts(changes)

    def _by_shape(self, changes: Changes) -> list[bytes | None]:
        rows = [rows for rows in (changes.before, changes.after) if rows is not None]
        out: list[bytes | None] = []
        for run, at, between in self._runs(changes):
            fills = [(self._shape, values, at) for values in rows]
            fills += [(self._member_shapes[place], values, 0) for place, values in run.moving]
            if changes.transactions is not None:
                fills.append((self._block_shape, changes.transactions, at))
            out += self._shape.events(tuple(between), tuple(fills), run.length, changes.tombstones)
        return out

    def _by_texts(self, changes: Changes) -> list[bytes | None]:
        write, start, end = self._texts.write, self._texts.start, self._texts.end
        rows = [write(rows) for rows in (changes.before, changes.after) if rows is not None]  # type: ignore[arg-type]
        blocks = None if changes.transactions is None else self._block_texts(changes.transactions)
        out: list[bytes | None] = []
        for run, at, between in self._runs(changes):
            for i in range(len(rows)):
                between[i] += start
                between[i + 1] = end + between[i + 1]
            upto = at + run.length
            fills = [texts[at:upto] for texts in rows] + [self._members(place, values) for place, values in run.moving]
            if blocks is not None:
                fills.append(blocks[at:upto])
            parts = [part for pair in zip(map(repeat, between), fills, strict=False) for part in pair]
            out += map(b"".join, zip(*parts, repeat(between[-1], run.length), strict=False))
        return [each for event in out for each in (event, None)] if changes.tombstones else out

    def _runs(self, changes: Changes) -> Iterator[tuple[SourceRun, int, list[bytes]]]:
        """Each run, where it begins, and what stands between the holes in its events."""
        holes = [_HOLE if rows is not None else None for rows in (changes.before, changes.after)]
        at = 0
        for run in self._merged(changes.sources.runs):
            template = self._template(run, changes.transactions is not None)
            between = template(run.source, changes.rest, *holes).split(b"\0")
            between[0] = self._before + between[0]
            between[-1] += self._after
            yield run, at, between
            at += run.length

    def _merged(self, runs: Sequence[SourceRun]) -> Iterator[SourceRun]:
        """Runs of one event side by side (small transactions) become one."""
        for length, group in groupby(runs, key=itemgetter(1)):
            alike = list(group)
            if length == 1 and len(alike) > 1:
                columns = list(zip(*(run.source for run in alike), strict=True))
                self._moved.update(i for i, column in enumerate(columns) if column.count(column[0]) != len(alike))
                if all(self._can_move(place, columns[place]) for place in self._moved):
                    moving = tuple((place, columns[place]) for place in sorted(self._moved))
                    alike = [SourceRun(alike[0].source, len(alike), moving)]
            yield from alike

    def _can_move(self, place: int, values: Sequence[Any]) -> bool:
        """Whether these values of a member of `source` are what stands in the JSON."""
        schema = self._source.fields[place].schema
        return schema.type in _MOVING and (None not in values or (schema.optional and schema.default is None))

    def _members(self, place: int, values: Sequence[Any]) -> list[bytes]:
        """JSON of the values of one member of `source`."""
        together = orjson.dumps(list(values))
        if self._source.fields[place].schema.type is not Type.STRING:
            return together[1:-1].split(b",")
        texts = map(orjson.dumps, values)
        return list(texts if jackson(together) is together else map(jackson, texts))

    def _block_texts(self, blocks: Rows) -> list[bytes]:
        """JSON of the `transaction` blocks."""
        if self._blocks is None:
            self._blocks = compile_texts(self._schema.fields[3].schema, self._form)
        start, end = self._blocks.start, self._blocks.end
        return [start + text + end for text in self._blocks.write(blocks)]

    def _template(self, run: SourceRun, moving_block: bool) -> Template:
        holes = tuple(place for place, _ in run.moving), moving_block
        template = self._templates.get(holes)
        if template is None:
            template = self._templates[holes] = self._compile(*holes)
        return template

    def _compile(self, places: Sequence[int], moving_block: bool) -> Template:
        code, source, rest = Code(self._form), self._source, self._schema.fields[3:]
        code.open("def template(source, rest, before, after):")
        names = code.unpack(source, "source")
        kept = [i for i in range(len(names)) if i not in places]
        code.check([source.fields[i] for i in kept], [names[i] for i in kept])
        hole = code.constant(_HOLE)
        members = [
            f"{field.name!r}: {hole if i in places else code.member(field.schema, names[i])}"
            for i, field in enumerate(source.fields)
        ]
        others = [code.name("v") for _ in rest]
        code.line(f"{code.unpacked(others)} = rest")
        ending = ""
        if moving_block:
            ending, rest, others = f"{rest[0].name!r}: {hole}, ", rest[1:], others[1:]
        code.check(rest, others)
        ending += code.literal(rest, others).removeprefix("{")
        code.line(
            f"return jackson(dumps({{'before': before, 'after': after, 'source': {{{', '.join(members)}}}, {ending}))"
        )
        template: Template = code.run("template")
        return template
