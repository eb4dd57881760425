from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdc.errors import ConfigError
from connect_compat import properties


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a=b", {"a": "b"}),
        ("a = b ", {"a": "b "}),
        ("a:b", {"a": "b"}),
        ("a b=c", {"a": "b=c"}),
        ("  a\t=\tb", {"a": "b"}),
        ("a", {"a": ""}),
        ("a=", {"a": ""}),
        ("# no\n! no\n\n  # no\na=1#2", {"a": "1#2"}),
        ("a=1,\\\n   2,\\\n   3\nb=4", {"a": "1,2,3", "b": "4"}),
        ("a=c:\\\\dir\\\\", {"a": "c:\\dir\\"}),
        ("a\\=b\\ c=d", {"a=b c": "d"}),
        ("a=\\u0041\\t\\q", {"a": "A\tq"}),
        ("a=\\ud83d\\ude00", {"a": "😀"}),
        ("a=1\r\nb=2\rc=3", {"a": "1", "b": "2", "c": "3"}),
        ("a=1\na=2", {"a": "2"}),
        ("a=b\\", {"a": "b"}),
        ("a=1\\\n#b=2", {"a": "1#b=2"}),
    ],
)
def test_properties_are_read_as_java_reads_them(text: str, found: dict[str, str]) -> None:
    assert properties.parse(text) == found


def _escaped(text: str) -> str:
    """As `java.util.Properties#store` writes it."""
    return "".join(
        f"\\u{ord(char):04x}"
        if ord(char) < 32 or 126 < ord(char) < 65536
        else "\\" + char
        if char in " \\=:#!"
        else char
        for char in text
    )


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(st.dictionaries(TEXTS.filter(bool), TEXTS, max_size=5))
def test_what_java_writes_is_what_is_read(config: dict[str, str]) -> None:
    text = "\n".join(f"{_escaped(key)}={_escaped(value)}" for key, value in config.items())
    assert properties.parse(text) == config


def test_a_unicode_escape_without_four_digits_is_refused_with_the_remedy() -> None:
    with pytest.raises(ConfigError, match="four hex digits"):
        properties.parse("a=c:\\users")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.properties"):
        properties.load(tmp_path / "gone.properties")
