"""A tree to a function from a record to a value."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any, Final

from cdc.errors import TransformError
from cdc.java.regex import compile_java
from connect_compat.expressions import methods
from connect_compat.expressions import parse as tree
from connect_compat.expressions.tokens import Wrong
from connect_compat.expressions.values import (
    NAMES,
    Record,
    StructView,
    calculated,
    compare,
    equal,
    js_truth,
    loosely_equal,
    text,
    truth,
)

Expression = Callable[[Record], Any]
"""Raises: TransformError in the words of Groovy or JavaScript where the record is not what the expression expects."""
_ORDER: Final[dict[str, Callable[[int], bool]]] = {
    "<": lambda sign: sign < 0, "<=": lambda sign: sign <= 0, ">": lambda sign: sign > 0, ">=": lambda sign: sign >= 0,
}  # fmt: skip


def compiled(source: str, *, script: bool) -> Expression:
    """`script`: JavaScript, else Groovy. Raises: Wrong (a ValueError)."""
    return _Compiler(script).made(tree.parse(source))


class _Compiler:
    def __init__(self, script: bool) -> None:
        self._script = script
        self._truth = js_truth if script else truth

    def made(self, node: tree.Node) -> Expression:
        match node:
            case tree.Literal(value):
                value = Decimal(repr(value)) if isinstance(value, float) and not self._script else value
                return lambda record: value
            case tree.Regex(source):
                pattern = _pattern(source)
                return lambda record: pattern
            case tree.Filled(parts):
                made = [self.made(part) for part in parts]
                return lambda record: "".join(text(part(record)) for part in made)
            case tree.Name(name):
                if name not in NAMES:
                    raise Wrong(f"there is no {name!r}; there are {', '.join(NAMES)}")
                return NAMES[name]
            case tree.Items(items):
                listed = [self.made(item) for item in items]
                return lambda record: [item(record) for item in listed]
            case tree.Member():
                return self._member(node)
            case tree.Element(of, index):
                return partial(_element, self.made(of), self.made(index), self._script)
            case tree.Unary(sign, of):
                return self._unary(sign, self.made(of))
            case tree.Binary():
                return self._binary(node)
            case tree.Choice(test, yes, no):
                return self._choice(self.made(test), None if yes is None else self.made(yes), self.made(no))
        raise AssertionError(node)

    def _member(self, node: tree.Member) -> Expression:
        of, name, safe, script = self.made(node.of), node.name, node.safe, self._script
        if node.arguments is None:

            def read(record: Record) -> Any:
                item = of(record)
                return None if safe and item is None else methods.member(item, name, script=script)

            return read
        if name not in methods.NAMES:
            raise Wrong(f"there is no method {name}(); there are {', '.join(sorted(methods.NAMES))}")
        arguments = [self.made(argument) for argument in node.arguments]

        def call(record: Record) -> Any:
            item = of(record)
            if item is None:
                if safe:
                    return None
                raise TransformError(f"Cannot invoke method {name}() on null object; write ?. where it may be null")
            return methods.call(item, name, [argument(record) for argument in arguments])

        return call

    def _unary(self, sign: str, of: Expression) -> Expression:
        if sign == "!":
            true = self._truth
            return lambda record: not true(of(record))
        return lambda record: calculated("-" if sign == "-" else "+", 0, of(record))

    def _binary(self, node: tree.Binary) -> Expression:
        left, right, sign, true = self.made(node.left), self.made(node.right), node.sign, self._truth
        same = loosely_equal if self._script else equal
        match sign:
            case "&&" if self._script:
                return lambda record: right(record) if true(found := left(record)) else found
            case "||" if self._script:
                return lambda record: found if true(found := left(record)) else right(record)
            case "&&":
                return lambda record: true(left(record)) and true(right(record))
            case "||":
                return lambda record: true(left(record)) or true(right(record))
            case "==":
                return lambda record: same(left(record), right(record))
            case "!=":
                return lambda record: not same(left(record), right(record))
            case "===":
                return lambda record: equal(left(record), right(record))
            case "!==":
                return lambda record: not equal(left(record), right(record))
            case "=~" | "==~":
                return partial(_matched, left, right, sign == "==~")
            case "<=>":
                return lambda record: compare(left(record), right(record))
            case "in":
                return lambda record: _within(left(record), right(record))
            case "<" | "<=" | ">" | ">=":
                ordered = _ORDER[sign]
                return lambda record: ordered(compare(left(record), right(record)))
        if sign == "/" and self._script:
            return lambda record: calculated(sign, float(left(record)), right(record))
        return lambda record: calculated(sign, left(record), right(record))

    def _choice(self, test: Expression, yes: Expression | None, no: Expression) -> Expression:
        true = self._truth
        if yes is None:
            return lambda record: found if true(found := test(record)) else no(record)
        return lambda record: (yes if true(test(record)) else no)(record)


def _pattern(source: str) -> re.Pattern[str]:
    try:
        return compile_java(source)
    except re.error as error:
        raise Wrong(f"{source!r} is not a regular expression: {error}") from None


def _matched(left: Expression, right: Expression, whole: bool, record: Record) -> bool:
    item, pattern = left(record), right(record)
    if isinstance(pattern, str):
        try:
            pattern = _pattern(pattern)
        except Wrong as error:
            raise TransformError(str(error)) from None
    if not isinstance(pattern, re.Pattern) or not isinstance(item, str):
        raise TransformError("=~ and ==~ match a text with a regular expression")
    return (pattern.fullmatch(item) if whole else pattern.search(item)) is not None


def _within(item: Any, items: Any) -> bool:
    if isinstance(items, dict):
        return item in items
    if isinstance(items, StructView):
        return isinstance(item, str) and items.has(item)
    return isinstance(items, list) and any(equal(item, each) for each in items)


def _element(of: Expression, index: Expression, script: bool, record: Record) -> Any:
    item, at = of(record), index(record)
    if isinstance(item, list | str) and isinstance(at, int):
        return item[at] if -len(item) <= at < len(item) else None
    return methods.member(item, text(at), script=script)
