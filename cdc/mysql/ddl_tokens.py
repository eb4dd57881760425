"""MySQL statement text to tokens and statements; comments are dropped, the content of `/*! ... */` is code.

Source: MySQL's manual, "Language Structure".
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Final, NamedTuple

from cdc.errors import DecodeError


class TokenKind(Enum):
    WORD = "word"
    """A keyword or a name without quotes."""
    NAME = "name"
    """A name in backquotes."""
    STRING = "string"
    """In single or double quotes. With ANSI_QUOTES the latter are names; the place tells when the mode is not known."""
    NUMBER = "number"
    BITS = "bits"
    """`b'101'`, `0b101`, `x'1F'`, `0x1F`, `N'text'`: a literal with a prefix."""
    SIGN = "sign"
    """Any other single character."""


class Token(NamedTuple):
    """`text` is as written; `start` and `end` are offsets in the whole text.

    `versioned`: stood inside a versioned comment.
    """

    kind: TokenKind
    text: str
    start: int
    end: int
    versioned: bool = False

    @property
    def upper(self) -> str:
        """The keyword; the empty string for what cannot be one."""
        return self.text.upper() if self.kind is TokenKind.WORD else ""


_ANSI_QUOTES: Final = 1 << 2
_NO_BACKSLASH_ESCAPES: Final = 1 << 20
"""Bits of `sql_mode` in the log, of MySQL and MariaDB alike."""


@functools.cache
def _token(sql_mode: int) -> re.Pattern[str]:
    """What a token is; of the mode no bit but those two is set."""
    escapes = not sql_mode & _NO_BACKSLASH_ESCAPES
    single = r"'(?:[^'\\]|''|\\.)*'" if escapes else "'(?:[^']|'')*'"
    double = r'"(?:[^"\\]|""|\\.)*"' if escapes else '"(?:[^"]|"")*"'
    names, strings = (f"|{double}", single) if sql_mode & _ANSI_QUOTES else ("", f"{single}|{double}")
    return re.compile(
        rf"""
          (?P<space> \s+ | --(?=\s|\Z)[^\n]* | \#[^\n]* | /\*(?!!).*?(?:\*/|\Z) )
        | (?P<open>  /\*!(?P<version>\d{{5,6}})? )
        | (?P<close> \*/ )
        | (?P<bits>  [bBxXnN]{single} | 0b[01]+(?![\w$]) | 0x[0-9a-fA-F]+(?![\w$]) )
        | (?P<number> (?: \d+(?:\.\d*)? | (?<![\w$`"\u0080-\U0010ffff])\.\d+ )(?:[eE][+-]?\d+)?
                      (?![\w$\u0080-\U0010ffff]) )
        | (?P<word>  [\w$\u0080-\U0010ffff]+ )
        | (?P<name>  `(?:[^`]|``)*`{names} )
        | (?P<string> {strings} )
        | (?P<sign>  . )
        """,
        re.VERBOSE | re.DOTALL,
    )


_NEWEST: Final = 99999
"""Versioned comments above this are for no MySQL server there is."""


def tokenize(sql: str, sql_mode: int = 0) -> list[Token]:
    """All tokens of a text. Never fails: what cannot be read is a SIGN token a character.

    `sql_mode` is that of the session, as bits; 0 when it is not known.
    """
    token = _token(sql_mode & (_ANSI_QUOTES | _NO_BACKSLASH_ESCAPES))
    found: list[Token] = []
    versioned = False
    at = 0
    while at < len(sql):
        match = token.match(sql, at)
        if match is None:  # cannot happen: `sign` takes any character
            break
        at = match.end()
        kind = match.lastgroup
        if kind == "open" or match["open"]:
            if match["version"] and int(match["version"]) >= _NEWEST:
                closed = sql.find("*/", at)
                at = len(sql) if closed < 0 else closed + 2
            else:
                versioned = True
        elif kind == "close" and versioned:
            versioned = False
        elif kind == "close":
            found += [Token(TokenKind.SIGN, sign, at - 2 + i, at - 1 + i) for i, sign in enumerate("*/")]
        elif kind != "space":
            found.append(Token(TokenKind(kind), match[0], match.start(), at, versioned))
    return found


def statements(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """The tokens between semicolons. A stored program, whose body holds semicolons, takes all that follows."""
    statement: list[Token] = []
    for at, token in enumerate(tokens):
        if token.text != ";" or token.kind is not TokenKind.SIGN:
            statement.append(token)
            continue
        if _is_program(statement):
            statement += tokens[at:]
            break
        if statement:
            yield statement
        statement = []
    if statement:
        yield statement


_PROGRAMS: Final = frozenset({"PROCEDURE", "FUNCTION", "TRIGGER", "EVENT"})
_OTHER_OBJECTS: Final = frozenset({"TABLE", "INDEX", "VIEW", "DATABASE", "SCHEMA"})


def _is_program(statement: Sequence[Token]) -> bool:
    if not statement or statement[0].upper not in ("CREATE", "ALTER"):
        return False
    objects = (token.upper for token in statement if token.upper in _PROGRAMS | _OTHER_OBJECTS)
    return next(objects, "") in _PROGRAMS


def text_of(sql: str, statement: Sequence[Token]) -> str:
    """A statement's text without what surrounds it; a versioned comment at an end is left out."""
    plain = [token for token in statement if not token.versioned] or statement
    return sql[plain[0].start : plain[-1].end]


def unquote_name(token: Token) -> str:
    """The name a WORD, a NAME or a string in double quotes stands for."""
    if token.kind is TokenKind.WORD:
        return token.text
    quote = token.text[0]
    return token.text[1:-1].replace(quote + quote, quote)


class Cursor:
    """Reads the tokens of one statement from left to right."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    @property
    def done(self) -> bool:
        return self._at >= len(self._tokens)

    def peek(self, ahead: int = 0) -> Token | None:
        at = self._at + ahead
        return self._tokens[at] if at < len(self._tokens) else None

    def mark(self) -> int:
        """This place, for `since`."""
        return self._at

    def since(self, mark: int) -> Sequence[Token]:
        return self._tokens[mark : self._at]

    def at(self, *words: str) -> bool:
        """These keywords come next."""
        return all(
            token is not None and token.upper == word
            for token, word in ((self.peek(i), word) for i, word in enumerate(words))
        )

    def accept(self, *words: str) -> bool:
        """Takes these keywords when all of them come next."""
        if not self.at(*words):
            return False
        self._at += len(words)
        return True

    def accept_any(self, *words: str) -> str | None:
        """Takes one of these keywords."""
        token = self.peek()
        if token is None or token.upper not in words:
            return None
        self._at += 1
        return token.upper

    def at_sign(self, sign: str) -> bool:
        token = self.peek()
        return token is not None and token.kind is TokenKind.SIGN and token.text == sign

    def accept_sign(self, sign: str) -> bool:
        if not self.at_sign(sign):
            return False
        self._at += 1
        return True

    def accept_kind(self, *kinds: TokenKind) -> Token | None:
        token = self.peek()
        if token is None or token.kind not in kinds:
            return None
        self._at += 1
        return token

    def take(self) -> Token:
        token = self.peek()
        if token is None:
            raise DecodeError("the statement ends too early")
        self._at += 1
        return token

    def expect(self, *words: str) -> None:
        if not self.accept(*words):
            raise self.error(f"expected {' '.join(words)}")

    def expect_any(self, *words: str) -> str:
        found = self.accept_any(*words)
        if found is None:
            raise self.error(f"expected {' or '.join(sorted(words))}")
        return found

    def expect_sign(self, sign: str) -> None:
        if not self.accept_sign(sign):
            raise self.error(f"expected {sign!r}")

    def at_name(self) -> bool:
        token = self.peek()
        return token is not None and (
            token.kind in (TokenKind.WORD, TokenKind.NAME) or (token.kind is TokenKind.STRING and token.text[0] == '"')
        )

    def name(self) -> str:
        if not self.at_name():
            raise self.error("expected a name")
        return unquote_name(self.take())

    def word_or_string(self) -> str:
        """A character set or collation name, which may stand in quotes."""
        token = self.accept_kind(TokenKind.STRING)
        return token.text[1:-1] if token is not None else self.name()

    def number(self) -> int:
        token = self.accept_kind(TokenKind.NUMBER)
        if token is None:
            raise self.error("expected a number")
        return int(token.text.split(".")[0] or 0)

    def parens(self) -> list[Token]:
        """Takes a balanced pair of parentheses; returns what stands inside."""
        self.expect_sign("(")
        start, depth = self._at, 1
        while depth:
            token = self.take()
            if token.kind is TokenKind.SIGN:
                depth += {"(": 1, ")": -1}.get(token.text, 0)
        return list(self._tokens[start : self._at - 1])

    def skip_parens(self) -> None:
        if self.at_sign("("):
            self.parens()

    def skip_until_comma(self) -> None:
        """To the next comma outside of parentheses, or the end."""
        while not self.done and not self.at_sign(","):
            if self.at_sign("("):
                self.parens()
            else:
                self.take()

    def error(self, expected: str) -> DecodeError:
        token = self.peek()
        found = "the end" if token is None else repr(token.text[:60])
        return DecodeError(f"{expected}, found {found}")
