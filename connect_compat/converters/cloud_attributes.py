"""Change events to the attributes of CloudEvents and their data, by connector and by where metadata is taken from.

Source: Debezium 3.5.0.Final, `CloudEventsMaker` and its heirs, by what they give.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from typing import Any, Final, NamedTuple

from cdc.errors import ConversionError
from cdc.schema import BYTES, INT64, OPTIONAL_STRING, STRING, Field, Schema, Type, struct

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
_FIRST: Final = ("id", "source", "specversion", "type", "time")
_KEPT: Final = 1000
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


class Behind:
    """The attributes behind the first ones, for one schema of `source`: their schemas, and a function to their values.

    `shown`: the members of `source` as attributes; `at`: where each stands, and its default.
    """

    def __init__(self, source: Schema, *, traced: bool, extended: bool) -> None:
        """Raises: ConversionError: a member that can be no attribute."""
        self.at = {field.name: (index, field.schema.default) for index, field in enumerate(source.fields)}
        self.shown = _shown_members(source) if extended else None
        own = [Field(attribute_name(f.name), _attribute(f)) for f in source.fields] if extended else []
        of_transaction = [Field(attribute_name("tx" + f.name), OPTIONAL_STRING) for f in _TRANSACTION.fields]
        op = Field(attribute_name("op"), STRING)
        self._fields = ([Field("traceparent", STRING)] if traced else []) + (
            [op, *own, *of_transaction] if extended else []
        )
        self._envelopes: dict[tuple[str, bool, bool], Envelope] = {}

    def member(self, source: Sequence[Any], name: str) -> Any:
        """A member of `source`; None where there is none of the name."""
        index, default = self.at.get(name, (None, None))
        if index is None:
            return None
        return default if source[index] is None else source[index]

    def envelope(self, name: str, *, described: bool, holding: bool) -> Envelope:
        """`described`: with the place of the data's schema; `holding`: with the data itself."""
        key = name, described, holding
        known = self._envelopes.get(key)
        if known is None:
            first = [*_FIRST, "datacontenttype", *(["dataschema"] if described else [])]
            fields = [*(Field(each, STRING) for each in first), *self._fields]
            required = tuple((at, f.name) for at, f in enumerate(fields) if not f.schema.optional)
            fields += [Field("data", BYTES)] if holding else []
            known = Envelope(Schema(Type.STRUCT, name=name, fields=tuple(fields)), required)
            if len(self._envelopes) >= _KEPT:
                self._envelopes.clear()
            self._envelopes[key] = known
        return known


class Envelope(NamedTuple):
    """The schema of an event; `required`: places and names of the attributes that must be there."""

    schema: Schema
    required: Sequence[tuple[int, str]]


class Event(NamedTuple):
    """One event: its attributes in order, but for what the converter adds between `first` and `more`."""

    first: tuple[Any, ...]
    more: tuple[Any, ...]
    behind: Behind
    data: tuple[Schema, Any]
    server: str
    database: str

    def attributes(self, envelope: Envelope, *between: str) -> tuple[Any, ...]:
        """Raises: ConversionError: an attribute that must be there is not."""
        values = (*self.first, *between, *self.more)
        for at, name in envelope.required:
            if values[at] is None:
                raise ConversionError(f"CloudEventsConverter has no value for the attribute {name!r}")
        return values


class Events:
    """Makes events of change events and of rows whose metadata is in headers."""

    def __init__(self, sources: Sources, *, tracing: bool, extensions: bool) -> None:
        self._sources, self._tracing, self._extensions = sources, tracing, extensions
        self._of_header = sources.of_all == "header"
        self._behind = lru_cache(maxsize=_KEPT)(partial(Behind, traced=tracing, extended=extensions))

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
        behind = self._behind(source[0])
        members = partial(behind.member, source[1])
        connector = members("connector")
        if connector not in _IDS:
            raise ConversionError(f'No usable CloudEvents converters for connector type "{connector}"; there are '
                                  f"{', '.join(_IDS)}")  # fmt: skip
        server = members("name")
        first = (
            self._id(connector, behind, source[1], header),
            f"/debezium/{connector}/{server}",
            "1.0",
            self._given("type", self._sources.type, header, f"io.debezium.connector.{connector}.DataChangeEvent"),
            _time(members("ts_ms")),
        )
        data = self._data(schema, value, header, connector)
        more = (*self._traced(header), *self._extended(schema, value, header, behind, source[1]))
        return Event(first, more, behind, data, str(server), _text(members("db")))

    def _id(self, connector: str, behind: Behind, source: Sequence[Any], header: Lookup) -> str | None:
        return self._given("id", self._sources.id, header, _id(connector, behind, source))

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

    def _traced(self, header: Lookup) -> tuple[Any, ...]:
        if not self._tracing:
            return ()
        if self._sources.traceparent != "header":
            raise ConversionError("Value for `traceparent` CloudEvents field currently can't be obtained from a record "
                                  "value and can only be obtained from a record header; set metadata.source="
                                  "value,traceparent:header")  # fmt: skip
        found = header("traceparent")
        return (None if found is None else found[1],)

    def _extended(
        self, schema: Schema, value: Any, header: Lookup, behind: Behind, source: Sequence[Any]
    ) -> tuple[Any, ...]:
        if behind.shown is None:
            return ()
        op = self._part(schema, value, header, "op")
        block = self._part(schema, value, header, "transaction")
        (transaction, total, ordinal) = (None, None, None) if block is None else block[1]
        return (None if op is None else op[1], *behind.shown(source), transaction,
                None if total is None else str(total), None if ordinal is None else str(ordinal))  # fmt: skip


def _of_header(header: Lookup, name: str) -> Any:
    found = header(name)
    if found is None:
        raise ConversionError(f"Header `{name}` was not provided")
    return found[1]


def _id(connector: str, behind: Behind, source: Sequence[Any]) -> str:
    names = _IDS[connector]
    missing = next((name for name in names if name not in behind.at), None)
    if missing is not None:
        raise ConversionError(f'No such field "{missing}" in the "source" field of events from {connector} connector')
    parts = [f"{name}:{_text(behind.member(source, name))}" for name in names]
    return ";".join([f"name:{_text(behind.member(source, 'name'))}", *parts])


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


def _shown_members(source: Schema) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
    """A generated function: the members of `source`, nulls as their defaults, long numbers as text."""
    names: dict[str, Any] = {}
    parts = []
    for at, field in enumerate(source.fields):
        long, default = field.schema.type is Type.INT64, field.schema.default
        names[f"d{at}"] = str(default) if long and default is not None else default
        there = f"str(v{at})" if long else f"v{at}"
        parts.append(there if there == f"v{at}" and default is None else f"(d{at} if v{at} is None else {there})")
    variables = "".join(f"v{at}, " for at in range(len(parts)))
    taken = f"({variables}) = source" if parts else "pass"
    exec(f"def shown(source):\n    {taken}\n    return ({''.join(f'{part}, ' for part in parts)})", names)
    made: Callable[[Sequence[Any]], tuple[Any, ...]] = names["shown"]
    return made


@lru_cache(maxsize=1000)
def _picked(schema: Schema, name: str, whole: bool) -> Schema:
    """The schema of the data: of `before` and `after`, or of all."""
    fields = schema.fields if whole else tuple(f for f in schema.fields if f.name in ("before", "after"))
    return Schema(Type.STRUCT, name=name, fields=fields)


def _filled(schema: Schema, value: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(
        field.schema.default if item is None else item for field, item in zip(schema.fields, value, strict=False)
    )
