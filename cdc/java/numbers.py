"""Floating point numbers as Java writes them: `Double.toString` and `Float.toString` of Java 17.

Between 10^-3 and 10^7 the text is plain (`0.001`, `1234567.0`), elsewhere it has an exponent (`1.0E7`, `1.5E-5`).
The digits are the shortest that read back as the same number, with one habit of Java before 19: a whole number below
2^63 shows every digit that its precision carries (`1.14949667666459008E17`). Beyond 2^63 Java 17 shows, for about one
number in a thousand, a digit more than needed, and so it does below the smallest normal number; we write the shortest.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Final

from cdc.schema import to_single

_DOUBLE_BITS: Final = 53
_SINGLE_BITS: Final = 24
_SMALLEST_NORMAL: Final = {_DOUBLE_BITS: 2.0**-1022, _SINGLE_BITS: 2.0**-126}


def shortest_single(value: float) -> float:
    """The number of fewest digits that is this 32-bit float: 0.1, not 0.10000000149011612."""
    single = to_single(value)
    if to_single(rounded := float(f"{single:.6g}")) == single:
        return float(f"{single:.2g}") if to_single(float(f"{single:.2g}")) == single else _fewest(single, rounded)
    for digits in (7, 8):
        if to_single(rounded := float(f"{single:.{digits}g}")) == single:
            return rounded
    return float(f"{single:.9g}")


def _fewest(single: float, six_digits: float) -> float:
    for digits in (3, 4, 5):
        if to_single(rounded := float(f"{single:.{digits}g}")) == single:
            return rounded
    return six_digits


def double_text(value: float) -> str:
    """`Double.toString`: `NaN`, `Infinity` and `-0.0` included."""
    if 0.001 <= value < 1e7 or 0.001 <= -value < 1e7 or value == 0:
        return repr(float(value))
    return _unusual(value) or _scientific(value, value, _DOUBLE_BITS)


def float_text(value: float) -> str:
    """`Float.toString` of the 32-bit float nearest to `value`."""
    single = to_single(value)
    if text := _unusual(single):
        return text
    shortest = shortest_single(single)
    if 0.001 <= abs(single) < 1e7 or single == 0:
        return repr(shortest)
    return _scientific(single, shortest, _SINGLE_BITS)


def _unusual(value: float) -> str | None:
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    return None


def _scientific(exact: float, shortest: float, bits: int) -> str:
    """`d.dddE±n` of a finite number; `exact` is what the float holds, `shortest` reads back as the same float."""
    sign, exact, shortest = ("-", -exact, -shortest) if exact < 0 else ("", exact, shortest)
    if exact < 2.0**63 and exact == int(exact):
        digits, exponent = _whole(int(exact), bits)
    elif math.frexp(exact)[0] == 0.5 and exact >= _SMALLEST_NORMAL[bits]:
        digits, exponent = _power_of_two(exact, bits)
    else:
        digits, exponent = _digits(repr(shortest))
        if len(digits) == 1 and float(f"{shortest:.1e}") == shortest:
            digits, exponent = _digits(f"{shortest:.1e}")  # 4.9E-324: of two digits, Java takes the nearest
    digits = digits.rstrip("0")
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{exponent}"


def _digits(text: str) -> tuple[str, int]:
    """The significant digits of a number's text, and its exponent when the point stands after the first of them."""
    mantissa, _, power = text.partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    return digits, int(power or 0) + len(whole) - 1 - (len(whole + fraction) - len(digits))


def _power_of_two(exact: float, bits: int) -> tuple[str, int]:
    """The neighbour below a power of two is nearer than the one above; Java 17 keeps that distance on both sides."""
    distance = Fraction(exact) / 2 ** (bits + 1)
    texts = (f"{exact:.{places}e}" for places in range(1, 17))
    return _digits(next((text for text in texts if abs(Fraction(text) - Fraction(exact)) < distance), repr(exact)))


def _whole(number: int, bits: int) -> tuple[str, int]:
    """All digits but those that lie below half a unit of the last of `bits` significant bits; and the exponent."""
    drop = len(str(1 << max(0, number.bit_length() - bits - 2))) - 1
    kept = (number + 10**drop // 2) // 10**drop
    digits = str(kept)
    return digits, len(digits) - 1 + drop
