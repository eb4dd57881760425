"""Names in another style: `orderId` in snake_case is `order_id`.

Source: Debezium 3.5.0.Final, `NamingStyleUtils`, by what it gives.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

_WORDS: Final = re.compile(r"([a-z])([A-Z])|([a-zA-Z])([0-9])|([0-9])([a-zA-Z])|\.")


def _snake(name: str) -> str:
    def parted(found: re.Match[str]) -> str:
        one, two, three, four, five, six = (part or "" for part in found.groups())
        return f"{one}{three}{five}_{two}{four}{six}"

    return _WORDS.sub(parted, name).lower()


def _camel(name: str) -> str:
    words = re.split(r"[._]+", name)
    return words[0].lower() + "".join(word[:1].upper() + word[1:].lower() for word in words[1:])


STYLES: Final[dict[str, Callable[[str], str]]] = {
    "snake_case": _snake, "camel_case": _camel, "upper_case": str.upper, "lower_case": str.lower,
    "default": lambda name: name,
}  # fmt: skip


def known_style(value: str) -> str | None:
    if value.lower() in STYLES:
        return None
    return f"Invalid naming style: {value}. Allowed styles are: {', '.join(style.upper() for style in STYLES)}"
