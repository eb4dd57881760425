"""Values to JSON and back, their JSON schemas kept by a registry: as Confluent's JsonSchemaConverter.

A value is a zero, four bytes of the schema's id, and JSON text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import orjson

from cdc.config import at_least, key
from cdc.errors import ConversionError
from cdc.schema import DECIMAL, Schema
from connect_compat.converters.draft_fit import misfit
from connect_compat.converters.draft_read import readable
from connect_compat.converters.draft_schema import DraftForm, draft_text
from connect_compat.converters.draft_types import parse_draft
from connect_compat.converters.draft_write import compile_writer
from connect_compat.converters.registered import HEAD, Encode, Reader, RegisteredValues, Wanted
from connect_compat.converters.registry_keys import IDLE, LOW, NO_CLASSES, NO_SETTINGS, RegistryConfig

_NO_FIT: Final = (
    "the schema in the registry cannot hold the records: {}; correct the schema, or set "
    "latest.compatibility.strict=false (with use.schema.id: id.compatibility.strict=false)"
)


@dataclass(frozen=True, kw_only=True)
class JsonSchemaConverterConfig(RegistryConfig):
    """How JSON and its schemas are written and read."""

    IDLE = dict(IDLE) | {
        "json.fail.invalid.schema": "values are written from their schema and read by it, not checked apart",
        "json.indent.output": "values are written in one line",
        **dict.fromkeys(
            ("json.fail.unknown.properties", "json.key.type", "json.value.type", "type.property",
             "json.write.dates.iso8601", "json.schema.spec.version", "json.schema.scan.packages",
             "json.oneof.for.nullables", "json.default.property.inclusion"), NO_CLASSES,
        ),
    }  # fmt: skip
    open: bool = key("object.additional.properties", default=True,
                     doc="Objects may have members that the schema does not name.")  # fmt: skip
    nonrequired: bool = key("use.optional.for.nonrequired", default=False,
                            doc="Members that the schema does not require are read as optional.")  # fmt: skip
    dialects: bool = key("ignore.modern.dialects", default=False, importance=LOW,
                         doc="Taken without effect: schemas of any draft are read as draft 7.")  # fmt: skip
    decimals: str = key("decimal.format", default="BASE64", importance=LOW, values=("BASE64", "NUMERIC"),
                        doc="Whether Decimals are base64 text or numbers.")  # fmt: skip
    flatten: bool = key("flatten.singleton.unions", default=True, importance=LOW,
                        doc="A union of one type is read as that type.")  # fmt: skip
    general: bool = key("generalized.sum.type.support", default=False,
                        doc="Enums and unions go by the names that all of Confluent's converters share.")  # fmt: skip
    ignore_defaults: bool = key("ignore.default.for.nullables", default=False,
                                doc="A null stays null where the schema has a default.")  # fmt: skip
    cache_size: int = key("schemas.cache.config", default=1000, importance=LOW, check=at_least(1),
                          doc="How many schemas are kept in memory.")  # fmt: skip

    def form(self) -> DraftForm:
        return DraftForm(self.decimals == "NUMERIC", self.open, self.general, self.nonrequired, self.flatten,
                         not self.ignore_defaults)  # fmt: skip


@dataclass(frozen=True)
class _Draft:
    form: DraftForm
    kind: str = "JSON"

    @property
    def defaults(self) -> bool:
        return self.form.defaults

    def wanted(self, schema: Schema) -> Wanted:
        return Wanted(draft_text(schema, self.form), schema.name)

    def writer(
        self, schema: Schema, text: str, imported: Callable[[str], str | None], head: bytes, *, strict: bool
    ) -> Encode:
        if strict:
            found = readable(parse_draft(text, imported), self.form._replace(nonrequired=True)).schema
            if why := misfit(schema, found):
                raise ConversionError(_NO_FIT.format(why))
        return compile_writer(schema, self.form, head)

    def place(self, data: bytes) -> tuple[None, int]:
        return None, HEAD

    def record(self, text: str, imported: Callable[[str], str | None], place: None) -> str | None:
        title = parse_draft(text, imported).said.get("title")
        return None if title is None else str(title)

    def reader(self, text: str, imported: Callable[[str], str | None], place: None, version: int | None) -> Reader:
        schema, read = readable(parse_draft(text, imported), self.form, version)
        parse = _exactly if _has_decimal(schema) else orjson.loads
        return Reader(schema, lambda raw: read(parse(raw)))


def _exactly(raw: bytes) -> Any:
    """Parsed with every number that has a point or an exponent as a Decimal."""
    return json.loads(raw, parse_float=Decimal)


def _has_decimal(schema: Schema) -> bool:
    parts = (schema.keys, schema.items, *(each.schema for each in schema.fields))
    return schema.name == DECIMAL or any(part is not None and _has_decimal(part) for part in parts)


class JsonSchemaConverter:
    """One side (key or value) of a connector's records."""

    CLASS_NAME = "io.confluent.connect.json.JsonSchemaConverter"
    CONFIG = JsonSchemaConverterConfig

    def __init__(
        self, config: JsonSchemaConverterConfig, is_key: bool, settings: Mapping[str, str] = NO_SETTINGS
    ) -> None:
        """Raises: ConfigError: a login that is not whole, a store that is none."""
        self._values = RegisteredValues("JsonSchemaConverter", config, _Draft(config.form()), settings, is_key=is_key,
                                        size=config.cache_size)  # fmt: skip

    def encode(self, topic: str, schema: Schema | None, values: Sequence[Any]) -> list[bytes | None]:
        return self._values.encode(topic, schema, values)

    def decode(self, topic: str, raw: Sequence[bytes | None]) -> list[tuple[Schema | None, Any]]:
        return self._values.decode(topic, raw)
