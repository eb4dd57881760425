"""The Elasticsearch sink on a real Elasticsearch: every document is looked at."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from cdc.errors import TargetUnavailable
from cdc.record import BackgroundSink, Batch
from cdc.schema import DATE, INT32, OPTIONAL_STRING, Schema, Type, struct
from sinks.elasticsearch.connector import ELASTICSEARCH

KEY = struct(("id", INT32), name="k")
VALUE = struct(("id", INT32), ("name", OPTIONAL_STRING), name="v")
DAY = Schema(Type.INT32, name=DATE, version=1)
INDEX = "sinktest.items"


@pytest.fixture
def client(elasticsearch_url: str) -> Iterator[Elasticsearch]:
    with Elasticsearch(elasticsearch_url) as client:
        client.indices.delete(index=INDEX, ignore_unavailable=True)
        yield client
        client.indices.delete(index=INDEX, ignore_unavailable=True)


def batch(keys: Sequence[Any], values: Sequence[Any], first_offset: int, schema: Schema | None = VALUE) -> Batch:
    offsets = range(first_offset, first_offset + len(keys))
    return Batch("sinktest.Items", KEY, schema, keys, values, [()] * len(keys), 0, [0] * len(keys), offsets)


def documents(client: Elasticsearch) -> dict[str, Any]:
    client.indices.refresh(index=INDEX)
    return {hit["_id"]: hit["_source"] for hit in client.search(index=INDEX, size=1000)["hits"]["hits"]}


def test_inserts_updates_and_deletes_end_in_the_state_of_the_table(
    client: Elasticsearch, elasticsearch_url: str
) -> None:
    sink = ELASTICSEARCH.build({"connection.url": elasticsearch_url, "behavior.on.null.values": "delete"})
    first = batch([(1,), (2,), (3,)], [(1, "a"), (2, "b"), (3, None)], 0)
    second = batch([(1,), (2,)], [(1, "A"), None], 3)
    assert [*sink.put([first]), *sink.put([second])] == []
    assert documents(client) == {"1": {"id": 1, "name": "A"}, "3": {"id": 3, "name": None}}
    assert sink.put([first, second]) == []  # written again after a crash
    assert documents(client) == {"1": {"id": 1, "name": "A"}, "3": {"id": 3, "name": None}}
    sink.close()


def test_an_older_version_never_overwrites_a_newer_one(client: Elasticsearch, elasticsearch_url: str) -> None:
    sink = ELASTICSEARCH.build({"connection.url": elasticsearch_url})
    sink.put([batch([(1,)], [(1, "new")], 10)])
    sink.put([batch([(1,)], [(1, "old")], 9)])
    assert documents(client) == {"1": {"id": 1, "name": "new"}}
    sink.close()


def test_the_mapping_is_made_from_the_record_schema(client: Elasticsearch, elasticsearch_url: str) -> None:
    sink = ELASTICSEARCH.build({"connection.url": elasticsearch_url})
    sink.put([batch([(1,)], [(1, "a")], 0)])
    properties = client.indices.get_mapping(index=INDEX)[INDEX]["mappings"]["properties"]
    assert properties["id"] == {"type": "integer"}
    assert properties["name"]["fields"]["keyword"]["type"] == "keyword"
    sink.close()


def test_a_document_that_elasticsearch_refuses_is_returned_alone_with_the_reason(
    client: Elasticsearch, elasticsearch_url: str
) -> None:
    sink = ELASTICSEARCH.build({"connection.url": elasticsearch_url, "schema.ignore": "true"})
    sink.put([batch([(1,)], [(1, "a")], 0)])
    (refused,) = sink.put([batch([(2,), (3,)], [{"id": "no number"}, {"id": 3}], 1, schema=None)])
    assert (refused.index, refused.fatal) == (0, True)
    assert "failed to parse field [id]" in refused.reason
    assert set(documents(client)) == {"1", "3"}
    sink.close()


def test_a_record_without_a_schema_is_refused_unless_schemas_are_ignored(elasticsearch_url: str) -> None:
    sink = ELASTICSEARCH.build({"connection.url": elasticsearch_url})
    (refused,) = sink.put([batch([(1,)], [{"id": 1}], 0, schema=None)])
    assert "set schema.ignore=true" in refused.reason
    sink.close()


def test_ids_are_topic_partition_and_offset_when_the_key_is_ignored(
    client: Elasticsearch, elasticsearch_url: str
) -> None:
    sink = ELASTICSEARCH.build(
        {"connection.url": elasticsearch_url, "key.ignore": "true", "type.name": "kafka-connect"}
    )
    sink.put([batch([None, None], [(1, "a"), (1, "a")], 5)])
    assert set(documents(client)) == {"sinktest.Items+0+5", "sinktest.Items+0+6"}
    sink.close()


def test_fields_are_merged_by_upsert(client: Elasticsearch, elasticsearch_url: str) -> None:
    sink = ELASTICSEARCH.build({"connection.url": elasticsearch_url, "write.method": "upsert"})
    sink.put([batch([(1,)], [(1, "a")], 0)])
    client.update(index=INDEX, id="1", doc={"seen": True})
    sink.put([batch([(1,)], [(1, "b")], 1)])
    assert documents(client) == {"1": {"id": 1, "name": "b", "seen": True}}
    sink.close()


def test_an_elasticsearch_that_is_away_is_an_outage() -> None:
    sink = ELASTICSEARCH.build({"connection.url": "http://127.0.0.1:1"})
    with pytest.raises(TargetUnavailable, match=r"http://127\.0\.0\.1:1 does not answer"):
        sink.put([batch([(1,)], [(1, "a")], 0)])
    sink.close()


ROW = struct(("id", INT32), ("name", OPTIONAL_STRING), ("text", OPTIONAL_STRING), name="r")
UNTOUCHED = "__debezium_unavailable_value"


def test_several_requests_at_a_time_end_in_the_last_state_of_each_document(
    client: Elasticsearch, elasticsearch_url: str
) -> None:
    many = {"batch.size": "20", "connection.compression": "true", "behavior.on.null.values": "delete"}
    chance = random.Random(20261121)
    for method in ("insert", "upsert"):
        client.indices.delete(index=INDEX, ignore_unavailable=True)
        sink = ELASTICSEARCH.build({"connection.url": elasticsearch_url, "write.method": method} | many)
        assert isinstance(sink, BackgroundSink)
        keys = [(chance.randrange(30),) for _ in range(800)]
        values = [None if chance.random() < 0.2 else (key[0], f"n{at}") for at, key in enumerate(keys)]
        begun = [sink.begin([batch(keys[at : at + 100], values[at : at + 100], at)]) for at in range(0, 800, 100)]
        assert [refused for writing in begun for refused in writing.wait()] == []
        last = dict(zip(keys, values, strict=True))
        wanted = {str(key[0]): {"id": row[0], "name": row[1]} for key, row in last.items() if row is not None}
        assert documents(client) == wanted, method
        sink.close()


def test_a_value_that_a_change_did_not_touch_stays(client: Elasticsearch, elasticsearch_url: str) -> None:
    sink = ELASTICSEARCH.build({"connection.url": elasticsearch_url, "behavior.on.null.values": "delete"})
    first = batch([(1,), (2,), (3,)], [(1, "a", "long1"), (2, "a", "long2"), (3, "a", "long3")], 0, ROW)
    second = batch([(1,), (2,), (2,), (3,), (3,), (4,)],
                   [(1, "b", UNTOUCHED), (2, "b", "longer"), (2, "c", UNTOUCHED), None, (3, "d", UNTOUCHED),
                    (4, "e", UNTOUCHED)], 3, ROW)  # fmt: skip
    wanted = {
        "1": {"id": 1, "name": "b", "text": "long1"},
        "2": {"id": 2, "name": "c", "text": "longer"},
        "3": {"id": 3, "name": "d"},
        "4": {"id": 4, "name": "e"},
    }
    sink.put([first])
    for batches in ([second], [first, second]):  # written again after a crash
        assert sink.put(batches) == []
        assert documents(client) == wanted
    assert client.get(index=INDEX, id="1")["_version"] == 3
    sink.put([batch([(1,)], [(1, "old", UNTOUCHED)], 1, ROW)])  # one that comes late
    assert documents(client) == wanted
    sink.close()


def test_fields_of_a_later_schema_are_added_to_a_mapping_that_was_made_here(
    client: Elasticsearch, elasticsearch_url: str
) -> None:
    later = struct(*((field.name, field.schema) for field in VALUE.fields), ("day", DAY))
    for schema, value in ((VALUE, (1, "a")), (later, (1, "a", 5))):
        sink = ELASTICSEARCH.build({"connection.url": elasticsearch_url})
        sink.put([batch([(1,)], [value], len(value), schema)])
        sink.close()
    assert client.indices.get_mapping(index=INDEX)[INDEX]["mappings"]["properties"]["day"] == {"type": "date"}
    assert documents(client)["1"]["day"] == 5 * 86_400_000


def test_documents_may_go_to_an_alias_that_is_there(client: Elasticsearch, elasticsearch_url: str) -> None:
    config = {"connection.url": elasticsearch_url, "external.resource.usage": "alias_index", "topics": "sinktest.Items",
              "topic.to.external.resource.mapping": "sinktest.Items:sinktest.alias"}  # fmt: skip
    (problem,) = ELASTICSEARCH.check(config)
    assert problem.key == "topic.to.external.resource.mapping"
    assert "alias_index 'sinktest.alias' of topic 'sinktest.Items' is not in Elasticsearch" in problem.message
    client.indices.create(index=INDEX, aliases={"sinktest.alias": {}})
    assert ELASTICSEARCH.check(config) == []
    sink = ELASTICSEARCH.build(config)
    assert sink.put([batch([(1,)], [(1, "a")], 0)]) == []
    assert documents(client) == {"1": {"id": 1, "name": "a"}}
    sink.close()
