"""The compiled twin writes the JSON that the generated functions write, or refuses."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cdc.json.shape as twin
from cdc.json.code import Form
from cdc.json.shape import compile_shape
from cdc.json.write import compile_encode
from cdc.schema import STRING, Field, Schema, Type, array, decimal, struct
from tests.connect_values import DOUBLES, SINGLES, damaged, rows
from tests.twins import native

FORMS = st.builds(Form, numeric=st.booleans(), defaults=st.booleans())


def reference(schema: Schema, form: Form) -> Callable[[Sequence[Any]], list[bytes | None]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(twin, "hot", None)
        return compile_encode(schema, form, b"<", b">")


@given(rows(), FORMS)
def test_right_rows_are_written_alike(given: tuple[Schema, list[Any]], form: Form) -> None:
    native()
    schema, right = given
    if not form.defaults:
        right = [row for row in right if _accepted(reference(schema, form), row)]
    assert compile_shape(schema, form).rows(b"<", right, b">") == reference(schema, form)(right)


def _accepted(encode: Callable[[Sequence[Any]], list[bytes | None]], row: Any) -> bool:
    try:
        return bool(encode([row]))
    except Exception:
        return False


@given(st.data(), FORMS)
def test_wrong_rows_are_written_as_the_reference_does_or_refused(data: st.DataObject, form: Form) -> None:
    native()
    schema, right = data.draw(rows().filter(lambda given: bool(given[1])))
    wrong = [*right, data.draw(damaged(schema, right[0]))]
    try:
        written = compile_shape(schema, form).rows(b"<", wrong, b">")
    except Exception:
        return
    assert written == reference(schema, form)(wrong)


@cache
def _doubles(kind: Type) -> tuple[Any, Callable[[Sequence[Any]], list[bytes | None]]]:
    schema = struct(("v", Schema(kind)))
    return compile_shape(schema, Form(False, True)), reference(schema, Form(False, True))


@pytest.mark.parametrize("kind", [Type.FLOAT32, Type.FLOAT64])
@given(st.lists(st.tuples(DOUBLES | SINGLES | st.decimals(-(10**7), 10**7, places=7).map(float)), max_size=50))
def test_numbers_have_the_same_digits(kind: Type, numbers: list[Any]) -> None:
    native()
    shape, python = _doubles(kind)
    assert shape.rows(b"<", numbers, b">") == python(numbers)


def part(op: str, *, null: Any = None, call: Any = None, width: int = 0, parts: Any = ()) -> Any:
    return op, 0, b"", null, call, width, parts


def test_what_is_no_shape_is_not_taken() -> None:
    shape = native().Shape
    whole = part("json whole")
    for wrong in (None, (), ("json whole",), part("whole"), part("json array"), part("json struct", parts=(1,)),
                  part("json struct", parts=[whole]), part("json struct", parts=(whole,)), part("json whole", null="0"),
                  part("json array", parts=((whole[0], 1, *whole[2:]),)), (whole[0], 0, "", *whole[3:]),
                  (whole[0], -2, *whole[2:])):  # fmt: skip
        with pytest.raises((TypeError, ValueError)):
            shape(wrong)
    made = shape(whole)
    for pieces, fills, count in (
        ((b"",), ((made, [1], 0),), 1), ((b"", "x"), ((made, [1], 0),), 1), ((b"", b""), ((made, [1]),), 1),
        ((b"", b""), ((made, [1], -1),), 1), ((b"", b""), ((made, [1], 0),), 2), ((b"", b""), ((1, [1], 0),), 1),
        ((b"", b""), ((made, 1, 0),), 1), ((b"", b""), ((made, [1], 2**62), ), 1),
    ):  # fmt: skip
        with pytest.raises((TypeError, ValueError, IndexError)):
            made.events(pieces, fills, count, False)


def test_rows_that_a_function_changes_while_they_are_written_do_no_harm() -> None:
    hot = native()
    items: list[Any] = [[1], [2], [3]]

    def emptied(value: Any) -> bytes:
        items.clear()
        return b"%d" % value[0]

    inner = part("json other", call=emptied)
    assert hot.Shape(part("json array", parts=(inner,))).rows(b"", [items], b"") == [b"[1]"]
    items[:] = [[1], [2]]
    with pytest.raises(IndexError):
        hot.Shape(inner).rows(b"", items, b"")
    with pytest.raises(ValueError, match="no bytes"):
        hot.Shape(part("json other", call=str)).rows(b"", [1], b"")


def test_nothing_is_kept_of_what_was_written_or_refused() -> None:
    native()
    member = struct(("a", STRING), ("b", array(STRING)), ("c", Schema(Type.FLOAT64)), ("d", decimal(2)))
    schema = Schema(Type.STRUCT, fields=(*member.fields, Field("e", member)))
    row = ("x" * 50, ["é", "😀" * 9], 1e300, 10**30)
    good, bad = (*row, row), (*row, (*row[:3], "no"))

    def work(times: int) -> None:
        for _ in range(times):
            shape = compile_shape(schema, Form(False, True))
            shape.rows(b"<", [good, good], b">")
            shape.events((b"a", b"b"), ((shape, [good], 0),), 1, True)
            with pytest.raises(ValueError):
                shape.rows(b"<", [good, bad], b">")

    work(20)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    work(100)
    gc.collect()
    kept = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert kept < 20_000
