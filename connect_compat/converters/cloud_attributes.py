"""Change events to the attributes of CloudEvents and their data, by connector and by where metadata is taken from.

Source: Debezium 3.5.0.Final, `CloudEventsMaker` and its heirs, by what they give.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final, NamedTuple

from cdc.errors import ConversionError
from cdc.schema import INT64, OPTIONAL_STRING, STRING, Field, Schema, Type, struct

Lookup = Callable[[str], tuple[Schema | None, Any] | None]
"""The schema and value of a record's header."""
_IDS: Final = {
    "mariadb": ("file", "pos"), "mysql": ("file", "pos"), "postgresql": ("lsn", "txId", "sequence"),
    "sqlserver": ("change_lsn", "commit_lsn", "event_serial_no"), "oracle": ("scn",),
}  # fmt: skip
"""Connector -> the members of `source` that tell its events apart."""
_WHOLE: Final = ("mariadb",)
"""Those whose data is the whole event, not the row before and after."""
_TRANSACTION: Final = struct(("id", STRING), ("total_order", INT64), ("data_collection_order", INT64))
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_CUSTOM: Final = {"id": "id", "type": "type", "traceparent": "traceparent", "dataSchemaName": "data_name"}


class Sources(NamedTuple):
    """From where each is taken: value, header or generate."""

    of_all: str
    id: str
    type: str
    traceparent: str
    data_name: str


def metadata_sources(items: Sequence[str]) -> Sources:
    """`value,id:generate,type:header`. Raises: ValueError in the words of Debezium."""
    first = items[0].strip().lower() if items else "value"
    if first not in ("value", "header"):
        raise ValueError(f"Global metadata source can't be {first.upper()}; it is value or header")
    given = dict.fromkeys(_CUSTOM.values(), first)
    for item in items[1:]:
        name, _, source = item.partition(":")
        if source.strip().lower() not in ("header", "generate"):
            raise ValueError(f"Field source `{source}` is not valid; it is header or generate")
        if name.strip() not in _CUSTOM:
            raise ValueError(f"Field `{name}` is not allowed to set custom source; those are {', '.join(_CUSTOM)}")
        given[_CUSTOM[name.strip()]] = source.strip().lower()
    return Sources(first, **given)


def attribute_name(name: str) -> str:
    """Names of attributes are letters and digits: `ts_ms` is `iodebeziumtsms`."""
    return "iodebezium" + "".join(letter for letter in name if letter.isascii() and letter.isalnum())


@dataclass(frozen=True)
class Event:
    """One event: its attributes in order, but for what the converter adds."""

    first: Sequence[tuple[str, Any]]
    more: Sequence[tuple[str, Schema, Any]]
    data: tuple[Schema, Any]
    server: str
    database: str

    def envelope(self, name: str, content: str, data_schema: str | None = None) -> tuple[Schema, tuple[Any, ...]]:
        """The schema and value without the data. Raises: ConversionError: an attribute that must be there is not."""
        attributes = [(each, STRING, value) for each, value in self.first]
        attributes.append(("datacontenttype", STRING, content))
        if data_schema is not None:
            attributes.append(("dataschema", STRING, data_schema))
        attributes += self.more
        for each, schema, value in attributes:
            if value is None and not schema.optional:
                raise ConversionError(f"CloudEventsConverter has no value for the attribute {each!r}")
        fields = tuple(Field(each, schema) for each, schema, _ in attributes)
        return Schema(Type.STRUCT, name=name, fields=fields), tuple(value for _, _, value in attributes)


class Events:
    """Makes events of change events and of rows whose metadata is in headers."""

    def __init__(self, sources: Sources, *, tracing: bool, extensions: bool) -> None:
        self._sources, self._tracing, self._extensions = sources, tracing, extensions
        self._of_header = sources.of_all == "header"

    def event(self, schema: Schema, value: Any, header: Lookup) -> Event | None:
        """None: the record is no change event. Raises: ConversionError."""
        if self._of_header:
            if header("source") is None or header("op") is None:
                return None
        elif not (schema.name or "").endswith(".Envelope"):
            return None
        if schema.type is not Type.STRUCT:
            raise ConversionError("CloudEventsConverter takes structs alone; the value is of type " + schema.type.name)
        source = self._part(schema, value, header, "source")
        if source is None:
            raise ConversionError("CloudEventsConverter finds no source block in the record")
        members = _members(*source)
        connector = members.get("connector")
        if connector not in _IDS:
            raise ConversionError(f'No usable CloudEvents converters for connector type "{connector}"; there are '
                                  f"{', '.join(_IDS)}")  # fmt: skip
        kind = f"io.debezium.connector.{connector}.DataChangeEvent"
        first = [
            ("id", self._given("id", self._sources.id, header, _id(connector, members))),
            ("source", f"/debezium/{connector}/{members.get('name')}"),
            ("specversion", "1.0"),
            ("type", self._given("type", self._sources.type, header, kind)),
            ("time", _time(members.get("ts_ms"))),
        ]  # fmt: skip
        data = self._data(schema, value, header, connector)
        more = [*self._traced(header), *self._extended(schema, value, header, source)]
        return Event(first, more, data, str(members.get("name")), _text(members.get("db")))

    def _part(self, schema: Schema, value: Any, header: Lookup, name: str) -> tuple[Schema, Any] | None:
        """`source`, `op` or `transaction`, where metadata comes from; None when it is not there or null."""
        if self._of_header:
            found = header(name)
            return None if found is None or found[0] is None or found[1] is None else (found[0], found[1])
        at = schema.index(name)
        return None if at is None or value[at] is None else (schema.fields[at].schema, value[at])

    def _given(self, name: str, source: str, header: Lookup, generated: str) -> str | None:
        if source == "generate":
            return generated
        return _of_header(header, name) if source == "header" else None

    def _data(self, schema: Schema, value: Any, header: Lookup, connector: str) -> tuple[Schema, Any]:
        by_header = self._sources.data_name == "header"
        name = _of_header(header, "dataSchemaName") if by_header else f"io.debezium.connector.{connector}.Data"
        whole = self._of_header or connector in _WHOLE
        return _picked(schema, name, whole), _filled(schema, value if whole else value[:2])

    def _traced(self, header: Lookup) -> list[tuple[str, Schema, Any]]:
        if not self._tracing:
            return []
        if self._sources.traceparent != "header":
            raise ConversionError("Value for `traceparent` CloudEvents field currently can't be obtained from a record "
                                  "value and can only be obtained from a record header; set metadata.source="
                                  "value,traceparent:header")  # fmt: skip
        found = header("traceparent")
        return [("traceparent", STRING, None if found is None else found[1])]

    def _extended(
        self, schema: Schema, value: Any, header: Lookup, source: tuple[Schema, Any]
    ) -> list[tuple[str, Schema, Any]]:
        if not self._extensions:
            return []
        op = self._part(schema, value, header, "op")
        block = self._part(schema, value, header, "transaction")
        out = [(attribute_name("op"), STRING, None if op is None else op[1])]
        for field, item in zip(source[0].fields, source[1], strict=True):
            item = field.schema.default if item is None else item
            out.append((attribute_name(field.name), _attribute(field), _shown(field.schema, item)))
        items = (None, None, None) if block is None else block[1]
        for field, item in zip(_TRANSACTION.fields, items, strict=True):
            out.append((attribute_name("tx" + field.name), OPTIONAL_STRING, _shown(field.schema, item)))
        return out


def _of_header(header: Lookup, name: str) -> Any:
    found = header(name)
    if found is None:
        raise ConversionError(f"Header `{name}` was not provided")
    return found[1]


def _members(schema: Schema, value: Any) -> dict[str, Any]:
    return {
        field.name: field.schema.default if item is None else item
        for field, item in zip(schema.fields, value, strict=True)
    }


def _id(connector: str, members: dict[str, Any]) -> str:
    missing = next((name for name in _IDS[connector] if name not in members), None)
    if missing is not None:
        raise ConversionError(f'No such field "{missing}" in the "source" field of events from {connector} connector')
    parts = (f"{name}:{_text(members[name])}" for name in _IDS[connector])
    return ";".join([f"name:{_text(members.get('name'))}", *parts])


def _text(value: Any) -> str:
    return "null" if value is None else str(value)


@lru_cache(maxsize=1000)
def _time(millis: int) -> str:
    return (_EPOCH + timedelta(milliseconds=millis)).strftime("%Y-%m-%dT%H:%M:%S.") + f"{millis % 1000:03}Z"


def _attribute(field: Field) -> Schema:
    kinds = {Type.BOOLEAN: Type.BOOLEAN, Type.INT8: Type.INT32, Type.INT16: Type.INT32, Type.INT32: Type.INT32,
             Type.STRING: Type.STRING, Type.INT64: Type.STRING}  # fmt: skip
    if field.schema.type not in kinds:
        raise ConversionError(f"Source field of type {field.schema.type.name} cannot be converted into CloudEvents "
                              "extension attribute.")  # fmt: skip
    return Schema(kinds[field.schema.type], optional=field.schema.optional)


def _shown(schema: Schema, value: Any) -> Any:
    return str(value) if schema.type is Type.INT64 and value is not None else value


@lru_cache(maxsize=1000)
def _picked(schema: Schema, name: str, whole: bool) -> Schema:
    """The schema of the data: of `before` and `after`, or of all."""
    fields = schema.fields if whole else tuple(f for f in schema.fields if f.name in ("before", "after"))
    return Schema(Type.STRUCT, name=name, fields=fields)


def _filled(schema: Schema, value: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(
        field.schema.default if item is None else item for field, item in zip(schema.fields, value, strict=False)
    )
