"""Arrays, hstore, bit strings, points and numbers as PostgreSQL prints them -> plain values.

Source: PostgreSQL's manual, "Arrays: Array Input and Output Syntax", "hstore"; PostGIS's manual, "EWKB".
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from cdc.java.numbers import double_text
from cdc.java.order import in_hash_order, map_buckets

_HSTORE = re.compile(r'"((?:[^"\\]|\\.)*)"=>(?:NULL|"((?:[^"\\]|\\.)*)")(?:, |$)', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_STRUCTURE = re.compile(r'[{}]|"(?:[^"\\]|\\.)*"', re.DOTALL)
_NUMBER = re.compile(r"-?(?:\d[\d.]*(?:e[+-]?\d+)?|Infinity|NaN)")
_MOST_DIGITS = 4000
_SRID = 0x20000000
NO_NUMBERS = frozenset(("NaN", "Infinity", "-Infinity"))
"""What stands in a NUMERIC and is no number."""


def array_items(text: str, delimiter: str = ",") -> list[str | None]:
    """The items of an array literal of one dimension. Raises: ValueError.

    A literal may begin with its bounds, `[0:1]={1,2}`.
    """
    at = text.index("{")
    items: list[str | None] = []
    end = len(text)
    while at < end:
        letter = text[at]
        if letter in "{}" or letter == delimiter:
            at += 1
        elif letter == '"':
            quoted = _QUOTED.match(text, at)
            if quoted is None:
                raise ValueError("an array literal with an open quote")
            items.append(_ESCAPED.sub(r"\1", quoted[1]))
            at = quoted.end()
        else:
            start = at
            while text[at] not in "}" + delimiter:
                at += 2 if text[at] == "\\" else 1
            item = text[start:at]
            items.append(None if item == "NULL" else _ESCAPED.sub(r"\1", item))
    return items


def truth(text: str) -> bool:
    return text == "t"


def inner_arrays(text: str) -> list[str] | None:
    """The literals of the arrays within an array of more than one dimension; None for one of one."""
    at = text.index("{") + 1 if text[0] == "[" else 1
    if text[at : at + 1] != "{":
        return None
    found, depth, start = [], 0, at
    for match in _STRUCTURE.finditer(text, at):
        letter = match[0]
        if letter == "{":
            start = match.start() if depth == 0 else start
            depth += 1
        elif letter == "}":
            depth -= 1
            if depth == 0:
                found.append(text[start : match.end()])
    return found


def hstore(text: str) -> dict[str, str | None]:
    """In the order of Java's hash maps. Raises: ValueError."""
    found: dict[str, str | None] = {}
    at = 0
    while at < len(text):
        pair = _HSTORE.match(text, at)
        if pair is None:
            raise ValueError("no hstore literal")
        value = pair[2]
        found[_ESCAPED.sub(r"\1", pair[1])] = None if value is None else _ESCAPED.sub(r"\1", value)
        at = pair.end()
    return {name: found[name] for name in in_hash_order(found)} if len(found) > 1 else found


def json_text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def bits(text: str) -> bytes:
    """A bit string as the bytes of its number, lowest first, without zeros at the end."""
    number = int(text, 2) if text else 0
    return number.to_bytes((number.bit_length() + 7) // 8, "little")


def point(text: str) -> tuple[float, float, bytes, None]:
    """`(1.5,-2)` as a Point: x, y, WKB, no SRID."""
    x, _, y = text[1:-1].partition(",")
    return float(x), float(y), struct.pack("<BIdd", 1, 1, float(x), float(y)), None


def ewkb(text: str) -> tuple[bytes, int | None]:
    """PostGIS's hexadecimal EWKB, which Debezium shows as it is, and the SRID that stands in it."""
    raw = bytes.fromhex(text)
    order = "<" if raw[0] else ">"
    (kind,) = struct.unpack_from(order + "I", raw, 1)
    return raw, struct.unpack_from(order + "i", raw, 5)[0] if kind & _SRID else None


def sparse_vector(text: str) -> tuple[int, dict[int, float]]:
    """`{1:1.5,3:2}/5` as dimensions and values by place, in the order of Java's hash maps. Raises: ValueError."""
    values, _, dimensions = text.partition("/")
    pairs = [pair.partition(":") for pair in values[1:-1].split(",") if pair]
    buckets = map_buckets(len(pairs), 1 << max(0, len(pairs) - 1).bit_length())
    ordered = sorted(((int(place), float(value)) for place, _, value in pairs), key=lambda pair: pair[0] & buckets - 1)
    return int(dimensions), dict(ordered)


def java_geometry(text: str) -> str:
    """Lines, boxes, paths and their like, with numbers as Java writes them: `(1,2.5)` as `(1.0,2.5)`."""
    return _NUMBER.sub(lambda number: double_text(float(number[0])), text)


def unscaled(text: str, scale: int) -> int:
    """A decimal number's digits at a scale, `12.5` at 2 is 1250. Raises: ValueError: digits beyond it, NaN."""
    whole, _, fraction = text.partition(".")
    if len(fraction) > scale:
        if fraction[scale:].strip("0"):
            raise ValueError(f"{len(fraction)} digits after the point where {scale} are declared")
        fraction = fraction[:scale]
    digits: int = 10 ** (scale - len(fraction))
    return _whole(whole + fraction) * digits


def _whole(digits: str) -> int:
    """NUMERIC has up to 131,072 digits before the point, more than Python's `int` reads."""
    return int(digits) if len(digits) < _MOST_DIGITS else int(Decimal(digits))


def number_of_scale(scale: int) -> Callable[[str], int | None]:
    """Reads the digits of numbers that are printed with `scale` digits after the point; None for NaN and infinity."""
    point = -1 - scale

    def digits(text: str) -> int | None:
        if text[point:-scale] == ".":
            return int(text[:point] + text[-scale:])
        return None if text in NO_NUMBERS else unscaled(text, scale)

    def whole(text: str) -> int | None:
        return None if text in NO_NUMBERS else unscaled(text, 0)

    return digits if scale > 0 else whole


def with_scale(text: str, scale: int) -> str:
    """A number's text with at least `scale` digits after the point."""
    whole, _, fraction = text.strip().partition(".")
    return f"{whole}.{fraction.ljust(scale, '0')}" if scale else text


def rounded(text: str, scale: int) -> int:
    """A number's digits at a scale, halves away from zero."""
    return int(Decimal(text).scaleb(scale).quantize(Decimal(1), ROUND_HALF_UP))


def variable_scale(text: str) -> tuple[int, bytes]:
    """A number with its own scale, zeros at its end left out, as scale and big-endian bytes."""
    whole, _, fraction = text.partition(".")
    fraction = fraction.rstrip("0")
    number = _whole(whole + fraction)
    return len(fraction), number.to_bytes((number + (number < 0)).bit_length() // 8 + 1, "big", signed=True)


def money(text: str) -> str:
    """`-$1,234.50` as `-1234.50`."""
    digits = re.sub(r"[^0-9.]", "", text)
    return "-" + digits if text.startswith(("-", "(")) else digits
