"""Texts of keys that hold several things."""

from __future__ import annotations

import re


def names(text: str | None) -> list[str]:
    """Separated by commas."""
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def patterns(text: str) -> list[str]:
    """Regular expressions separated by commas; a comma within one is written `\\,`."""
    parts = [part.strip() for part in re.split(r"(?<!\\),", text)]
    return [part.replace("\\,", ",") for part in parts if part]


def statements(text: str | None) -> list[str]:
    """SQL separated by `;`; `;;` is a semicolon."""
    parts = (text or "").replace(";;", "\0").split(";")
    return [part.replace("\0", ";").strip() for part in parts if part.strip()]
