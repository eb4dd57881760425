"""MySQL collation id or character set name -> name of the Python codec that decodes its bytes as the server does.

The collation table is `information_schema.COLLATIONS` of MySQL 9.7; the character tables are what its
`CONVERT(_charset X'..' USING utf8mb4)` answers for bytes that no Python codec decodes alike.
"""

from __future__ import annotations

import codecs
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
    "utf8mb3": "33 76 83 192-215 223",
    "ucs2": "35 90 128-151 159",
    "cp866": "36 68",
    "keybcs2": "37 73",
    "macce": "38 43",
    "macroman": "39 53",
    "cp852": "40 81",
    "utf8mb4": "45-46 224-247 255-323",
    "utf16": "54-55 101-124",
    "utf16le": "56 62",
    "cp1256": "57 67",
    "utf32": "60-61 160-183",
    "binary": "63",
    "geostd8": "92-93",
    "cp932": "95-96",
    "eucjpms": "97-98",
    "gb18030": "248-250",
}
_CODECS: Final = {
    "big5": "big5", "latin2": "iso8859_2", "dec8": "mysql_dec8", "cp850": "cp850", "latin1": "mysql_latin1",
    "hp8": "hp_roman8", "koi8r": "koi8_r", "swe7": "mysql_swe7", "ascii": "ascii", "ujis": "euc_jp",
    "sjis": "shift_jis", "cp1251": "cp1251", "hebrew": "iso8859_8", "tis620": "tis_620", "euckr": "cp949",
    "latin7": "iso8859_13", "koi8u": "koi8_u", "gb2312": "gb2312", "greek": "iso8859_7", "cp1250": "cp1250",
    "gbk": "gbk", "cp1257": "cp1257", "latin5": "iso8859_9", "armscii8": "mysql_armscii8", "utf8mb3": "utf_8",
    "utf8": "utf_8", "ucs2": "utf_16_be", "cp866": "cp866", "keybcs2": "mysql_keybcs2", "macce": "mac_latin2",
    "macroman": "mac_roman", "cp852": "cp852", "utf8mb4": "utf_8", "utf16": "utf_16_be", "utf16le": "utf_16_le",
    "cp1256": "cp1256", "utf32": "utf_32_be", "binary": "latin_1", "geostd8": "mysql_geostd8", "cp932": "cp932",
    "eucjpms": "euc_jp", "gb18030": "gb18030",
}  # fmt: skip
_ASCII: Final = "".join(map(chr, range(0x80)))
_NONE: Final = "\ufffe"
"""What a charmap table of Python's holds for a byte that stands for nothing."""


def _fill(start: int, end: int) -> str:
    return "".join(map(chr, range(start, end)))


_TABLES: Final = {
    # The server's latin1 is cp1252 whose five unused bytes are the C1 control characters.
    "mysql_latin1": _ASCII + "€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ" + _fill(0xA0, 0x100),
    "mysql_dec8": _ASCII
    + _fill(0x80, 0xA4)
    + f"{_NONE}¥{_NONE}§¤©ª«{_NONE * 4}°±²³{_NONE}µ¶·{_NONE}¹º»¼½{_NONE}¿"
    + _fill(0xC0, 0xD0)
    + f"{_NONE}ÑÒÓÔÕÖŒØÙÚÛÜŸ{_NONE}ß"
    + _fill(0xE0, 0xF0)
    + f"{_NONE}ñòóôõöœøùúûüÿ{_NONE * 2}",
    "mysql_swe7": _fill(0, 0x40) + "É" + _fill(0x41, 0x5B) + "ÄÖÅÜ_é" + _fill(0x61, 0x7B) + "äöåü\x7f" + _NONE * 128,
    "mysql_armscii8": _ASCII
    + _fill(0x80, 0xA1)
    + "❁§։)(»«—.՝,-՟…՜՛՞"
    + "".join(chr(0x531 + i) + chr(0x561 + i) for i in range(38))
    + "’'",
    "mysql_keybcs2": _ASCII
    + "ČüéďäĎŤčěĚĹÍľĺÄÁÉžŽôöÓůÚýÖÜŠĽÝŘťáíóúňŇŮÔšřŕŔ¼¡«»"
    + bytes(range(0xB0, 0xE0)).decode("cp437")
    + bytes(range(0xE0, 0x100)).decode("cp437"),
    "mysql_geostd8": _ASCII
    + f"€{_NONE}‚{_NONE}„…†‡{_NONE}‰{_NONE}‹{_NONE * 5}‘’“”•–—{_NONE * 3}›{_NONE * 4}"
    + _fill(0xA0, 0xC0)
    + "აბგდევზჱთიკლმნჲოპჟრსტჳუფქღყშჩცძწჭხჴჯჰჵ"
    + _NONE * 23
    + f"№{_NONE * 2}",
}


def _search(name: str) -> codecs.CodecInfo | None:
    table = _TABLES.get(name)
    if table is None:
        return None
    encoding = codecs.charmap_build(table)
    return codecs.CodecInfo(
        name=name,
        encode=lambda text, errors="strict": codecs.charmap_encode(text, errors, encoding),
        decode=lambda raw, errors="strict": codecs.charmap_decode(raw, errors, table),
    )


codecs.register(_search)


def _by_id() -> dict[int, str]:
    found = {}
    for name, ranges in _COLLATIONS.items():
        for part in ranges.split():
            first, _, last = part.partition("-")
            found.update(dict.fromkeys(range(int(first), int(last or first) + 1), name))
    return found


_BY_ID: Final = _by_id()
BINARY: Final = 63
"""The collation id of columns that hold bytes, not text."""


def charset(collation: int) -> tuple[str, str]:
    """(character set name, Python codec) of a collation id.

    Collations this release does not know are MariaDB's and later servers'; all of those are of utf8mb4.
    """
    name = _BY_ID.get(collation, "utf8mb4")
    return name, _CODECS[name]


def codec(name: str | None) -> str:
    """The Python codec of a character set name, in quotes as Debezium may have it; UTF-8 for None or unknown ones.

    Decode with `errors="replace"`: a server stores bytes that its character set does not define.
    """
    return _CODECS.get((name or "utf8mb4").strip("'\"").lower(), "utf_8")
