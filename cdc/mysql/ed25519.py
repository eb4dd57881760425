"""A password and the server's challenge -> the Ed25519 signature that MariaDB's plug-in `ed25519` wants. No I/O.

It is RFC 8032 with a secret of any length, the password itself; libraries take secrets of 32 bytes only.
"""

from __future__ import annotations

from hashlib import sha512
from typing import Final

Point = tuple[int, int, int, int]
"""X, Y, Z and T of the extended coordinates of RFC 8032, 5.1.4."""

_P: Final = 2**255 - 19
_ORDER: Final = 2**252 + 27742317777372353535851937790883648493
_TWICE_D: Final = -121665 * pow(121666, -1, _P) * 2 % _P
_BASE_X: Final = 15112221349535400772501151409588531511454012693041857206046113283949847762202
_BASE_Y: Final = 4 * pow(5, -1, _P) % _P
_BASE: Final[Point] = (_BASE_X, _BASE_Y, 1, _BASE_X * _BASE_Y % _P)
_NEUTRAL: Final[Point] = (0, 1, 1, 0)


def signature(password: bytes, challenge: bytes) -> bytes:
    """64 bytes."""
    digest = sha512(password).digest()
    secret = int.from_bytes(digest[:32], "little") & ~7 & (1 << 254) - 1 | 1 << 254
    nonce = _scalar(digest[32:] + challenge)
    commitment, public = _encoded(_times_base(nonce)), _encoded(_times_base(secret))
    answer = (nonce + _scalar(commitment + public + challenge) * secret) % _ORDER
    return commitment + answer.to_bytes(32, "little")


def _scalar(text: bytes) -> int:
    return int.from_bytes(sha512(text).digest(), "little") % _ORDER


def _sum(one: Point, other: Point) -> Point:
    a = (one[1] - one[0]) * (other[1] - other[0]) % _P
    b = (one[1] + one[0]) * (other[1] + other[0]) % _P
    c, d = one[3] * other[3] * _TWICE_D % _P, one[2] * other[2] * 2 % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _times_base(factor: int) -> Point:
    """As many steps for each factor, so that the time tells little of it."""
    result, doubled = _NEUTRAL, _BASE
    for bit in range(256):
        more = _sum(result, doubled)
        result = more if factor >> bit & 1 else result
        doubled = _sum(doubled, doubled)
    return result


def _encoded(point: Point) -> bytes:
    inverse = pow(point[2], -1, _P)
    x, y = point[0] * inverse % _P, point[1] * inverse % _P
    return (y | (x & 1) << 255).to_bytes(32, "little")
