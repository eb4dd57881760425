"""MySQL's binary JSON -> JSON text as Debezium streams it: members in stored order, no spaces. No I/O.

Source: MySQL's `sql-common/json_binary.h`; Debezium 3.5.0.Final's recorded events for how values are written.
"""

from __future__ import annotations

import re
import struct
from base64 import b64encode
from decimal import Decimal
from typing import Final

from cdc.errors import DecodeError

_MAX_DEPTH: Final = 101
"""One more than the server accepts, for the value at the top."""
_ESCAPED: Final = re.compile(r'[\x00-\x1f"\\]')
_SHORT: Final = {"\b": "\\b", "\t": "\\t", "\f": "\\f", "\n": "\\n", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
_LITERALS: Final = {0: "null", 1: "true", 2: "false"}
_NUMBERS: Final = {
    5: struct.Struct("<h"), 6: struct.Struct("<H"), 7: struct.Struct("<i"), 8: struct.Struct("<I"),
    9: struct.Struct("<q"), 10: struct.Struct("<Q"), 11: struct.Struct("<d"),
}  # fmt: skip
_LITERAL, _DOUBLE, _STRING, _OPAQUE = 4, 11, 12, 15
_U16, _U32, _I64 = struct.Struct("<H"), struct.Struct("<I"), struct.Struct("<q")
_DECIMAL_BYTES: Final = (0, 1, 1, 2, 2, 3, 3, 4, 4, 4)
"""Bytes that 0 to 9 decimal digits take."""


def text(raw: bytes) -> str:
    """The JSON text of a value as it stands in a row event; no bytes at all are a null, as for the server.

    Numbers are written without an exponent. Dates and times of a JSON value are strings; a negative TIME is written
    as Debezium does, from its two's complement, `"11:0-12:0-12"` for -10:11:12. Other opaque values are base64.
    Raises: DecodeError: `raw` is no binary JSON.
    """
    if not raw:
        return "null"
    out: list[str] = []
    try:
        _Document(raw, out).value(raw[0], 1, 0)
    except (IndexError, struct.error, ValueError) as error:
        raise DecodeError(f"a JSON value of {len(raw)} bytes is damaged: {error}") from error
    return "".join(out)


def leaf(raw: bytes, kind: int, at: int) -> str:
    """The text of a value that is no container, of its kind at a place in `raw`."""
    out: list[str] = []
    _Document(raw, out).value(kind, at, 0)
    return "".join(out)


class _Document:
    """Writes one document's text to `out`."""

    __slots__ = ("left", "out", "raw")

    def __init__(self, raw: bytes, out: list[str]) -> None:
        self.raw, self.out = raw, out
        # Every value takes three bytes at least: damage that makes values share bytes ends here.
        self.left = len(raw)

    def value(self, kind: int, at: int, depth: int) -> None:
        self.left -= 1
        if depth > _MAX_DEPTH or self.left < 0:
            raise ValueError("nested too deep, or more values than bytes")
        if kind < 4:
            self._container(kind, at, depth)
        elif kind == _STRING:
            size, start = self._length(at)
            self.out.append(quoted(self._take(start, size).decode("utf-8", "replace")))
        elif kind == _OPAQUE:
            size, start = self._length(at + 1)
            self.out.append(_opaque(self.raw[at], self._take(start, size)))
        else:
            self.out.append(_scalar(kind, self.raw, at))

    def _take(self, start: int, size: int) -> bytes:
        part = self.raw[start : start + size]
        if len(part) != size:
            raise ValueError(f"{size} bytes wanted where {len(part)} are left")
        return part

    def _length(self, at: int) -> tuple[int, int]:
        """A length in groups of 7 bits, lowest first, and where it ends."""
        size = 0
        for i in range(5):
            byte = self.raw[at + i]
            size |= (byte & 0x7F) << 7 * i
            if byte < 0x80:
                return size, at + i + 1
        raise ValueError("a length of more than 5 bytes")

    def _container(self, kind: int, at: int, depth: int) -> None:
        """Kinds 0, 1: object; 2, 3: array; the odd ones with offsets of 4 bytes instead of 2."""
        number, inlined = (_U32, (4, 5, 6, 7, 8)) if kind & 1 else (_U16, (4, 5, 6))
        raw, out, width = self.raw, self.out, number.size
        (count,), (size,) = number.unpack_from(raw, at), number.unpack_from(raw, at + width)
        if at + size > len(raw):
            raise ValueError(f"a container of {size} bytes at byte {at}")
        entry = at + 2 * width
        is_object = kind < 2
        keys, entry = entry, entry + (count * (width + 2) if is_object else 0)
        if entry + count * (width + 1) > at + size:
            raise ValueError(f"{count} members in a container of {size} bytes")
        out.append("{" if is_object else "[")
        for i in range(count):
            if i:
                out.append(",")
            if is_object:
                place = keys + i * (width + 2)
                (offset,), (length,) = number.unpack_from(raw, place), _U16.unpack_from(raw, place + width)
                out.append(quoted(self._take(at + offset, length).decode("utf-8", "replace")))
                out.append(":")
            member = raw[entry]
            self.value(
                member, entry + 1 if member in inlined else at + number.unpack_from(raw, entry + 1)[0], depth + 1
            )
            entry += width + 1
        out.append("}" if is_object else "]")


def quoted(value: str) -> str:
    """A JSON string: only quotation marks, backslashes and control characters are escaped."""
    if _ESCAPED.search(value) is None:
        return f'"{value}"'
    return '"' + _ESCAPED.sub(lambda m: _SHORT.get(m[0]) or f"\\u{ord(m[0]):04X}", value) + '"'


def _scalar(kind: int, raw: bytes, at: int) -> str:
    if kind == _LITERAL:
        literal = _LITERALS.get(raw[at])
        if literal is None:
            raise ValueError(f"{raw[at]:#x} is no literal")
        return literal
    number = _NUMBERS.get(kind)
    if number is None:
        raise ValueError(f"{kind:#x} is no type of a JSON value")
    (value,) = number.unpack_from(raw, at)
    return _double(value) if kind == _DOUBLE else str(value)


def _double(value: float) -> str:
    """As Java writes it while that needs no exponent, else all digits of the binary value."""
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return repr(value)
    return format(Decimal(value), "f")


def _opaque(kind: int, raw: bytes) -> str:
    if kind in (0, 246):
        return _decimal(raw[0], raw[1], raw[2:])
    if kind == 10:
        return f'"{_date(_packed(raw))}"'
    if kind in (11, 19):
        return f'"{_time(_packed(raw))}"'
    if kind in (7, 12, 17, 18):
        packed = _packed(raw)
        value = packed >> 24
        clock = _clock(value >> 12 & 31, value >> 6 & 63, value & 63, packed & 0xFFFFFF)
        return f'"{_date(packed)} {clock}"'
    return f'"{b64encode(raw).decode("ascii")}"'


def _packed(raw: bytes) -> int:
    packed: int = _I64.unpack(raw)[0]
    return packed


def _date(packed: int) -> str:
    """40 bits above 24 of microseconds: year * 13 + month (17), day (5), hour (5), minute (6), second (6)."""
    value = packed >> 24
    year, month = divmod(value >> 22 & 0x1FFFF, 13)
    return f"{year:04d}-{month:02d}-{value >> 17 & 31:02d}"


def _rest(value: int, divisor: int) -> int:
    """The remainder with the sign of `value`."""
    return value % divisor if value >= 0 else -(-value % divisor)


def _time(packed: int) -> str:
    """Hour (10 bits), minute (6), second (6), microseconds (24); a negative one's parts each keep the sign."""
    value = packed >> 24
    hour = _rest(value >> 12, 1 << 10)
    return _clock(-hour if value < 0 else hour, _rest(value >> 6, 64), _rest(value, 64), _rest(packed, 1 << 24))


def _clock(hour: int, minute: int, second: int, micros: int) -> str:
    two = "".join(
        f"{':' if i else ''}{'0' if part < 10 else ''}{part}" for i, part in enumerate((hour, minute, second))
    )
    if not micros:
        return two
    digits = f"{micros:06d}" if micros > 0 else f"00000{micros}"
    return f"{two}.{digits.rstrip('0')}"


def _decimal(precision: int, scale: int, raw: bytes) -> str:
    """MySQL's packed decimal: digits in groups of nine on both sides of the point, the sign in the first bit."""
    if scale > precision:
        raise ValueError(f"DECIMAL({precision},{scale})")
    whole, part = divmod(precision - scale, 9), divmod(scale, 9)
    sizes = [(whole[1], _DECIMAL_BYTES[whole[1]]), *[(9, 4)] * (whole[0] + part[0]), (part[1], _DECIMAL_BYTES[part[1]])]
    if sum(size for _, size in sizes) != len(raw) or not raw:
        raise ValueError(f"DECIMAL({precision},{scale}) of {len(raw)} bytes")
    negative = not raw[0] & 0x80
    plain = bytes((raw[0] ^ 0x80, *raw[1:]))
    if negative:
        plain = bytes(byte ^ 0xFF for byte in plain)
    digits, at = "", 0
    for width, size in sizes:
        if size:
            digits += f"{int.from_bytes(plain[at : at + size], 'big'):0{width}d}"
        at += size
    integer, fraction = digits[: len(digits) - scale].lstrip("0") or "0", digits[len(digits) - scale :]
    value = integer + (f".{fraction}" if scale else "")
    return f"-{value}" if negative and value.strip("0.") else value
