"""Files of the S3 sink that are joined in a real bucket: what every reader sees, whichever request was the last."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from dataclasses import replace

import pytest

from cdc.connector import Raw
from cdc.errors import BeginAgain
from cdc.record import Place
from sinks.s3.connector import S3, build
from tests.server import s3_member
from tests.server.bucket import Bucket, own_bucket

TOTAL, TARGET = 150, 400
PLACE: Place = (s3_member.TOPIC, 0)
SECRET = "0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="module")
def bucket(s3_url: str) -> Iterator[Bucket]:
    with own_bucket(s3_url) as bucket:
        yield bucket


def ids(bucket: Bucket, folder: str) -> list[int]:
    return [record["id"] for record in bucket.records(f"{folder}/")]


def test_a_kill_after_any_request_neither_loses_a_record_nor_shows_it_twice(bucket: Bucket) -> None:
    config = bucket.settings(
        topics_dir="kills", flush_size="10", s3_compression_type="gzip", compaction_target_bytes=str(TARGET)
    )
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["tests.server.s3_member"])
    committed = processes.Value("q", 0)
    for die_at in (*range(1, 13), 0):  # 0: the last one lives
        process = processes.Process(target=s3_member.run, args=(config, committed, TOTAL, die_at))
        process.start()
        process.join(60)
        assert process.exitcode == (-9 if die_at else 0)
        found = ids(bucket, "kills")
        assert found == list(range(len(found)))
        assert len(found) >= committed.value
    assert (len(found), committed.value) == (TOTAL, TOTAL)
    sizes = [len(bucket.content(name)) for name in bucket.names("kills/")]
    assert 3 < len(sizes) < TOTAL // 15
    assert max(sizes) <= TARGET


def test_of_two_tasks_with_one_partition_the_second_begins_again(bucket: Bucket) -> None:
    """Also where one would go on with an object and the other ends it: that is what sealing is for."""

    def config(target: int) -> Raw:
        return bucket.settings(topics_dir="two", flush_size="10", compaction_target_bytes=str(target))

    first = build(config(10_000))
    first.put([s3_member.batch(0, 10)])
    first.settle({PLACE: 10})
    zombie, heir = build(config(10_000)), build(config(400))
    for task in (zombie, heir):
        task.put([s3_member.batch(10, 20)])
    assert heir.settle({PLACE: 20}) == {PLACE: 20}
    with pytest.raises(BeginAgain):
        zombie.settle({PLACE: 20})
    again = build(config(10_000))
    again.put([s3_member.batch(10, 30)])
    assert again.settle({PLACE: 30}) == {PLACE: 30}
    assert sorted(ids(bucket, "two")) == list(range(30))
    for task in (first, zombie, heir, again):
        task.close()


def test_large_objects_that_are_encrypted_are_joined_too(bucket: Bucket) -> None:
    config = bucket.settings(
        topics_dir="large", flush_size="10", compaction_target_bytes=str(12 << 20), s3_part_size=str(5 << 20),
        format_class="io.confluent.connect.s3.format.bytearray.ByteArrayFormat", s3_ssea_name="AES256",
    )  # fmt: skip
    (problem,) = S3.check({**config, "s3.sse.customer.key": SECRET})  # this server copies no parts of such objects
    assert (problem.key, "set compaction.target.bytes=-1" in problem.message) == ("compaction.target.bytes", True)
    assert S3.check(config) == []
    task = build(config)
    values = [bytes([65 + number]) * 350_000 for number in range(40)]
    for first in range(0, 40, 10):
        task.put([replace(s3_member.batch(first, first + 10), value_schema=None, values=values[first : first + 10])])
        assert task.settle({PLACE: first + 10}) == {PLACE: first + 10}
    task.close()
    found = [bucket.content(name) for name in bucket.names("large/")]
    assert b"".join(found) == b"".join(value + b"\n" for value in values)
    assert [len(each) >> 20 for each in found] == [10, 3]
