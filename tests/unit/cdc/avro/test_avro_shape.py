"""The compiled twin writes the Avro that the generated functions write, or refuses."""

from __future__ import annotations

import gc
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdc.avro.schema import AvroForm, avro_text
from cdc.avro.shape import compile_shape
from cdc.avro.types import parse_avro
from cdc.avro.write import Write, compile_writer
from cdc.schema import BOOLEAN, BYTES, FLOAT32, FLOAT64, INT32, INT64, STRING, Schema, array, decimal, struct
from tests.connect_values import damaged, rows
from tests.twins import native

FORMS = st.builds(AvroForm, st.booleans(), st.booleans(), st.just(True), st.booleans(), st.booleans())
LETTERS = "abcdefgh"


def both(schema: Schema, form: AvroForm) -> tuple[Any, Write]:
    native()
    avro = parse_avro(avro_text(schema, form))
    return compile_shape(schema, avro, form), compile_writer(schema, avro, form)


def named(schema: Schema, path: str = "r") -> Schema:
    """The same with names that Avro can tell apart."""
    parts = {"fields": tuple(field.__class__(LETTERS[i], named(field.schema, f"{path}{i}"))
                             for i, field in enumerate(schema.fields))}  # fmt: skip
    name = path if schema.fields else schema.name
    keys = schema.keys and named(schema.keys, path + "k")
    return schema.with_(**parts, name=name, keys=keys, items=schema.items and named(schema.items, path + "i"))


def written(write: Write, values: list[Any]) -> list[bytes] | None:
    try:
        return [b"<" + write(value) + b">" for value in values]
    except Exception:
        return None


@given(rows(), FORMS)
def test_right_rows_are_written_alike(given: tuple[Schema, list[Any]], form: AvroForm) -> None:
    schema, right = named(given[0]), given[1]
    shape, write = both(schema, form)
    expected = written(write, right)
    if expected is not None:
        assert shape.rows(b"<", right, b">") == expected


@given(st.data(), FORMS)
def test_wrong_rows_are_written_as_the_reference_does_or_refused(data: st.DataObject, form: AvroForm) -> None:
    schema, right = data.draw(rows().filter(lambda given: bool(given[1])))
    schema = named(schema)
    shape, write = both(schema, form)
    wrong = [*right, data.draw(damaged(schema, right[0]))]
    try:
        made = shape.rows(b"<", wrong, b">")
    except Exception:
        return
    expected = written(write, [value for value in wrong if value is not None])
    assert [each for each in made if each is not None] == expected


def test_members_stand_in_the_order_of_the_avro_schema_and_missing_ones_by_their_default() -> None:
    native()
    avro = parse_avro(
        '{"type":"record","name":"r","fields":[{"name":"c","type":"string"},{"name":"n","type":"int","default":7},'
        '{"name":"a","type":["null","long"]}]}'
    )
    schema, form = struct(("a", INT32), ("b", STRING), ("c", STRING)), AvroForm(False, True, False, False, True)
    row = (300, "left out", "é")
    expected = compile_writer(schema, avro, form)(row)
    assert compile_shape(schema, avro, form).rows(b"", [row, None], b"") == [expected, None]
    assert expected == b"\x04\xc3\xa9" + b"\x0e" + b"\x02\xd8\x04"


def test_nothing_is_kept_of_what_was_written_or_refused() -> None:
    native()
    schema = struct(("a", array(STRING)), ("b", decimal(2)), ("c", FLOAT32), ("d", FLOAT64), ("e", BOOLEAN),
                    ("f", BYTES), ("g", INT64), name="r")  # fmt: skip
    form = AvroForm(False, True, False, False, True)
    good: Any = (["é" * 40, "x"], 10**30, 0.5, 1e300, True, b"x" * 40, 2**60)
    shape, _ = both(schema, form)

    def work(times: int) -> None:
        for _ in range(times):
            both(schema, form)[0].rows(b"<", [good] * 3, b">")
            for at in range(len(good)):
                with pytest.raises((ValueError, OverflowError)):
                    shape.rows(b"", [good, (*good[:at], 1j, *good[at + 1 :])], b"")
            with pytest.raises(OverflowError):
                shape.rows(b"", [(*good[:2], 1e300, *good[3:])], b"")

    work(20)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    work(100)
    gc.collect()
    kept = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert kept < 20_000
