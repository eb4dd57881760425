"""A config -> the parts that a source is built of: connection, filters and shapes, names, heartbeats, signals."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

from cdc import naming_keys
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
from cdc.record import Headers
from cdc.table import Column, Predicate, any_of
from cdc.transactions import Transactions

HISTORY_CLIENT: Final = (
    "database.history.consumer.", "schema.history.internal.consumer.",
    "database.history.producer.", "schema.history.internal.producer.",
)  # fmt: skip


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


def capture(config: MySqlConfig, raw: Raw, headers: Headers = ()) -> Capture:
    envelopes = EnvelopeSettings(
        prefix=config.topic_prefix,
        source=source_info.schema(config.flavor.name),
        tombstones=config.tombstones,
        name_adjustment=config.schema_names,
        field_name_adjustment=naming_keys.field_names(config, raw),
        headers=headers,
        naming=naming_keys.naming(config, raw, "Default"),
        skip_unchanged=config.skip_unchanged,
    )
    types = type_options(config)
    column_masks = Masks[Column](raw, lambda name, column: is_propagated(name, column, types))
    return Capture(config, envelopes, types, column_masks, CustomConverters(raw) if config.converters else None)


def heartbeat(config: MySqlConfig, action: HeartbeatQuery | None) -> Heartbeat | None:
    if not config.heartbeat_ms:
        return None
    topic = naming_keys.heartbeat_topic(config)
    return Heartbeat(config.topic_prefix, config.heartbeat_ms, started=time.time_ns(), topic=topic,
                     action=action.run if action is not None else lambda: None)  # fmt: skip


def transactions(config: MySqlConfig, position: Position) -> Transactions | None:
    if not config.transaction_metadata:
        return None
    return Transactions(naming_keys.transaction_topic(config), config.schema_names, position.transaction)


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
