"""`io.confluent.connect.s3.S3SinkConnector`: its config to a sink, and what is looked at before it starts."""

from __future__ import annotations

from typing import Final
from uuid import uuid4

from cdc.avro.schema import AvroForm
from cdc.connector import Raw, SinkConnector
from cdc.errors import Problem, TargetError
from sinks.s3.compaction import Merging
from sinks.s3.folder import FolderStore
from sinks.s3.formats import Format
from sinks.s3.formats.avro import AvroFormat
from sinks.s3.formats.compression import SUFFIXES, compression
from sinks.s3.formats.lines import BytesFormat, JsonFormat
from sinks.s3.keys import AVRO, JSON, PARQUET, PROVIDER_PREFIX, S3Config, parsed
from sinks.s3.open_file import Side
from sinks.s3.partition import (
    HOUR_MS,
    DefaultPartitioner,
    FieldPartitioner,
    Partitioner,
    SchemaPartitioner,
    TimePartitioner,
    Times,
    field_time,
    record_time,
    wallclock,
)
from sinks.s3.rotation import Rotation
from sinks.s3.schema_fit import Compatibility
from sinks.s3.sink import Layout, S3Sink
from sinks.s3.store import Store
from sinks.s3.times import zone

CLASS_NAME: Final = "io.confluent.connect.s3.S3SinkConnector"
_MISSING: Final = "the S3 sink needs boto3 and pyarrow, which are not installed: pip install 'tailrace[s3]'"


def build(raw: Raw) -> S3Sink:
    """Raises: ConfigError; TargetError: an extra is not installed."""
    config = parsed(raw)
    return S3Sink(layout(config), _store(config, raw), uuid4().hex)


def check(raw: Raw) -> list[Problem]:
    """Writes and deletes a small object. Raises: ConfigError."""
    config = parsed(raw)
    try:
        store = _store(config, raw)
        layout(config)
    except TargetError as error:
        return [Problem("connector.class", str(error))]
    try:
        return store.check()
    finally:
        store.close()


def _store(config: S3Config, raw: Raw) -> Store:
    if config.folder is not None:
        return FolderStore(config.folder, config.bucket)
    try:
        from sinks.s3.bucket import BucketStore
        from sinks.s3.client import client
    except ImportError as error:
        raise TargetError(_MISSING) from error
    return BucketStore(config, client(config, raw))


def layout(config: S3Config) -> Layout:
    """Raises: TargetError: an extra is not installed."""
    sides = _sides(config)
    return Layout(
        sides=sides,
        partitioner=_partitioner(config),
        rotation=_rotation(config),
        name=lambda topic, partition, path, offset: _name(config, topic, partition, path, offset),
        on_null=config.on_null,
        tombstones=config.tombstones,
        report_nulls=config.report_nulls,
        tags=_tags(config),
        memory_bytes=config.memory_bytes,
        merging=_merging(config, sides[-1].format.extension),
    )


def _merging(config: S3Config, suffix: str) -> Merging | None:
    if config.merge_bytes < 0:
        return None
    return Merging(config.merge_bytes, config.offset_width, suffix, _tags(config))


def _name(config: S3Config, topic: str, partition: int, path: str, offset: int) -> str:
    file = config.file_delimiter.join((topic, str(partition), f"{offset:0{config.offset_width}d}"))
    folders = (topic, path, file)
    return config.delimiter.join(folders if not config.topics_dir.strip() else (config.topics_dir, *folders))


def _sides(config: S3Config) -> list[Side]:
    sides: list[Side] = []
    if config.with_headers:
        wrap = None if config.headers_format == AVRO else "headers"
        sides.append(Side(".headers", _format(config.headers_format, config), wrap))
    if config.with_keys:
        wrap = "key" if config.keys_format == PARQUET else None
        sides.append(Side(".keys", _format(config.keys_format, config), wrap))
    return [*sides, Side("", _format(config.format, config))]


def _format(name: str, config: S3Config) -> Format:
    compress, suffix = compression(config.compression, config.level), SUFFIXES[config.compression]
    if name == JSON:
        return JsonFormat(compress, suffix, numeric=config.decimals == "NUMERIC")
    if name == AVRO:
        form = AvroForm(enhanced=config.enhanced, metadata=config.metadata, optional_keys=config.optional_keys)
        return AvroFormat(config.avro_codec, form)
    if name == PARQUET:
        try:
            from sinks.s3.formats.parquet import ParquetFormat
        except ImportError as error:
            raise TargetError(_MISSING) from error
        return ParquetFormat(config.parquet_codec)
    separator = "\n" if config.separator is None else config.separator
    return BytesFormat(compress, suffix, config.bytes_extension, separator.encode())


def _partitioner(config: S3Config) -> Partitioner:
    inner = _plain_partitioner(config)
    if config.affix == "NONE":
        return inner
    return SchemaPartitioner(inner, config.delimiter, prefix=config.affix == "PREFIX")


def _plain_partitioner(config: S3Config) -> Partitioner:
    folder = config.delimiter
    day = folder.join(("'year'=YYYY", "'month'=MM", "'day'=dd"))
    match config.partitioner.rpartition(".")[2]:
        case "FieldPartitioner":
            return FieldPartitioner(config.field_names, folder)
        case "DailyPartitioner":
            return _by_time(config, day, 24 * HOUR_MS)
        case "HourlyPartitioner":
            return _by_time(config, f"{day}{folder}'hour'=HH", HOUR_MS)
        case "TimeBasedPartitioner":
            return _by_time(config, config.path_format.removesuffix(folder), config.duration_ms)
    return DefaultPartitioner()


def _by_time(config: S3Config, pattern: str, duration_ms: int) -> TimePartitioner:
    times: dict[str, Times] = {
        "Wallclock": wallclock, "Record": record_time, "RecordField": field_time(config.time_field),
    }  # fmt: skip
    return TimePartitioner(pattern, duration_ms, zone(config.timezone), config.locale, times[config.extractor])


def _rotation(config: S3Config) -> Rotation:
    return Rotation(
        records=config.flush_size,
        bytes=max(config.target_bytes, 0),
        interval_ms=max(config.rotate_ms, 0),
        by_clock=config.extractor == "Wallclock",
        on_change=config.rotate_on_change,
        schedule_ms=max(config.schedule_ms, 0),
        zone=zone(config.timezone or "UTC"),
        open_files=max(config.open_files, 0),
        compatibility=Compatibility(config.compatibility),
        separate=config.tombstones if config.on_null == "write" else None,
    )


def _tags(config: S3Config) -> list[tuple[str, str]] | None:
    if not config.tagging:
        return None
    return [(name.strip(), value.strip()) for name, _, value in (pair.partition(":") for pair in config.tags)]


S3: Final = SinkConnector(
    class_name=CLASS_NAME,
    version="12.1.0",
    config=S3Config,
    build=build,
    prefixes=(PROVIDER_PREFIX,),
    check=check,
)
