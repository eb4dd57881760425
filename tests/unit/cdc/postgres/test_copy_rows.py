"""Lines of COPY as texts and as rows: nulls, escapes, values that only look like them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdc.postgres.copy_rows import compile_lines, is_plain, values
from cdc.postgres.native_rows import compile_native
from cdc.postgres.row_decoder import Read
from tests.twins import twin

ESCAPED = {"\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}
CELL = st.none() | st.text(st.sampled_from("aN\\\t\n\r\b\f\vé'"), max_size=6)


def line(cells: list[str | None]) -> str:
    """As the server writes a row."""
    return "\t".join("\\N" if cell is None else "".join(ESCAPED.get(c, c) for c in cell) for cell in cells) + "\n"


@given(st.lists(st.lists(CELL, min_size=3, max_size=3), max_size=5))
def test_every_text_comes_back(rows: list[list[str | None]]) -> None:
    text = "".join(map(line, rows))
    assert values(text) == rows
    assert native(text, [Read(place, None, False, None, None) for place in range(3)]) == list(map(tuple, rows))


def native(text: str | bytes, reads: list[Read], columns: int = 3) -> list[Any]:
    twin("native")
    compiled = compile_native(columns, reads)
    assert compiled is not None
    return compiled.lines(text.encode() if isinstance(text, str) else text)


def nan(text: str) -> int | None:
    return None if text == "NaN" else int(text) * 10


@given(
    st.lists(st.tuples(st.integers(), st.none() | st.integers(), st.none() | st.text("abc", max_size=3)), max_size=5)
)
def test_rows_are_made_at_once(rows: list[tuple[int, int | None, str | None]]) -> None:
    reads = [Read(2, None, False, None, None), Read(0, int, True, 0, 0), Read(1, nan, False, None, None)]
    text = "".join(line([None if cell is None else str(cell) for cell in row]) for row in rows)
    assert is_plain(text)
    found = compile_lines(3, reads)(text.split("\n")[:-1])
    assert found == [(c, a, None if b is None else b * 10) for a, b, c in rows] == native(text, reads)


def test_what_an_event_cannot_hold_in_a_required_column_is_shown_as_said() -> None:
    reads = [Read(0, nan, True, -1, -2)]
    assert compile_lines(1, reads)(["NaN", "4"]) == [(-2,), (40,)] == native("NaN\n4\n", reads, 1)


def test_null_is_shown_as_a_mask_has_it() -> None:
    reads = [Read(0, None, False, "***", None)]
    assert compile_lines(1, reads)(["\\N", "x"]) == [("***",), ("x",)] == native("\\N\nx\n", reads, 1)


@pytest.mark.parametrize("text", ["\\\\N\n", "a\\tb\n", "\\N\\\\\n"])
def test_other_escapes_than_nulls_are_noticed(text: str) -> None:
    assert not is_plain(text)


def test_a_value_that_cannot_be_read_is_told() -> None:
    wrong: Any = compile_lines(1, [Read(0, int, True, 0, 0)])
    with pytest.raises(ValueError, match="invalid literal"):
        wrong(["x"])
    with pytest.raises(ValueError, match="invalid literal"):
        native("x\n", [Read(0, int, True, 0, 0)], 1)


@pytest.mark.parametrize("lines", [b"1\t2\n", b"1\t2\t3\t4\n", b"1\t2\t3", b"\\N\t2\t3\n", b"1\t\\x\t3\n", b"\n",
                                   b"1\t2\t3\\\n", b"1\t2\t\xff\n", b"1\t2\t3\n\n"])  # fmt: skip
def test_what_is_not_usual_is_refused_by_the_twin(lines: bytes) -> None:
    module = twin("native")
    assert module is not None
    with pytest.raises((module.Refused, UnicodeDecodeError)):
        native(lines, [Read(place, None, place == 0, None, None) for place in range(3)])


@given(st.binary(max_size=40).map(lambda raw: raw + b"\n") | st.text("1a\t\n\\N", max_size=20).map(str.encode))
def test_any_bytes_are_read_alike_or_refused_by_the_twin(lines: bytes) -> None:
    reads = [Read(1, None, False, None, None), Read(0, None, False, None, None)]
    try:
        found = native(lines, reads, 2)
    except ValueError:
        return
    assert found == [(b, a) for a, b in values(lines.decode())]
