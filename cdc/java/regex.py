"""Java regular expressions and replacement texts, by Python's `re`."""

from __future__ import annotations

import re
from typing import Final

_CLASSES: Final = {
    "Lower": "a-z", "Upper": "A-Z", "Alpha": "a-zA-Z", "Digit": "0-9", "Alnum": "a-zA-Z0-9", "XDigit": "0-9a-fA-F",
    "Space": r"\s", "Blank": r" \t", "ASCII": r"\x00-\x7f", "Punct": r"!-/:-@\[-`{-~",
}  # fmt: skip
_ESCAPES: Final = re.compile(r"\\p\{(\w+)\}|\\Q(.*?)(?:\\E|$)|\\(.)|\(\?<(?=[a-zA-Z])|(\[\^?)|(\])", re.DOTALL)
_REPLACEMENT: Final = re.compile(r"\\(.)|\$\{(\w+)\}|\$(\d+)", re.DOTALL)


def compile_java(pattern: str) -> re.Pattern[str]:
    """`\\p{Lower}`, `\\Q...\\E` and `(?<name>...)` are translated; classes such as `\\w` are ASCII as in Java.

    Raises: re.error.
    """
    inside = False

    def python(found: re.Match[str]) -> str:
        nonlocal inside
        if (name := found[1]) is not None:
            if name not in _CLASSES:
                raise re.error(f"unknown character class {found[0]}")
            return _CLASSES[name] if inside else f"[{_CLASSES[name]}]"
        if found[2] is not None:
            return re.escape(found[2])
        if found[3] is not None:
            return {"z": r"\Z", "Z": r"(?=\n?\Z)"}.get(found[3], found[0])
        if found[4] or found[5]:
            inside = bool(found[4])
            return found[0]
        return found[0] if inside else "(?P<"

    return re.compile(_ESCAPES.sub(python, pattern), re.ASCII)


def expand(found: re.Match[str], replacement: str) -> str:
    """`$1`, `${name}` and `\\$` as `Matcher.appendReplacement` reads them; a group that took no part is empty.

    Raises: IndexError: no such group.
    """

    def part(mark: re.Match[str]) -> str:
        if mark[1] is not None:
            return mark[1]
        if mark[2] is not None:
            return found[mark[2]] or ""
        digits = mark[3]
        end = 1
        while end < len(digits) and int(digits[: end + 1]) <= found.re.groups:
            end += 1
        return (found[int(digits[:end])] or "") + digits[end:]

    return _REPLACEMENT.sub(part, replacement)


def replaced(pattern: re.Pattern[str], replacement: str, text: str) -> str | None:
    """What a whole match of `text` becomes; None when it does not match."""
    found = pattern.fullmatch(text)
    return None if found is None else expand(found, replacement)


def no_regex(name: str) -> str:
    """What Kafka Connect says, beside that it is missing, of a required regular expression."""
    return (f"Invalid value null for configuration {name}: Invalid regex: "
            'Cannot invoke "String.isEmpty()" because "this.pattern" is null')  # fmt: skip


def java_regex(pattern: str) -> str | None:
    """A config check."""
    try:
        compile_java(pattern)
    except re.error as error:
        return f"Invalid regex: {pattern!r} is not a regular expression: {error}"
    return None
