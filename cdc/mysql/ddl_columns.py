"""A column definition's tokens to a column: type, size, character set, nullability, default, key attributes.

The names, numbers and defaults are those of Debezium's MySQL parser, so that its topics hold the same.
Source: MySQL's manual, "CREATE TABLE Statement" and "Data Types"; Debezium 3.5.0.Final.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from cdc.mysql.ddl_tokens import Cursor, Token, TokenKind
from cdc.mysql.schema_change import members, members_of
from cdc.table import Column

CHAR, VARCHAR, NCHAR, NVARCHAR = 1, 12, -15, -9
SMALLINT, INTEGER, BIGINT, DECIMAL, NUMERIC = 5, 4, -5, 3, 2
REAL, DOUBLE, FLOAT, BIT, BOOLEAN, OTHER = 7, 8, 6, -7, 16, 1111
DATE, TIME, TIMESTAMP, TIMESTAMP_WITH_ZONE = 91, 92, 93, 2014
BINARY, VARBINARY, BLOB = -2, -3, 2004
TEXT_TYPES: Final = frozenset({CHAR, VARCHAR, NCHAR, NVARCHAR})

_NUMBERS: Final = {
    "TINYINT": SMALLINT, "INT1": SMALLINT, "SMALLINT": SMALLINT, "INT2": SMALLINT,
    "MEDIUMINT": INTEGER, "INT3": INTEGER, "MIDDLEINT": INTEGER,
    "INT": INTEGER, "INTEGER": INTEGER, "INT4": INTEGER, "BIGINT": BIGINT, "INT8": BIGINT,
    "REAL": REAL, "DOUBLE": DOUBLE, "FLOAT8": DOUBLE, "FLOAT": FLOAT, "FLOAT4": FLOAT,
    "DECIMAL": DECIMAL, "DEC": DECIMAL, "FIXED": DECIMAL, "NUMERIC": NUMERIC,
}  # fmt: skip
_TEXTS: Final = {
    "CHAR": CHAR, "CHARACTER": CHAR, "VARCHAR": VARCHAR, "TINYTEXT": VARCHAR, "TEXT": VARCHAR,
    "MEDIUMTEXT": VARCHAR, "LONGTEXT": VARCHAR, "NCHAR": NCHAR, "NVARCHAR": NVARCHAR,
}  # fmt: skip
_SIZED: Final = {
    "BIT": BIT, "TIME": TIME, "TIMESTAMP": TIMESTAMP_WITH_ZONE, "DATETIME": TIMESTAMP, "BINARY": BINARY,
    "VARBINARY": VARBINARY, "BLOB": BLOB, "YEAR": INTEGER, "VECTOR": OTHER,
}  # fmt: skip
_PLAIN: Final = {
    "DATE": DATE, "TINYBLOB": BLOB, "MEDIUMBLOB": BLOB, "LONGBLOB": BLOB, "BOOL": BOOLEAN, "BOOLEAN": BOOLEAN,
    "JSON": OTHER, "GEOMETRY": OTHER, "POINT": OTHER, "LINESTRING": OTHER, "POLYGON": OTHER, "MULTIPOINT": OTHER,
    "MULTILINESTRING": OTHER, "MULTIPOLYGON": OTHER, "GEOMETRYCOLLECTION": OTHER, "GEOMCOLLECTION": OTHER,
    "UUID": OTHER, "INET4": OTHER, "INET6": OTHER,
}  # fmt: skip
_DEFAULT_SIZE: Final = {
    "DECIMAL": (10, 0), "DEC": (10, 0), "FIXED": (10, 0), "NUMERIC": (10, 0), "BIT": (1, None), "VECTOR": (2048, None),
}  # fmt: skip
_NOW: Final = frozenset({"CURRENT_TIMESTAMP", "NOW", "LOCALTIME", "LOCALTIMESTAMP", "CURDATE", "CURTIME"})
_SEQUENCES: Final = frozenset({"NEXTVAL", "LASTVAL"})
_MAX_INT: Final = 2**31 - 1


@dataclass(frozen=True)
class Definition:
    """A parsed column definition, and whether it makes its column a key."""

    column: Column
    primary: bool = False
    unique: bool = False


@dataclass
class _Draft:
    """What a definition said so far."""

    type_name: str = ""
    jdbc_type: int = OTHER
    length: int | None = None
    scale: int | None = None
    charset: str | None = None
    members: Sequence[str] = ()
    optional: bool | None = None
    default: str | None = None
    has_default: bool = False
    auto: bool = False
    comment: str | None = None
    primary: bool = False
    unique: bool = False


UNSAID: Final = "utf8_"
"""Stands for the character set of a collation by its old name, such as utf8_bin."""
_UTF8: Final = frozenset({"utf8", "utf8mb3", "utf8mb4"})


def charset_of(collation: str) -> str | None:
    """The character set of a collation, whose name begins with it. `UNSAID` where `said` is to be asked.

    MariaDB's `uca1400_ai_ci` is of any character set: None.
    """
    charset = collation.lower().partition("_")[0]
    if charset == "uca1400":
        return None
    return UNSAID if charset == "utf8" else charset


def said(charset: str | None, inherited: str | None) -> str | None:
    """A column's or table's character set; `inherited` is that of its table or database.

    Debezium does not know collations by their old names and takes what is inherited. So it is done here where the
    text is read the same.
    """
    if charset == UNSAID:
        return inherited if inherited in _UTF8 else "utf8mb3"
    return charset or inherited


def definition(cursor: Cursor, name: str, *, comments: bool, previous: Column | None = None) -> Definition:
    """What follows a column's name, up to a comma, a closing parenthesis, FIRST or AFTER.

    Args:
        comments: keep the column's comment.
        previous: the column that CHANGE COLUMN replaces; what Debezium's parser leaves of it stays.
    Returns: a column at position 0. A text column without a character set of its own has none yet.
    Raises: DecodeError: not a column definition.
    """
    draft = _Draft()
    if previous is not None:
        draft.auto, draft.comment, draft.members = previous.auto_incremented, previous.comment, members(previous)
    _type(cursor, draft)
    while _attribute(cursor, draft, comments=comments):
        pass
    optional = draft.optional is not False
    return Definition(
        Column(
            name=name,
            position=0,
            type_name=draft.type_name,
            type_expression=draft.type_name,
            jdbc_type=draft.jdbc_type,
            length=draft.length,
            scale=draft.scale,
            charset=draft.charset if draft.jdbc_type in TEXT_TYPES else None,
            optional=optional,
            auto_incremented=draft.auto,
            generated=draft.auto,
            comment=draft.comment,
            has_default=draft.has_default or optional,
            default=draft.default,
            **members_of(draft.members),
        ),
        primary=draft.primary,
        unique=draft.unique,
    )


def required(column: Column) -> Column:
    """The column as part of a primary key: it cannot be null, so a default of null is none."""
    if not column.optional:
        return column
    return replace(column, optional=False, has_default=column.default is not None)


# Types


def _type(cursor: Cursor, draft: _Draft) -> None:
    word = cursor.take().upper
    if word in _NUMBERS:
        _number(cursor, draft, word)
    elif word in _TEXTS:
        _text(cursor, draft, word, _TEXTS[word])
    elif word in ("ENUM", "SET"):
        _members(cursor, draft, word)
    elif word in _SIZED or word in _PLAIN:
        draft.type_name, draft.jdbc_type = word, _SIZED.get(word) or _PLAIN[word]
        _size(cursor, draft)
    elif word == "NATIONAL":
        _national(cursor, draft)
    elif word == "LONG":
        _long(cursor, draft)
    elif word == "SERIAL":
        draft.type_name, draft.jdbc_type = "BIGINT UNSIGNED", BIGINT
        _serial(draft)
    else:
        raise cursor.error(f"unknown column type {word!r}")
    _default_size(draft, word)


def _serial(draft: _Draft) -> None:
    draft.auto = draft.unique = True
    if draft.optional is None:
        draft.optional = False


def _size(cursor: Cursor, draft: _Draft) -> None:
    if not cursor.accept_sign("("):
        return
    draft.length = min(cursor.number(), _MAX_INT)
    if cursor.accept_sign(","):
        draft.scale = cursor.number()
    cursor.expect_sign(")")


def _default_size(draft: _Draft, word: str) -> None:
    length, scale = _DEFAULT_SIZE.get(word, (None, None))
    if draft.length is None or (draft.length == 0 and scale is not None):  # DECIMAL(0) is DECIMAL
        draft.length = 1 if draft.jdbc_type == NCHAR else length
    if draft.scale is None:
        draft.scale = scale


def _number(cursor: Cursor, draft: _Draft, word: str) -> None:
    names = [word]
    if word in ("DOUBLE", "FLOAT8") and cursor.accept("PRECISION"):
        names.append("PRECISION")
    _size(cursor, draft)
    signs = set()
    while (sign := cursor.accept_any("SIGNED", "UNSIGNED", "ZEROFILL")) is not None:
        signs.add(sign)
    if "ZEROFILL" in signs:
        signs = {"UNSIGNED", "ZEROFILL"}
    elif "UNSIGNED" in signs:
        signs = {"UNSIGNED"}
    names += [sign for sign in ("SIGNED", "UNSIGNED", "ZEROFILL") if sign in signs]
    draft.type_name, draft.jdbc_type = " ".join(names), _NUMBERS[word]


def _text(cursor: Cursor, draft: _Draft, word: str, jdbc_type: int) -> None:
    names = [word]
    if word in ("CHAR", "CHARACTER", "NCHAR") and cursor.accept("VARYING"):
        names, jdbc_type = [word, "VARYING"], NVARCHAR if word == "NCHAR" else VARCHAR
    elif word == "NCHAR" and cursor.accept("VARCHAR"):
        names, jdbc_type = ["NCHAR", "VARCHAR"], NVARCHAR
    draft.jdbc_type = jdbc_type
    _size(cursor, draft)
    if cursor.accept("BYTE"):
        draft.type_name, draft.jdbc_type = ("VARBINARY", VARBINARY) if jdbc_type == VARCHAR else ("BINARY", BINARY)
        return
    if _text_attributes(cursor, draft):
        names.append("BINARY")
    draft.type_name = " ".join(names)
    if jdbc_type in (NCHAR, NVARCHAR):
        draft.charset = "utf8"


def _text_attributes(cursor: Cursor, draft: _Draft) -> bool:
    """BINARY, ASCII, UNICODE, CHARACTER SET in any order. Returns: BINARY was among them."""
    binary = False
    while True:
        if cursor.accept("BINARY"):
            binary = True
        elif cursor.accept("ASCII"):
            draft.charset = "latin1"
        elif cursor.accept("UNICODE"):
            draft.charset = "ucs2"
        elif not _charset(cursor, draft):
            return binary


def _charset(cursor: Cursor, draft: _Draft) -> bool:
    if cursor.accept("CHARACTER", "SET") or cursor.accept("CHARSET") or cursor.accept("CHAR", "SET"):
        cursor.accept_sign("=")
        charset = cursor.word_or_string()
        draft.charset = None if charset.upper() == "DEFAULT" else charset
        return True
    return False


def _national(cursor: Cursor, draft: _Draft) -> None:
    word = cursor.accept_any("CHAR", "CHARACTER", "VARCHAR") or (cursor.accept("VARCHARACTER") and "VARCHAR")
    if not word:
        raise cursor.error("expected CHAR or VARCHAR after NATIONAL")
    names, jdbc_type = ["NATIONAL", word], NVARCHAR if word == "VARCHAR" else NCHAR
    if word != "VARCHAR" and cursor.accept("VARYING"):
        names, jdbc_type = [*names, "VARYING"], NVARCHAR
    _size(cursor, draft)
    if cursor.accept("BINARY") and names[-1] != "VARYING":
        names.append("BINARY")
    draft.type_name, draft.jdbc_type, draft.charset = " ".join(names), jdbc_type, "utf8"


def _long(cursor: Cursor, draft: _Draft) -> None:
    if cursor.accept("VARBINARY"):
        draft.type_name, draft.jdbc_type = "LONG VARBINARY", BLOB
        return
    varying = cursor.accept_any("VARCHAR", "VARCHARACTER") or (
        cursor.accept("CHAR", "VARYING") or cursor.accept("CHARACTER", "VARYING")
    )
    names = ["LONG", "VARCHAR"] if varying else ["LONG"]
    draft.type_name, draft.jdbc_type = " ".join(names), VARCHAR
    _text_attributes(cursor, draft)


def _members(cursor: Cursor, draft: _Draft, word: str) -> None:
    found = [token for token in cursor.parens() if token.text != ","]
    for token in found:
        if token.kind is not TokenKind.STRING:
            raise cursor.error(f"expected a string as a member of {word}, not {token.text!r}, before")
    draft.members = [token.text for token in found]
    draft.type_name, draft.jdbc_type = word, CHAR
    draft.length = 1 if word == "ENUM" else max(0, 2 * len(found) - 1)
    if _text_attributes(cursor, draft):
        draft.type_name += " BINARY"


# Attributes


def _attribute(cursor: Cursor, draft: _Draft, *, comments: bool) -> bool:
    """Takes one attribute. Returns: False when the definition ends here."""
    token = cursor.peek()
    if token is None or token.text in (",", ")") or token.upper in ("FIRST", "AFTER", "PARTITION"):
        return False
    if _null_or_key(cursor, draft) or _charset(cursor, draft):
        return True
    if cursor.accept("DEFAULT"):
        _default(cursor, draft)
    elif cursor.accept("ON", "UPDATE"):
        _now(cursor)
        draft.auto = True  # Debezium's parser takes it for AUTO_INCREMENT when it does not follow a DEFAULT now
    elif cursor.accept("COLLATE"):
        cursor.accept_sign("=")
        collation = cursor.word_or_string()
        draft.charset = draft.charset or charset_of(collation)
    elif cursor.accept("COMMENT"):
        text = cursor.take().text[1:-1]
        draft.comment = text if comments else draft.comment
    elif not _harmless(cursor):
        raise cursor.error("unknown column attribute")
    return True


def _null_or_key(cursor: Cursor, draft: _Draft) -> bool:
    if cursor.accept("NOT", "NULL"):
        draft.optional = False
    elif cursor.accept("NULL"):
        draft.optional = True
    elif cursor.accept("AUTO_INCREMENT"):
        draft.auto = True
    elif cursor.accept("PRIMARY", "KEY") or cursor.accept("KEY"):
        draft.primary, draft.optional = True, False
    elif cursor.accept("UNIQUE"):
        cursor.accept_any("KEY", "INDEX")
        draft.unique = True
    elif cursor.accept("SERIAL", "DEFAULT", "VALUE"):
        _serial(draft)
    else:
        return False
    return True


def _harmless(cursor: Cursor) -> bool:
    """Takes an attribute that changes nothing of what rows look like."""
    if cursor.accept("GENERATED", "ALWAYS") or cursor.at("AS"):
        cursor.expect("AS")
        if cursor.accept("ROW"):  # MariaDB's system-versioned tables
            cursor.expect_any("START", "END")
        else:
            cursor.parens()
        cursor.accept_any("VIRTUAL", "STORED", "PERSISTENT")
    elif cursor.accept_any("COLUMN_FORMAT", "STORAGE", "SRID"):
        cursor.take()
    elif cursor.accept("COMPRESSED"):  # MariaDB
        if cursor.accept_sign("="):
            cursor.take()
    elif cursor.accept_any("ENGINE_ATTRIBUTE", "SECONDARY_ENGINE_ATTRIBUTE", "REF_SYSTEM_ID"):
        cursor.accept_sign("=")
        cursor.take()
    elif cursor.at("CONSTRAINT") or cursor.at("CHECK"):
        check(cursor)
    elif cursor.accept("REFERENCES"):
        references(cursor)
    elif not (
        cursor.accept_any("VISIBLE", "INVISIBLE", "ENFORCED", "VIRTUAL", "STORED")
        or cursor.accept("NOT", "ENFORCED")
        or cursor.accept("NOT", "SECONDARY")
        or cursor.accept("WITH", "SYSTEM", "VERSIONING")
        or cursor.accept("WITHOUT", "SYSTEM", "VERSIONING")
    ):
        return False
    return True


def check(cursor: Cursor) -> None:
    """`[CONSTRAINT [name]] CHECK (...) [[NOT] ENFORCED]`."""
    if cursor.accept("CONSTRAINT") and not cursor.at("CHECK"):
        cursor.name()
    cursor.expect("CHECK")
    cursor.parens()
    cursor.accept("NOT")
    cursor.accept("ENFORCED")


def references(cursor: Cursor) -> None:
    """What follows REFERENCES in a foreign key."""
    cursor.name()
    if cursor.accept_sign("."):
        cursor.name()
    cursor.skip_parens()
    if cursor.accept("MATCH"):
        cursor.take()
    while cursor.accept("ON", "DELETE") or cursor.accept("ON", "UPDATE"):
        if cursor.accept("SET") or cursor.accept("NO"):
            cursor.take()
        else:
            cursor.expect_any("RESTRICT", "CASCADE")


def _now(cursor: Cursor) -> None:
    cursor.expect_any(*_NOW)
    cursor.skip_parens()


def _default(cursor: Cursor, draft: _Draft) -> None:
    """What follows DEFAULT. An expression has a default that nobody knows: None."""
    draft.default, draft.has_default = None, False
    if cursor.accept("NULL"):
        return
    if cursor.at_sign("("):
        cursor.parens()
        draft.has_default = True
    elif (now := cursor.peek()) is not None and now.upper in _NOW:
        mark = cursor.mark()
        _now(cursor)
        text = "".join(token.text for token in cursor.since(mark))
        known = now.upper in ("CURRENT_TIMESTAMP", "NOW")
        draft.default, draft.has_default = "1970-01-01 00:00:00" if known else text, True
        if cursor.accept("ON", "UPDATE"):
            _now(cursor)
    else:
        _literal(cursor, draft)


def default_of(cursor: Cursor, column: Column) -> Column:
    """The column with the default that ALTER COLUMN ... SET DEFAULT gives it; NULL leaves the old one (Debezium)."""
    if cursor.accept("NULL"):
        return column
    draft = _Draft()
    _default(cursor, draft)
    return replace(column, default=draft.default, has_default=draft.has_default or column.optional)


def _literal(cursor: Cursor, draft: _Draft) -> None:
    sign = "-" if cursor.accept_sign("-") else "+" if cursor.accept_sign("+") else ""
    token = cursor.take()
    if token.kind is TokenKind.NUMBER or token.upper in ("TRUE", "FALSE"):
        draft.default = sign + token.text
    elif token.kind is TokenKind.STRING:
        draft.default = sign + _joined(cursor, token)[1:-1]
    elif token.kind is TokenKind.BITS:
        draft.default = _prefixed(token)
    elif token.kind is TokenKind.WORD and token.text.startswith("_") and cursor.peek() is not None:
        literal = cursor.take()
        draft.default = token.text + literal.text if literal.kind is TokenKind.STRING else _prefixed(literal)
    elif token.kind is TokenKind.WORD and cursor.at_sign("("):  # MariaDB's functions need no parentheses around
        cursor.parens()
        draft.has_default = token.upper not in _SEQUENCES
        return
    else:
        raise cursor.error(f"unknown default {token.text!r}, then")
    if cursor.accept("COLLATE"):
        cursor.word_or_string()
    draft.has_default = draft.default is not None


def _joined(cursor: Cursor, token: Token) -> str:
    """Neighbouring strings are one."""
    text = token.text
    while (more := cursor.accept_kind(TokenKind.STRING)) is not None:
        text += more.text
    return text


def _prefixed(token: Token) -> str | None:
    """The digits of a bit literal, the text of a national one; None for hexadecimal ones, as in Debezium."""
    prefix = token.text[:2].lower()
    if prefix in ("b'", "0b"):
        return token.text[2:].rstrip("'")
    return token.text[2:-1] if prefix == "n'" else None
