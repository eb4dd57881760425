"""MySQL collation id or character set name -> name of the Python codec that decodes its bytes as Debezium does.

Debezium gives the bytes of the log to the Java character set that Connector/J names for a MySQL character set: for
dec8, hp8, swe7, armscii8 and geostd8 that is windows-1252, for keybcs2 IBM852, for koi8u KOI8-R. So do we. What a
snapshot reads has been converted by the server already. The collation table is `information_schema.COLLATIONS` of
MySQL 9.7; character sets of one byte are the same in Java and Python, the others differ by the rules in this module
(compared with Java 17 for every sequence of up to four bytes).
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

_COLLATIONS: Final = {
    "big5": "1 84",
    "latin2": "2 9 21 27 77",
    "dec8": "3 69",
    "cp850": "4 80",
    "latin1": "5 8 15 31 47-49 94",
    "hp8": "6 72",
    "koi8r": "7 74",
    "swe7": "10 82",
    "ascii": "11 65",
    "ujis": "12 91",
    "sjis": "13 88",
    "cp1251": "14 23 50-52",
    "hebrew": "16 71",
    "tis620": "18 89",
    "euckr": "19 85",
    "latin7": "20 41-42 79",
    "koi8u": "22 75",
    "gb2312": "24 86",
    "greek": "25 70",
    "cp1250": "26 34 44 66 99",
    "gbk": "28 87",
    "cp1257": "29 58-59",
    "latin5": "30 78",
    "armscii8": "32 64",
    "utf8mb3": "33 76 83 192-215 223 576-578 2048-2303",
    "ucs2": "35 90 128-151 159 640-642 2560-2815",
    "cp866": "36 68",
    "keybcs2": "37 73",
    "macce": "38 43",
    "macroman": "39 53",
    "cp852": "40 81",
    "utf8mb4": "45-46 224-247 255-323",
    "utf16": "54-55 101-124 672-674 2816-3071",
    "utf16le": "56 62",
    "cp1256": "57 67",
    "utf32": "60-61 160-183 736-738 3072-3327",
    "binary": "63",
    "geostd8": "92-93",
    "cp932": "95-96",
    "eucjpms": "97-98",
    "gb18030": "248-250",
}
_CODECS: Final = {
    "big5": "java_big5", "latin2": "iso8859_2", "dec8": "cp1252", "cp850": "cp850", "latin1": "cp1252",
    "hp8": "cp1252", "koi8r": "koi8_r", "swe7": "cp1252", "ascii": "ascii", "ujis": "java_euc_jp",
    "sjis": "java_sjis", "cp1251": "cp1251", "hebrew": "iso8859_8", "tis620": "java_tis620", "euckr": "java_euc_kr",
    "latin7": "iso8859_13", "koi8u": "koi8_r", "gb2312": "java_gb2312", "greek": "iso8859_7", "cp1250": "cp1250",
    "gbk": "java_gbk", "cp1257": "cp1257", "latin5": "iso8859_9", "armscii8": "cp1252", "utf8mb3": "utf_8",
    "utf8": "utf_8", "ucs2": "java_utf16", "cp866": "cp866", "keybcs2": "cp852", "macce": "mac_latin2",
    "macroman": "mac_roman", "cp852": "cp852", "utf8mb4": "utf_8", "utf16": "java_utf16", "utf16le": "utf_16_le",
    "cp1256": "cp1256", "utf32": "java_utf32", "binary": "latin_1", "geostd8": "cp1252", "cp932": "java_cp932",
    "eucjpms": "java_eucjpms", "gb18030": "java_gb18030",
}  # fmt: skip


def _leads(*ranges: tuple[int, int]) -> frozenset[int]:
    return frozenset(byte for first, last in ranges for byte in range(first, last + 1))


@dataclass(frozen=True)
class _Wide:
    """A character set of two and more bytes a character: where Java reads it differently than Python.

    Attributes:
        base: Python's codec.
        skip: how many bytes an undefined sequence takes; Java writes one U+FFFD for it.
        other: character that Python reads -> what Java reads.
        more: bytes that Python does not define -> what Java reads and how many bytes that takes, or None.
        same: characters of which Python knows two codes and Java one: the other's bytes -> what Java reads.
    """

    base: str
    skip: Callable[[bytes], int]
    other: dict[int, str] = field(default_factory=dict)
    more: Callable[[bytes], tuple[str, int] | None] = lambda raw: None
    same: dict[bytes, str] = field(default_factory=dict)

    def decode(self, raw: bytes, errors: str = "strict") -> tuple[str, int]:
        """Never fails, whatever `errors` says: as in Java."""
        raw = bytes(raw)
        if any(code in raw for code in self.same):
            return "".join(self.same.get(part) or self._decoded(part) for part in self._characters(raw)), len(raw)
        return self._decoded(raw), len(raw)

    def _characters(self, raw: bytes) -> Iterator[bytes]:
        at = 0
        while at < len(raw):
            width = 1 if raw[at] < 0x80 else 3 if raw[at] == 0x8F else 2
            yield raw[at : at + width]
            at += width

    def _decoded(self, raw: bytes) -> str:
        text, done = "", 0
        while True:
            try:
                return text + raw[done:].decode(self.base).translate(self.other)
            except UnicodeDecodeError as error:
                start = done + error.start
                text += raw[done:start].decode(self.base).translate(self.other)
                wrong = raw[start : start + 4]
                found, width = self.more(wrong) or ("\ufffd", self.skip(wrong))
                text += found
                done = min(len(raw), start + width)


def _pair(leads: frozenset[int], singles: frozenset[int] = frozenset()) -> Callable[[bytes], int]:
    """Both bytes of an undefined pair are skipped, unless the second can begin a character or is one."""

    def skip(raw: bytes) -> int:
        whole = raw[0] in leads and len(raw) > 1 and raw[1] > 0x7F and raw[1] not in leads | singles
        return 2 if whole else 1

    return skip


def _euc(raw: bytes) -> int:
    return 3 if raw[0] == 0x8F else 2


def _gb18030(raw: bytes) -> int:
    """A digit in the second place begins a sequence of four."""
    if raw[0] in (0x80, 0xFF) or len(raw) < 2:
        return 1
    if 0x30 <= raw[1] <= 0x39:
        return 4
    return 2 if raw[1] in (*range(0x3A, 0x40), 0x7F, 0xFF) else 1


def _user_defined(raw: bytes) -> tuple[str, int] | None:
    """The user-defined areas of GBK and the euro, which Python knows in GB 18030 only."""
    found = raw[:2].decode("gb18030", "ignore") if len(raw) > 1 and raw[1] > 0x39 else ""
    return (found, 2) if len(found) == 1 and (found >= "\ue000" or found == "€") else None


def _korean(raw: bytes) -> tuple[str, int] | None:
    found = {b"\xa2\xe8": "\u327e", b"\xa4\xd4": "\u3164"}.get(raw[:2])
    return (found, 2) if found else None


@lru_cache(maxsize=1)
def _ibm_extensions() -> str:
    """IBM's characters that JIS does not have, in the order of their bytes: 8FF3F3 to 8FF4FE in eucJP-open."""
    pairs = (bytes((lead, tail)) for lead in (0xFA, 0xFB, 0xFC) for tail in range(0x40, 0xFD) if tail != 0x7F)
    known = (pair.decode("cp932", "ignore") for pair in pairs)
    new = [
        char for char in known if len(char) == 1 and char not in "\uffe2\uffe4" and not char.encode("euc_jp", "ignore")
    ]
    new.insert(new.index("\u2121"), "\u2116")
    return "".join(new)


def _open_euc(raw: bytes) -> tuple[str, int] | None:
    """Rows that eucJP-open takes from windows-31j, byte pairs shifted as between EUC-JP and Shift_JIS."""
    if raw[:1] == b"\x8f":
        place = (raw[1] - 0xF3) * 94 + raw[2] - 0xF3 if len(raw) > 2 and 0xA1 <= raw[2] < 0xFF else -1
        return (_ibm_extensions()[place], 3) if 0 <= place < 106 else None
    if len(raw) < 2 or raw[0] not in (0xAD, *range(0xF9, 0xFD)) or not 0xA1 <= raw[1] < 0xFF:
        return None
    row, column = raw[0] - 0xA1, raw[1] - 0x80
    lead = row // 2 + (0x81 if row < 62 else 0xC1)
    tail = column + 0x7E if row % 2 else column + 0x1F + (column >= 0x60)
    found = bytes((lead, tail)).decode("cp932", "ignore")
    return (found, 2) if found > "\x7f" else None


def _swapped(codes: str, characters: str) -> dict[int, str]:
    """Python reads the one where Java reads the other, in both directions."""
    return {ord(a): b for a, b in zip(codes + characters, characters + codes, strict=True)}


_KANA: Final = _leads((0xA1, 0xDF))
_WIDE: Final = {
    "java_big5": _Wide(
        "big5", _pair(_leads((0xA1, 0xC7), (0xC9, 0xF9))),
        {0x2574: "\uff3f", 0xFFE3: "\ufffd\ufffd", 0x2CD: "\ufffd\ufffd"},
        same={b"\xa1\xfe": "\u2571", b"\xa2\x40": "\u2572"},
    ),
    "java_euc_jp": _Wide("euc_jp", _euc, {0x2015: "\u2014"}, same={b"\x8f\xa2\xb7": "\uff5e"}),
    "java_eucjpms": _Wide("euc_jp", _euc, {0x2015: "\u2014"}, _open_euc, {b"\x8f\xa2\xb7": "\uff5e"}),
    "java_sjis": _Wide("shift_jis", _pair(_leads((0x81, 0x84), (0x88, 0x9F), (0xE0, 0xEA)), _KANA), {0x2015: "\u2014"}),
    "java_cp932": _Wide(
        "cp932", _pair(_leads((0x81, 0x84), (0x87, 0x9F), (0xE0, 0xEA), (0xED, 0xEE), (0xF0, 0xFC)), _KANA),
        dict.fromkeys((0x80, 0xF8F0, 0xF8F1, 0xF8F2, 0xF8F3), "\ufffd"),
    ),
    "java_euc_kr": _Wide("euc_kr", _pair(_leads((0xA1, 0xAC), (0xB0, 0xC8), (0xCA, 0xFD))), more=_korean),
    "java_gb2312": _Wide("gb2312", _pair(_leads((0xA1, 0xA9), (0xB0, 0xF7)))),
    "java_gbk": _Wide("gbk", _pair(_leads((0x81, 0xFE))), {0x2295: "\u2641"}, _user_defined),
    "java_gb18030": _Wide("gb18030", _gb18030, _swapped(
        "\ue78d\ue78e\ue78f\ue790\ue791\ue792\ue793\ue794\ue795\ue796\ue7c7\ue81e\ue826\ue82b\ue82c\ue832\ue843\ue854\ue864",
        "\ufe10\ufe12\ufe11\ufe13\ufe14\ufe15\ufe16\ufe17\ufe18\ufe19\u1e3f\u9fb4\u9fb5\u9fb6\u9fb7\u9fb8\u9fb9\u9fba\u9fbb",
    )),
}  # fmt: skip
_TIS620: Final = (
    "".join(map(chr, range(0x80))) + "\ufffd" * 32 + "\xa0" + bytes(range(0xA1, 0x100)).decode("tis_620", "replace")
)


def _tis620(raw: bytes, errors: str = "strict") -> tuple[str, int]:
    return codecs.charmap_decode(raw, errors, _TIS620)


def _marked(big: str, little: str, mark: bytes) -> Callable[..., tuple[str, int]]:
    """Java takes a byte order mark away and heeds it; without one the bytes are big-endian."""

    def decode(raw: bytes, errors: str = "strict") -> tuple[str, int]:
        start = bytes(raw[: len(mark)])
        if start not in (mark, mark[::-1]):
            return codecs.decode(raw, big, "replace"), len(raw)
        return codecs.decode(raw[len(mark) :], big if start == mark else little, "replace"), len(raw)

    return decode


_DECODERS: Final[dict[str, Callable[..., tuple[str, int]]]] = {
    **{name: wide.decode for name, wide in _WIDE.items()},
    "java_tis620": _tis620,
    "java_utf16": _marked("utf_16_be", "utf_16_le", b"\xfe\xff"),
    "java_utf32": _marked("utf_32_be", "utf_32_le", b"\0\0\xfe\xff"),
}


_ENCODED_AS: Final = {"java_tis620": "tis_620", "java_utf16": "utf_16_be", "java_utf32": "utf_32_be"}


def _encode(text: str, errors: str = "strict") -> tuple[bytes, int]:
    raise UnicodeError("texts are only read in this character set")


def _search(name: str) -> codecs.CodecInfo | None:
    decode = _DECODERS.get(name)
    return None if decode is None else codecs.CodecInfo(name=name, encode=_encode, decode=decode)


codecs.register(_search)

AS_JAVA: Final = "tailrace-as-java"
"""An error handler: U+FFFD for bytes that a character set does not define, one for a surrogate written in UTF-8."""


def _as_java(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    raw = error.object[error.start : error.start + 3]
    surrogate = len(raw) == 3 and raw[0] == 0xED and raw[1] >= 0xA0 and raw[2] & 0xC0 == raw[1] & 0xC0 == 0x80
    return "\ufffd", error.start + 3 if surrogate else error.end


codecs.register_error(AS_JAVA, _as_java)


def _by_id() -> dict[int, str]:
    found = {}
    for name, ranges in _COLLATIONS.items():
        for part in ranges.split():
            first, _, last = part.partition("-")
            found.update(dict.fromkeys(range(int(first), int(last or first) + 1), name))
    return found


_BY_ID: Final = _by_id()
_NOPAD: Final = 1024
"""Added to a collation's id in MariaDB for its twin that does not ignore trailing spaces."""
BINARY: Final = 63
"""The collation id of columns that hold bytes, not text."""


def charset(collation: int) -> tuple[str, str]:
    """(character set name, Python codec) of a collation id.

    Collations this release does not know are later servers'; all of those are of utf8mb4.
    """
    if _NOPAD <= collation < 2 * _NOPAD:
        collation -= _NOPAD
    name = _BY_ID.get(collation, "utf8mb4")
    return name, _CODECS[name]


def codec(name: str | None) -> str:
    """The Python codec of a character set name, in quotes as Debezium may have it; UTF-8 for None or unknown ones.

    Decode with `errors=AS_JAVA`: a server stores bytes that its character set does not define.
    """
    return _CODECS.get((name or "utf8mb4").strip("'\"").lower(), "utf_8")


def stored_codec(collation: int | None, name: str | None) -> str:
    """The codec of what the log holds: that of its collation; of the character set `name` when it tells no text's."""
    if collation is None or collation == BINARY:
        return codec(name)
    found = _BY_ID.get(collation - _NOPAD if _NOPAD <= collation < 2 * _NOPAD else collation)
    return codec(name) if found is None else _CODECS[found]


def encoder(name: str | None) -> Callable[[str], bytes]:
    """A function from text to bytes of a character set, `?` for what it has not."""
    found = codec(name)
    base = _WIDE[found].base if found in _WIDE else _ENCODED_AS.get(found, found)
    return lambda text: text.encode(base, "replace")
