"""Batches of records to Elasticsearch documents, by `_bulk` with external versions: writing twice changes nothing.

Equal to Confluent's Elasticsearch sink in ids, versions, index names and documents; it differs in that an outage
is waited out instead of failing after `max.retries`, and in that a struct key of one field is its field.
Source: Confluent kafka-connect-elasticsearch 15.1; Elasticsearch's bulk and external-version reference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from http.client import responses
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import orjson
import structlog

from cdc.config import Importance, Password, at_least, between, key, parse
from cdc.connector import Raw, SinkConnector
from cdc.errors import ConfigError, Problem, TargetError, TargetUnavailable
from cdc.record import NULL, Batch, Rejected
from cdc.schema import Schema, Type
from sinks.documents import document, mapping, told

CONNECTOR, DATA, SECURITY = "Connector", "Data Conversion", "Security"
_MALFORMED = (
    "strict_dynamic_mapping_exception", "mapper_parsing_exception", "illegal_argument_exception",
    "action_request_validation_exception", "document_parsing_exception",
)  # fmt: skip
_BUSY = (429, 503)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class ElasticsearchConfig:
    """What an Elasticsearch sink reads from its connector config."""

    urls: tuple[str, ...] = key(
        "connection.url", doc="Elasticsearch's addresses, `http://host:9200`; any of them is used.",
        importance=Importance.HIGH, group=CONNECTOR,
    )  # fmt: skip
    username: str | None = key(
        "connection.username", default=None, doc="User for basic authentication.", group=CONNECTOR
    )
    password: Password | None = key("connection.password", default=None, doc="Its password.", group=CONNECTOR)
    api_key: Password | None = key(
        "connection.api.key", default=None, doc="An encoded API key, instead of user and password.", group=CONNECTOR
    )
    batch_size: int = key(
        "batch.size",
        default=2000,
        doc="Most records of one bulk request.",
        check=between(1, 1_000_000),
        group=CONNECTOR,
    )
    bulk_bytes: int = key(
        "bulk.size.bytes", default=5 * 2**20, type="LONG", doc="Most bytes of one bulk request; -1: no limit.",
        check=at_least(-1), group=CONNECTOR,
    )  # fmt: skip
    compression: bool = key("connection.compression", default=False, doc="Compress requests by gzip.", group=CONNECTOR)
    connect_ms: int = key(
        "connection.timeout.ms", default=1000, doc="Milliseconds to wait for a connection.", check=at_least(0),
        group=CONNECTOR,
    )  # fmt: skip
    read_ms: int = key(
        "read.timeout.ms", default=3000, doc="Milliseconds to wait for an answer, at least 30,000 for bulk requests.",
        check=at_least(0), group=CONNECTOR,
    )  # fmt: skip
    max_retries: int = key(
        "max.retries", default=5, check=at_least(0), group=CONNECTOR,
        doc="Accepted as Confluent's sink has it. An Elasticsearch that is away or busy is retried until it answers.",
    )  # fmt: skip
    retry_backoff_ms: int = key(
        "retry.backoff.ms", default=100, type="LONG", check=at_least(0), group=CONNECTOR,
        doc="Accepted as Confluent's sink has it; the worker's back-off is used.",
    )  # fmt: skip
    max_in_flight: int = key(
        "max.in.flight.requests", default=5, check=between(1, 1000), group=CONNECTOR,
        doc="Accepted as Confluent's sink has it; one request is on its way at a time.",
    )  # fmt: skip
    max_buffered: int = key(
        "max.buffered.records", default=20000, check=at_least(1), group=CONNECTOR,
        doc="Accepted as Confluent's sink has it; records are not buffered past one read of the log.",
    )  # fmt: skip
    linger_ms: int = key(
        "linger.ms", default=1, type="LONG", check=at_least(0), group=CONNECTOR,
        doc="Accepted as Confluent's sink has it; a bulk request goes out as soon as its records are there.",
    )  # fmt: skip
    flush_ms: int = key(
        "flush.timeout.ms", default=180000, type="LONG", check=at_least(0), group=CONNECTOR,
        doc="Accepted as Confluent's sink has it; records are in the index before their offset is committed.",
    )  # fmt: skip
    type_name: str = key(
        "type.name", default="_doc", group=DATA, importance=Importance.LOW,
        doc="Mapping type of Elasticsearch 6 and older. Accepted and without effect: indices have no types since 7.",
    )  # fmt: skip
    key_ignore: bool = key(
        "key.ignore", default=False, importance=Importance.HIGH, group=DATA,
        doc="Document id: false: the record key; true: `topic+partition+offset`.",
    )  # fmt: skip
    topics_key_ignore: tuple[str, ...] = key(
        "topic.key.ignore", default=(), doc="Topics for which `key.ignore` is true.", group=DATA
    )
    schema_ignore: bool = key(
        "schema.ignore", default=False, group=DATA,
        doc="false: the mapping is made from the record's schema; true: Elasticsearch guesses it.",
    )  # fmt: skip
    topics_schema_ignore: tuple[str, ...] = key(
        "topic.schema.ignore", default=(), doc="Topics for which `schema.ignore` is true.", group=DATA
    )
    compact_maps: bool = key(
        "compact.map.entries", default=True, group=DATA,
        doc="Maps with string keys as objects; false: as lists of key and value.",
    )  # fmt: skip
    drop_invalid: bool = key(
        "drop.invalid.message", default=False, group=DATA,
        doc="Leave out records that cannot become a document instead of failing.",
    )  # fmt: skip
    on_null: str = key(
        "behavior.on.null.values", default="fail", values=("ignore", "delete", "fail"), group=DATA,
        doc="A record with a key and no value (a tombstone): leave out, delete the document, or fail.",
    )  # fmt: skip
    on_malformed: str = key(
        "behavior.on.malformed.documents", default="fail", values=("ignore", "warn", "fail"), group=DATA,
        doc="A document that Elasticsearch refuses for its content: leave out, warn and leave out, or fail.",
    )  # fmt: skip
    write_method: str = key(
        "write.method", default="insert", values=("insert", "upsert"), group=DATA,
        doc="insert: the document is replaced; upsert: its fields are merged into what is there, but for those that "
            "hold __debezium_unavailable_value.",
    )  # fmt: skip
    security: str = key(
        "elastic.security.protocol", default="PLAINTEXT", values=("PLAINTEXT", "SSL"), group=SECURITY,
        doc="SSL: the settings of `elastic.https.*` apply to https addresses.",
    )  # fmt: skip
    ca: str | None = key(
        "elastic.https.ssl.truststore.location", default=None, group=SECURITY,
        doc="PEM file of the certificates to trust; the system's when not set.",
    )  # fmt: skip
    hostname_check: str = key(
        "elastic.https.ssl.endpoint.identification.algorithm", default="https", group=SECURITY,
        doc="Empty: the certificate need not name the host.",
    )  # fmt: skip
    data_stream: str = key(
        "data.stream.type", default="none", values=("none",), group="Data Stream",
        doc="Only `none` in this version: documents go to indices.",
    )  # fmt: skip


def _parse(raw: Raw) -> ElasticsearchConfig:
    config = parse(ElasticsearchConfig, raw)
    problems = [
        Problem("connection.url", f"Invalid value {url} for configuration connection.url: write it as http://host:9200")
        for url in config.urls
        if not _is_address(url)
    ]
    for name, chosen, topics in (
        ("key.ignore", config.key_ignore, config.topics_key_ignore),
        ("schema.ignore", config.schema_ignore, config.topics_schema_ignore),
    ):
        if chosen and topics:
            problems.append(Problem(name, f"{name}=true and topic.{name} say the same twice: remove one of them"))
    if config.ca and config.ca.lower().endswith((".jks", ".p12", ".pfx")):
        problems.append(
            Problem("elastic.https.ssl.truststore.location",
                    f"Invalid value {config.ca} for configuration elastic.https.ssl.truststore.location: "
                    "a PEM file is needed; write one with `keytool -list -rfc -keystore FILE`")
        )  # fmt: skip
    if problems:
        raise ConfigError(problems)
    return config


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _with_port(url: str) -> str:
    """The client wants a port; without one it is the scheme's, as in Confluent's sink."""
    parts = urlsplit(url)
    default = 443 if parts.scheme == "https" else 80
    return url if parts.port else urlunsplit(parts._replace(netloc=f"{parts.netloc.rstrip(':')}:{default}"))


def _without_user(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def index_name(topic: str) -> str:
    """The index of a topic: lower case, 255 characters, no leading `-` or `_`."""
    name = topic.lower()[:255]
    if name.startswith(("-", "_")):
        name = name[1:]
    return {".": "dot", "..": "dotdot"}.get(name, name)


@dataclass(frozen=True, slots=True)
class _Action:
    """One operation of a bulk request, and the record it is for."""

    batch: Batch
    index: int
    lines: bytes


class _Unfit(Exception):
    """A record that cannot become a document, before Elasticsearch has seen it."""


class ElasticsearchSink:
    """Writes one task's batches."""

    def __init__(self, config: ElasticsearchConfig) -> None:
        self._config = config
        self._client: Any = connect(config)
        self._mapped: set[tuple[str, Schema | None]] = set()

    def put(self, batches: Sequence[Batch]) -> Sequence[Rejected]:
        """Raises: TargetUnavailable: nothing or a part was written, repeat all; TargetError: a human is needed."""
        rejected: list[Rejected] = []
        actions: list[_Action] = []
        for batch in batches:
            self._prepare_index(batch)
            actions.extend(self._actions(batch, rejected))
        for request in self._requests(actions):
            rejected.extend(self._send(request))
        return rejected

    def close(self) -> None:
        self._client.close()

    def _prepare_index(self, batch: Batch) -> None:
        """Creates the index and, unless schemas are ignored, its mapping; once per index and schema."""
        index = index_name(batch.topic)
        schema = None if self._ignores_schema(batch.topic) else batch.value_schema
        known = (index, schema)
        if known in self._mapped:
            return
        indices = self._client.indices
        wanted = None if schema is None else mapping(schema, self._config.compact_maps)
        try:
            if not indices.exists(index=index) and self._created(index, wanted):
                wanted = None
            if wanted is not None and not self._has_mapping(index):
                indices.put_mapping(index=index, body=wanted)
        except Exception as error:
            raise failure(error, self._config) from error
        self._mapped.add(known)

    def _created(self, index: str, wanted: Mapping[str, Any] | None) -> bool:
        """False when another task was faster. Its shards are not waited for: the bulk request does that for all."""
        try:
            self._client.indices.create(index=index, mappings=wanted, wait_for_active_shards="0")
        except Exception as error:
            if "resource_already_exists_exception" in str(error):
                return False
            raise
        return True

    def _has_mapping(self, index: str) -> bool:
        return any(
            found["mappings"].get("properties") for found in self._client.indices.get_mapping(index=index).values()
        )

    def _ignores_schema(self, topic: str) -> bool:
        return self._config.schema_ignore or topic in self._config.topics_schema_ignore

    def _ignores_key(self, topic: str) -> bool:
        return self._config.key_ignore or topic in self._config.topics_key_ignore

    def _actions(self, batch: Batch, rejected: list[Rejected]) -> Iterable[_Action]:
        config = self._config
        ignore_key, ignore_schema = self._ignores_key(batch.topic), self._ignores_schema(batch.topic)
        if not ignore_schema and batch.value_schema is None and any(value is not None for value in batch.values):
            rejected.extend(self._unfit(batch, i, _NO_SCHEMA) for i, v in enumerate(batch.values) if v is not None)
            batch = batch.pick([i for i, value in enumerate(batch.values) if value is None])
        write = document(batch.value_schema, ignore_schema, config.compact_maps)
        identify = _document_id(batch.key_schema)
        index = orjson.dumps(index_name(batch.topic))
        upsert = config.write_method == "upsert"
        for i, (record_key, value, offset) in enumerate(
            zip(batch.keys, batch.values, batch.offsets or (), strict=True)
        ):
            try:
                if value is None or value is NULL:
                    if config.on_null == "fail":
                        raise _Unfit(_NULL_VALUE)
                    if config.on_null == "delete" and record_key is not None and not ignore_key:
                        head = _head(b"delete", index, identify(record_key), offset)
                        yield _Action(batch, i, head)
                    continue
                if ignore_key:
                    head = _head(b"index", index, f"{batch.topic}+{batch.partition}+{offset}", None)
                    yield _Action(batch, i, head + write(value) + b"\n")
                elif upsert:
                    body = told(write(value))
                    head = _head(b"update", index, identify(record_key), None)
                    yield _Action(batch, i, head + b'{"doc":' + body + b',"doc_as_upsert":true}\n')
                else:
                    head = _head(b"index", index, identify(record_key), offset)
                    yield _Action(batch, i, head + write(value) + b"\n")
            except (_Unfit, TypeError, ValueError) as error:
                rejected.append(self._unfit(batch, i, str(error)))

    def _unfit(self, batch: Batch, index: int, reason: str) -> Rejected:
        return Rejected(batch, index, reason, fatal=not self._config.drop_invalid)

    def _requests(self, actions: Sequence[_Action]) -> Iterable[list[_Action]]:
        """Bulk requests of at most `batch.size` records and `bulk.size.bytes`, but never less than one record."""
        most = self._config.bulk_bytes if self._config.bulk_bytes > 0 else 2**62
        request: list[_Action] = []
        size = 0
        for action in actions:
            if request and (len(request) >= self._config.batch_size or size + len(action.lines) > most):
                yield request
                request, size = [], 0
            request.append(action)
            size += len(action.lines)
        if request:
            yield request

    def _send(self, request: Sequence[_Action]) -> Iterable[Rejected]:
        try:
            answer = self._client.bulk(operations=[action.lines for action in request]).body
        except Exception as error:
            raise failure(error, self._config) from error
        if not answer["errors"]:
            return
        results = [next(iter(item.values())) for item in answer["items"]]
        if busy := [result for result in results if result["status"] in _BUSY]:
            raise TargetUnavailable(f"Elasticsearch is busy ({busy[0]['status']}): {_reason(busy[0])}")
        for action, result in zip(request, results, strict=True):
            # 409: a newer version is there already; 404: the document to delete is not
            if result["status"] < 400 or result["status"] in (404, 409):
                continue
            reason = f"document {result['_id']!r} of index {result['_index']!r} was refused: {_reason(result)}"
            malformed = any(name in reason for name in _MALFORMED)
            if not malformed:
                raise TargetError(reason)
            if self._config.on_malformed == "warn":
                kind = (result.get("error") or {}).get("type")
                _log.warning("document refused", index=result["_index"], id=result["_id"], error=kind)
            yield Rejected(action.batch, action.index, reason, fatal=self._config.on_malformed == "fail")


_NO_SCHEMA = (
    "the record has no schema, so no mapping can be made: set schema.ignore=true, "
    "or use a converter that carries schemas (value.converter.schemas.enable=true)"
)
_NULL_VALUE = (
    "the record has a null value and behavior.on.null.values=fail: set it to delete (removes the document) or ignore"
)
_NULL_KEY = "Key is used as document id and can not be null: set key.ignore=true, or give records a key"
_STRUCT_KEY = (
    "STRUCT is not supported as the document id when it has several fields: "
    "take one with the transform org.apache.kafka.connect.transforms.ExtractField$Key"
)
_INTEGERS = (Type.INT8, Type.INT16, Type.INT32, Type.INT64)


def _document_id(schema: Schema | None) -> Callable[[Any], str]:
    """The function from a record key to its document id."""
    if schema is not None and schema.type is Type.STRUCT:
        if len(schema.fields) != 1:
            return _refuse(_STRUCT_KEY)
        inner = _document_id(schema.fields[0].schema)
        return lambda value: inner(None if value is None or value is NULL else value[0])
    if schema is not None and schema.type is not Type.STRING and schema.type not in _INTEGERS:
        return _refuse(f"{schema.type.name} is not supported as the document id: use a string or integer key")
    return _text_id


def _refuse(reason: str) -> Callable[[Any], str]:
    def refused(value: Any) -> str:
        raise _Unfit(_NULL_KEY if value is None else reason)

    return refused


def _text_id(value: Any) -> str:
    if value is None or value is NULL:
        raise _Unfit(_NULL_KEY)
    if isinstance(value, dict) and len(value) == 1:
        (value,) = value.values()
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise _Unfit(f"{type(value).__name__} is not supported as the document id: use a string or integer key")
    if value == "":
        raise _Unfit("Key is used as document id and can not be empty")
    return str(value)


def _head(verb: bytes, index: bytes, identity: str, version: int | None) -> bytes:
    versioned = b"" if version is None else b',"version":%d,"version_type":"external"' % version
    return b'{"%s":{"_index":%s,"_id":%s%s}}\n' % (verb, index, orjson.dumps(identity), versioned)


def _reason(result: Mapping[str, Any]) -> str:
    error = result.get("error") or {}
    cause = (error.get("caused_by") or {}).get("reason")
    return f"{error.get('type')}: {error.get('reason')}" + (f" ({cause})" if cause else "")


def connect(config: ElasticsearchConfig) -> Any:
    """A client; nothing is sent yet. The client library is imported here, in the task that needs it."""
    from elasticsearch import Elasticsearch

    options: dict[str, Any] = {}
    if config.api_key is not None:
        options["api_key"] = config.api_key.reveal()
    elif config.username is not None:
        options["basic_auth"] = (config.username, config.password.reveal() if config.password else "")
    if any(url.startswith("https://") for url in config.urls):
        options["ssl_assert_hostname"] = bool(config.hostname_check)
        if config.ca:
            options["ca_certs"] = config.ca
    return Elasticsearch(
        [_with_port(url) for url in config.urls], request_timeout=max(config.read_ms, 30_000) / 1000,
        http_compress=config.compression, retry_on_timeout=False, max_retries=0, **options,
    )  # fmt: skip


def failure(error: Exception, config: ElasticsearchConfig) -> TargetError:
    """What a client error means: an outage to wait out, or something a human must mend."""
    from elastic_transport import ConnectionError as Unreachable
    from elastic_transport import ConnectionTimeout, TlsError
    from elasticsearch import ApiError, UnsupportedProductError

    where = "Elasticsearch at " + ", ".join(map(_without_user, config.urls))
    if isinstance(error, TlsError):
        return TargetError(f"no TLS connection to {where}: {error.message}; "
                           "set elastic.https.ssl.truststore.location to the CA's PEM file")  # fmt: skip
    if isinstance(error, Unreachable | ConnectionTimeout):
        return TargetUnavailable(f"{where} does not answer: {error.message}; check that it runs, and connection.url")
    if isinstance(error, UnsupportedProductError):
        return TargetError(f"{where} is something else: {error.message}; correct connection.url")
    if isinstance(error, ApiError):
        return _refused(error, where, config)
    return TargetError(f"{where}: {error}")


def _refused(error: Any, where: str, config: ElasticsearchConfig) -> TargetError:
    """What an answer other than success (the client's ApiError) means."""
    status = error.meta.status
    told = error.body.get("error") if isinstance(error.body, dict) else None
    # An answer to HEAD has no body.
    reason = _reason(error.body) if isinstance(told, dict) else error.message if error.body else responses.get(status)
    if status in (401, 403):
        return TargetError(
            f"{where} refuses access ({status}): {reason}; set connection.username and connection.password, or "
            "connection.api.key, of a user that may create_index, index, delete and view_index_metadata"
        )
    if status in (408, 429) or status >= 500:
        return TargetUnavailable(f"{where} is busy ({status}): {reason}")
    if status == 413:
        return TargetError(
            f"{where} takes no request this large: lower bulk.size.bytes (now {config.bulk_bytes}) below its "
            "http.max_content_length"
        )
    if "x-elastic-product" not in error.meta.headers:
        return TargetError(
            f"{where} does not speak the API of Elasticsearch 8 ({status}): {reason}; correct connection.url"
        )
    return TargetError(f"{where} refused a request ({status}): {reason}")


def _build(raw: Raw) -> ElasticsearchSink:
    return ElasticsearchSink(_parse(raw))


def _check(raw: Raw) -> list[Problem]:
    """Connects once, as `validate` promises."""
    config = _parse(raw)
    client = connect(config).options(request_timeout=max(config.connect_ms + config.read_ms, 1000) / 1000)
    try:
        client.info()
    except Exception as error:
        if getattr(getattr(error, "meta", None), "status", None) == 403:
            return []  # it is there, and who may write into indices need not be one who may ask for its version
        told = failure(error, config)
        at = "connection.username" if "refuses access" in str(told) else "connection.url"
        return [Problem(at, str(told))]
    finally:
        client.close()
    return []


ELASTICSEARCH = SinkConnector(
    class_name="io.confluent.connect.elasticsearch.ElasticsearchSinkConnector",
    version="15.1.0",
    config=ElasticsearchConfig,
    build=_build,
    check=_check,
)
