"""Schemaless values (plain dicts, lists and scalars) as orjson must be given them to write what Jackson writes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any, Final

from cdc.json.schema import base64_text
from cdc.json.text import double_json

_TEXT: Final = frozenset({str})
_SAME: Final = frozenset({str, bool, int, type(None)})


def are_plain(values: Sequence[Any]) -> bool:
    """Whether `to_json` gives back each of them, dicts that hold no others, as it is; False where that is not plain."""
    return (
        set(map(type, values)) == {dict}
        and _TEXT.issuperset(map(type, chain.from_iterable(values)))
        and _SAME.issuperset(map(type, chain.from_iterable(map(dict.values, values))))
    )


def to_json(value: Any) -> Any:
    """The value itself where nothing needs another form. A dict with a key that is no text becomes a list of pairs."""
    match value:
        case str() | bool() | int() | None:
            return value
        case float():
            return value if 0.001 <= value < 1e7 else double_json(value)
        case bytes():
            return base64_text(value)
        case dict():
            if _TEXT.issuperset(map(type, value)):
                if _SAME.issuperset(map(type, value.values())):
                    return value
                return {key: to_json(item) for key, item in value.items()}
            return [[to_json(key), to_json(item)] for key, item in value.items()]
        case _:
            return [to_json(item) for item in value]
