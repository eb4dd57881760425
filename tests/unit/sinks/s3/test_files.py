"""When files end and what they are called; tombstones, keys and headers; what is refused."""

from __future__ import annotations

from base64 import b64encode

import pytest

from cdc.config import parse
from cdc.errors import ConfigError
from cdc.record import NULL, Header, Place
from cdc.schema import INT64, OPTIONAL_STRING, STRING, struct
from sinks.s3.connector import S3
from sinks.s3.keys import S3Config, parsed
from tests.unit.sinks.s3.files import SCHEMA, MemoryStore, batch, config, rows, sink

PLACE: Place = ("t", 0)
FIELD = {"partitioner_class": "io.confluent.connect.storage.partitioner.FieldPartitioner",
         "partition_field_name": "country"}  # fmt: skip
RECORD_TIME = {
    "partitioner_class": "io.confluent.connect.storage.partitioner.TimeBasedPartitioner",
    "timestamp_extractor": "Record", "timezone": "UTC", "locale": "en", "path_format": "'m'=mm",
    "partition_duration_ms": "60000", "flush_size": "1000",
}  # fmt: skip


def counts(store: MemoryStore) -> dict[str, int]:
    """Lines of each object, by its name without what is the same in all."""
    return {
        name.removeprefix("topics/t/"): content.count(b"\n") for name, (content, _) in sorted(store.objects.items())
    }


def test_files_end_by_the_number_of_records_in_all_of_them() -> None:
    store = MemoryStore()
    task = sink(store, flush_size="4", **FIELD)
    task.put([batch([(0, "at", 0), (1, "de", 0), (2, "at", 0), (3, "ch", 0), (4, "at", 0)])])
    assert task.settle({PLACE: 5}) == {PLACE: 4}
    assert counts(store) == {"country=at/t+0+0000000000.json": 2, "country=ch/t+0+0000000003.json": 1,
                             "country=de/t+0+0000000001.json": 1}  # fmt: skip


def test_names_have_the_folders_marks_and_digits_that_the_config_says() -> None:
    store = MemoryStore()
    task = sink(store, topics_dir="", directory_delim="|", file_delim="-", filename_offset_zero_pad_width="3",
                s3_compression_type="gzip")  # fmt: skip
    task.put([batch(rows(3))])
    task.settle({PLACE: 3})
    assert list(store.objects) == ["t|partition=0|t-0-000.json.gz"]
    assert len(store.records()) == 3


def test_an_interval_ends_files_when_records_are_so_far_apart_and_another_path_does() -> None:
    store = MemoryStore()
    task = sink(store, rotate_interval_ms="5000", **RECORD_TIME)
    task.put([batch(rows(8), 56)])  # seconds 56 to 63
    assert task.settle({PLACE: 64}) == {PLACE: 60}
    assert counts(store) == {"m=00/t+0+0000000056.json": 4}
    task = sink(store, rotate_interval_ms="3000", rotate_file_on_partition_change="false", **RECORD_TIME)
    task.put([batch(rows(8), 60)])
    assert task.settle({PLACE: 68}) == {PLACE: 66}
    assert counts(store)["m=01/t+0+0000000060.json"] == 3


def test_a_schedule_ends_files_though_no_record_comes() -> None:
    store, now = MemoryStore(), [1000]
    task = sink(store, now, rotate_schedule_interval_ms="60000", timezone="UTC", flush_size="100")
    task.put([batch(rows(2))])
    now[0] = 59_999
    assert task.settle({PLACE: 2}) == {PLACE: 0}
    now[0] = 60_000
    assert task.settle({PLACE: 2}) == {PLACE: 2}
    assert counts(store) == {"partition=0/t+0+0000000000.json": 2}


def test_files_end_at_a_size() -> None:
    store = MemoryStore()
    task = sink(store, rotate_size_bytes="100", flush_size="1000000")
    for at in range(0, 40, 10):
        task.put([batch(rows(10, first=at), at)])
    task.settle({PLACE: 40})
    assert len(store.objects) >= 3
    assert [record["id"] for record in store.records()][:10] == list(range(10))


def test_another_schema_ends_files_unless_it_is_compatible() -> None:
    newer = struct(*((field.name, field.schema) for field in SCHEMA.fields), ("note", OPTIONAL_STRING),
                   name="shop.Value", version=2)  # fmt: skip
    old, new = batch(rows(1)), batch([(1, "at", 0, "x")], 1, schema=newer)
    for compatibility, together in (("NONE", 1), ("BACKWARD", 1), ("FORWARD", 2)):
        store = MemoryStore()
        task = sink(store, flush_size="2", schema_compatibility=compatibility)
        task.put([old, new])
        task.settle({PLACE: 2})
        assert list(counts(store).values()) == [together], compatibility
    assert store.records()[1] == {"id": 1, "country": "at", "at": 0}
    store = MemoryStore()
    task = sink(store, flush_size="2", schema_compatibility="BACKWARD")
    task.put([batch([(0, "at", 0, "x")], schema=newer), batch([(1, "de", 0)], 1)])
    task.settle({PLACE: 2})
    assert store.records()[1] == {"id": 1, "country": "de", "at": 0, "note": None}


def test_tombstones_are_refused_left_out_or_kept_by_their_keys() -> None:
    values = [(0, "at", 0), None, NULL, (3, "at", 0)]
    refused = sink(MemoryStore()).put([batch(values)])
    assert [(each.index, each.fatal) for each in refused] == [(1, True), (2, True)]
    refused = sink(MemoryStore(), behavior_on_null_values="ignore").put([batch(values)])
    assert [(each.index, each.fatal) for each in refused] == [(1, False), (2, False)]
    quiet = {"behavior_on_null_values": "ignore", "report_null_values_to_dlq": "false"}
    assert sink(MemoryStore(), **quiet).put([batch(values)]) == []
    store = MemoryStore()
    json = "io.confluent.connect.s3.format.json.JsonFormat"
    task = sink(store, behavior_on_null_values="write", store_kafka_keys="true", keys_format_class=json, flush_size="4")
    task.put([batch(values, keys=[(0,), (1,), (2,), (3,)], key_schema=struct(("id", INT64)))])
    assert task.settle({PLACE: 4}) == {PLACE: 4}
    assert counts(store) == {
        "partition=0/t+0+0000000000.json": 2, "partition=0/t+0+0000000000.keys.json": 2,
        "tombstone/t+0+0000000001.keys.json": 2,
    }  # fmt: skip
    assert store.objects["topics/t/tombstone/t+0+0000000001.keys.json"][0] == b'{"id":1}\n{"id":2}\n'


@pytest.mark.parametrize(("kind", "extension"), [("json.Json", "json"), ("avro.Avro", "avro"),
                                                 ("parquet.Parquet", "snappy.parquet")])  # fmt: skip
def test_keys_and_headers_stand_in_files_of_their_own(kind: str, extension: str) -> None:
    store = MemoryStore()
    name = f"io.confluent.connect.s3.format.{kind}Format"
    task = sink(store, store_kafka_keys="true", store_kafka_headers="true", keys_format_class=name,
                headers_format_class=name)  # fmt: skip
    headers = [(Header("h", STRING, "x"), Header("n", INT64, 1))] * 3
    assert task.put([batch(rows(3), keys=["a", "b", "c"], key_schema=STRING, headers=headers)]) == []
    task.settle({PLACE: 3})
    start = "topics/t/partition=0/t+0+0000000000"
    assert sorted(store.objects) == sorted(
        [f"{start}.json", f"{start}.keys.{extension}", f"{start}.headers.{extension}"]
    )
    if kind == "json.Json":
        assert store.objects[f"{start}.keys.json"][0] == b'"a"\n"b"\n"c"\n'
        line = b'{"headers":[{"key":"h","value":"x"},{"key":"n","value":"1"}]}\n'
        assert store.objects[f"{start}.headers.json"][0] == line * 3


def test_only_the_record_at_fault_is_refused() -> None:
    store = MemoryStore()
    task = sink(store, flush_size="4", **FIELD)
    found = task.put([batch([(0, "at", 0), (1, "de", 0), ("x", None, 0), (3, "at", 0), (4, "ch", 0)])])
    assert [(each.index, each.fatal) for each in found] == [(2, True)]
    assert task.settle({PLACE: 5}) == {PLACE: 5}
    assert sorted(record["id"] for record in store.records()) == [0, 1, 3, 4]


def test_open_files_past_the_budget_go_to_disk_and_come_back_whole() -> None:
    store = MemoryStore()
    task = sink(store, buffer_memory_bytes=str(2**20), flush_size="4000", **FIELD)
    many = [(at, str(at % 40), at) for at in range(4000)]
    wide = struct(("id", INT64), ("country", STRING), ("text", STRING))
    for at in range(0, 4000, 500):
        task.put([batch([(id, country, "x" * 1000) for id, country, _ in many[at : at + 500]], at, schema=wide)])
        task.settle({PLACE: at + 500})
        held = sum(file.in_memory for writer in task._writers.values() for file in writer.open_files())
        assert held <= 2**20
    assert sorted(record["id"] for record in store.records()) == list(range(4000))


def test_a_zone_may_be_hours_from_utc_and_an_extractor_a_class() -> None:
    store = MemoryStore()
    extractor = "io.confluent.connect.storage.partitioner.TimeBasedPartitioner$RecordTimestampExtractor"
    settings = {
        **RECORD_TIME,
        "timestamp_extractor": extractor,
        "timezone": "-0130",
        "path_format": "'h'=HHmm'|'ZZ'|'ZZZ",
    }
    task = sink(store, **{**settings, "flush_size": "1"})
    task.put([batch(rows(1))])
    task.settle({PLACE: 1})
    assert list(counts(store)) == ["h=2230|-01:30|-01:30/t+0+0000000000.json"]


def test_raw_bytes_are_separated_by_what_is_given_blanks_and_all() -> None:
    for given, wanted in (({}, b"a\nb\n"), ({"": " "}, b"a b "), ({"": "\r\n"}, b"a\r\nb\r\n"), ({"": ""}, b"ab"),
                          ({"": "→"}, "a→b→".encode())):  # fmt: skip
        store = MemoryStore()
        settings = {f"format_bytearray_separator{name}": value for name, value in given.items()}
        bytes_ = "io.confluent.connect.s3.format.bytearray.ByteArrayFormat"
        task = sink(store, flush_size="2", format_class=bytes_, **settings)
        task.put([batch([b"a", b"b"], schema=None)])
        task.settle({PLACE: 2})
        assert [content for content, _ in store.objects.values()] == [wanted]


def test_a_customers_key_is_base64_as_confluents_sink_has_it_or_32_characters() -> None:
    secret = bytes(range(32))
    for given in (b64encode(secret).decode(), "0123456789abcdef0123456789abcdef"):
        found = parsed(config(s3_ssea_name="AES256", s3_sse_customer_key=given)).customer_secret
        assert found == (secret if len(given) == 44 else given.encode())
    assert parsed(config(s3_sse_customer_key="unused")).customer_secret is None


def test_a_host_without_a_scheme_is_asked_by_https() -> None:
    assert parsed(config(store_url="s3.example.com")).store_url == "https://s3.example.com"


def test_the_users_configs_need_no_change() -> None:
    assert (
        parsed(
            {
                "s3.bucket.name": "my-data-lake",
                "s3.region": "us-east-1",
                "flush.size": "1000",
                "topics": "orders",
                "format.class": "io.confluent.connect.s3.format.parquet.ParquetFormat",
            }
        ).parquet_codec
        == "snappy"
    )
    assert parse(S3Config, config()).flush_size == 3


@pytest.mark.parametrize(
    ("changes", "key", "said"),
    [
        ({"s3_compression_type": "gzip", "format_class": "io.confluent.connect.s3.format.avro.AvroFormat"},
         "format.class", "set s3.compression.type=none"),
        ({"behavior_on_null_values": "write"}, "store.kafka.keys", "set store.kafka.keys=true"),
        ({"partitioner_class": "io.confluent.connect.storage.partitioner.FieldPartitioner"}, "partition.field.name",
         "name one or more"),
        ({**RECORD_TIME, "timezone": "Mars"}, "timezone", "no time zone 'Mars'"),
        ({**RECORD_TIME, "path_format": "year"}, "path.format", "no letter of a date pattern"),
        ({**RECORD_TIME, "locale": ""}, "locale", "set locale=en"),
        ({**RECORD_TIME, "partition_duration_ms": "-1"}, "partition.duration.ms", "3600000"),
        ({"rotate_schedule_interval_ms": "1"}, "timezone", "timezone=UTC"),
        ({"store_url": "ftp://x"}, "store.url", "file:///some/folder"),
        ({"aws_access_key_id": "x"}, "aws.secret.access.key", "set both or none"),
        ({"s3_credentials_provider_class": "my.Own"}, "s3.credentials.provider.class", "cannot run here"),
        ({"s3_wan_mode": "true"}, "s3.wan.mode", "s3.path.style.access.enabled=false"),
        ({"flush_size": "0"}, "flush.size", "at least 1"),
        ({**FIELD, "partition_field_name": "a,,b"}, "partition.field.name", "name one or more"),
        ({**RECORD_TIME, "timestamp_extractor": "RecordField", "timestamp_field": ""}, "timestamp.field", "name"),
        ({**RECORD_TIME, "timezone": "+25:00"}, "timezone", r"such as \+02:00"),
        ({"s3_region": "us west"}, "s3.region", "such as us-west-2"),
        ({"s3_bucket_name": "a b"}, "s3.bucket.name", "correct it"),
        ({"store_url": "http://"}, "store.url", "https://host:port"),
        ({"store_url": "http://host:99999"}, "store.url", "https://host:port"),
        ({"store_url": "file://host/x"}, "store.url", "file:///some/folder"),
        ({"s3_proxy_url": "proxy:3128"}, "s3.proxy.url", "http://host:port"),
        ({"s3_ssea_name": "AES256", "s3_sse_customer_key": "short"}, "s3.sse.customer.key", "openssl rand -base64 32"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_refused_with_the_remedy(changes: dict[str, str], key: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as raised:
        S3.build(config(**changes))
    assert [problem.key for problem in raised.value.problems] == [key]
