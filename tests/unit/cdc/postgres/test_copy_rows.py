"""Lines of COPY as texts and as rows: nulls, escapes, values that only look like them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdc.postgres.copy_rows import compile_lines, is_plain, values
from cdc.postgres.row_decoder import Read

ESCAPED = {"\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}
CELL = st.none() | st.text(st.sampled_from("aN\\\t\n\r\b\f\vé'"), max_size=6)


def line(cells: list[str | None]) -> str:
    """As the server writes a row."""
    return "\t".join("\\N" if cell is None else "".join(ESCAPED.get(c, c) for c in cell) for cell in cells) + "\n"


@given(st.lists(st.lists(CELL, min_size=3, max_size=3), max_size=5))
def test_every_text_comes_back(rows: list[list[str | None]]) -> None:
    assert values("".join(map(line, rows))) == rows


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
    assert found == [(c, a, None if b is None else b * 10) for a, b, c in rows]


def test_what_an_event_cannot_hold_in_a_required_column_is_shown_as_said() -> None:
    assert compile_lines(1, [Read(0, nan, True, -1, -2)])(["NaN", "4"]) == [(-2,), (40,)]


def test_null_is_shown_as_a_mask_has_it() -> None:
    assert compile_lines(1, [Read(0, None, False, "***", None)])(["\\N", "x"]) == [("***",), ("x",)]


@pytest.mark.parametrize("text", ["\\\\N\n", "a\\tb\n", "\\N\\\\\n"])
def test_other_escapes_than_nulls_are_noticed(text: str) -> None:
    assert not is_plain(text)


def test_a_value_that_cannot_be_read_is_told() -> None:
    wrong: Any = compile_lines(1, [Read(0, int, True, 0, 0)])
    with pytest.raises(ValueError, match="invalid literal"):
        wrong(["x"])
