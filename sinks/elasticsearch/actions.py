"""Batches to the lines of a bulk request, and the records that cannot become a document.

A bulk operation is one line that says what to do with which document, and but for deletes a second one, the document.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import orjson

from cdc.record import NULL, Batch, Rejected
from cdc.schema import DATE, Schema, Type
from sinks.elasticsearch.config import ElasticsearchConfig
from sinks.elasticsearch.documents import DAY_MS, Document, document
from sinks.elasticsearch.identity import Unfit, document_id, versions
from sinks.elasticsearch.untouched import is_marked, told

_NO_SCHEMA: Final = (
    "the record has no schema, so no mapping can be made: set schema.ignore=true, "
    "or use a converter that carries schemas (value.converter.schemas.enable=true)"
)
_NO_OBJECT: Final = (
    "its value is a {kind}, and a document is an object: read the topic with the converter that wrote it, or make a "
    "struct of it with the transform org.apache.kafka.connect.transforms.HoistField$Value"
)
_NULL_VALUE: Final = (
    "the record has a null value and behavior.on.null.values=fail: set it to delete (removes the document) or ignore"
)
_TIMESTAMP: Final = "@timestamp"
_UNITS: Final = {
    "io.debezium.time.MicroTimestamp": (1, 1000),
    "io.debezium.time.NanoTimestamp": (1, 1_000_000),
    "io.debezium.time.Date": (DAY_MS, 1),
    DATE: (DAY_MS, 1),
}
"""Types whose numbers are not milliseconds: multiplied, then divided."""


class Action(NamedTuple):
    """One operation of a bulk request, and the record it is for.

    Attributes:
        at: the record's place in the batch.
        where: JSON text of the name of the index, data stream or alias.
        id: the document's; None where Elasticsearch makes one.
        body: the document's JSON; None: it is deleted.
        marked: `body` holds fields that the change did not touch; the document's own values belong there.
    """

    batch: Batch
    at: int
    where: bytes
    id: str | None
    head: bytes
    body: bytes | None
    marked: bool = False

    @property
    def lines(self) -> bytes:
        return self.head if self.body is None else b"%b%b\n" % (self.head, self.body)


class Actions:
    """Makes actions as one config says."""

    def __init__(self, config: ElasticsearchConfig) -> None:
        self._config = config

    def of(self, batch: Batch, resource: str, rejected: list[Rejected]) -> Iterator[Action]:
        """The operations of a batch in order; what cannot become one is added to `rejected`."""
        config = self._config
        ignore_key = config.ignores_key(batch.topic)
        wrong = self._wrong_shape(batch)
        write = self._writer(batch)
        identify = document_id(batch.key_schema)
        make = self._maker(resource, batch.topic)
        for at, (key, value, version) in enumerate(zip(batch.keys, batch.values, versions(config, batch), strict=True)):
            try:
                if value is None or value is NULL:
                    if config.on_null == "fail":
                        raise Unfit(_NULL_VALUE)
                    if config.on_null == "delete" and key is not None and not ignore_key:
                        yield make(batch, at, identify(key), version, None)
                    continue
                if wrong is not None:
                    raise wrong
                identity = None if ignore_key else identify(key)
                yield make(batch, at, identity, version, write(value, at))
            except (Unfit, TypeError, ValueError) as error:
                rejected.append(Rejected(batch, at, str(error), fatal=not config.drop_invalid))

    def _wrong_shape(self, batch: Batch) -> Unfit | None:
        schema = batch.value_schema
        if schema is None:
            return None if self._config.ignores_schema(batch.topic) else Unfit(_NO_SCHEMA)
        if schema.type in (Type.STRUCT, Type.MAP):
            return None
        return Unfit(_NO_OBJECT.format(kind=schema.type.name))

    def _maker(self, resource: str, topic: str) -> Callable[..., Action]:
        """The function that makes an action of a batch, an index, an id, a version and a body (None: a delete).

        Ids that come from the record's place, and documents that are only ever added, need no versions. An update has
        none: Elasticsearch knows none for it.
        """
        config, index = self._config, orjson.dumps(resource)
        if config.ignores_key(topic):
            return _by_place(b"create" if config.is_stream else b"index", index, config.generated_ids)
        if config.is_stream:
            return _unversioned(b"create", index)
        if config.is_upsert:
            return _merging(index)
        return _versioned(index)

    def _writer(self, batch: Batch) -> Callable[[Any, int], bytes]:
        config, schema = self._config, batch.value_schema
        write = document(schema, config.ignores_schema(batch.topic), config.compact_maps)
        if config.is_stream:
            return _stamped(write, batch, config.timestamps)
        return lambda value, at: write(value)


def _versioned(index: bytes) -> Callable[..., Action]:
    deleted = b'{"delete":{"_index":%b,"_id":%%b,"version":%%d,"version_type":"external"}}\n' % index.replace(
        b"%", b"%%"
    )
    written = deleted.replace(b'{"delete"', b'{"index"', 1)
    dumps = orjson.dumps

    def make(batch: Batch, at: int, identity: str, version: int | Unfit, body: bytes | None) -> Action:
        if isinstance(version, Unfit):
            raise version
        if body is None:
            return Action(batch, at, index, identity, deleted % (dumps(identity), version), None)
        return Action(batch, at, index, identity, written % (dumps(identity), version), body, is_marked(body))

    return make


def _by_place(verb: bytes, index: bytes, generated: bool) -> Callable[..., Action]:
    def make(batch: Batch, at: int, identity: None, version: object, body: bytes) -> Action:
        if generated:
            return Action(batch, at, index, None, b'{"%b":{"_index":%b}}\n' % (verb, index), body)
        offset = (batch.offsets or ())[at]
        made = f"{batch.topic}+{batch.partition}+{offset}"
        return Action(batch, at, index, made, _head(verb, index, made), body)

    return make


def _unversioned(verb: bytes, index: bytes) -> Callable[..., Action]:
    return lambda batch, at, identity, version, body: Action(
        batch, at, index, identity, _head(verb, index, identity), body
    )


def _merging(index: bytes) -> Callable[..., Action]:
    def make(batch: Batch, at: int, identity: str, version: object, body: bytes | None) -> Action:
        if body is None:
            return Action(batch, at, index, identity, _head(b"delete", index, identity), None)
        lines = b'{"doc":%b,"doc_as_upsert":true}' % told(body)
        head = b'{"update":{"_index":%b,"_id":%b,"retry_on_conflict":5}}\n' % (index, orjson.dumps(identity))
        return Action(batch, at, index, identity, head, lines)

    return make


def _head(verb: bytes, index: bytes, identity: str) -> bytes:
    return b'{"%b":{"_index":%b,"_id":%b}}\n' % (verb, index, orjson.dumps(identity))


def _stamped(write: Document, batch: Batch, names: Sequence[str]) -> Callable[[Any, int], bytes]:
    """Documents of a data stream: `@timestamp` is the first of the fields `names` that has a value, as text, or with
    no names the record's timestamp; without a value the document keeps its own."""
    schema, stamps = batch.value_schema, batch.timestamps or ()
    field = _field_reader(schema, names)
    has_own = schema is None or schema.type is not Type.STRUCT or schema.index(_TIMESTAMP) is not None

    def stamped(value: Any, at: int) -> bytes:
        text = write(value)
        if not text.startswith(b"{"):
            raise Unfit(_NO_OBJECT.format(kind="text, number or list"))
        stamp = field(value) if names else stamps[at]
        if stamp is None:
            return text
        if has_own:
            members = orjson.loads(text)
            members.pop(_TIMESTAMP, None)
            text = orjson.dumps(members)
        return b'{"@timestamp":%b%b%b' % (orjson.dumps(stamp), b"," if text != b"{}" else b"", text[1:])

    return stamped


def _field_reader(schema: Schema | None, names: Sequence[str]) -> Callable[[Any], str | None]:
    if schema is None or schema.type is not Type.STRUCT:
        return lambda value: next((str(value[n]) for n in names if value.get(n) is not None), None)
    known = [(schema.index(name), schema.field(name)) for name in names]
    places = [(at, *_UNITS.get(f.schema.name or "", (1, 1))) for at, f in known if at is not None and f is not None]

    def read(row: Any) -> str | None:
        for at, times, by in places:
            value = row[at]
            if value is not None:
                return str(value * times // by) if isinstance(value, int) else str(value)
        return None

    return read
