"""What an Elasticsearch sink reads from its connector config.

Names and defaults are those of Confluent's sink 15.1 (`ElasticsearchSinkConnectorConfig`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from cdc.config import Importance, Password, at_least, between, key

LOW: Final = Importance.LOW
CONNECTOR, DATA, PROXY, SECURITY = "Connector", "Data Conversion", "Proxy", "Security"
_DAY_MS: Final = 86_400_000
_INT_MAX: Final = 2**31 - 1

RETIRED: Final[Mapping[str, str]] = MappingProxyType({
    "type.name": "indices have no types since Elasticsearch 7: every document is a _doc; remove type.name",
    "topic.index.map": "an index is named after its topic; rename topics with the transform "
                       "org.apache.kafka.connect.transforms.RegexRouter, or name existing indices in "
                       "topic.to.external.resource.mapping",
    "auto.create.indices.at.start": "an index is created when the first record for it comes; remove "
                                    "auto.create.indices.at.start",
})  # fmt: skip
"""Settings of older releases that do nothing -> what is used now."""


def _stream_part(value: str) -> str | None:
    if len(value) > 100:
        return "it must be no longer than 100 characters"
    if value != value.lower():
        return "it must be all lower case"
    if found := re.search(r'[\\/*?"<>| ,#\-:]', value):
        return f'it must not contain {found[0]!r}, nor any of \\ / * ? " < > | , # - : or a space'
    return None


@dataclass(frozen=True, kw_only=True)
class ElasticsearchConfig:
    """The settings, typed; rules.py checks them against each other."""

    urls: tuple[str, ...] = key(
        "connection.url", importance=Importance.HIGH, group=CONNECTOR, width="LONG", label="Connection URLs",
        doc="Elasticsearch's or OpenSearch's addresses, `http://host:9200`; any of them is used. One that begins with "
            "https: makes all of them https; without a protocol they are http.",
    )  # fmt: skip
    username: str | None = key(
        "connection.username", default=None, doc="User for basic authentication.", group=CONNECTOR
    )
    password: Password | None = key("connection.password", default=None, doc="Its password.", group=CONNECTOR)
    api_key: Password | None = key(
        "connection.api.key", default=None, group=CONNECTOR,
        doc="An encoded API key, instead of user and password. Not of Confluent's sink.",
    )  # fmt: skip
    external: str = key(
        "external.resource.usage", default="disabled", importance=Importance.HIGH, group=CONNECTOR,
        values=("index", "datastream", "alias_index", "alias_datastream", "disabled"),
        doc="What `topic.to.external.resource.mapping` names. disabled: indices or data streams are named after topics "
            "and created.",
    )  # fmt: skip
    mapping: tuple[str, ...] = key(
        "topic.to.external.resource.mapping", default=(), importance=Importance.HIGH, group=CONNECTOR, width="LONG",
        doc="`topic:resource` for every topic: an index, data stream or alias that is there already.",
    )  # fmt: skip
    most_mappings: int = key(
        "max.external.resource.mappings", default=15, check=at_least(1), group=CONNECTOR,
        doc="Most entries of `topic.to.external.resource.mapping`.",
    )  # fmt: skip
    stream_type: str = key(
        "data.stream.type", default="none", values=("logs", "metrics", "none"), importance=LOW, group=CONNECTOR,
        doc="First part of the name of the data stream that documents go to; none: they go to an index.",
    )  # fmt: skip
    dataset: str = key(
        "data.stream.dataset", default="", check=_stream_part, importance=LOW, group=CONNECTOR,
        doc="Second part of the data stream's name.",
    )  # fmt: skip
    namespace: str = key(
        "data.stream.namespace", default="${topic}", importance=LOW, group=CONNECTOR,
        check=lambda value: _stream_part(value.replace("${topic}", "")),
        doc="Third part of the data stream's name; `${topic}` stands for the topic.",
    )  # fmt: skip
    timestamps: tuple[str, ...] = key(
        "data.stream.timestamp.field", default=(), importance=LOW, group=CONNECTOR,
        doc="Fields for a data stream's `@timestamp`: the first of them that a document has. Micro- and nanoseconds of "
            "Debezium's types become milliseconds. Empty: the record's timestamp.",
    )  # fmt: skip
    batch_size: int = key(
        "batch.size", default=2000, check=between(1, 1_000_000), group=CONNECTOR,
        doc="Most records of one bulk request.",
    )  # fmt: skip
    bulk_bytes: int = key(
        "bulk.size.bytes", default=5 * 2**20, type="LONG", check=between(-1, _INT_MAX), importance=LOW, group=CONNECTOR,
        doc="Most bytes of one bulk request; -1: no limit.",
    )  # fmt: skip
    max_in_flight: int = key(
        "max.in.flight.requests", default=5, check=between(1, 1000), group=CONNECTOR,
        doc="Most bulk requests that are on their way at a time.",
    )  # fmt: skip
    max_buffered: int = key(
        "max.buffered.records", default=20000, check=between(1, _INT_MAX), importance=LOW, group=CONNECTOR,
        doc="Records that are read before Elasticsearch has taken the first of them. Memory is bounded by bytes too: "
            "`bulk.size.bytes` for each request that may be on its way, and one more.",
    )  # fmt: skip
    linger_ms: int = key(
        "linger.ms", default=1, type="LONG", check=between(0, 7 * _DAY_MS), importance=LOW, group=CONNECTOR,
        doc="Milliseconds that a bulk request which is not full waits for more records.",
    )  # fmt: skip
    flush_ms: int = key(
        "flush.timeout.ms", default=180000, type="LONG", check=between(1000, 7 * _DAY_MS), importance=LOW,
        group=CONNECTOR,
        doc="Milliseconds after which a request that is still on its way counts as an outage, which is waited out and "
            "shown in the status; Confluent's task fails then.",
    )  # fmt: skip
    flush_synchronously: bool = key(
        "flush.synchronously", default=False, importance=LOW, group=CONNECTOR,
        doc="Finish what was read before more is read. Confluent's sink needs it for transforms that change topics; "
            "here it only costs speed.",
    )  # fmt: skip
    max_retries: int = key(
        "max.retries", default=5, check=between(0, _INT_MAX), importance=LOW, group=CONNECTOR,
        doc="How often documents that a busy server put off (429, 503) are sent again at once. After that the task "
            "waits as for any outage: it never fails for one.",
    )  # fmt: skip
    retry_backoff_ms: int = key(
        "retry.backoff.ms", default=100, type="LONG", check=between(0, _DAY_MS), importance=LOW, group=CONNECTOR,
        doc="Most milliseconds before the first of these retries; twice as many before each further one. The actual "
            "time is drawn at random.",
    )  # fmt: skip
    compression: bool = key(
        "connection.compression", default=False, importance=LOW, group=CONNECTOR, doc="Compress requests by gzip."
    )
    idle_ms: int = key(
        "max.connection.idle.time.ms", default=60000, check=between(-1, _DAY_MS), importance=LOW, group=CONNECTOR,
        doc="Accepted as Confluent's sink has it: a connection that the server closed is opened again.",
    )  # fmt: skip
    connect_ms: int = key(
        "connection.timeout.ms", default=1000, check=between(0, _DAY_MS // 2), importance=LOW, group=CONNECTOR,
        doc="Milliseconds to wait for a connection.",
    )  # fmt: skip
    read_ms: int = key(
        "read.timeout.ms", default=3000, check=between(0, 7 * _DAY_MS), importance=LOW, group=CONNECTOR,
        doc="Milliseconds to wait for an answer, at least 30,000 for bulk requests.",
    )  # fmt: skip
    generated_ids: bool = key(
        "use.autogenerated.ids", default=False, group=CONNECTOR,
        doc="Let Elasticsearch make the ids (with `write.method=insert`): records sent again stand there twice.",
    )  # fmt: skip
    key_ignore: bool = key(
        "key.ignore", default=False, importance=Importance.HIGH, group=DATA,
        doc="Document id: false: the record key; true: `topic+partition+offset`.",
    )  # fmt: skip
    schema_ignore: bool = key(
        "schema.ignore", default=False, importance=LOW, group=DATA,
        doc="false: the mapping is made from the record's schema; true: Elasticsearch guesses it.",
    )  # fmt: skip
    compact_maps: bool = key(
        "compact.map.entries", default=True, importance=LOW, group=DATA,
        doc="Maps with string keys as objects; false: as lists of key and value.",
    )  # fmt: skip
    topics_key_ignore: tuple[str, ...] = key(
        "topic.key.ignore", default=(), importance=LOW, group=DATA, doc="Topics for which `key.ignore` is true."
    )
    topics_schema_ignore: tuple[str, ...] = key(
        "topic.schema.ignore", default=(), importance=LOW, group=DATA, doc="Topics for which `schema.ignore` is true."
    )
    drop_invalid: bool = key(
        "drop.invalid.message", default=False, importance=LOW, group=DATA,
        doc="Leave out records that cannot become a document instead of failing.",
    )  # fmt: skip
    on_null: str = key(
        "behavior.on.null.values", default="fail", values=("ignore", "delete", "fail"), importance=LOW, group=DATA,
        doc="A record with a key and no value (a tombstone): leave out, delete the document, or fail.",
    )  # fmt: skip
    on_malformed: str = key(
        "behavior.on.malformed.documents", default="fail", values=("ignore", "warn", "fail"), importance=LOW,
        group=DATA,
        doc="A document that Elasticsearch refuses for its content: leave out, warn and leave out, or fail.",
    )  # fmt: skip
    version_header: str = key(
        "external.version.header", default="", importance=LOW, group=DATA,
        doc="Header that holds a document's version, a number; empty: see `tailrace.document.version`.",
    )  # fmt: skip
    write_method: str = key(
        "write.method", default="insert", values=("insert", "upsert"), importance=LOW, group=DATA,
        doc="insert: the document is replaced; upsert: its fields are merged into what is there. Fields that hold "
            "Debezium's __debezium_unavailable_value keep what is there with both.",
    )  # fmt: skip
    version_from: str = key(
        "tailrace.document.version", default="offset", values=("offset", "source"), importance=LOW, group=DATA,
        doc="The version of a document: the record's offset, or the position of its change in the source database, "
            "which goes on when the topic is made anew. source needs Debezium's envelope, or with "
            "`ExtractNewRecordState` its `add.headers=source.file,source.pos,source.row` (PostgreSQL: `source.lsn`).",
    )  # fmt: skip
    proxy_host: str = key("proxy.host", default="", importance=LOW, group=PROXY, doc="HTTP proxy to connect through.")
    proxy_port: int = key("proxy.port", default=8080, check=between(1, 65535), importance=LOW, group=PROXY,
                          doc="Its port.")  # fmt: skip
    proxy_username: str = key("proxy.username", default="", importance=LOW, group=PROXY, doc="User at the proxy.")
    proxy_password: Password | None = key("proxy.password", default=None, importance=LOW, group=PROXY,
                                          doc="Its password.")  # fmt: skip
    security: str = key(
        "elastic.security.protocol", default="PLAINTEXT", values=("PLAINTEXT", "SSL"), group=SECURITY,
        doc="SSL: the settings of `elastic.https.*` apply to https addresses.",
    )  # fmt: skip
    truststore: str | None = key(
        "elastic.https.ssl.truststore.location", default=None, group=SECURITY,
        doc="File of the certificates to trust, PEM or PKCS #12; the system's when not set.",
    )  # fmt: skip
    truststore_password: Password | None = key(
        "elastic.https.ssl.truststore.password", default=None, group=SECURITY, doc="Opens a PKCS #12 trust store."
    )
    truststore_type: str | None = key(
        "elastic.https.ssl.truststore.type", default=None, group=SECURITY,
        doc="Accepted; the file itself tells its type.",
    )  # fmt: skip
    keystore: str | None = key(
        "elastic.https.ssl.keystore.location", default=None, group=SECURITY,
        doc="File of the client's certificate and key, PEM or PKCS #12.",
    )  # fmt: skip
    keystore_password: Password | None = key(
        "elastic.https.ssl.keystore.password", default=None, group=SECURITY, doc="Opens a PKCS #12 key store."
    )
    key_password: Password | None = key(
        "elastic.https.ssl.key.password", default=None, group=SECURITY, doc="Opens the key of a PEM file."
    )
    keystore_type: str | None = key(
        "elastic.https.ssl.keystore.type", default=None, group=SECURITY, doc="Accepted; the file itself tells its type."
    )
    protocols: tuple[str, ...] = key(
        "elastic.https.ssl.enabled.protocols", default=(), group=SECURITY,
        doc="TLS versions to offer, of `TLSv1.2` and `TLSv1.3`; both when not set.",
    )  # fmt: skip
    hostname_check: str = key(
        "elastic.https.ssl.endpoint.identification.algorithm", default="https", group=SECURITY,
        doc="Empty: the certificate need not name the host.",
    )  # fmt: skip
    kerberos_principal: str | None = key(
        "kerberos.user.principal", default=None, importance=LOW, group="Kerberos",
        doc="Not supported: refused by name. Use an API key or a user.",
    )  # fmt: skip
    kerberos_keytab: str | None = key(
        "kerberos.keytab.path", default=None, importance=LOW, group="Kerberos",
        doc="Not supported: refused by name. Use an API key or a user.",
    )  # fmt: skip

    @property
    def uses_external(self) -> bool:
        return self.external != "disabled"

    @property
    def is_stream(self) -> bool:
        """Whether documents go to data streams, which take new documents only."""
        if self.uses_external:
            return self.external in ("datastream", "alias_datastream")
        return self.stream_type != "none"

    @property
    def is_upsert(self) -> bool:
        return self.write_method == "upsert"

    def ignores_key(self, topic: str) -> bool:
        return self.key_ignore or topic in self.topics_key_ignore or (self.generated_ids and not self.is_upsert)

    def ignores_schema(self, topic: str) -> bool:
        return self.schema_ignore or topic in self.topics_schema_ignore

    def resources(self) -> dict[str, str]:
        """Topic -> resource, of a config that was checked."""
        return {
            topic.strip(): resource.strip() for topic, _, resource in (each.partition(":") for each in self.mapping)
        }
