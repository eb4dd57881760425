"""Random PostgreSQL types, with literals of their edges."""

from __future__ import annotations

from random import Random
from typing import Final

ENUM: Final = "mood"
DOMAIN: Final = "positive"
PRELUDE: Final = (
    f"CREATE TYPE {ENUM} AS ENUM ('sad', 'ok', 'it''s', 'ü,b')",
    f"CREATE DOMAIN {DOMAIN} AS NUMERIC(8,2) CHECK (VALUE > 0)",
)

_TEXTS = ("''", "'a'", "'it''s é 日本 😀'", "'line\nbreak\ttab'", "'back\\slash'", "'null'", "' padded '")
_WHEN = ("'2024-02-29 13:14:15.123456'", "'1970-01-01 00:00:00'", "'1969-12-31 23:59:59.999999'",
         "'0001-01-01 00:00:00'", "'9999-12-31 23:59:59.999999'", "'2020-06-30 12:00:00.5'")  # fmt: skip
_NUMBERS = ("0", "1", "-1", "1.5", "-0.000001", "12345.6789", "1e10")
VALUES: Final[dict[str, tuple[str, ...]]] = {
    "SMALLINT": ("0", "-32768", "32767"),
    "INTEGER": ("0", "-2147483648", "2147483647"),
    "BIGINT": ("0", "-9223372036854775808", "9223372036854775807"),
    "OID": ("0", "4294967295"),
    "NUMERIC": (*_NUMBERS, "123456789012345678901234567890.123456789", "100", "0.10"),
    "NUMERIC(10,0)": ("0", "-1", "9999999999"),
    "NUMERIC(10,3)": ("0", "-1.5", "9999999.999"),
    "NUMERIC(38,10)": ("0", "1234567890123456789012345678.0123456789", "-0.0000000001"),
    "REAL": ("0", "1.1", "-3.4e38", "1e-37", "'NaN'", "'Infinity'"),
    "DOUBLE PRECISION": ("0", "1.1", "-1.7e308", "1e-300", "'NaN'", "'-Infinity'"),
    "MONEY": ("0", "'-92233720368547758.08'", "'1.99'"),
    "BOOLEAN": ("true", "false"),
    "CHAR": ("'a'", "'é'"),
    "CHAR(5)": ("'a'", "'12345'", "''"),
    "VARCHAR(20)": ("''", "'x'", "'it''s é 日本'"),
    "VARCHAR": _TEXTS,
    "TEXT": _TEXTS,
    "BYTEA": ("''", r"'\x00ff10'", "'abc'"),
    "DATE": ("'2024-02-29'", "'1970-01-01'", "'0001-01-01'", "'9999-12-31'", "'1582-10-10'"),
    "TIME": ("'00:00:00'", "'23:59:59.999999'", "'12:34:56.7'", "'24:00:00'"),
    "TIME(0)": ("'00:00:00'", "'23:59:59'"),
    "TIME(3)": ("'01:02:03.004'", "'23:59:59.999'"),
    "TIMETZ": ("'13:51:30.123789+02'", "'00:00:00+00'", "'23:59:59-05:30'"),
    "TIMESTAMP": _WHEN,
    "TIMESTAMP(0)": _WHEN[:4],
    "TIMESTAMP(3)": _WHEN[:4],
    "TIMESTAMPTZ": tuple(text[:-1] + "+02'" for text in (*_WHEN[:3], _WHEN[5])),
    "TIMESTAMPTZ(3)": tuple(text[:-1] + "+00'" for text in _WHEN[:3]),
    "INTERVAL": ("'1 year 2 mons 3 days 04:05:06.789'", "'0'", "'-1 day'", "'400 days 25:00:00'"),
    "UUID": ("'00000000-0000-0000-0000-000000000000'", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"),
    "JSON": ("""'{"b": 1, "a": [1, 2, {"c": null}], "a": "é"}'""", "'null'", "'[]'", "'\"x\"'"),
    "JSONB": ("""'{"b": 1.50, "a": [1, 2, {"c": null}]}'""", "'null'", "'[]'", "'1e3'"),
    "XML": ("'<a b=\"1\">é</a>'", "''"),
    "INET": ("'10.0.0.1'", "'10.0.0.1/24'", "'2001:db8::1'"),
    "CIDR": ("'10.0.0.0/24'", "'2001:db8::/32'"),
    "MACADDR": ("'08:00:2b:01:02:03'",),
    "MACADDR8": ("'08:00:2b:01:02:03:04:05'",),
    "INT4RANGE": ("'[1,10)'", "'empty'", "'(,5]'"),
    "INT8RANGE": ("'[1,10)'",),
    "NUMRANGE": ("'[1.5,2.5)'", "'(,)'"),
    "TSRANGE": ("'[2020-01-01 10:00:00, 2020-01-02 11:00:00)'",),
    "TSTZRANGE": ("'[2020-01-01 10:00:00+02, 2020-01-02 11:00:00+00)'",),
    "DATERANGE": ("'[2020-01-01, 2020-02-01)'",),
    "BIT": ("B'1'", "B'0'"),
    "BIT(8)": ("B'10000001'", "B'00000000'"),
    "BIT(20)": ("B'10000000000000000001'",),
    "VARBIT(12)": ("B'1'", "B'101010101010'"),
    "POINT": ("'(1.5,-2)'", "'(0,0)'"),
    "TSVECTOR": ("'a fat cat'::tsvector", "''"),
    ENUM: ("'sad'", "'ok'", "'it''s'", "'ü,b'"),
    DOMAIN: ("0.01", "123456.78"),
    "INTEGER[]": ("'{}'", "'{1,2,NULL}'"),
    "BIGINT[]": ("'{9223372036854775807}'",),
    "TEXT[]": ("'{}'", """'{a,"b c",NULL,"it''s \\"q\\""}'"""),
    "NUMERIC(10,2)[]": ("'{1.50,-2.25}'",),
    "BOOLEAN[]": ("'{t,f,NULL}'",),
    "UUID[]": ("'{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}'",),
    "DATE[]": ("'{2024-02-29,1970-01-01}'",),
    "TIMESTAMP[]": ("'{\"2024-02-29 13:14:15.123456\"}'",),
    "DOUBLE PRECISION[]": ("'{1.5,-2}'",),
    "CITEXT": ("'AbC'", "''"),
    "HSTORE": ("'a=>1,b=>NULL'", "''"),
    "LTREE": ("'a.b.c'", "''"),
}  # fmt: skip
KEYS: Final = ("INTEGER", "BIGINT", "SMALLINT", "UUID", "VARCHAR(20)", "TEXT", "NUMERIC(10,0)", "DATE", "TIMESTAMP(3)",
               "BOOLEAN", "CHAR(5)", ENUM)  # fmt: skip
"""Types of columns that identify rows."""
_NULLABLE = ("BYTEA",)
"""As text and NOT NULL, Debezium stops where such a value is stored aside and did not change."""
_NO_DEFAULT = ("XML", "POINT", "TSVECTOR", "JSON")


def value(random: Random, type_: str) -> str:
    """A literal. Long texts that do not shrink are stored aside, and do not come again when a row is changed."""
    if type_ in ("TEXT", "VARCHAR", "JSONB") and random.random() < 0.12:
        inner = "(SELECT string_agg(md5(i::text), '') FROM generate_series(1, 300) i)"
        return f"to_jsonb({inner})" if type_ == "JSONB" else inner
    if type_ == "BYTEA" and random.random() < 0.12:
        return "(SELECT string_agg(decode(md5(i::text), 'hex'), '') FROM generate_series(1, 500) i)"
    return random.choice(VALUES[type_])


def definition(random: Random) -> str:
    """A type and what may follow it."""
    type_ = random.choice(list(VALUES))
    parts = [type_]
    if random.random() < 0.3 and type_ not in _NULLABLE:
        parts.append("NOT NULL")
    if (random.random() < 0.3 or "NOT NULL" in parts) and type_ not in _NO_DEFAULT:
        literal = random.choice(VALUES[type_])
        parts.append(f"DEFAULT {literal}")
    elif "NOT NULL" in parts:
        parts.remove("NOT NULL")
    return " ".join(parts)
