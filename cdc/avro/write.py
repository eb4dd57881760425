"""Values of a Connect schema to bytes of an Avro schema: one generated function for each pair of schemas.

The generated function is straight-line Python over one value; nothing of a schema is looked at for each row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from cdc.avro.bytes import DOUBLE, FLOAT, SHORT, blob, long, number, text
from cdc.avro.schema import AvroForm, scrubbed
from cdc.avro.types import Avro, AvroField
from cdc.errors import ConversionError
from cdc.java.order import in_hash_order
from cdc.schema import DECIMAL, Schema, Type, decimal_bytes

Write = Callable[[Any], bytes]
_KNOWN: Final = 1000
_FITTING: Final = {
    Type.INT8: ("int", "long"), Type.INT16: ("int", "long"), Type.INT32: ("int", "long"), Type.INT64: ("long",),
    Type.FLOAT32: ("float", "double"), Type.FLOAT64: ("double",), Type.BOOLEAN: ("boolean",),
    Type.STRING: ("string", "enum"), Type.BYTES: ("bytes", "fixed"), Type.ARRAY: ("array",), Type.MAP: ("map", "array"),
    Type.STRUCT: ("record",),
}  # fmt: skip


def _missing(path: str) -> bytes:
    raise ConversionError(f"field {path!r} is required and null")


class Known(dict[Any, bytes]):
    """Bytes of values that come again and again, such as a table's name or the time of a transaction."""

    def __init__(self, made: Write) -> None:
        super().__init__()
        self._made = made

    def __missing__(self, value: Any) -> bytes:
        if len(self) >= _KNOWN:
            self.clear()
        made = self[value] = self._made(value)
        return made


def _decimal_in(size: int) -> Callable[[int], bytes]:
    return lambda value: value.to_bytes(size, "big", signed=True)


def compile_writer(schema: Schema, avro: Avro, form: AvroForm) -> Write:
    """Raises: ConversionError: the Avro schema has no place for a value of the schema, or needs one there is not."""
    code = _Code(form)
    code.line("def write(v0):")
    code.depth = 1
    result = code.value(schema, avro, "v0", "")
    code.line(f"return {result}")
    exec("\n".join(code.lines), code.names)
    made: Write = code.names["write"]
    return made


class _Code:
    """The source of one function, as it grows."""

    def __init__(self, form: AvroForm) -> None:
        self.form = form
        self.lines: list[str] = []
        self.depth = 0
        self._count = 0
        self.names: dict[str, Any] = {
            "SHORT": SHORT, "long": long, "number": number, "text": text, "blob": blob, "double": DOUBLE.pack,
            "single": FLOAT.pack, "decimal": decimal_bytes, "missing": _missing, "join": b"".join, "bytes": bytes,
            "hashed": lambda pairs: in_hash_order(pairs.items(), text=lambda pair: pair[0]),
        }  # fmt: skip

    def line(self, source: str) -> None:
        self.lines.append("    " * self.depth + source)

    def name(self, prefix: str) -> str:
        self._count += 1
        return f"{prefix}{self._count}"

    def constant(self, value: Any) -> str:
        name = self.name("c")
        self.names[name] = value
        return name

    def value(self, schema: Schema, avro: Avro, given: str, path: str) -> str:
        """Lines that prepare it, and the expression of its bytes; `given` names a variable that may be null."""
        before = b""
        null = f"missing({path!r})"
        if avro.kind == "union":
            at, chosen = branch(schema, avro, path)
            nulls = [number(i) for i, branch in enumerate(avro.branches) if branch.kind == "null"]
            before, null = number(at), repr(nulls[0]) if nulls else null
            avro = chosen
        elif avro.kind not in _FITTING[schema.type]:
            raise ConversionError(f"field {path!r} is {schema.type.name}, where the Avro schema has {avro.kind}")
        default = schema.default if self.form.defaults else None
        if default is not None:
            self.line(f"if {given} is None:")
            self.line(f"    {given} = {self.constant(default)}")
        if schema.type in (Type.STRUCT, Type.ARRAY, Type.MAP):
            return self._large(schema, avro, given, path, before, null)
        plain = self._plain(schema, avro, given, before, repeated=self._repeated(schema, path))
        return plain if default is not None else f"({null} if {given} is None else {plain})"

    def _repeated(self, schema: Schema, path: str) -> bool:
        """Whether many rows are likely to have the same value: what a source says of itself, and times of commits."""
        part, _, name = path.rpartition(".")
        if schema.type is Type.INT64:
            return name.startswith("ts_") or name == "server_id"
        return schema.type is Type.STRING and (part == "source" or path == "op")

    def _table(self, before: bytes) -> str:
        """The name of a list of the short numbers, each behind `before`."""
        name = f"SHORT_{before.hex()}"
        if name not in self.names:
            self.names[name] = [before + each for each in SHORT] if before else SHORT
        return name

    def _large(self, schema: Schema, avro: Avro, given: str, path: str, before: bytes, null: str) -> str:
        """A struct, array or map, built under an `if`, into a variable."""
        made = self.name("b")
        self.line(f"if {given} is None:")
        self.line(f"    {made} = {null}")
        self.line("else:")
        self.depth += 1
        kind = {Type.STRUCT: self._struct, Type.ARRAY: self._array, Type.MAP: self._map}[schema.type]
        self.line(f"{made} = {kind(schema, avro, given, path, before)}")
        self.depth -= 1
        return made

    def _struct(self, schema: Schema, avro: Avro, given: str, path: str, before: bytes) -> str:
        variables = [self.name("v") for _ in schema.fields]
        if variables:
            self.line(f"({', '.join(variables)},) = {given}")
        at = places(schema, self.form)
        parts = [repr(before)] if before else []
        for field in avro.fields:
            below = f"{path}.{field.name}" if path else field.name
            if field.name in at:
                index = at[field.name]
                parts.append(self.value(schema.fields[index].schema, field.type, variables[index], below))
            else:
                parts.append(repr(default(field, below)))
        return f"join(({', '.join(parts)},))" if parts else "b''"

    def _array(self, schema: Schema, avro: Avro, given: str, path: str, before: bytes) -> str:
        element = schema.items
        assert element is not None
        return self._items(given, before, lambda item: self.value(element, avro.inner(), item, f"{path}[]"))

    def _items(self, given: str, before: bytes, each: Callable[[str], str]) -> str:
        items, item = self.name("a"), self.name("v")
        self.line(f"{items} = [{before!r}]")
        self.line(f"if {given}:")
        self.line(f"    {items}.append(number(len({given})))")
        self.line(f"    for {item} in {given}:")
        self.depth += 2
        self.line(f"{items}.append({each(item)})")
        self.depth -= 2
        self.line(f"{items}.append(b'\\0')")
        return f"join({items})"

    def _map(self, schema: Schema, avro: Avro, given: str, path: str, before: bytes) -> str:
        assert schema.keys is not None and schema.items is not None
        keys, values = schema.keys, schema.items
        pairs = self.name("p")
        entry = avro.inner()
        fields = {field.name: field.type for field in entry.fields}
        as_map = avro.kind == "map"
        self.line(f"{pairs} = {'hashed' if as_map else 'list'}({given}{'' if as_map else '.items()'})")

        def each(pair: str) -> str:
            key, value = self.name("v"), self.name("v")
            self.line(f"{key}, {value} = {pair}")
            if as_map:
                return f"text({key}) + {self.value(values, entry, value, f'{path}{{}}')}"
            written = self.value(keys, fields["key"], key, f"{path}.key")
            self.line(f"{pair} = {written}")
            return f"{pair} + {self.value(values, fields['value'], value, f'{path}.value')}"

        return self._items(pairs, before, each)

    def _plain(self, schema: Schema, avro: Avro, given: str, before: bytes, *, repeated: bool) -> str:
        """The expression of a value that is not null, behind the bytes of its branch."""
        table, ahead = self._table(before), f"{before!r} + " if before else ""
        if repeated and avro.kind in ("long", "string"):
            whole = number if avro.kind == "long" else text
            return f"{self.constant(Known(lambda value: before + whole(value)))}[{given}]"
        match schema.type:
            case Type.INT8 | Type.INT16 | Type.INT32 | Type.INT64:
                zigzag = f"({given} << 1) ^ ({given} >> 63)"
                return f"({table}[z] if 0 <= (z := {zigzag}) < 16384 else {ahead}long(z))"
            case Type.FLOAT32 | Type.FLOAT64:
                return f"{ahead}{'single' if avro.kind == 'float' else 'double'}({given})"
            case Type.BOOLEAN:
                true, false = before + b"\1", before + b"\0"
                return f"({true!r} if {given} else {false!r})"
            case Type.STRING if avro.kind == "enum":
                symbols = {symbol: before + number(at) for at, symbol in enumerate(avro.symbols)}
                return f"{self.constant(symbols)}[{given}]"
            case Type.STRING:
                return self._sized(table, ahead, f"{given}.encode()")
            case Type.BYTES if avro.kind == "fixed" and schema.name == DECIMAL:
                return f"{ahead}{self.constant(_decimal_in(avro.size))}({given})"
            case Type.BYTES if avro.kind == "fixed":
                return f"{ahead}bytes({given})"
        return self._sized(table, ahead, f"decimal({given})" if schema.name == DECIMAL else given)

    def _sized(self, table: str, ahead: str, raw: str) -> str:
        return f"({table}[n] + r if (n := len(r := {raw}) << 1) < 16384 else {ahead}long(n) + r)"


def places(schema: Schema, form: AvroForm) -> dict[str, int]:
    """Where each field stands in the tuples of a struct, by its name in the Avro schema."""
    return {scrubbed(f.name) if form.scrub else f.name: i for i, f in enumerate(schema.fields)}


def branch(schema: Schema, avro: Avro, path: str) -> tuple[int, Avro]:
    """The branch of a union that takes a value of the schema: a record of its name first."""
    fitting = [(at, branch) for at, branch in enumerate(avro.branches) if branch.kind in _FITTING[schema.type]]
    named = [(at, branch) for at, branch in fitting if branch.name and branch.name == schema.name]
    if not fitting:
        kinds = ", ".join(branch.kind for branch in avro.branches)
        raise ConversionError(f"field {path!r} is {schema.type.name}, where the Avro schema has {kinds}")
    return (named or fitting)[0]


def default(field: AvroField, path: str) -> bytes:
    """What stands for a field that the Avro schema has and the records do not."""
    if not field.has_default:
        raise ConversionError(f"the Avro schema needs a field {path!r} that the records do not have; give it a default")
    return default_bytes(field.type, field.default)


def default_bytes(avro: Avro, value: Any) -> bytes:
    """A default, as JSON writes it, in binary; in a union it is of the first type."""
    match avro.kind:
        case "union":
            return number(0) + default_bytes(avro.branches[0], value)
        case "null":
            return b""
        case "boolean":
            return b"\1" if value else b"\0"
        case "int" | "long":
            return number(value)
        case "float":
            return FLOAT.pack(value)
        case "double":
            return DOUBLE.pack(value)
        case "string":
            return text(value)
        case "bytes":
            return blob(value.encode("latin-1"))
        case "fixed":
            return bytes(value.encode("latin-1"))
        case "enum":
            return number(avro.symbols.index(value))
        case "array":
            body = b"".join(default_bytes(avro.inner(), each) for each in value)
            return (number(len(value)) + body if value else b"") + b"\0"
        case "map":
            body = b"".join(text(name) + default_bytes(avro.inner(), each) for name, each in value.items())
            return (number(len(value)) + body if value else b"") + b"\0"
    return b"".join(default_bytes(field.type, value[field.name]) for field in avro.fields)
