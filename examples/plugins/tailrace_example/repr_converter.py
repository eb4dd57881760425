"""A converter: values as Python writes them, and back."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cdc.config import key
from cdc.errors import ConversionError
from cdc.record import NULL
from cdc.schema import Schema


@dataclass(frozen=True, kw_only=True)
class ReprConverterConfig:
    """What stands below `key.converter.` and `value.converter.`."""

    encoding: str = key("encoding", default="utf-8", doc="The character set of the text.")


class ReprConverter:
    CLASS_NAME = "com.example.ReprConverter"
    CONFIG = ReprConverterConfig

    def __init__(self, config: ReprConverterConfig, is_key: bool) -> None:
        self._encoding = config.encoding

    def encode(self, topic: str, schema: Schema | None, values: Sequence[Any]) -> list[bytes | None]:
        return [None if value is None or value is NULL else repr(value).encode(self._encoding) for value in values]

    def decode(self, topic: str, raw: Sequence[bytes | None]) -> list[tuple[Schema | None, Any]]:
        try:
            return [(None, None if text is None else ast.literal_eval(text.decode(self._encoding))) for text in raw]
        except (ValueError, SyntaxError) as error:
            raise ConversionError(f"ReprConverter cannot read a record of topic {topic!r}: {error}") from None
