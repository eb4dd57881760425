"""Random values as SQL expressions: for each type its edges, and what lies between."""

from __future__ import annotations

import re
from random import Random

WORDS = ("", "a", "Abc", "it's", "back\\slash", "é", "ÿ", "日本語", "привет", "Ελλ", "עברית", "한국", "中文", "😀",
         "𝒳y", "NULL", "a\x00b", "tab\t", "line\n", '"', " lead", "trail ", "ﾊﾝ", "€", "~", "0", "%_", "‚", "\x7f",
         "e\u0301", "\ufeff", "x" * 30, "long " * 60)  # fmt: skip
_EDGES = {
    "float": ("3.402823466e38", "1.175494351e-38", "1.4e-45"),
    "double": ("1.7976931348623157e308", "2.2250738585072014e-308", "1e22", "1e21", "123456789012345680000"),
}
_INTEGER_BITS = {"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "bigint": 64}
_POINTS = ("POINT(0 0)", "POINT(1.5 -2.5)", "POINT(-90 45)", "POINT(1e-10 89)")
_LINES = ("LINESTRING(0 0, 1 1)", "LINESTRING(0 0, 1 1, 2 0.5)")
_POLYGONS = ("POLYGON((0 0, 0 4, 4 4, 4 0, 0 0))", "POLYGON((0 0, 0 4, 4 4, 4 0, 0 0), (1 1, 1 2, 2 2, 2 1, 1 1))")
_SHAPES = {
    "point": _POINTS,
    "linestring": _LINES,
    "polygon": _POLYGONS,
    "multipoint": ("MULTIPOINT(0 0, 1 1)", "MULTIPOINT((2 3))"),
    "multilinestring": ("MULTILINESTRING((0 0, 1 1), (2 2, 3 3))",),
    "multipolygon": ("MULTIPOLYGON(((0 0, 0 4, 4 4, 4 0, 0 0)))",),
    "geomcollection": ("GEOMETRYCOLLECTION(POINT(1 1), LINESTRING(0 0, 1 1))", "GEOMETRYCOLLECTION EMPTY"),
    "geometry": (*_POINTS[:2], *_LINES[:1], *_POLYGONS[:1]),
}
# No 2023-02-29, which ALLOW_INVALID_DATES admits: Debezium stops at such a date in the log.
_DATES = ("1970-01-01", "2024-02-29", "1000-01-01", "9999-12-31", "0000-00-00", "2024-02-00", "2024-00-00",
          "1999-12-00", "1969-12-31", "1582-10-10", "0001-01-01", "1900-03-01", "2038-01-20")  # fmt: skip
_CLOCKS = ("00:00:00", "23:59:59.999999", "12:34:56.5", "01:02:03.000001", "12:00:00.1234565", "06:07:08.999")
_TIMES = ("-838:59:59", "838:59:59", "-00:00:01", "24:00:00", "-12:34:56.789", "100:00:00.000001", "-00:00:00.5")
_DOCUMENTS = (
    "{}", "[]", "null", "true", "0", "-1", '"s"', '{"a": 1, "b": [1, 2.5, null, "x"]}', '{"é": "😀\\\\n"}', "1.0",
    "1e100", "18446744073709551615", "-9223372036854775808", '"q\\\\"q"', '{"b": 1, "aa": 2, "": 3}', "0.1",
    '[[[[]]], {"k": {}}]',
    "3.14159265358979323846", '"' + "x" * 300 + '"', "32768", "-32769", "4294967296", "1e-7", "123456789.125",
    '{"z": "\\\\u0000\\\\u001f/"}',
)  # fmt: skip
_DOCUMENT_EXPRESSIONS = (
    "json_object('d', cast('2020-01-02' as date))", "json_array(cast('12:34:56.789' as time(3)))",
    "json_object('t', cast('2020-01-02 03:04:05.123456' as datetime(6)))", "json_array(cast(1.50 as decimal(10, 2)))",
    "json_object('b', b'101')", "json_array(x'00ff')", "cast(cast(99999999999999999999.5 as decimal(40, 5)) as json)",
    "json_array(1e0, 1.5e300, -0e0)", "json_object('y', cast(2020 as year))", "json_array(true, null)",
    "cast(cast('-12:00:00' as time) as json)", "cast(timestamp'1970-01-01 00:00:00' as json)",
)  # fmt: skip


def quoted(text: str) -> str:
    """A string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''").replace("\0", "\\0") + "'"


def literal(random: Random, column_type: str) -> str:
    """A value for a column of this `information_schema` COLUMN_TYPE, not NULL."""
    name: str = re.split(r"\W", column_type)[0]
    size = [int(part) for part in re.findall(r"\d+", column_type.split("'")[0])]
    if name in _INTEGER_BITS:
        return _integer(random, _INTEGER_BITS[name], "unsigned" in column_type)
    if name in _SHAPES:
        srid = re.search(r"srid (\d+)", column_type)
        number = srid[1] if srid else random.choice(("0", "0", "4326"))
        return f"ST_GeomFromText('{random.choice(_SHAPES[name])}', {number})"
    match name:
        case "decimal":
            return _decimal(random, *size)
        case "float" | "double":
            return _float(random, name)
        case "bit":
            highest = 2 ** size[0] - 1
            return str(random.choice((0, 1, highest, random.randint(0, highest))))
        case "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext":
            return quoted(random.choice(WORDS)) if random.random() < 0.8 else quoted(random.choice(WORDS) * 5)
        case "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob":
            return _bytes(random)
        case "enum" | "set":
            members = re.findall(r"'(?:[^']|'')*'", column_type)
            if name == "set" and random.random() < 0.4:
                return str(random.randint(0, 2 ** len(members) - 1))
            return str(random.choice((*members, "1", "''")))
        case "date":
            return f"'{random.choice(_DATES)}'"
        case "time":
            return f"'{random.choice((*_CLOCKS, *_TIMES))}'"
        case "datetime" | "timestamp":
            return f"'{random.choice(_DATES)} {random.choice(_CLOCKS)}'"
        case "year":
            return random.choice(("1901", "2155", "0", "'69'", "'70'", "2024", "99", "'0'"))
        case "json":
            if random.random() < 0.3:
                return random.choice(_DOCUMENT_EXPRESSIONS)
            return f"'{random.choice(_DOCUMENTS)}'"
        case "vector":
            numbers = ", ".join(random.choice(("0", "1.5", "-2.25e10", "0.1")) for _ in range(min(size[0], 3)))
            return f"string_to_vector('[{numbers}]')"
        case "uuid":
            return random.choice(
                ("uuid()", "'00000000-0000-0000-0000-000000000000'", "'FFFFFFFF-ffff-1fff-8fff-ffffffffffff'")
            )
        case _:
            return "DEFAULT"


def _integer(random: Random, bits: int, unsigned: bool) -> str:
    low, high = (0, 2**bits - 1) if unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    return str(random.choice((low, high, 0, 1, high - 1, random.randint(low, high), random.randint(0, 100))))


def _decimal(random: Random, digits: int, scale: int = 0) -> str:
    highest = 10**digits - 1
    number = random.choice((0, 1, highest, -highest, -1, random.randint(-highest, highest), 10 ** (digits // 2)))
    text = str(abs(number)).zfill(scale + 1)
    return ("-" if number < 0 else "") + (f"{text[:-scale]}.{text[-scale:]}" if scale else text)


def _float(random: Random, name: str) -> str:
    edges = _EDGES[name]
    return random.choice(("0", "-0e0", "1", "0.1", "-1.5", "100", "1e7", "1e-3", "9999999", "16777217", "3.14159265",
                          *edges, repr(random.uniform(-1e6, 1e6))))  # fmt: skip


def _bytes(random: Random) -> str:
    made = random.choice(("", "00", "41", "ff", "0041", "4100", "e9", "c3a9", "f09f9880", "7f80",
                          random.randbytes(random.choice((3, 16, 40, 130))).hex()))  # fmt: skip
    return f"x'{made}'"
