"""Values of any schema to JSON text and back, as Kafka Connect's JsonConverter, with or without the schema in each.

With `schemas.enable` a record is `{"schema":…,"payload":…}`; the schema part is made once per schema and is constant
bytes after that, in both directions. Source: Kafka Connect 4.3.1, whose bytes these are.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

import orjson

from cdc.config import Importance, key
from cdc.errors import ConversionError
from cdc.json.code import Form
from cdc.json.fault import find_fault
from cdc.json.schema import parse_schema, schema_json
from cdc.json.schemaless import to_json
from cdc.json.text import jackson
from cdc.json.write import Encode, compile_encode
from cdc.record import NULL
from cdc.schema import Schema
from connect_compat.converters.json_read import Decode, InexactDecimal, compile_decode

_SCHEMA: Final = b'{"schema":'
_PAYLOAD: Final = b',"payload":'
_TWO_MEMBERS: Final = (
    'JsonConverter with schemas.enable requires "schema" and "payload" fields and may not contain additional fields. '
    "If you are trying to deserialize plain JSON data, set schemas.enable=false in your converter configuration"
)


@dataclass(frozen=True, kw_only=True)
class JsonConverterConfig:
    """How JSON is written and read."""

    schemas: bool = key("schemas.enable", default=True, importance=Importance.HIGH, order=0, group="Schemas",
                        label="Enable Schemas",
                        doc="Include schemas within each of the serialized values and keys.")  # fmt: skip
    cache_size: int = key("schemas.cache.size", default=1000, importance=Importance.HIGH, order=1, group="Schemas",
                          label="Schema Cache Size",
                          doc="The maximum number of schemas that can be cached in this converter "
                              "instance.")  # fmt: skip
    schema_content: str | None = key(
        "schema.content", default=None, importance=Importance.HIGH, order=2, group="Schemas", label="Schema Content",
        doc="When set, this is used as the schema for all messages, and the schemas within each of the message will "
            "be ignored.Otherwise, the schema will be included in the content of each message. This configuration "
            "applies only 'schemas.enable' is true, and it exclusively affects the sink connector.")  # fmt: skip
    decimals: str = key("decimal.format", default="BASE64", importance=Importance.LOW, order=0, group="Serialization",
                        label="Decimal Format", values=("BASE64", "NUMERIC"),
                        doc="Controls which format this converter will serialize decimals in. This value is case "
                            "insensitive and can be either 'BASE64' (default) or 'NUMERIC'")  # fmt: skip
    defaults: bool = key("replace.null.with.default", default=True, importance=Importance.LOW, order=1,
                         group="Serialization", label="Replace null with default",
                         doc="Whether to replace fields that have a default value and that are null to the default "
                             "value. When set to true, the default value is used, otherwise null is used.")  # fmt: skip


class JsonConverter:
    """One side (key or value) of a connector's records."""

    CLASS_NAME = "org.apache.kafka.connect.json.JsonConverter"
    CONFIG = JsonConverterConfig

    def __init__(self, config: JsonConverterConfig, is_key: bool) -> None:
        self._config = config
        self._side = "key" if is_key else "value"
        self._form = Form(numeric=config.decimals == "NUMERIC", defaults=config.defaults)
        self._encoders: dict[Schema | None, Encode] = {}
        self._reader: Callable[[bytes], tuple[Schema | None, Any]]
        if not config.schemas:
            self._reader = _plain
        elif config.schema_content:
            self._reader = _Fixed(config.schema_content, self._form.defaults)
        else:
            self._reader = _Envelopes(config.cache_size, self._form.defaults)

    def encode(self, topic: str, schema: Schema | None, values: Sequence[Any]) -> list[bytes | None]:
        encode = self._encoders.get(schema)
        if encode is None:
            if len(self._encoders) >= max(self._config.cache_size, 1):
                self._encoders.clear()
            encode = self._encoders[schema] = self._compiled(schema)
        try:
            return encode(values)
        except Exception as error:
            fault = None if schema is None else find_fault(schema, values, defaults=self._form.defaults)
            raise ConversionError(
                f"JsonConverter cannot write the {self._side} of a record of topic {topic!r}: {fault or error}"
            ) from None

    def _compiled(self, schema: Schema | None) -> Encode:
        before = after = b""
        if self._config.schemas:
            members = schema_json(schema, numeric=self._form.numeric)
            before, after = _SCHEMA + jackson(orjson.dumps(members)) + _PAYLOAD, b"}"
        if schema is not None:
            return compile_encode(schema, self._form, before, after)
        return lambda values: [
            None if value is None or value is NULL else before + jackson(orjson.dumps(to_json(value))) + after
            for value in values
        ]

    def decode(self, topic: str, raw: Sequence[bytes | None]) -> list[tuple[Schema | None, Any]]:
        read = self._reader
        at = 0
        try:
            out: list[tuple[Schema | None, Any]] = []
            for at, text in enumerate(raw):  # noqa: B007
                out.append((None, None) if text is None else read(text))
            return out
        except ConversionError as error:
            raise ConversionError(self._refusal(topic, str(error))) from None
        except (ValueError, TypeError, RecursionError) as error:
            raise ConversionError(self._refusal(topic, self._malformed(raw[at] or b"", error))) from None

    def _refusal(self, topic: str, problem: str) -> str:
        side = f"{self._side}.converter.schemas.enable=false"
        return f"JsonConverter cannot read the {self._side} of a record of topic {topic!r}: " + problem.replace(
            "set schemas.enable=false", f"set {side}"
        )

    def _malformed(self, text: bytes, error: Exception) -> str:
        if not isinstance(error, orjson.JSONDecodeError):
            return str(error)
        return (f"{len(text)} bytes that are not JSON ({error.msg} at byte {error.pos}); if they are not meant to be, "
                f"set {self._side}.converter to what wrote them, such as "
                "org.apache.kafka.connect.storage.StringConverter")  # fmt: skip

    def texts(self) -> JsonTexts | None:
        """The same for a sink to which an object is its JSON text; None where texts are not the values themselves."""
        return None if self._config.schemas else JsonTexts(self)


class JsonTexts:
    """Reads objects as `orjson.Fragment`: neither parsed nor written again, and not looked at; all else as usual."""

    CLASS_NAME = JsonConverter.CLASS_NAME

    def __init__(self, converter: JsonConverter) -> None:
        self._converter = converter
        self.encode = converter.encode

    def decode(self, topic: str, raw: Sequence[bytes | None]) -> list[tuple[Schema | None, Any]]:
        """An object with a line break in its text is read and written again: then it is one line."""
        return [
            (None, orjson.Fragment(text))
            if text is not None and text.startswith(b"{") and text.endswith(b"}") and b"\n" not in text
            else self._converter.decode(topic, (text,))[0]
            for text in raw
        ]


def _plain(text: bytes) -> tuple[None, Any]:
    return None, orjson.loads(text) if text else None


def _exactly(text: bytes) -> Any:
    """Parsed with every number that has a point or an exponent as a Decimal."""
    return json.loads(text, parse_float=Decimal)


class _Fixed:
    """`schema.content`: payloads alone, all of one schema."""

    def __init__(self, content: str, defaults: bool) -> None:
        self._schema = parse_schema(orjson.loads(content))
        self._decode = _decoder(self._schema, defaults)

    def __call__(self, text: bytes) -> tuple[Schema | None, Any]:
        if not text:
            return None, None
        return _value(self._schema, self._decode, orjson.loads(text), lambda: _exactly(text))


@dataclass(slots=True)
class _Envelopes:
    """Reads envelopes. Mostly the bytes up to the payload are those of the record before: then only it is parsed."""

    size: int
    defaults: bool
    before: bytes = b"\x00"
    last: tuple[Schema | None, Decode] = (None, lambda value: value)
    known: dict[bytes, tuple[Schema | None, Decode]] = field(default_factory=dict)

    def __call__(self, text: bytes) -> tuple[Schema | None, Any]:
        if text.startswith(self.before) and text.endswith(b"}"):
            try:
                payload = orjson.loads(memoryview(text)[len(self.before) : -1])
            except orjson.JSONDecodeError:
                return self._whole(text)
            schema, decode = self.last
            return _value(schema, decode, payload, lambda: _exactly(text[len(self.before) : -1]))
        return self._whole(text)

    def _whole(self, text: bytes) -> tuple[Schema | None, Any]:
        envelope = orjson.loads(text) if text else None
        if not isinstance(envelope, dict) or envelope.keys() != {"schema", "payload"}:
            raise ConversionError(_TWO_MEMBERS)
        members = orjson.dumps(envelope["schema"])
        found = self.known.get(members)
        if found is None:
            if len(self.known) >= max(self.size, 1):
                self.known.clear()
            schema = parse_schema(envelope["schema"])
            found = self.known[members] = schema, _decoder(schema, self.defaults)
        self._remember(text, found)
        return _value(*found, envelope["payload"], lambda: _exactly(text)["payload"])

    def _remember(self, text: bytes, found: tuple[Schema | None, Decode]) -> None:
        """Keeps the bytes before the payload, when they are in the order and without the spaces that Connect writes."""
        if not text.startswith(_SCHEMA):
            return
        decoded = text.decode()
        if decoded[len(_SCHEMA)].isspace():
            return
        _, end = json.JSONDecoder().raw_decode(decoded, len(_SCHEMA))
        before = decoded[:end].encode() + _PAYLOAD
        if text.startswith(before):
            self.before, self.last = before, found


def _decoder(schema: Schema | None, defaults: bool) -> Decode:
    return (lambda value: value) if schema is None else compile_decode(schema, defaults=defaults)


def _value(
    schema: Schema | None, decode: Decode, payload: Any, exactly: Callable[[], Any]
) -> tuple[Schema | None, Any]:
    try:
        value = decode(payload)
    except InexactDecimal:
        value = decode(exactly())
    return schema, NULL if value is None and schema is not None else value
