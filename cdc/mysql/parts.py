"""A config -> the parts that a source is built of: connection, filters and shapes, names, heartbeats, signals."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

from cdc.connector import Raw
from cdc.envelope import EnvelopeSettings
from cdc.heartbeat import Heartbeat
from cdc.heartbeat_query import HeartbeatQuery
from cdc.keys.texts import patterns
from cdc.masks import Masks
from cdc.mysql import source_info, wire
from cdc.mysql.capture import Capture
from cdc.mysql.config import MySqlConfig
from cdc.mysql.custom_converters import CustomConverters
from cdc.mysql.offset import Position
from cdc.mysql.types import TypeOptions, is_propagated
from cdc.record import Headers, SourceContext
from cdc.signal_file import SignalFile
from cdc.signals import FILE, KAFKA, Channel, Messages
from cdc.table import Predicate, any_of
from cdc.topic_naming import RegexNaming, TopicNaming
from cdc.transactions import Transactions

_AVRO_CONVERTERS: Final = frozenset(
    ("io.confluent.connect.avro.AvroConverter", "io.apicurio.registry.utils.converter.AvroConverter")
)
HISTORY_CLIENT: Final = (
    "database.history.consumer.", "schema.history.internal.consumer.",
    "database.history.producer.", "schema.history.internal.producer.",
)  # fmt: skip
SIGNAL_CLIENT: Final = "signal.consumer."


def settings(config: MySqlConfig) -> wire.Settings:
    return wire.Settings(
        host=config.host,
        port=config.port,
        user=config.user,
        password=config.password,
        ssl_mode=config.flavor.ssl_modes.get(config.ssl_mode, config.ssl_mode),
        truststore=config.ssl_truststore,
        truststore_password=config.ssl_truststore_password,
        keystore=config.ssl_keystore,
        keystore_password=config.ssl_keystore_password,
        connect_timeout_ms=config.connect_timeout_ms or 30_000,
        net_write_timeout_s=config.net_write_timeout_s,
        net_read_timeout_s=config.net_read_timeout_s,
        flavor=config.flavor,
    )


def type_options(config: MySqlConfig) -> TypeOptions:
    return TypeOptions(
        decimal=config.decimal_mode,
        bigint_unsigned=config.bigint_unsigned,
        binary=config.binary_mode,
        time_precision=config.time_precision,
        adjust_years=config.adjust_years,
        invalid_as_epoch=config.event_failure_mode != "fail",
        fail_on_failure=config.convert_failure_mode == "fail",
        propagate=any_of(config.propagate_columns) if config.propagate_columns else None,
        propagate_types=any_of(config.propagate_types) if config.propagate_types else None,
    )


def _field_names(config: MySqlConfig, raw: Raw) -> str:
    """A connector that names an Avro converter itself gets field names that Avro allows, as in Debezium."""
    avro = {raw.get("key.converter"), raw.get("value.converter")} & _AVRO_CONVERTERS
    return "avro" if avro and config.field_names == "none" else config.field_names


def capture(config: MySqlConfig, raw: Raw, headers: Headers = ()) -> Capture:
    envelopes = EnvelopeSettings(
        prefix=config.topic_prefix,
        source=source_info.schema(config.flavor.name),
        tombstones=config.tombstones,
        name_adjustment=config.schema_names,
        field_name_adjustment=_field_names(config, raw),
        headers=headers,
        naming=naming(config, raw),
        skip_unchanged=config.skip_unchanged,
    )
    types = type_options(config)
    column_masks = Masks(raw, lambda name, column: is_propagated(name, column, types))
    return Capture(config, envelopes, types, column_masks, CustomConverters(raw) if config.converters else None)


def regex_naming(config: MySqlConfig) -> RegexNaming:
    return RegexNaming(
        regex=config.topic_regex,
        replacement=config.topic_replacement,
        unique=config.topic_key_unique,
        key_field=config.topic_key_field,
        key_regex=config.topic_key_regex,
        key_replacement=config.topic_key_replacement,
    )


def naming(config: MySqlConfig, raw: Raw) -> TopicNaming:
    return TopicNaming(
        config.topic_prefix,
        # Debezium's definition names another default than its MySQL connector has.
        strategy=config.topic_naming if raw.get("topic.naming.strategy") else None,
        delimiter=config.topic_delimiter,
        regex=regex_naming(config),
    )


def heartbeat(config: MySqlConfig, raw: Raw, action: HeartbeatQuery | None) -> Heartbeat | None:
    if not config.heartbeat_ms:
        return None
    start = config.topic_heartbeat_prefix or config.heartbeat_topics_prefix
    name = config.topic_heartbeat_name or naming(config, raw).beside(start, config.topic_prefix)
    return Heartbeat(config.topic_prefix, config.heartbeat_ms, started=time.time_ns(), topic=name,
                     action=action.run if action is not None else lambda: None)  # fmt: skip


def transactions(config: MySqlConfig, raw: Raw, position: Position) -> Transactions | None:
    if not config.transaction_metadata:
        return None
    old_name = (config.transaction_topic or "").replace("${database.server.name}", config.topic_prefix)
    topic = old_name or naming(config, raw).beside(config.topic_prefix, config.topic_transaction)
    return Transactions(topic, config.schema_names, position.transaction)


def history_client(config: MySqlConfig, raw: Raw) -> Mapping[str, str]:
    """Kafka client settings of the history topic; the producer's win over the consumer's."""
    client: dict[str, str] = {}
    for prefix in HISTORY_CLIENT:
        client.update({name.removeprefix(prefix): value for name, value in raw.items() if name.startswith(prefix)})
    if config.history_servers:
        client["bootstrap.servers"] = config.history_servers
    return client


def ignored(config: MySqlConfig) -> Predicate | None:
    found = patterns(config.history_ddl_filter or "")
    return any_of([f"(?s:{pattern})" for pattern in found]) if found else None


def channels(config: MySqlConfig, raw: Raw, context: SourceContext) -> list[Channel]:
    """Where signals come from beside the signal table; those of REST are always taken."""
    found: list[Channel] = []
    if FILE in config.signal_channels:
        found.append(SignalFile(config.signal_file))
    if KAFKA in config.signal_channels and context.subscribe is not None:
        topic = config.signal_topic or f"{config.topic_prefix}-signal"
        client = {
            name.removeprefix(SIGNAL_CLIENT): text for name, text in raw.items() if name.startswith(SIGNAL_CLIENT)
        }  # fmt: skip
        if config.signal_servers:
            client["bootstrap.servers"] = config.signal_servers
        found.append(Messages(context.subscribe(topic, config.signal_group, client), config.topic_prefix))
    if context.orders is not None:
        found.append(Messages(context.orders))
    return found
