"""Java `.properties` text to a dictionary: comments, continued lines and escapes as java.util.Properties has them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from cdc.errors import ConfigError, Problem

_ESCAPES = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}
_BLANK = " \t\f"
_LINE_END = re.compile(r"\r\n|\r|\n")


def parse(text: str) -> dict[str, str]:
    """Every key with its value; a later line of the same key wins.

    Raises: ConfigError: a `\\u` escape without four hex digits.
    Source: java.util.Properties#load(Reader).
    """
    found: dict[str, str] = {}
    for line in _logical_lines(text):
        end = _key_end(line)
        rest = line[end:].lstrip(_BLANK)
        if rest[:1] in ("=", ":"):
            rest = rest[1:].lstrip(_BLANK)
        found[_unescape(line[:end])] = _unescape(rest)
    return found


def load(path: str | Path) -> dict[str, str]:
    """Raises: ConfigError naming the file when it cannot be read."""
    try:
        return parse(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([Problem(str(path), f"cannot read the properties file {path}: {error}")]) from None


def _logical_lines(text: str) -> Iterator[str]:
    """Lines joined where one ends in an odd number of backslashes; comments and blank lines left out."""
    pending = ""
    for raw in _LINE_END.split(text):
        line = raw.lstrip(_BLANK)
        if not pending and (not line or line[0] in "#!"):
            continue
        backslashes = len(line) - len(line.rstrip("\\"))
        if backslashes % 2:
            pending += line[:-1]
            continue
        yield pending + line
        pending = ""
    if pending:
        yield pending


def _key_end(line: str) -> int:
    """Where the first unescaped `=`, `:` or blank stands."""
    index = 0
    while index < len(line):
        if line[index] == "\\":
            index += 2
            continue
        if line[index] in "=:" or line[index] in _BLANK:
            return index
        index += 1
    return len(line)


def _unescape(text: str) -> str:
    if "\\" not in text:
        return text

    def replace(match: re.Match[str]) -> str:
        code = match[1]
        if len(code) == 5:
            return chr(int(code[1:], 16))
        if code == "u":
            message = f"{text!r} holds \\u without four hex digits; write \\\\u for a backslash"
            raise ConfigError([Problem(text, message)])
        return _ESCAPES.get(code, code)

    # Two \u escapes may be the halves of one character outside the basic plane.
    plain = re.sub(r"\\(u[0-9a-fA-F]{4}|.|$)", replace, text, flags=re.DOTALL)
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
