"""The config keys of the S3 sink, as Confluent's sink declares them, and what of them does not go together."""

from __future__ import annotations

import re
from base64 import b64decode
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

from cdc.config import Importance, Password, at_least, between, key, parse
from cdc.connector import Raw
from cdc.errors import ConfigError, Problem
from sinks.s3.times import problem_of_pattern, problem_of_zone

HIGH, MEDIUM, LOW = Importance.HIGH, Importance.MEDIUM, Importance.LOW
CONNECTOR, STORAGE, PARTITIONER, S3, SIDES = "Connector", "Storage", "Partitioner", "S3", "Keys and Headers"
FORMATS: Final = {
    name: f"io.confluent.connect.s3.format.{name}"
    for name in ("json.JsonFormat", "avro.AvroFormat", "parquet.ParquetFormat", "bytearray.ByteArrayFormat")
}
PARTITIONERS: Final = tuple(
    f"io.confluent.connect.storage.partitioner.{name}"
    for name in ("DefaultPartitioner", "FieldPartitioner", "TimeBasedPartitioner", "DailyPartitioner",
                 "HourlyPartitioner")
)  # fmt: skip
JSON, AVRO, PARQUET, BYTES = FORMATS.values()
DEFAULT_CHAIN: Final = "software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider"
ASSUME_ROLE: Final = "io.confluent.connect.s3.auth.AwsAssumeRoleCredentialsProvider"
ANONYMOUS: Final = "software.amazon.awssdk.auth.credentials.AnonymousCredentialsProvider"
PROVIDER_PREFIX: Final = "s3.credentials.provider."
_EXTRACTORS: Final = ("Wallclock", "Record", "RecordField")
_REGION: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?", re.IGNORECASE)
_HOST: Final = re.compile(r"[A-Za-z0-9.-]+")
_BUCKET: Final = re.compile(r"[A-Za-z0-9._-]{1,255}|arn:\S+")
_CHAIN_PARTS: Final = ("DefaultCredentialsProvider", "DefaultAWSCredentialsProviderChain",
                       "EnvironmentVariableCredentialsProvider", "SystemPropertyCredentialsProvider",
                       "ProfileCredentialsProvider", "InstanceProfileCredentialsProvider",
                       "ContainerCredentialsProvider", "WebIdentityTokenFileCredentialsProvider",
                       "WebIdentityTokenCredentialsProvider")  # fmt: skip
_ACCEPTED: Final = "Accepted as Confluent's sink has it; "


@dataclass(frozen=True, kw_only=True)
class S3Config:
    """What an S3 sink reads from its connector config."""

    format: str = key(
        "format.class", type="CLASS", values=tuple(FORMATS.values()), importance=HIGH, group=CONNECTOR,
        doc="How values are written: a line of JSON a record, Avro container files, Parquet, or raw bytes.",
    )  # fmt: skip
    flush_size: int = key(
        "flush.size", importance=HIGH, group=CONNECTOR, check=at_least(1),
        doc="Records of one topic partition after which its open files end, counted over all of them.",
    )  # fmt: skip
    rotate_ms: int = key(
        "rotate.interval.ms", default=-1, type="LONG", importance=HIGH, group=CONNECTOR,
        doc="Open files end when a record goes by a time so many milliseconds after that of their first (needs a "
            "time-based partitioner). -1: never.",
    )  # fmt: skip
    schedule_ms: int = key(
        "rotate.schedule.interval.ms", default=-1, type="LONG", group=CONNECTOR,
        doc="Open files end at every multiple of so many milliseconds since midnight in `timezone`, whether records "
            "come or not. -1: never.",
    )  # fmt: skip
    target_bytes: int = key(
        "rotate.size.bytes", default=-1, type="LONG", group=CONNECTOR,
        doc="Open files end when the largest of them has about so many bytes as written, compressed ones. -1: never. "
            "A key of Tailrace's own: set `flush.size` high beside it.",
    )  # fmt: skip
    merge_bytes: int = key(
        "compaction.target.bytes", default=-1, type="LONG", group=CONNECTOR, check=between(-1, 5 * 2**30),
        doc="A file that ends is joined to the one before it of the same path as long as both together have no more "
            "than so many bytes: the object is replaced by a longer one. 0: none is joined any more, but what was is "
            "still found after a crash; -1: never. A key of Tailrace's own.",
    )  # fmt: skip
    memory_bytes: int = key(
        "buffer.memory.bytes", default=64 * 2**20, type="LONG", group=CONNECTOR, check=at_least(2**20),
        doc="Bytes of all open files of a task that may be in memory; past that the largest go to temporary files. A "
            "key of Tailrace's own.",
    )  # fmt: skip
    compatibility: str = key(
        "schema.compatibility", default="NONE", values=("NONE", "BACKWARD", "FORWARD", "FULL"), importance=HIGH,
        group=CONNECTOR,
        doc="NONE: another schema ends the open files. BACKWARD, FULL: older records take the file's schema, a newer "
            "one ends the files. FORWARD: newer records take the file's schema.",
    )  # fmt: skip
    schema_cache: int = key(
        "schemas.cache.config", default=1000, importance=LOW, group=CONNECTOR, aliases=("schema.cache.size",),
        doc=_ACCEPTED + "512 schemas are kept.",
    )  # fmt: skip
    enhanced: bool = key(
        "enhanced.avro.schema.support", default=True, importance=LOW, group=CONNECTOR,
        doc="Avro: enums stay enums, names of packages are kept.",
    )  # fmt: skip
    metadata: bool = key(
        "connect.meta.data", default=True, importance=LOW, group=CONNECTOR,
        doc="Avro: what it has no word for stands beside its types (connect.name, connect.version, …).",
    )  # fmt: skip
    optional_keys: bool = key(
        "allow.optional.map.keys", default=False, importance=LOW, group=CONNECTOR,
        doc="Avro: maps of optional texts are maps, not arrays of entries.",
    )  # fmt: skip
    avro_codec: str = key(
        "avro.codec", default="null", values=("null", "deflate", "snappy", "bzip2", "zstandard"), importance=LOW,
        group=CONNECTOR, doc="Compression of Avro files.",
    )  # fmt: skip
    parquet_codec: str = key(
        "parquet.codec", default="snappy", importance=LOW, group=CONNECTOR,
        values=("none", "snappy", "gzip", "zstd", "brotli", "lz4", "lz4_raw", "uncompressed"),
        doc="Compression of Parquet files; it stands in their names (`.snappy.parquet`).",
    )  # fmt: skip
    retry_backoff_ms: int = key(
        "retry.backoff.ms", default=5000, type="LONG", importance=LOW, group=CONNECTOR,
        doc=_ACCEPTED + "the worker's back-off is used.",
    )  # fmt: skip
    shutdown_ms: int = key(
        "shutdown.timeout.ms", default=3000, type="LONG", group=CONNECTOR,
        doc=_ACCEPTED + "open files are given up at once, for their records are read again.",
    )  # fmt: skip
    offset_width: int = key(
        "filename.offset.zero.pad.width", default=10, importance=LOW, group=CONNECTOR, check=at_least(0),
        doc="Digits that offsets in file names are filled up to.",
    )  # fmt: skip

    storage: str = key(
        "storage.class", default="io.confluent.connect.s3.storage.S3Storage", type="CLASS", importance=HIGH,
        values=("io.confluent.connect.s3.storage.S3Storage",), group=STORAGE, doc="The only one there is.",
    )  # fmt: skip
    topics_dir: str = key(
        "topics.dir", default="topics", importance=HIGH, group=STORAGE, doc="Folder above those of the topics."
    )
    store_url: str | None = key(
        "store.url", default=None, importance=HIGH, group=STORAGE,
        doc="Address of an S3 server that is not Amazon's (`http://host:9000`; a host alone means https), or "
            "`file:///some/folder` for a folder of this machine, in which the bucket is a folder.",
    )  # fmt: skip
    delimiter: str = key("directory.delim", default="/", group=STORAGE, doc="What separates folders.")
    file_delimiter: str = key(
        "file.delim", default="+", group=STORAGE, doc="What separates topic, partition and offset in file names."
    )

    partitioner: str = key(
        "partitioner.class", default=PARTITIONERS[0], type="CLASS", importance=HIGH, values=PARTITIONERS,
        group=PARTITIONER, doc="What the folders below a topic are made of: its partition, fields, or a time.",
    )  # fmt: skip
    field_names: tuple[str, ...] = key(
        "partition.field.name", default=(), group=PARTITIONER,
        doc="Fields that FieldPartitioner goes by; `a.b` is a field of a struct.",
    )  # fmt: skip
    duration_ms: int = key(
        "partition.duration.ms", default=-1, type="LONG", group=PARTITIONER,
        doc="Milliseconds of one folder of TimeBasedPartitioner.",
    )  # fmt: skip
    path_format: str = key(
        "path.format", default="", group=PARTITIONER,
        doc="Folders of TimeBasedPartitioner as a Joda-Time pattern, such as `'year'=YYYY/'month'=MM/'day'=dd`.",
    )  # fmt: skip
    locale: str = key(
        "locale", default="", group=PARTITIONER,
        doc="Language of names of months and days in `path.format`, which are written in English (`en`).",
    )  # fmt: skip
    timezone: str = key(
        "timezone", default="", group=PARTITIONER,
        doc="Zone of times in paths and of `rotate.schedule.interval.ms`, such as `UTC` or `Europe/Vienna`.",
    )  # fmt: skip
    extractor: str = key(
        "timestamp.extractor", default="Wallclock", values=("Wallclock", "Record", "RecordField"),
        old_values={f"{PARTITIONERS[2]}${name}TimestampExtractor".lower(): name for name in _EXTRACTORS},
        group=PARTITIONER,
        doc="The time a record goes by: the clock's, its own, or that of `timestamp.field`. With Wallclock a restart "
            "may write records again under another path.",
    )  # fmt: skip
    time_field: str = key(
        "timestamp.field", default="timestamp", group=PARTITIONER,
        doc="The field of RecordField: milliseconds, a Connect Timestamp, or ISO 8601 text.",
    )  # fmt: skip

    bucket: str = key("s3.bucket.name", importance=HIGH, group=S3, doc="The bucket.")
    tagging: bool = key(
        "s3.object.tagging", default=False, importance=LOW, group=S3,
        doc="Tag objects with startOffset, endOffset and recordCount.",
    )  # fmt: skip
    tags: tuple[str, ...] = key(
        "s3.object.tagging.key.value.pairs", default=(), importance=LOW, group=S3,
        doc="More tags, as `name:value,name:value`.",
    )  # fmt: skip
    on_tagging_error: str = key(
        "s3.object.behavior.on.tagging.error", default="ignore", values=("ignore", "fail"), importance=LOW,
        group=S3, doc="When an object cannot be tagged: warn and go on, or fail.",
    )  # fmt: skip
    region: str = key("s3.region", default="us-west-2", group=S3, doc="The bucket's region.")
    part_bytes: int = key(
        "s3.part.size", default=25 * 2**20, importance=HIGH, group=S3, check=between(5 * 2**20, 2**31 - 1),
        doc="Larger objects are uploaded in parts of so many bytes.",
    )  # fmt: skip
    provider: str = key(
        "s3.credentials.provider.class", default=DEFAULT_CHAIN, type="CLASS", importance=LOW, group=S3,
        doc="Where credentials come from. The AWS SDK's own providers all mean boto3's chain: environment, profiles, "
            "web identity, container and instance roles; AwsAssumeRoleCredentialsProvider takes a role by "
            "`s3.credentials.provider.sts.role.arn`; AnonymousCredentialsProvider signs nothing.",
    )  # fmt: skip
    access_key: str = key(
        "aws.access.key.id", default="", importance=HIGH, group=S3, doc="Access key; empty: see the key before."
    )
    secret_key: Password | None = key(
        "aws.secret.access.key", default=None, importance=HIGH, group=S3, doc="Its secret."
    )
    encryption: str = key(
        "s3.ssea.name", default="", values=("", "AES256", "aws:kms", "aws:kms:dsse", "aws:fsx"), importance=LOW,
        group=S3, doc="Server-side encryption.",
    )  # fmt: skip
    customer_key: Password | None = key(
        "s3.sse.customer.key", default=None, importance=LOW, group=S3,
        doc="Key for server-side encryption with the customer's keys (SSE-C): 32 bytes as base64, or 32 characters. "
            "Used with `s3.ssea.name=AES256`.",
    )  # fmt: skip
    kms_key: str = key(
        "s3.sse.kms.key.id", default="", importance=LOW, group=S3, doc="Key of AWS KMS, with `s3.ssea.name=aws:kms`."
    )
    acl: str | None = key(
        "s3.acl.canned", default=None, importance=LOW, group=S3,
        values=("private", "public-read", "public-read-write", "authenticated-read", "aws-exec-read",
                      "bucket-owner-read", "bucket-owner-full-control", "log-delivery-write"),
        doc="Canned ACL of objects.",
    )  # fmt: skip
    wan_mode: bool = key("s3.wan.mode", default=False, group=S3, doc="Use the accelerated endpoint.")
    compression: str = key(
        "s3.compression.type", default="none", values=("none", "gzip", "zstd"), importance=LOW, group=S3,
        doc="Compression of JSON and raw bytes; zstd is Tailrace's own.",
    )  # fmt: skip
    level: int = key(
        "s3.compression.level", default=-1, importance=LOW, group=S3, check=between(-1, 9),
        doc="Its level; -1: the usual one, for gzip that of ISA-L, which is some six times as fast as zlib's level 6 "
            "and 4 % larger. Levels from 0 to 9 are zlib's.",
    )  # fmt: skip
    decimals: str = key(
        "json.decimal.format", default="BASE64", values=("BASE64", "NUMERIC"), group=S3,
        doc="JSON: Decimals as base64 of their unscaled value, or as numbers.",
    )  # fmt: skip
    part_retries: int = key(
        "s3.part.retries", default=3, group=S3, check=at_least(0),
        doc="Times that one request is repeated at once. After that the worker waits and repeats it for ever.",
    )  # fmt: skip
    part_backoff_ms: int = key(
        "s3.retry.backoff.ms", default=200, type="LONG", importance=LOW, group=S3, check=at_least(0),
        doc=_ACCEPTED + "boto3's back-off is used, then the worker's.",
    )  # fmt: skip
    bytes_extension: str = key(
        "format.bytearray.extension", default=".bin", importance=LOW, group=S3,
        doc="Extension of the files of ByteArrayFormat.",
    )  # fmt: skip
    separator: str | None = key(
        "format.bytearray.separator", default=None, importance=LOW, group=S3,
        doc="What stands after each record of ByteArrayFormat, blanks and line breaks as they are; a line break when "
            "not set.",
    )  # fmt: skip
    proxy_url: str = key("s3.proxy.url", default="", importance=LOW, group=S3, doc="HTTP proxy, as a URL.")
    proxy_user: str | None = key("s3.proxy.user", default=None, importance=LOW, group=S3, doc="User of the proxy.")
    proxy_password: Password | None = key(
        "s3.proxy.password", default=None, importance=LOW, group=S3, doc="Password of the proxy."
    )
    expect_continue: bool = key(
        "s3.http.send.expect.continue", default=True, importance=LOW, group=S3,
        doc=_ACCEPTED + "boto3 waits for the server's consent with every object.",
    )  # fmt: skip
    on_null: str = key(
        "behavior.on.null.values", default="fail", values=("ignore", "fail", "write"), importance=LOW, group=S3,
        doc="A record without a value (a tombstone): leave out, fail, or keep its key below "
            "`tombstone.encoded.partition`.",
    )  # fmt: skip
    report_nulls: bool = key(
        "report.null.values.to.dlq", default=True, importance=LOW, group=S3,
        doc="Records left out by `behavior.on.null.values=ignore` go to the dead-letter topic, if there is one.",
    )  # fmt: skip
    max_write_ms: int = key(
        "max.write.duration.ms", default=2**63 - 1, type="LONG", importance=LOW, group=S3,
        doc=_ACCEPTED + "a task that writes stays in its consumer group, however long it takes.",
    )  # fmt: skip
    rotate_on_change: bool = key(
        "rotate.file.on.partition.change", default=True, importance=LOW, group=S3,
        doc="With `rotate.interval.ms`, a record of another path than the one before ends the open files.",
    )  # fmt: skip
    tombstones: str = key(
        "tombstone.encoded.partition", default="tombstone", importance=LOW, group=S3,
        doc="Path of the keys of tombstones, instead of what the partitioner makes.",
    )  # fmt: skip
    affix: str = key(
        "s3.schema.partition.affix.type", default="NONE", values=("NONE", "PREFIX", "SUFFIX"), importance=LOW,
        group=S3, doc="Put `schema_name=…` before or after what the partitioner makes.",
    )  # fmt: skip
    digest: bool = key(
        "s3.send.digest", default=False, importance=LOW, group=S3,
        doc="Send a checksum with every part to servers that are not Amazon's; to Amazon's one is always sent.",
    )  # fmt: skip
    conditional: bool = key(
        "enable.conditional.writes", default=True, importance=LOW, group=S3,
        doc="Never replace an object that is there (`If-None-Match`), so that a task that was thought dead cannot "
            "write beside its successor. false: for S3 servers that do not know this header.",
    )  # fmt: skip
    scan_limit: int = key(
        "max.files.scan.limit", default=100, importance=LOW, group=S3, internal=True,
        doc=_ACCEPTED + "files of an earlier run are found by name.",
    )  # fmt: skip

    with_keys: bool = key(
        "store.kafka.keys", default=False, importance=LOW, group=SIDES, doc="Write keys, to objects of their own."
    )
    with_headers: bool = key(
        "store.kafka.headers", default=False, importance=LOW, group=SIDES,
        doc="Write headers, to objects of their own.",
    )  # fmt: skip
    keys_format: str = key(
        "keys.format.class", default=AVRO, type="CLASS", values=tuple(FORMATS.values()), importance=LOW, group=SIDES,
        doc="Format of keys.",
    )  # fmt: skip
    headers_format: str = key(
        "headers.format.class", default=AVRO, type="CLASS", values=(JSON, AVRO, PARQUET), importance=LOW, group=SIDES,
        doc="Format of headers.",
    )  # fmt: skip
    path_style: bool = key(
        "s3.path.style.access.enabled", default=True, importance=LOW, group=SIDES,
        doc="Name the bucket in the path of requests, not in the host's name.",
    )  # fmt: skip
    elastic: bool = key(
        "s3.elastic.buffer.enable", default=False, importance=LOW, group=SIDES,
        doc=_ACCEPTED + "buffers are always as large as what is in them.",
    )  # fmt: skip
    elastic_bytes: int = key(
        "s3.elastic.buffer.init.capacity", default=128 * 2**10, importance=LOW, group=SIDES, check=at_least(4096),
        doc=_ACCEPTED + "see the key before.",
    )  # fmt: skip
    open_files: int = key(
        "partitioner.max.open.files", default=-1, importance=LOW, group=SIDES, internal=True,
        doc="Open files of one topic partition past which they end. -1: any number.",
    )  # fmt: skip

    @property
    def folder(self) -> str | None:
        """The folder that `store.url` names; None when it names a server, or nothing."""
        parts = urlsplit(self.store_url or "")
        return parts.path if parts.scheme == "file" and parts.netloc in ("", "localhost") else None

    @property
    def customer_secret(self) -> bytes | None:
        """The key of SSE-C; None where it is not used, or is none."""
        if not self.customer_key or self.encryption != "AES256":
            return None
        given = self.customer_key.reveal().strip()
        try:
            decoded = b64decode(given, validate=True)
        except ValueError:
            decoded = b""
        plain = given.encode()
        return decoded if len(decoded) == 32 else plain if len(plain) == 32 else None


def parsed(raw: Raw) -> S3Config:
    """Raises: ConfigError with every problem."""
    config = parse(S3Config, raw)
    if config.separator is not None:  # blanks count, as with Confluent's sink
        config = replace(config, separator=raw["format.bytearray.separator"])
    if config.store_url and _HOST.fullmatch(config.store_url):
        config = replace(config, store_url=f"https://{config.store_url}")
    problems = [
        *_format_problems(config), *_time_problems(config), *_target_problems(config), *_merge_problems(config),
    ]  # fmt: skip
    if problems:
        raise ConfigError(problems)
    return config


def _format_problems(config: S3Config) -> list[Problem]:
    problems: list[Problem] = []
    if config.compression != "none":
        stored = (("format.class", config.format, True), ("keys.format.class", config.keys_format, config.with_keys),
                  ("headers.format.class", config.headers_format, config.with_headers))  # fmt: skip
        problems += [
            Problem(name, f"{name}={chosen} and s3.compression.type={config.compression} do not go together: it "
                    "compresses JSON and raw bytes; set s3.compression.type=none, and avro.codec or parquet.codec")
            for name, chosen, used in stored if used and chosen not in (JSON, BYTES)
        ]  # fmt: skip
    if config.on_null == "write" and not config.with_keys:
        problems.append(Problem("store.kafka.keys", "store.kafka.keys=false, and behavior.on.null.values=write keeps "
                                "the keys of tombstones; set store.kafka.keys=true"))  # fmt: skip
    problems += [
        Problem("s3.object.tagging.key.value.pairs", f"s3.object.tagging.key.value.pairs: {pair!r} is no name:value")
        for pair in config.tags if ":" not in pair
    ]  # fmt: skip
    return problems


def _merge_problems(config: S3Config) -> list[Problem]:
    """Only one object can be replaced at a time, and only where nobody else replaces it meanwhile."""
    if config.merge_bytes < 0:
        return []
    found = f"and compaction.target.bytes={config.merge_bytes} do not go together"
    problems = [
        Problem(name, f"{name}=true {found}: objects of keys, headers and values cannot be replaced in one step; set "
                f"{name}=false or compaction.target.bytes=-1")
        for name, used in (("store.kafka.keys", config.with_keys), ("store.kafka.headers", config.with_headers)) if used
    ]  # fmt: skip
    if not config.conditional:
        problems.append(
            Problem("enable.conditional.writes", f"enable.conditional.writes=false {found}: without conditions a task "
                    "that was thought dead could undo what its successor joined; set enable.conditional.writes=true "
                    "or compaction.target.bytes=-1")
        )  # fmt: skip
    return problems


def _time_problems(config: S3Config) -> list[Problem]:
    problems: list[Problem] = []
    kind = config.partitioner.rpartition(".")[2]
    by_time = kind in ("TimeBasedPartitioner", "DailyPartitioner", "HourlyPartitioner")
    if kind == "FieldPartitioner" and not (config.field_names and all(config.field_names)):
        given = ",".join(config.field_names)
        problems.append(Problem("partition.field.name", f"partition.field.name={given!r} names no field or an empty "
                                "one, and FieldPartitioner goes by them: name one or more fields of the records' "
                                "values"))  # fmt: skip
    if by_time and config.extractor == "RecordField" and not config.time_field:
        problems.append(Problem("timestamp.field", "timestamp.field is empty, and timestamp.extractor=RecordField goes "
                                "by it: name a field of the records' values"))  # fmt: skip
    if by_time and not config.locale:
        problems.append(Problem("locale", "Invalid value  for configuration locale: Locale cannot be empty.; set "
                                "locale=en"))  # fmt: skip
    if by_time or config.schedule_ms > 0:
        problems += problem_of_zone(config.timezone)
    if kind == "TimeBasedPartitioner":
        if config.duration_ms <= 0:
            problems.append(
                Problem("partition.duration.ms", f"Invalid value {config.duration_ms} for configuration "
                        "partition.duration.ms: Partition duration needs to be a positive.; set the milliseconds of "
                        "one folder, such as 3600000 for an hour")
            )  # fmt: skip
        problems += problem_of_pattern(config.path_format, config.delimiter, config.locale or "en")
    return problems


def _target_problems(config: S3Config) -> list[Problem]:
    problems: list[Problem] = []
    if config.store_url and not _is_address(config.store_url) and not (config.folder or "").startswith("/"):
        problems.append(Problem("store.url", f"Invalid value {config.store_url} for configuration store.url: write it "
                                "as https://host:port, or as file:///some/folder"))  # fmt: skip
    if config.proxy_url and not _is_address(config.proxy_url):
        problems.append(Problem("s3.proxy.url", f"Invalid value {config.proxy_url} for configuration s3.proxy.url: "
                                "write it as http://host:port"))  # fmt: skip
    if not _REGION.fullmatch(config.region):
        problems.append(Problem("s3.region", f"Invalid value {config.region} for configuration s3.region: it is no "
                                "name of a region; set it to the bucket's, such as us-west-2"))  # fmt: skip
    if not _BUCKET.fullmatch(config.bucket) or config.bucket in (".", ".."):
        problems.append(
            Problem("s3.bucket.name", f"Invalid value {config.bucket} for configuration s3.bucket.name: names of "
                    "buckets are made of letters, digits, points and hyphens; correct it")
        )  # fmt: skip
    if config.wan_mode and config.path_style:
        problems.append(Problem("s3.wan.mode", "s3.wan.mode and s3.path.style.access.enabled are both true and exclude "
                                "each other; set s3.path.style.access.enabled=false"))  # fmt: skip
    if bool(config.access_key) != bool(config.secret_key):
        missing = "aws.secret.access.key" if config.access_key else "aws.access.key.id"
        problems.append(Problem(missing, f"{missing} is not set, and aws.access.key.id and aws.secret.access.key "
                                "belong together; set both or none"))  # fmt: skip
    simple = config.provider.rpartition(".")[2]
    if simple not in _CHAIN_PARTS and config.provider not in (ASSUME_ROLE, ANONYMOUS):
        problems.append(
            Problem("s3.credentials.provider.class", f"Invalid value {config.provider} for configuration "
                    f"s3.credentials.provider.class: a Java class of your own cannot run here; use {DEFAULT_CHAIN} "
                    f"(environment, profiles, roles), {ASSUME_ROLE}, or aws.access.key.id and aws.secret.access.key")
        )  # fmt: skip
    if config.customer_key and config.encryption == "AES256" and config.customer_secret is None:
        problems.append(Problem("s3.sse.customer.key", "s3.sse.customer.key is neither the base64 of 32 bytes nor 32 "
                                "characters long; make one with `openssl rand -base64 32`"))  # fmt: skip
    return problems


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none
        return False
