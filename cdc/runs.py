"""What tells one start of a task from another."""

from __future__ import annotations

import secrets
import time
import uuid


def run_id() -> str:
    """A version 7 UUID (RFC 9562): milliseconds since 1970, then random bits."""
    bits = time.time_ns() // 1_000_000 << 80 | 7 << 76 | secrets.randbits(12) << 64 | 2 << 62 | secrets.randbits(62)
    return str(uuid.UUID(int=bits))
