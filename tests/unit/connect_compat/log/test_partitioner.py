"""Partition numbers equal those of kafka-clients 4.3.1 (`Utils.murmur2`, `BuiltInPartitioner.partitionForKey`)."""

from __future__ import annotations

import pytest

from connect_compat.log.partitioner import murmur2, partition_of

JAVA = {
    b"": 275646681,
    b"a": 2731586172,
    b"ab": 316155434,
    b"abc": 479470107,
    b"abcd": 2971317748,
    b'{"id":1001}': 1645685654,
    b'["inv",{"server":"dbserver1"}]': 2199127894,
    "éü日本".encode(): 3670786454,
    bytes([255, 0, 128, 1, 254, 253, 200]): 3060687406,
}


@pytest.mark.parametrize("key", JAVA)
def test_the_hash_equals_java_s(key: bytes) -> None:
    assert murmur2(key) == JAVA[key]


def test_the_partition_is_the_positive_hash_modulo_the_partitions() -> None:
    assert [partition_of(b"%d" % n, 4) for n in range(10)] == [0, 3, 0, 3, 1, 2, 2, 3, 3, 3]
    assert partition_of(b"a", 7) == (2731586172 & 0x7FFFFFFF) % 7
