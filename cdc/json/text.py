"""JSON bytes of orjson made equal to those of Jackson, the writer Kafka Connect uses.

orjson writes control characters as `\\u001b` where Jackson writes `\\u001B`, and characters beyond the basic plane
as four bytes of UTF-8 where Jackson writes two escaped surrogates. Everything else is alike.
"""

from __future__ import annotations

import re
from typing import Any

import orjson

from cdc.java.numbers import double_text, float_text, shortest_single
from cdc.schema import to_single

_DIFFERENT = re.compile(rb"\\(?:u00[01][0-9a-f]|.)|[\xf0-\xf4]...", re.DOTALL)
_BEYOND = (b"\xf0", b"\xf1", b"\xf2", b"\xf3", b"\xf4")


def _as_jackson(found: re.Match[bytes]) -> bytes:
    text = found[0]
    if text.startswith(b"\\"):
        return b"\\u" + text[2:].upper() if len(text) == 6 else text
    pair = text.decode().encode("utf-16-be").hex().upper()
    return f"\\u{pair[:4]}\\u{pair[4:]}".encode()


def jackson(text: bytes) -> bytes:
    """`text` as Jackson would have written it; most texts come back as they are."""
    if b"\\u00" in text or not (text.isascii() or all(lead not in text for lead in _BEYOND)):
        return _DIFFERENT.sub(_as_jackson, text)
    return text


def double_json(value: float) -> Any:
    """What orjson must be given so that it writes a FLOAT64 as Jackson does; plain numbers stay what they are."""
    if value == 0 or 0.001 <= -value < 1e7:
        return value
    text = double_text(value)
    return orjson.Fragment(text.encode()) if text[-1].isdigit() else text


def float_json(value: float) -> Any:
    """The same for a FLOAT32."""
    single = to_single(value)
    if single == 0 or 0.001 <= abs(single) < 1e7:
        return shortest_single(single)
    text = float_text(single)
    return orjson.Fragment(text.encode()) if text[-1].isdigit() else text
