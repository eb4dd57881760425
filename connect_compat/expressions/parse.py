"""Tokens of an expression to a tree.

Grammar, loosest first: `a ? b : c`, `a ?: b`; `||`; `&&`; `==` and its kin; `<` and its kin, `in`; `+ -`; `* / %`;
`! -`; `a.b`, `a?.b`, `a.b(c)`, `a[b]`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from connect_compat.expressions.tokens import Token, Wrong, number, tokens, unescaped

_CONSTANTS: Final = {"null": None, "undefined": None, "true": True, "false": False}
_LEVELS: Final = (
    ("||",), ("&&",), ("==", "!=", "===", "!==", "=~", "==~", "<=>"), ("<", "<=", ">", ">=", "in"), ("+", "-"),
    ("*", "/", "%"),
)  # fmt: skip
_HOLE: Final = re.compile(r"\$\{([^{}]*)\}|\$([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)")


class Node:
    """A part of the tree."""


@dataclass(frozen=True)
class Literal(Node):
    value: Any


@dataclass(frozen=True)
class Regex(Node):
    text: str


@dataclass(frozen=True)
class Filled(Node):
    """A text with expressions in it."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Name(Node):
    name: str


@dataclass(frozen=True)
class Items(Node):
    items: tuple[Node, ...]


@dataclass(frozen=True)
class Member(Node):
    """`of.name`; `safe`: null where `of` is null. With `arguments` a call of the method."""

    of: Node
    name: str
    safe: bool
    arguments: tuple[Node, ...] | None = None


@dataclass(frozen=True)
class Element(Node):
    of: Node
    index: Node


@dataclass(frozen=True)
class Unary(Node):
    sign: str
    of: Node


@dataclass(frozen=True)
class Binary(Node):
    sign: str
    left: Node
    right: Node


@dataclass(frozen=True)
class Choice(Node):
    """`test ? yes : no`; without `yes` the Elvis operator."""

    test: Node
    yes: Node | None
    no: Node


def parse(text: str) -> Node:
    """Raises: Wrong: what is no expression of this grammar, and where."""
    return _Parser(tokens(text)).whole()


class _Parser:
    def __init__(self, found: Iterator[Token]) -> None:
        self._tokens = list(found)
        self._at = 0

    def whole(self) -> Node:
        if self._next.text == "return":
            self._take()
        node = self._choice()
        while self._next.text == ";":
            self._take()
        if self._next.kind != "end":
            raise Wrong(f"{self._next.text!r} at character {self._next.at + 1} follows a whole expression")
        return node

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        token = self._next
        self._at += 1
        return token

    def _skip(self, *texts: str) -> bool:
        found = self._next.kind in ("mark", "name") and self._next.text in texts
        self._at += found
        return found

    def _need(self, text: str) -> None:
        if not self._skip(text):
            found = self._next.text or "the end"
            raise Wrong(f"{text!r} is missing at character {self._next.at + 1}, before {found!r}")

    def _choice(self) -> Node:
        test = self._binary(0)
        if self._skip("?:"):
            return Choice(test, None, self._choice())
        if not self._skip("?"):
            return test
        yes = self._choice()
        self._need(":")
        return Choice(test, yes, self._choice())

    def _binary(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self._unary()
        left = self._binary(level + 1)
        while self._next.kind in ("mark", "name") and self._next.text in _LEVELS[level]:
            left = Binary(self._take().text, left, self._binary(level + 1))
        return left

    def _unary(self) -> Node:
        if self._next.kind == "mark" and self._next.text in ("!", "-", "+"):
            return Unary(self._take().text, self._unary())
        return self._postfix(self._primary())

    def _postfix(self, node: Node) -> Node:
        while True:
            if self._skip("[") or (self._next.text == "?." and self._tokens[self._at + 1].text == "["):
                node = Element(node, self._choice())
                self._need("]")
            elif self._next.text in (".", "?.") and self._next.kind == "mark":
                safe = self._take().text == "?."
                name = self._take()
                if name.kind not in ("name", "string"):
                    raise Wrong(f"a name is missing at character {name.at + 1}")
                called = name.text if name.kind == "name" else unescaped(name.text[1:-1])
                node = Member(node, called, safe, self._arguments(")") if self._skip("(") else None)
            else:
                return node

    def _arguments(self, end: str) -> tuple[Node, ...]:
        if self._skip(end):
            return ()
        found = [self._choice()]
        while self._skip(","):
            found.append(self._choice())
        self._need(end)
        return tuple(found)

    def _primary(self) -> Node:
        token = self._take()
        match token.kind:
            case "number":
                return Literal(number(token.text))
            case "string":
                return _text(token)
            case "regex":
                return Regex(token.text)
            case "name":
                return Literal(_CONSTANTS[token.text]) if token.text in _CONSTANTS else Name(token.text)
        if token.text == "(":
            node = self._choice()
            self._need(")")
            return node
        if token.text == "[":
            return Items(self._arguments("]"))
        raise Wrong(f"a value is missing at character {token.at + 1}, before {token.text or 'the end'!r}")


def _text(token: Token) -> Node:
    """A string; in double quotes and backticks `${...}` is an expression."""
    inner = token.text[1:-1]
    if token.text[0] == "'" or "$" not in inner:
        return Literal(unescaped(inner))
    parts: list[Node] = []
    at = 0
    for hole in _HOLE.finditer(inner):
        parts += [Literal(unescaped(inner[at : hole.start()])), parse(hole[1] if hole[2] is None else hole[2])]
        at = hole.end()
    return Filled((*parts, Literal(unescaped(inner[at:]))))
