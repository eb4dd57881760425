"""The body of a rows event -> row tuples, by one function generated for a table, its table map and the columns wanted.

The function is straight-line Python: columns of fixed width that stand side by side are unpacked by one
`struct.Struct`, rows without a null take a path without null tests. The compiled twin (`native_rows.py`), where it
is built, is asked first. Source: MySQL's source documentation, "Rows_event".
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, Final

from cdc.errors import DecodeError
from cdc.masks import Mask
from cdc.mysql.binlog import Kind, Rows, TableMap
from cdc.mysql.column_decoder import Steps, StoredColumn, check, code_bytes, json_changes, skip, steps
from cdc.mysql.json_diff import packed
from cdc.mysql.native_rows import Decode, NativeDecode, Present, native_rows
from cdc.mysql.type_family import TypeOptions
from cdc.native import hot
from cdc.schema import decimal_text
from cdc.table import Column, Table, TableId

_DAMAGE: Final = (struct.error, IndexError, KeyError, ValueError, OverflowError, TypeError, UnboundLocalError)
_JSON: Final = 245


def compile_rows(
    table: Table, table_map: TableMap, options: TypeOptions, columns: Sequence[Column], rows: Rows,
    masks: Sequence[Mask | None] = (), *, twin: ModuleType | None = hot,
) -> Decode:  # fmt: skip
    """The decoder of all rows events with the kind, columns and bitmaps of `rows`, for one version of a table.

    It gives tuples in the order of `columns`; a column that does not stand in the event is None, unless an update tells
    it in the row before (binlog_row_image MINIMAL leaves out what did not change). It raises DecodeError
    when the bytes are not such rows, and never reads past `end` unnoticed. Values are those of `types.field_schema`;
    `masks` has one item a column, or none at all. `twin` is the compiled module; None: everything is done in Python.
    Raises: DecodeError: the table map does not fit the definition of the table.
    """
    if len(table_map.column_types) != len(table.columns):
        raise DecodeError(
            f"{table.id} has {len(table.columns)} columns in the schema history but {len(table_map.column_types)} in "
            "the binary log: the history does not fit the log; rebuild it with `tailrace history rebuild`"
        )
    source = _Source(table, table_map, options, columns, rows, masks)
    native = None if twin is None else source.native(twin)
    if native is None:
        return _guarded(table.id, source.compiled(lenient=False), source.compiled)
    reference = _guarded(table.id, lambda *event: source.compiled(lenient=False)(*event), source.compiled)
    return TwinDecode(native, reference)


class TwinDecode:
    """The twin's decoder; what it refuses, and whatever else it meets, the reference decides."""

    __slots__ = ("_native", "_reference", "singles")

    def __init__(self, native: NativeDecode, reference: Decode) -> None:
        self._native, self._reference, self.singles = native, reference, native.singles

    def __call__(self, event: bytes, start: int, end: int) -> list[Any]:
        try:
            return self._native(event, start, end)
        except Exception:
            return self._reference(event, start, end)


def _guarded(table: TableId, strict: Decode, compiled: Callable[..., Decode]) -> Decode:
    """Text that its character set does not define is rare: only then rows are decoded by the lenient function."""

    def decode(event: bytes, start: int, end: int) -> list[Any]:
        try:
            try:
                return strict(event, start, end)
            except UnicodeDecodeError:
                return compiled(lenient=True)(event, start, end)
        except _DAMAGE as error:
            raise DecodeError(
                f"a rows event of {table} does not fit the table ({type(error).__name__}): the event is damaged or the "
                "schema history does not fit the log; rebuild it with `tailrace history rebuild`"
            ) from error

    return decode


class _Source:
    """Writes the source of a decoder and compiles it, once for each way to treat undefined text."""

    def __init__(
        self, table: Table, table_map: TableMap, options: TypeOptions, columns: Sequence[Column], rows: Rows,
        masks: Sequence[Mask | None],
    ) -> None:  # fmt: skip
        self._table, self._table_map, self._options, self._columns, self._rows = (
            table,
            table_map,
            options,
            columns,
            rows,
        )
        self._masks = masks
        types = table_map.column_types if rows.kind is Kind.PARTIAL_UPDATE else b""
        self._partial = {i: bit for bit, i in enumerate(i for i, type_ in enumerate(types) if type_ == _JSON)}
        self._wanted = {column.name: column for column in columns}
        self._constants: dict[str, Any] = {}
        self._done: dict[bool, Decode] = {}

    def native(self, twin: ModuleType) -> NativeDecode | None:
        """None: the rows are not of a kind that the twin reads."""
        if self._rows.kind is Kind.PARTIAL_UPDATE:
            return None
        images = [
            [self._present_column(i) for i in self._present(bitmap)]
            for bitmap in (self._rows.before_present, self._rows.after_present)
            if bitmap is not None
        ]
        return native_rows(twin, self._columns, self._masks, images)

    def _present_column(self, i: int) -> Present:
        stored, is_wanted = self._stored(i, "v", {}, lenient=True)
        if is_wanted:
            check(stored)
        return Present(stored, is_wanted, self._table_map.nullable[i])

    def compiled(self, *, lenient: bool) -> Decode:
        if lenient not in self._done:
            self._done[lenient] = self._compile(lenient)
        return self._done[lenient]

    def _compile(self, lenient: bool) -> Decode:
        self._constants = {"from_bytes": int.from_bytes, "decimal_text": decimal_text, "packed": packed}
        images = [
            (prefix, present)
            for prefix, present in (("b", self._rows.before_present), ("a", self._rows.after_present))
            if present is not None
        ]
        body = [line for prefix, present in images for line in self._image(prefix, present, lenient)]
        shown = [self._tuple(images[i::-1]) for i in range(len(images))]
        added = shown[0] if len(shown) == 1 else f"({', '.join(shown)})"
        if not body:
            body = ["raise ValueError('rows without columns')"]
        lines = [
            "def decode(data, at, end):",
            " rows = []; add = rows.append",
            " while at < end:",
            *("  " + line for line in body),
            f"  add({added})",
            " if at != end: raise ValueError('the last row ends after the event')",
            " return rows",
        ]
        exec(compile("\n".join(lines), f"<rows of {self._table.id}>", "exec"), self._constants)
        decode: Decode = self._constants["decode"]
        return decode

    def _present(self, bitmap: bytes) -> list[int]:
        return [i for i in range(len(self._table.columns)) if bitmap[i >> 3] >> (i & 7) & 1]

    def _tuple(self, images: Sequence[tuple[str, bytes]]) -> str:
        """A row's tuple: each column from the first of the images that has it."""
        columns = self._table.columns
        there = {columns[i].name: f"{prefix}{i}" for prefix, bitmap in reversed(images) for i in self._present(bitmap)}
        shown = [there.get(column.name, "None") for column in self._columns]
        for i, mask in enumerate(self._masks):
            if mask is not None and mask.change is not None:
                self._constants[f"mask{i}"] = mask.change
                shown[i] = f"mask{i}({shown[i]})"
        return f"({''.join(value + ', ' for value in shown)})"

    def _image(self, prefix: str, bitmap: bytes, lenient: bool) -> list[str]:
        """Reads one row image: the bitmap of nulls, then the columns."""
        present = self._present(bitmap)
        reads = [self._steps(i, prefix, lenient) for i in present]
        start = self._partial_bits() if prefix == "a" and self._rows.kind is Kind.PARTIAL_UPDATE else []
        nulls = {place: 1 << place for place, i in enumerate(present) if self._table_map.nullable[i]}
        size = (len(present) + 7) // 8
        if not nulls:
            return [*start, *self._run([Steps(((f"{size}x", None),)), *reads] if size else [])]
        # Unused bits of the bitmap are set, so only those of columns that can be null are looked at.
        found = {1: "data[at]", 2: "(data[at] | data[at + 1] << 8)"}.get(
            size, f"from_bytes(data[at:at + {size}], 'little')"
        )
        return [
            *start,
            f"nulls = {found} & {sum(nulls.values())}; at += {size}",
            "if nulls:",
            *(" " + line for line in self._with_nulls(present, reads, nulls, prefix)),
            "else:",
            *(" " + line for line in self._run(reads)),
        ]

    def _partial_bits(self) -> list[str]:
        """A partial update says of each JSON column of the table whether it logs the value or its changes."""
        size = (len(self._partial) + 7) // 8
        return [
            "options, at = packed(data, at); partial = 0",
            f"if options & 1: partial = from_bytes(data[at:at + {size}], 'little'); at += {size}",
        ]

    def _stored(self, i: int, variable: str, constants: dict[str, Any], *, lenient: bool) -> tuple[StoredColumn, bool]:
        """A column, and whether it is wanted."""
        name = self._table.columns[i].name
        column = self._wanted.get(name, self._table.columns[i])
        type_, meta = self._table_map.column_types[i], self._table_map.metas[i]
        collations = self._table_map.collations
        stored = StoredColumn(column, type_, meta, variable, self._options, constants, lenient,
                              None if collations is None else collations[i])  # fmt: skip
        return stored, name in self._wanted

    def _steps(self, i: int, prefix: str, lenient: bool) -> Steps:
        stored, is_wanted = self._stored(i, f"{prefix}{i}", self._constants, lenient=lenient)
        if not is_wanted:
            return skip(stored)
        check(stored)
        if i not in self._partial:
            return steps(stored)
        bit = self._partial[i]
        return json_changes(stored, f"b{i}_raw", None if prefix == "b" else f"partial >> {bit} & 1")

    def _with_nulls(self, present: list[int], reads: list[Steps], nulls: dict[int, int], prefix: str) -> list[str]:
        lines: list[str] = []
        run: list[Steps] = []
        for place, read in enumerate(reads):
            if place not in nulls:
                run.append(read)
                continue
            lines += self._run(run)
            run = []
            lines += [f"if nulls & {nulls[place]}: {prefix}{present[place]} = None", "else:"]
            lines += [" " + line for line in self._run([read])]
        return lines + self._run(run)

    def _run(self, reads: Sequence[Steps]) -> list[str]:
        """Reads columns one after the other, as few unpackings as possible."""
        lines: list[str] = []
        codes: list[tuple[str, str | None]] = []
        after: list[str] = []
        for read in reads:
            codes += read.codes
            after += read.lines
            if read.payload is not None:
                lines += [*self._unpack(codes), *after]
                codes, after = [], []
                lines.append(f"end_of = at + {read.length}")
                if read.payload:
                    lines.append(f"{read.length} = {read.payload.format(raw='data[at:end_of]')}")
                lines.append("at = end_of")
        return [*lines, *self._unpack(codes), *after]

    def _unpack(self, codes: list[tuple[str, str | None]]) -> list[str]:
        if not codes:
            return []
        names = [name for _, name in codes if name is not None]
        size = sum(code_bytes(code) for code, _ in codes)
        if not names:
            return [f"at += {size}"]
        if len(codes) == 1 and codes[0][0] == "B":
            return [f"{names[0]} = data[at]; at += 1"]
        layout = "<" + "".join(code for code, _ in codes)
        unpack = f"unpack{len(self._constants)}"
        self._constants[unpack] = struct.Struct(layout).unpack_from
        return [f"{', '.join(names)}, = {unpack}(data, at); at += {size}"]
