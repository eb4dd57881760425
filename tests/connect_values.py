"""Connect schemas and their values, right and wrong, drawn by hypothesis."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from cdc.record import NULL
from cdc.schema import DECIMAL, INT64, STRING, Schema, Type, array, decimal, map_of, struct

CHARACTERS = st.sampled_from('\0\b\t\n\v\f\r\x1b\x1f "\\/\x7f\x80éÿĀ߿ࠀ\u2028퟿\ue000\uffff\U00010000😀\U0010ffff')
TEXTS = st.text(max_size=4) | st.text(CHARACTERS, max_size=40)
SINGLES = st.floats(width=32)
# Few digits, 15 to 17 digits, powers of ten, and all where the form of the text changes.
EDGES = [0.001, 0.0009999999999999998, 1e7, 9999999.999999998, 0.1 + 0.2, 123456.789, 999999.5, 2**53 + 1.0, 5e-324,
         0.5, 1.0, 1 + 2**-52, 1 - 2**-53, 2**-7, 3 * 2**-10, 2**23 - 0.5, 2**23 + 1.0, 1 + 2**-23]  # fmt: skip
DOUBLES = (
    st.floats() | st.sampled_from(EDGES) | st.floats(-1e7, 1e7) | st.builds(round, st.floats(-1e6, 1e6), st.just(3))
)
WHOLES = st.integers(-(2**63), 2**63 - 1) | st.integers(-200, 200) | st.builds(lambda n: 10**n, st.integers(0, 18))
UNSCALED = WHOLES | st.integers(-(10**40), 10**40) | st.builds(lambda n: -(2**n), st.integers(0, 80))
PLAIN: dict[Type, st.SearchStrategy[Any]] = {
    Type.BOOLEAN: st.booleans(), Type.INT8: st.integers(-128, 127), Type.INT16: WHOLES, Type.INT32: WHOLES,
    Type.INT64: WHOLES, Type.FLOAT32: SINGLES | DOUBLES, Type.FLOAT64: DOUBLES, Type.STRING: TEXTS,
    Type.BYTES: st.binary(max_size=7),
}  # fmt: skip
NAMES = st.text(max_size=3) | st.sampled_from(["id", "a\nb", 'say "é"', "😀", "\\"])
WRONG = st.sampled_from(
    [None, NULL, True, 0, 2**63, 2**64, -(2**63) - 1, 1.5, float("nan"), "x", "\ud800", "a\udfff", b"x",
     bytearray(b"x"), (), (1,), [], [None], ["\ud83d"], {}, {"a": 1}, {1: None}, object(), 1j,
     type("Text", (str,), {})("y"), type("Whole", (int,), {})(7), type("Row", (tuple,), {})((1,))]
)  # fmt: skip


def structs(inner: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    members = st.lists(st.tuples(NAMES, inner), max_size=5, unique_by=lambda member: member[0])
    return members.map(lambda fields: struct(*fields))


@st.composite
def schemas(draw: st.DrawFn, depth: int = 2) -> Schema:
    plain = st.sampled_from(list(PLAIN)).map(Schema) | st.builds(decimal, st.integers(0, 4))
    kind = draw(plain if not depth else plain | st.deferred(lambda: _larger(depth)))
    kind = kind.with_(optional=draw(st.booleans()))
    return kind.with_(default=draw(values(kind))) if draw(st.integers(0, 5)) == 0 else kind


def _larger(depth: int) -> st.SearchStrategy[Schema]:
    inner = schemas(depth - 1)
    keys = st.sampled_from([STRING, INT64])
    return structs(inner) | st.builds(array, inner) | st.builds(map_of, keys, inner)


def values(schema: Schema) -> st.SearchStrategy[Any]:
    """Right values of the schema, null among them where it may stand."""
    made: st.SearchStrategy[Any]
    match schema.type:
        case Type.STRUCT:
            made = st.tuples(*(values(field.schema) for field in schema.fields))
        case Type.ARRAY:
            assert schema.items is not None
            made = st.lists(values(schema.items), max_size=3)
        case Type.MAP:
            assert schema.keys is not None and schema.items is not None
            made = st.dictionaries(values(schema.keys), values(schema.items), max_size=3)
        case _:
            made = UNSCALED if schema.name == DECIMAL else PLAIN[schema.type]
    return made | st.none() if schema.optional or schema.default is not None else made


@st.composite
def rows(draw: st.DrawFn) -> tuple[Schema, list[Any]]:
    schema = draw(structs(schemas()))
    return schema, draw(st.lists(values(schema), max_size=4))


@st.composite
def damaged(draw: st.DrawFn, schema: Schema, value: Any) -> Any:
    """The value with something wrong, most often, at a place of it."""
    if isinstance(value, tuple) and value and draw(st.booleans()):
        at = draw(st.integers(0, len(value) - 1))
        return (*value[:at], draw(damaged(schema.fields[at].schema, value[at])), *value[at + 1 :])
    if isinstance(value, list) and value and schema.items is not None and draw(st.booleans()):
        return [draw(damaged(schema.items, value[0])), *value[1:]]
    return draw(WRONG)
