"""The Elasticsearch sink on a real Elasticsearch: every document is looked at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from cdc.errors import TargetUnavailable
from cdc.record import Batch
from cdc.schema import INT32, OPTIONAL_STRING, Schema, struct
from sinks.elasticsearch.connector import ELASTICSEARCH

KEY = struct(("id", INT32), name="k")
VALUE = struct(("id", INT32), ("name", OPTIONAL_STRING), name="v")
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
