"""What the sink is told, whichever connector's keys said it."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The config of either connector class, in the sink's own words.

    Attributes:
        insert: insert, upsert or update.
        keys: none, kafka, record_key, record_value or record_header.
        key_fields: empty: all that the place has.
        table: format with `${topic}` and `${source.…}`.
        dots: whether a dot in a topic stays, and so separates schema and table; else it becomes `_`.
        quoted: whether identifiers are quoted; else the database folds their case.
        folded: names of columns (and on PostgreSQL of tables) are made lower case.
        include, exclude: names of fields, `topic:field` for one topic's.
        hibernate: column types as Debezium's sink (by Hibernate) names them, else as Confluent's.
        defaults: a null of a field with a default is written as the default.
        lenient: records without a value are passed over when deletes are off; else they are refused.
        zone: in which instants without a zone in their column are written.
        timestamp_fields: fields of integers (or text) that are instants, and what they count.
        placeholder: stands for a value that the source's log does not hold.
        offsets_table: keeps the offsets of what is written, in the same transaction; empty: none.
    """

    connector: str
    insert: str
    keys: str
    key_fields: tuple[str, ...]
    deletes: bool
    truncates: bool
    create: bool
    evolve: bool
    table: str
    dots: bool
    quoted: bool
    folded: bool
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    hibernate: bool
    defaults: bool
    lenient: bool
    batch_size: int
    zone: ZoneInfo
    timestamp_fields: tuple[str, ...] = ()
    timestamp_micros: int = 1_000
    string_column: str = "record_value"
    postgis: str = "public"
    placeholder: str = "__debezium_unavailable_value"
    offsets_table: str = ""
    holdlock: bool = True
