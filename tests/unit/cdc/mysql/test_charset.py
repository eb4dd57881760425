"""Character sets as the server decodes them."""

from __future__ import annotations

import codecs

import pytest

from cdc.mysql import charset


@pytest.mark.parametrize(
    ("collation", "name", "raw", "text"),
    [
        (8, "latin1", b"\x80\xe9\x81\x9d", "€é\x81\x9d"),
        (255, "utf8mb4", "é😀".encode(), "é😀"),
        (33, "utf8mb3", "é".encode(), "é"),
        (54, "utf16", b"\x00a\xd8\x3d\xde\x00", "a😀"),
        (35, "ucs2", b"\x00a", "a"),
        (13, "sjis", b"\x82\xa0", "あ"),
        (95, "cp932", b"\x87\x40", "①"),
        (28, "gbk", b"\xc4\xe3", "你"),
        (51, "cp1251", b"\xcf", "П"),
        (10, "swe7", b"A[]@", "AÄÅÉ"),
        (3, "dec8", b"\xa8\xd7", "¤Œ"),
        (32, "armscii8", b"\xb2\xff", "Ա'"),
        (37, "keybcs2", b"\x80\xb3", "Č│"),
        (92, "geostd8", b"\x80\xc0", "€ა"),
        (2048, "utf8mb4", b"x", "x"),
    ],
)
def test_bytes_of_a_collation_are_decoded_as_the_server_does(collation: int, name: str, raw: bytes, text: str) -> None:
    assert charset.charset(collation)[0] == name
    assert raw.decode(charset.charset(collation)[1]) == text
    assert charset.codec(name) == charset.charset(collation)[1]


@pytest.mark.parametrize("name", ["latin1", "dec8", "swe7", "armscii8", "keybcs2", "geostd8"])
def test_our_own_codecs_write_what_they_read(name: str) -> None:
    codec = charset.codec(name)
    text = bytes(range(128)).decode(codec)
    assert text.encode(codec).decode(codec) == text


def test_undefined_bytes_are_replaced_when_asked_to() -> None:
    assert b"\xfe\xff".decode(charset.codec("dec8"), "replace") == "\ufffd\ufffd"


def test_every_character_set_has_a_codec() -> None:
    for collation in range(1, 324):
        codecs.lookup(charset.charset(collation)[1])
    assert charset.codec(None) == charset.codec("no such") == charset.codec("UTF8MB4") == "utf_8"
