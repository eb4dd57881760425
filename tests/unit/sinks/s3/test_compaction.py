"""Files that are joined to the one before: up to a size, in every format, and never where that would not be safe."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import fastavro
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from cdc.errors import BeginAgain, ConfigError
from cdc.record import Place
from cdc.schema import BYTES, INT64, OPTIONAL_STRING, STRING, Schema, array, decimal, map_of, struct
from sinks.s3.connector import S3
from sinks.s3.content import Content
from sinks.s3.folder import FolderStore
from sinks.s3.listing import newest
from sinks.s3.store import UNKNOWN, Exists, Mark, Series, Upload
from tests.unit.sinks.s3.files import SCHEMA, MemoryStore, batch, config, rows, sink

PLACE: Place = ("t", 0)
FORMAT = "io.confluent.connect.s3.format"
NAME = "topics/t/partition=0/t+0+{:010d}.json"


def closes(store: MemoryStore, ends: Sequence[int], first: int = 0, **settings: str) -> None:
    """One task that closes a file before each of `ends`."""
    task = sink(store, **{"flush_size": "1000", "rotate_schedule_interval_ms": "1", "timezone": "UTC", **settings})
    for at, end in zip([first, *ends], ends, strict=False):
        task.put([batch(rows(end - at, first=at), at)])
        for writer in task._writers.values():
            writer.end()
        assert task.settle({PLACE: end}) == {PLACE: end}
    task.close()


def test_a_file_is_joined_to_the_one_before_until_both_would_be_too_large() -> None:
    store = MemoryStore()
    closes(store, range(5, 55, 5), compaction_target_bytes="600")
    sizes = {name: len(content) for name, (content, _) in sorted(store.objects.items())}
    assert list(sizes) == [NAME.format(at) for at in (0, 15, 30, 45)]
    assert all(400 < size <= 600 for size in list(sizes.values())[:-1])
    assert [record["id"] for record in store.records()] == list(range(50))
    assert [mark.records for _, (_, mark) in sorted(store.objects.items())] == [15, 15, 15, 5]
    assert [bool(mark.form) for _, (_, mark) in sorted(store.objects.items())] == [False, False, False, True]


def test_a_file_that_is_large_enough_is_left_as_it_is() -> None:
    store = MemoryStore()
    closes(store, (20, 25), compaction_target_bytes="600")
    assert list(store.objects) == [NAME.format(0), NAME.format(20)]
    assert len(store.objects[NAME.format(0)][0]) > 600


def test_a_restart_goes_on_with_the_last_file() -> None:
    store = MemoryStore()
    closes(store, (3, 6), compaction_target_bytes="10000")
    closes(store, (8, 9), first=6, compaction_target_bytes="10000")
    assert list(store.objects) == [NAME.format(0)]
    assert [record["id"] for record in store.records()] == list(range(9))


def test_without_a_target_nothing_is_joined_and_nothing_is_looked_for() -> None:
    class Alone(MemoryStore):
        def newest(self, series: Series, offset: int) -> Any:
            raise AssertionError

    store = Alone()
    closes(store, (3, 6))
    assert list(store.objects) == [NAME.format(0), NAME.format(3)]
    assert {mark.form for _, mark in store.objects.values()} == {""}


RICH = struct(
    ("id", INT64), ("price", decimal(2)), ("uuid", Schema(STRING.type, name="io.debezium.data.Uuid")),
    ("note", OPTIONAL_STRING), ("many", array(STRING)), ("by", map_of(STRING, INT64)), ("raw", BYTES),
)  # fmt: skip


def _rich(count: int, first: int) -> list[Any]:
    return [
        (first + i, 100 + i, f"123e4567-e89b-12d3-a456-{i:012d}", None if i % 2 else "n", ["a", "b"], {"k": i}, b"\0x")
        for i in range(count)
    ]


def _parquet(content: bytes) -> list[int]:
    table = pq.read_table(io.BytesIO(content))
    assert table.column("uuid").to_pylist()[0].version == 1
    return [int(number) for number in table.column("id").to_pylist()]


def _avro(content: bytes) -> list[int]:
    return [record["id"] for record in fastavro.reader(io.BytesIO(content))]  # type: ignore[index,call-overload,misc]


def _lines(content: bytes) -> list[int]:
    return [int(line.split(b":")[1].split(b",")[0]) for line in content.splitlines()]


def _unzstd(content: bytes) -> list[int]:
    return _lines(zstandard.ZstdDecompressor().stream_reader(io.BytesIO(content), read_across_frames=True).read())


READERS: dict[str, tuple[dict[str, str], Callable[[bytes], list[int]]]] = {
    **{f"avro {codec}": ({"format_class": f"{FORMAT}.avro.AvroFormat", "avro_codec": codec}, _avro)
       for codec in ("null", "deflate", "bzip2")},
    **{f"parquet {codec}": ({"format_class": f"{FORMAT}.parquet.ParquetFormat", "parquet_codec": codec}, _parquet)
       for codec in ("none", "snappy", "gzip", "zstd", "brotli", "lz4", "lz4_raw")},
    "json": ({}, _lines),
    "json gzip": ({"s3_compression_type": "gzip"}, lambda content: _lines(gzip.decompress(content))),
    "json zstd": ({"s3_compression_type": "zstd"}, _unzstd),
}  # fmt: skip


@pytest.mark.parametrize("kind", READERS)
def test_joined_files_of_every_format_hold_the_records_of_all_in_order(kind: str) -> None:
    settings, read = READERS[kind]
    store = MemoryStore()
    for first, run in ((0, "a"), (9, "b")):  # the second goes on with what the first wrote
        task = sink(store, writer=run, flush_size="3", compaction_target_bytes="1000000", **settings)
        for at in range(first, first + 9, 3):
            task.put([batch(_rich(3, at), at, schema=RICH)])
            task.settle({PLACE: at + 3})
        task.close()
    ((content, mark),) = store.objects.values()
    assert read(content) == list(range(18))
    assert (mark.last, mark.records) == (17, 18)


def test_raw_bytes_are_joined_too() -> None:
    store = MemoryStore()
    task = sink(
        store, flush_size="2", compaction_target_bytes="1000", format_class=f"{FORMAT}.bytearray.ByteArrayFormat"
    )
    task.put([batch([b"a", b"b", b"c", b"d"], schema=None)])
    task.settle({PLACE: 4})
    assert [content for content, _ in store.objects.values()] == [b"a\nb\nc\nd\n"]


@pytest.mark.parametrize("format", ["avro.AvroFormat", "parquet.ParquetFormat"])
def test_files_of_another_schema_are_not_joined_and_end_the_one_before(format: str) -> None:
    newer = struct(
        *((field.name, field.schema) for field in SCHEMA.fields), ("note", OPTIONAL_STRING), name="shop.Value"
    )
    store = MemoryStore()
    task = sink(store, flush_size="2", compaction_target_bytes="1000000", format_class=f"{FORMAT}.{format}")
    task.put([batch(rows(4)), batch([(4, "at", 0, "x"), (5, "at", 0, "y")], 4, schema=newer), batch(rows(2), 6)])
    task.settle({PLACE: 8})
    assert [(mark.last, bool(mark.form)) for _, (_, mark) in sorted(store.objects.items())] == [
        (3, False), (5, False), (7, True),
    ]  # fmt: skip


def test_tags_tell_the_offsets_of_all_that_was_joined() -> None:
    seen: list[Any] = []

    class Telling(MemoryStore):
        def put(self, upload: Upload) -> Mark:
            seen.append(dict(upload.tags))
            return super().put(upload)

    closes(Telling(), (3, 7), compaction_target_bytes="10000", s3_object_tagging="true")
    assert seen[-1] == {"startOffset": "0", "endOffset": "6", "recordCount": "7"}


def test_what_another_program_left_under_a_later_name_is_found_before_its_records_are_joined() -> None:
    store = MemoryStore()
    task = sink(store, compaction_target_bytes="10000")
    task.put([batch(rows(6))])
    store.objects[NAME.format(3)] = b"{}\n", Mark(UNKNOWN, "")
    with pytest.raises(BeginAgain):
        task.settle({PLACE: 6})
    again = sink(store, writer="2", compaction_target_bytes="10000")
    again.put([batch(rows(3, first=3), 3)])
    again.settle({PLACE: 6})
    assert [record["id"] for record in store.records()] == list(range(6))


@given(
    st.sets(st.one_of(st.integers(0, 60), st.integers(0, 40_000_000)), max_size=30),
    st.integers(0, 40_000_000), st.integers(0, 8), st.integers(1, 4),
)  # fmt: skip
def test_the_highest_number_below_a_limit_is_found_however_names_sort(
    numbers: set[int], limit: int, width: int, size: int
) -> None:
    series = Series("t/p/t+0+", width, ".json.gz")
    others = ["t/p/t+0+x.json.gz", "t/p/t+0+5.avro", "t/p/t+0+.json.gz"]
    names = sorted([*others, *(f"{series.prefix}{number:0{width}d}.json.gz" for number in numbers)])

    def page(after: str) -> tuple[list[str], bool]:
        left = [name for name in names if name > after]
        return left[:size], len(left) > size

    found = newest(page, series, limit)
    assert (None if found is None else found[0]) == max((number for number in numbers if number <= limit), default=None)


def test_a_folder_is_never_between_two_versions_of_a_file(tmp_path: Path) -> None:
    given = config(store_url=f"file://{tmp_path}", compaction_target_bytes="100000")
    for first in (0, 3):
        task: Any = S3.build(given)
        task.put([batch(rows(3, first=first), first)])
        assert task.settle({PLACE: first + 3}) == {PLACE: first + 3}
        task.close()
    (path,) = (tmp_path / "b/topics/t/partition=0").glob("t*")
    assert path.read_text().count("\n") == 6
    store, name = FolderStore(str(tmp_path), "b"), str(path.relative_to(tmp_path / "b"))
    before = store.look(name)
    assert before is not None
    assert (before.last, before.records) == (5, 6)
    cut = path.with_name(f".{path.name}.last")  # a crash between mark and content
    cut.write_text(f"{before.version}\n9 w 10 lines 9999")
    assert store.look(name) == before
    content = Content()
    content.append(b"{}\n" * 200)
    with pytest.raises(Exists):
        store.put(Upload(name, content, "", Mark(9, "w"), False, over="another version"))
    assert store.put(Upload(name, content, "", Mark(9, "w"), False, over=before.version)) == Mark(9, "w")
    assert store.look(name) == Mark(9, "w")
    with pytest.raises(Exists):
        store.read(name, before.version)


@pytest.mark.parametrize(
    ("changes", "key", "said"),
    [
        ({"store_kafka_keys": "true"}, "store.kafka.keys", "set store.kafka.keys=false"),
        ({"store_kafka_headers": "true"}, "store.kafka.headers", "cannot be replaced in one step"),
        ({"enable_conditional_writes": "false"}, "enable.conditional.writes", "set enable.conditional.writes=true"),
        ({"compaction_target_bytes": "-2"}, "compaction.target.bytes", "-2"),
        ({"compaction_target_bytes": str(2**40)}, "compaction.target.bytes", "5368709120"),
    ],
)
def test_what_does_not_go_together_with_it_is_refused_with_the_remedy(
    changes: dict[str, str], key: str, said: str
) -> None:
    with pytest.raises(ConfigError, match=said) as raised:
        S3.build(config(**{"compaction_target_bytes": "1000", **changes}))
    assert [problem.key for problem in raised.value.problems] == [key]
