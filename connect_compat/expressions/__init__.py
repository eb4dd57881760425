"""Expressions over one record, as users write them in Groovy or JavaScript for Debezium's Filter and router.

What there is of both languages stands in docs/decisions/0030-expressions.md. An expression only reads: it cannot
assign, loop, define functions, or reach anything but the record, so it needs no sandbox.
"""

from __future__ import annotations

from connect_compat.expressions.evaluate import Expression, compiled
from connect_compat.expressions.values import Record

__all__ = ["Expression", "Record", "compiled"]
