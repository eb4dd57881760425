from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdc.errors import DecodeError
from cdc.java.objects import JavaValue, read, write

WRITTEN = [
    line.split("\t")
    for line in (Path(__file__).parents[3] / "golden/java/keys.tsv").read_text(encoding="utf-8").splitlines()
]


@pytest.mark.parametrize(("text", "written"), WRITTEN, ids=range(len(WRITTEN)))
def test_an_array_that_java_wrote_is_read_and_written_the_same(text: str, written: str) -> None:
    found = read(bytes.fromhex(written))
    assert (found is None) == (text == "null")
    assert write(found).hex() == written


def test_values_are_those_that_java_had() -> None:
    found = {text: read(bytes.fromhex(written)) for text, written in WRITTEN}
    assert found["[1, 2, 3]"] == (JavaValue("Integer", 1), JavaValue("Long", 2), JavaValue("Integer", 3))
    assert found["[18446744073709551615]"] == (JavaValue("BigInteger", 2**64 - 1),)
    assert found["[-0.001]"] == (JavaValue("BigDecimal", (-1, 3)),)
    assert found["[2024-02-29 10:11:12.123456]"] == (JavaValue("Timestamp", (1709201472000, 123456000)),)
    assert found["[PT-1H-29M-59.5S]"] == (JavaValue("Duration", (-5400, 500000000)),)
    assert found["[null, 1]"] == (None, JavaValue("Integer", 1))


@given(
    st.lists(
        st.one_of(
            st.none(),
            st.integers(-(2**31), 2**31 - 1).map(lambda n: JavaValue("Integer", n)),
            st.integers(-(2**63), 2**63 - 1).map(lambda n: JavaValue("Long", n)),
            st.integers(-(10**40), 10**40).map(lambda n: JavaValue("BigInteger", n)),
            st.text(st.characters(exclude_categories=["Cs"])).map(lambda text: JavaValue("String", text)),
            st.binary().map(lambda raw: JavaValue("bytes", raw)),
            st.tuples(st.integers(-(10**20), 10**20), st.integers(0, 30)).map(lambda d: JavaValue("BigDecimal", d)),
        )
    )
)
def test_any_key_comes_back(values: list[JavaValue | None]) -> None:
    assert read(write(values)) == tuple(values)


@pytest.mark.parametrize("data", [b"", b"\xac\xed\x00\x05", b"\xac\xed\x00\x05t\x00\x01a", b"\xac\xed\x00\x05\x01"])
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(DecodeError):
        read(data)
