"""Topic and schema names, and the legal-character rule. Source: Debezium's topic naming and schema name adjusters."""

from __future__ import annotations

import re
from collections.abc import Callable

_NOT_IN_TOPICS = re.compile(r"[^A-Za-z0-9._-]")
_NOT_IN_AVRO_NAMES = re.compile(r"[^A-Za-z0-9._]")
_NOT_IN_UNICODE_NAMES = re.compile(r"[^A-Za-z0-9.]")
MAX_TOPIC_NAME = 249


def topic_name(*parts: str, delimiter: str = ".") -> str:
    """Parts joined by the delimiter, every character that Kafka refuses replaced by `_`, cut at 249."""
    name = _NOT_IN_TOPICS.sub("_", delimiter.join(parts))[:MAX_TOPIC_NAME]
    return "_" * len(name) if name in (".", "..") else name


def unicode_topic_name(name: str) -> str:
    """Every character that Kafka refuses, and `_`, as `_u` and its hexadecimal code; cut at 249."""
    units = name.encode("utf-16-be", "surrogatepass")
    characters = (chr(int.from_bytes(units[at : at + 2])) for at in range(0, len(units), 2))
    return "".join(_code(c) if c == "_" or _NOT_IN_TOPICS.match(c) else c for c in characters)[:MAX_TOPIC_NAME]


def avro_name(name: str) -> str:
    """`schema.name.adjustment.mode=avro`: `_` for a character Avro refuses, and before a leading digit."""
    legal = _NOT_IN_AVRO_NAMES.sub("_", name)
    if legal[:1].isdigit():
        return "_" + legal
    return "_" + legal[1:] if legal[:1] == "." else legal


def avro_unicode_name(name: str) -> str:
    """`schema.name.adjustment.mode=avro_unicode`: `_u` and the hexadecimal code for a character Avro refuses or `_`."""
    legal = _NOT_IN_UNICODE_NAMES.sub(lambda match: _code(match[0]), name)
    return legal if legal[:1].isalpha() or legal[:1] in ("_", "") else _code(legal[0]) + legal[1:]


def avro_field_name(name: str) -> str:
    """`field.name.adjustment.mode=avro`: as `avro_name`, and a dot is not legal either."""
    return avro_name(name).replace(".", "_")


def avro_unicode_field_name(name: str) -> str:
    """`field.name.adjustment.mode=avro_unicode`: as `avro_unicode_name`, and a dot is not legal either."""
    return avro_unicode_name(name).replace(".", _code("."))


def _code(character: str) -> str:
    digits = f"{ord(character):x}"
    return "_u" + (digits if len(digits) > 2 else "00" + digits)


def schema_name_adjuster(mode: str) -> Callable[[str], str]:
    """The function of a `schema.name.adjustment.mode`: none, avro or avro_unicode."""
    return {"none": lambda name: name, "avro": avro_name, "avro_unicode": avro_unicode_name}[mode]


def field_name_adjuster(mode: str) -> Callable[[str], str]:
    """The function of a `field.name.adjustment.mode`: none, avro or avro_unicode."""
    return {"none": lambda name: name, "avro": avro_field_name, "avro_unicode": avro_unicode_field_name}[mode]
