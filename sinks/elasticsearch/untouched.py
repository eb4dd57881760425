"""Fields that a change did not touch and its log did not tell: they keep what the document holds.

PostgreSQL leaves large values that an update did not change out of its WAL, and Debezium writes
`__debezium_unavailable_value` in their place. Of an update by `write.method=upsert` such members are left out. A whole
document is completed from the one in the index before it is written under its own version.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from typing import Any, Final

import orjson

_TEXT: Final = "__debezium_unavailable_value"
_MARK: Final = _TEXT.encode()
_BASE64: Final = b64encode(_MARK)
_MEMBER: Final = rb'"(?:[^"\\]|\\.)*":(?:"%b"|\["%b"\]|"%b"|\["%b"\]|\{"%b":"%b"\}|"\{\\"%b\\":\\"%b\\"\}")' % (
    *(_MARK,) * 2, *(_BASE64,) * 2, *(_MARK,) * 4,
)  # fmt: skip
_NOT_TOLD: Final = re.compile(rb",%b|%b,?" % (_MEMBER, _MEMBER))
_TEXTS: Final = (_TEXT, _BASE64.decode(), f'{{"{_TEXT}":"{_TEXT}"}}')
_FORMS: Final = ([_TEXT], [_BASE64.decode()], {_TEXT: _TEXT})


def is_marked(body: bytes) -> bool:
    """Whether a document's JSON may hold such fields."""
    return _MARK in body or _BASE64 in body


def told(body: bytes) -> bytes:
    """A document without the members that its change did not touch."""
    return _NOT_TOLD.sub(b"", body) if is_marked(body) else body


def completed(body: bytes, held: Any) -> bytes:
    """A document with those members as `held`, the document there is, has them; without them where it has none."""
    return orjson.dumps(_completed(exact(body), held))


def exact(text: bytes) -> Any:
    """Parsed so that `orjson.dumps` writes every number as it stood."""
    return json.loads(text, parse_float=orjson.Fragment, parse_int=_integer)


def _integer(text: str) -> Any:
    return int(text) if len(text) < 19 else orjson.Fragment(text)


def _completed(value: Any, held: Any) -> Any:
    if not isinstance(value, dict):
        return value
    there = held if isinstance(held, dict) else {}
    out = {}
    for name, item in value.items():
        if item in _TEXTS or item in _FORMS:
            if name in there:
                out[name] = there[name]
        else:
            out[name] = _completed(item, there.get(name))
    return out
