"""Numbers against what Java 17 wrote."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdc.java.numbers import double_text, float_text, shortest_single
from cdc.schema import to_single

GOLDEN = Path(__file__).parents[3] / "golden" / "java" / "numbers.jsonl"
CASES = [json.loads(line) for line in GOLDEN.read_text().splitlines()]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['type']}-{case['text']}")
def test_the_text_is_that_of_java(case: dict[str, Any]) -> None:
    if case["type"] == "double":
        assert double_text(struct.unpack("<d", struct.pack("<q", case["bits"]))[0]) == case["text"]
    else:
        assert float_text(struct.unpack("<f", struct.pack("<i", case["bits"]))[0]) == case["text"]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_double_reads_back_from_its_text(value: float) -> None:
    assert float(double_text(value)) == value


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_float_reads_back_from_its_text(value: float) -> None:
    assert to_single(float(float_text(value))) == value
    assert to_single(shortest_single(value)) == value
