"""Character sets as Debezium decodes them: by the Java character set that Connector/J names for one of MySQL's."""

from __future__ import annotations

import codecs

import pytest

from cdc.mysql import charset
from cdc.mysql.charset import AS_JAVA


@pytest.mark.parametrize(
    ("collation", "name", "raw", "text"),
    [
        (8, "latin1", b"\x80\xe9\x81\x9d", "€é\ufffd\ufffd"),
        (255, "utf8mb4", "é😀".encode(), "é😀"),
        (33, "utf8mb3", b"\xc3\xa9\xff\xed\xa0\xbd\xe1\x80a", "é\ufffd\ufffd\ufffda"),
        (54, "utf16", b"\x00a\xd8\x3d\xde\x00", "a😀"),
        (54, "utf16", b"\xff\xfea\x00", "a"),
        (56, "utf16le", b"\xff\xfea\x00", "\ufeffa"),
        (35, "ucs2", b"\xfe\xff\x00a\xd8\x3d", "a\ufffd"),
        (60, "utf32", b"\x00\x01\xf6\x00\x00\x00\x00a", "😀a"),
        (13, "sjis", b"\x82\xa0\x81\x5f\x5c\x81\x5c\x81\xad\x81\xeb", "あ＼\\—\ufffdｭ\ufffd"),
        (95, "cp932", b"\x87\x40\x81\x60\x80\xa0\xfd", "①～\ufffd\ufffd\ufffd"),
        (12, "ujis", b"\xa1\xbd\x8f\xa2\xb7~\x8e\xb1\xad\xa1", "—～~ｱ\ufffd"),
        (97, "eucjpms", b"\xad\xa1\x8f\xf3\xf3\x8f\xf4\xac\x8f\xf4\xad\xf9\xa1", "①ⅰ№℡纊"),
        (19, "euckr", b"\xc7\xd1\x8c\x63\xa2\xe8\xa1\x80", "한\ufffdc㉾\ufffd"),
        (24, "gb2312", b"\xa1\xa4\xa1\xaa\x81a", "・―\ufffda"),
        (28, "gbk", b"\xc4\xe3\xa2\xe3\xa8\x92\xaa\xa1\x81\xff", "你€♁\ue000\ufffd"),
        (248, "gb18030", b"\xa8\xbc\x81\x35\xf4\x37\x84\x31\xa5\x30\x81\x3aa", "ḿ\ue7c7\ufffd\ufffda"),
        (1, "big5", b"\xa1\x5a\xa1\xfe\xa2\x41\xa1\x80", "＿╱／\ufffd"),
        (18, "tis620", b"\xa1\x80\xa0\xff", "ก\ufffd\xa0\ufffd"),
        (51, "cp1251", b"\xcf\x98", "П\ufffd"),
        (22, "koi8u", b"\xa4", "╓"),
        (10, "swe7", b"A[]@", "A[]@"),
        (3, "dec8", b"\xa8\xd7", "¨×"),
        (32, "armscii8", b"\xb2\xff", "²ÿ"),
        (37, "keybcs2", b"\x80\xb3", "Ç│"),
        (2304, "utf8mb4", b"x", "x"),
    ],
)  # fmt: skip
def test_bytes_are_decoded_as_java_does(collation: int, name: str, raw: bytes, text: str) -> None:
    assert charset.charset(collation)[0] == name
    assert raw.decode(charset.charset(collation)[1], AS_JAVA) == text
    assert charset.codec(name) == charset.charset(collation)[1]


@pytest.mark.parametrize("name", sorted(charset._WIDE))
def test_any_bytes_become_text(name: str) -> None:
    decode = codecs.lookup(name).decode
    for raw in (bytes(range(256)), bytes(range(255, -1, -1)), b"\x8f", b"\x81", b"\x81\x30\x81", bytes(7), b""):
        text, read = decode(raw)
        assert read == len(raw)
        assert isinstance(text, str)


def test_every_character_set_has_a_codec() -> None:
    for collation in range(1, 324):
        codecs.lookup(charset.charset(collation)[1])
    assert charset.codec(None) == charset.codec("no such") == charset.codec("UTF8MB4") == "utf_8"
