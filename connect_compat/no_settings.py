"""The config of a plugin that has no settings of its own."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class NoSettings:
    """Nothing can be set."""
