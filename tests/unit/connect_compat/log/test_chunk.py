"""A chunk gives back exactly the records it was made of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdc.errors import DecodeError
from connect_compat.log import EncodedHeaders
from connect_compat.log.chunk import Records, pack, unpack

Row = tuple[int, int, bytes | None, bytes | None, EncodedHeaders]

nullable = st.none() | st.binary(max_size=40)
headers = st.lists(st.tuples(st.text(max_size=10), nullable), max_size=4).map(tuple)
rows = st.lists(
    st.tuples(st.integers(0, 2**20), st.integers(-(2**62), 2**62), nullable, nullable, headers), min_size=1, max_size=30
)


def records(rows: list[Row]) -> Records:
    """The rows as columns; the first member of a row is the gap before it."""
    offsets = []
    at = -1
    for gap, *_ in rows:
        at += gap + 1
        offsets.append(at)
    return Records(offsets, *([row[i] for row in rows] for i in (1, 2, 3, 4)))  # type: ignore[arg-type]


@given(rows)
def test_records_come_back_as_they_were(rows: list[Row]) -> None:
    given = records(rows)
    assert [list(column) for column in unpack(pack(given))] == [list(column) for column in given]


@given(rows)
def test_dense_records_with_one_timestamp_come_back_too(rows: list[Row]) -> None:
    same = ((("a", b"1"), ("b", None)),) * len(rows)
    given = Records(range(len(rows)), [7] * len(rows), [r[2] for r in rows], [r[3] for r in rows], same)
    assert [list(column) for column in unpack(pack(given))] == [list(column) for column in given]


def test_equal_header_lists_are_stored_once() -> None:
    wide = (("name", b"x" * 1000),)
    many = pack(Records(range(100), [1] * 100, [None] * 100, [None] * 100, [wide] * 100))
    assert len(many) < 3000


def test_a_chunk_of_a_later_layout_is_refused_by_name() -> None:
    raw = pack(Records([0], [1], [None], [b"v"], [()]))
    with pytest.raises(DecodeError, match="layout 9"):
        unpack(b"\x09" + raw[1:])


def test_picked_records_keep_their_offsets() -> None:
    all_of_it = Records(range(4), [1, 2, 3, 4], [b"a", b"b", None, b"d"], [b"1", None, b"3", b""], [(), (), (), ()])
    picked = all_of_it.pick([1, 3])
    assert unpack(pack(picked)).offsets == (1, 3)
    assert list(unpack(pack(picked)).values) == [None, b""]
