"""Text of an expression to tokens."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

_TOKEN: Final = re.compile(
    r"""(?P<space>\s+|//[^\n]*|/\*.*?\*/)
    |(?P<number>0[xX][0-9a-fA-F]+|(?:\d+\.\d+|\d+)(?:[eE][+-]?\d+)?)[lLgGdDfFiI]?
    |(?P<string>'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`)
    |(?P<name>[A-Za-z_$][\w$]*)
    |(?P<mark>===|!==|==~|<=>|\?\.|\?:|==|!=|<=|>=|&&|\|\||=~|[-+*/%<>!?:.,()\[\];])""",
    re.VERBOSE | re.DOTALL,
)
_REGEX: Final = re.compile(r"/((?:[^/\\\n]|\\.)+)/")
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "0": "\0"}
_ESCAPE: Final = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_VALUES: Final = ("number", "string", "name", "regex")


class Wrong(ValueError):
    """The expression cannot be understood; the text says where and why."""


class Token(NamedTuple):
    """`kind`: number, string, name, regex, mark or end; `at`: where it begins."""

    kind: str
    text: str
    at: int


def tokens(text: str) -> Iterator[Token]:
    """Ends with a token of kind `end`. Raises: Wrong."""
    at, before = 0, Token("mark", "", 0)
    while at < len(text):
        after_value = before.kind in _VALUES or before.text in (")", "]")
        if not after_value and (slashed := _REGEX.match(text, at)) and text[at + 1] not in "/*":
            before, at = Token("regex", slashed[1], at), slashed.end()
            yield before
            continue
        found = _TOKEN.match(text, at)
        if found is None:
            raise Wrong(f"{text[at]!r} at character {at + 1} means nothing here")
        kind = found.lastgroup or ""
        if kind != "space":
            before = Token(kind, found[kind], at)
            yield before
        at = found.end()
    yield Token("end", "", len(text))


def unescaped(text: str) -> str:
    """What stands between the quotes, read."""

    def read(found: re.Match[str]) -> str:
        return chr(int(found[1], 16)) if found[1] else _ESCAPES.get(found[2], found[2])

    return _ESCAPE.sub(read, text)


def number(text: str) -> Any:
    """An int, or a float where there is a point or an exponent."""
    if text[:2].lower() == "0x":
        return int(text, 16)
    return int(text) if text.isdigit() else float(text)
