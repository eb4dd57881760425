"""The Elasticsearch sink on real servers, the 8 of all tests and a 9 of its own: every document is looked at.

`TAILRACE_SEARCH` names other servers, of those in services/elasticsearch.py or by address: `make search-servers`.
"""

from __future__ import annotations

import math
import os
import random
import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests

from cdc.errors import TargetUnavailable
from cdc.record import BackgroundSink, Batch, Header, Rejected
from cdc.schema import DATE, FLOAT64, INT32, INT64, OPTIONAL_STRING, Schema, Type, struct
from sinks.elasticsearch.connector import ELASTICSEARCH
from tests.server.private_server import PrivateServer
from tests.server.rig import Rig
from tests.server.worker_process import wait_until

KEY = struct(("id", INT32), name="k")
VALUE = struct(("id", INT32), ("name", OPTIONAL_STRING), name="v")
DAY = Schema(Type.INT32, name=DATE, version=1)
INDEX = "sinktest.items"
SERVERS = os.environ.get("TAILRACE_SEARCH", "elasticsearch elasticsearch9").split()


class Search:
    """What a server holds, asked for by plain REST: a client library would refuse some of these servers."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()

    def call(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.session.request(method, self.url + path, json=body, timeout=60)
        assert answer.ok, answer.text
        return answer.json()

    def hits(self, name: str = INDEX) -> dict[str, Any]:
        """By id."""
        self.call("POST", f"/{name}/_refresh")
        found = self.call("GET", f"/{name}/_search?size=1000&version=true")
        return {hit["_id"]: hit for hit in found["hits"]["hits"]}

    def documents(self, name: str = INDEX) -> dict[str, Any]:
        return {id: hit["_source"] for id, hit in self.hits(name).items()}

    def mapping(self, name: str = INDEX) -> Any:
        (found,) = self.call("GET", f"/{name}/_mapping").values()
        return found["mappings"]["properties"]

    def forget(self, path: str) -> None:
        self.session.delete(self.url + path, timeout=60)


@pytest.fixture(scope="module", params=SERVERS)
def url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, elasticsearch_url: str
) -> Iterator[str]:
    kind = request.param
    if kind == "elasticsearch":
        yield elasticsearch_url
    elif kind.startswith("http"):
        yield kind
    else:
        server = PrivateServer(kind, tmp_path_factory.mktemp(kind))
        server.start()
        yield f"http://127.0.0.1:{server.port}"
        server.close()


@pytest.fixture
def search(url: str) -> Iterator[Search]:
    made = Search(url)
    made.forget(f"/{INDEX}")
    with made.session:
        yield made
        made.forget(f"/{INDEX}")


def batch(keys: Sequence[Any], values: Sequence[Any], first_offset: int, schema: Schema | None = VALUE) -> Batch:
    offsets = range(first_offset, first_offset + len(keys))
    stamps = [1_760_000_000_000 + offset for offset in offsets]
    return Batch("sinktest.Items", KEY, schema, keys, values, [()] * len(keys), 0, stamps, offsets)


def written(search: Search, *batches: Batch, **given: str) -> list[Rejected]:
    """One sink, one `put` for each batch; what it refused."""
    raw = {"connection.url": search.url, **{name.replace("_", "."): text for name, text in given.items()}}
    assert ELASTICSEARCH.check(raw) == []
    with closing(ELASTICSEARCH.build(raw)) as sink:
        return [refused for each in batches for refused in sink.put([each])]


def test_inserts_updates_and_deletes_end_in_the_state_of_the_table(search: Search) -> None:
    first = batch([(1,), (2,), (3,)], [(1, "a"), (2, "b"), (3, None)], 0)
    second = batch([(1,), (2,)], [(1, "A"), None], 3)
    wanted = {"1": {"id": 1, "name": "A"}, "3": {"id": 3, "name": None}}
    for batches in ([first, second], [first, second], [first]):  # written again after a crash, and late
        assert written(search, *batches, behavior_on_null_values="delete") == []
        assert search.documents() == wanted
    properties = search.mapping()
    assert properties["id"] == {"type": "integer"}
    assert properties["name"]["fields"]["keyword"]["type"] == "keyword"


@pytest.mark.parametrize("method", ["insert", "upsert"])
def test_a_document_that_elasticsearch_refuses_is_returned_alone_with_the_reason(search: Search, method: str) -> None:
    """For its content, or, of those that are replaced, with the whole request for an id of more than 512 bytes."""
    too_long = 5 if method == "insert" else None
    keys = [(number if number != too_long else "k" * 513,) for number in range(7)]
    values = [{"id": number if number != 2 else "no number"} for number in range(7)]
    for behaviour, fatal in (("fail", True), ("ignore", False)):
        search.forget(f"/{INDEX}")
        batches = batch([(9,)], [{"id": 9}], 0, None), batch(keys, values, 1, None)
        given = {"write_method": method, "behavior_on_malformed_documents": behaviour}
        refused = written(search, *batches, schema_ignore="true", **given)
        told = {each.index: each.reason for each in refused}
        assert {each.fatal for each in refused} == {fatal}
        assert "failed to parse field [id] of type [long]" in told.pop(2)
        if too_long is not None:
            assert "is too long, must be no longer than 512 bytes but was: 513" in told.pop(too_long)
        assert told == {}
        assert set(search.documents()) == {str(each) for each in range(10)} - {"2", "7", "8", str(too_long)}


def test_a_record_without_a_schema_is_refused_unless_schemas_are_ignored(search: Search) -> None:
    for drop in ("false", "true"):
        (refused,) = written(search, batch([(1,)], [{"id": 1}], 0, schema=None), drop_invalid_message=drop)
        assert refused.fatal == (drop == "false")
        assert "set schema.ignore=true" in refused.reason


def test_a_header_may_hold_the_version(search: Search) -> None:
    versions = (7, 6, -1)
    batches = [
        replace(batch([(1,)], [(1, f"v{version}")], offset), headers=[(Header("v", INT64, version),)])
        for offset, version in enumerate(versions)
    ]
    (refused,) = written(search, *batches, external_version_header="v")
    assert "the header v holds no integer from 0" in refused.reason
    assert search.hits()["1"]["_source"] == {"id": 1, "name": "v7"}
    assert search.hits()["1"]["_version"] == 7


def test_numbers_that_json_does_not_have_are_refused_where_a_number_belongs(search: Search) -> None:
    schema = struct(("id", INT32), ("x", FLOAT64), name="f")
    refused = written(search, batch([(1,), (2,), (3,)], [(1, 1.5), (2, math.nan), (3, -math.inf)], 0, schema))
    assert [each.index for each in refused] == [1, 2]
    assert "NaN" in refused[0].reason
    assert search.documents() == {"1": {"id": 1, "x": 1.5}}


def test_ids_are_topic_partition_and_offset_when_the_key_is_ignored(search: Search) -> None:
    written(search, batch([None, None], [(1, "a"), (1, "a")], 5), key_ignore="true", type_name="kafka-connect")
    assert set(search.documents()) == {"sinktest.Items+0+5", "sinktest.Items+0+6"}


def test_fields_are_merged_by_upsert(search: Search) -> None:
    written(search, batch([(1,)], [(1, "a")], 0), write_method="upsert")
    search.call("POST", f"/{INDEX}/_update/1", {"doc": {"seen": True}})
    written(search, batch([(1,)], [(1, "b")], 1), write_method="upsert")
    assert search.documents() == {"1": {"id": 1, "name": "b", "seen": True}}


def test_an_elasticsearch_that_is_away_is_an_outage() -> None:
    sink = ELASTICSEARCH.build({"connection.url": "http://127.0.0.1:1"})
    with pytest.raises(TargetUnavailable, match=r"http://127\.0\.0\.1:1 does not answer"):
        sink.put([batch([(1,)], [(1, "a")], 0)])
    sink.close()


ROW = struct(("id", INT32), ("name", OPTIONAL_STRING), ("text", OPTIONAL_STRING), name="r")
UNTOUCHED = "__debezium_unavailable_value"


def test_several_requests_at_a_time_end_in_the_last_state_of_each_document(search: Search) -> None:
    many = {"batch.size": "10", "connection.compression": "true", "behavior.on.null.values": "delete"}
    chance = random.Random(20261121)
    for method in ("insert", "upsert"):
        search.forget(f"/{INDEX}")
        sink = ELASTICSEARCH.build({"connection.url": search.url, "write.method": method} | many)
        assert isinstance(sink, BackgroundSink)
        keys = [(chance.randrange(30),) for _ in range(400)]
        values = [None if chance.random() < 0.2 else (key[0], f"n{at}") for at, key in enumerate(keys)]
        begun = [sink.begin([batch(keys[at : at + 50], values[at : at + 50], at)]) for at in range(0, 400, 50)]
        assert [refused for writing in begun for refused in writing.wait()] == []
        last = dict(zip(keys, values, strict=True))
        wanted = {str(key[0]): {"id": row[0], "name": row[1]} for key, row in last.items() if row is not None}
        assert search.documents() == wanted, method
        sink.close()


def test_a_value_that_a_change_did_not_touch_stays(search: Search) -> None:
    sink = ELASTICSEARCH.build({"connection.url": search.url, "behavior.on.null.values": "delete"})
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
        assert search.documents() == wanted
    assert search.hits()["1"]["_version"] == 3
    sink.put([batch([(1,)], [(1, "old", UNTOUCHED)], 1, ROW)])  # one that comes late
    assert search.documents() == wanted
    sink.close()


def test_fields_of_a_later_schema_are_added_to_a_mapping_that_was_made_here(search: Search) -> None:
    later = struct(*((field.name, field.schema) for field in VALUE.fields), ("day", DAY))
    for schema, value in ((VALUE, (1, "a")), (later, (1, "a", 5))):
        written(search, batch([(1,)], [value], len(value), schema))
    assert search.mapping()["day"] == {"type": "date"}
    assert search.documents()["1"]["day"] == 5 * 86_400_000


@pytest.mark.parametrize("usage", ["index", "alias_index"])
def test_documents_may_go_to_an_index_or_alias_that_is_there(search: Search, usage: str) -> None:
    name = INDEX if usage == "index" else "sinktest.alias"
    given = {"external.resource.usage": usage, "topics": "sinktest.Items",
             "topic.to.external.resource.mapping": f"sinktest.Items:{name}"}  # fmt: skip
    (problem,) = ELASTICSEARCH.check({"connection.url": search.url, **given})
    assert problem.key == "topic.to.external.resource.mapping"
    assert f"{usage} {name!r} of topic 'sinktest.Items' is not in Elasticsearch" in problem.message
    search.call("PUT", f"/{INDEX}", {"aliases": {"sinktest.alias": {}}})
    assert written(search, batch([(1,)], [(1, "a")], 0), **given) == []
    assert search.documents() == {"1": {"id": 1, "name": "a"}}


STAMPED = struct(("id", INT32), ("at", Schema(Type.INT64, name="io.debezium.time.MicroTimestamp", version=1)), name="s")


@pytest.fixture
def stream(search: Search) -> Iterator[str]:
    """A data stream that is there, with one document. Some servers here have no way to remove it."""
    name = f"logs-sinktest-{uuid.uuid4().hex[:8]}"
    template = {"index_patterns": ["logs-sinktest-*"], "data_stream": {}, "priority": 500}
    search.call("PUT", "/_index_template/sinktest", template)
    search.call("PUT", f"/{name}/_create/first", {"@timestamp": 1})
    yield name
    search.forget(f"/_data_stream/{name}")


@pytest.mark.parametrize("usage", ["disabled", "datastream"])
def test_documents_of_a_data_stream_have_the_time_of_their_record_or_of_a_field(
    search: Search, stream: str, usage: str
) -> None:
    kind, dataset, namespace = stream.split("-")
    given = {"data.stream.type": kind, "data.stream.dataset": dataset, "data.stream.namespace": namespace}
    if usage == "datastream":
        given = {"external.resource.usage": usage, "topic.to.external.resource.mapping": f"sinktest.Items:{stream}"}
    assert written(search, batch([(1,)], [(1, 5_000_000)], 0, STAMPED), **given) == []
    later = batch([(1,), (2,)], [(1, 6_000_000), (2, 7_000_000)], 1, STAMPED)
    assert written(search, later, **given, data_stream_timestamp_field="none,at") == []
    assert search.documents(stream) == {
        "first": {"@timestamp": 1},
        "1": {"@timestamp": 1_760_000_000_000, "id": 1, "at": 5_000_000},  # the second is passed over
        "2": {"@timestamp": "7000", "id": 2, "at": 7_000_000},
    }
    assert search.mapping(stream)["at"] == {"type": "long"}
    assert search.mapping(stream)["@timestamp"]["type"] == "date"


def test_versions_by_the_position_in_the_source_outlive_a_topic(
    tmp_path: Path, mysql_address: tuple[str, int], elasticsearch_url: str
) -> None:
    """A source made anew writes another topic from offset 0 on, and its changes are newer all the same."""
    rig = Rig(tmp_path, mysql_address, elasticsearch_url)
    by_source = {
        "tailrace_document_version": "source",
        "transforms_unwrap_add_headers": "source.file,source.pos,source.row",
    }
    try:
        rig.stream(sink=rig.sink_config(**by_source))
        rig.sql("INSERT INTO t (id, v) VALUES (1, 0), (2, 0), (3, 0)")
        for number in range(20):
            rig.sql(f"UPDATE t SET v = {number} WHERE id IN (1, 2)")
        rig.sql("DELETE FROM t WHERE id = 3")
        rig.index_equals_table()
        anew, topic = f"{rig.name}anew", f"{rig.name}anew.{rig.name}.t"
        rig.sql("UPDATE t SET v = 100")
        rig.worker.put(
            f"{rig.source}-2",
            rig.source_config(
                topic_prefix=anew, database_server_id="77", schema_history_internal_kafka_topic=f"{anew}-history"
            ),
        )
        rig.worker.put(
            f"{rig.sink}-2",
            rig.sink_config(
                **by_source,
                topics=topic,
                transforms="unwrap,index",
                transforms_index_type="org.apache.kafka.connect.transforms.RegexRouter",
                transforms_index_regex=".*",
                transforms_index_replacement=rig.index,
            ),
        )
        with rig.worker.log() as log:
            wait_until(lambda: sum(log.end_offsets(topic).values()) >= 2, f"the snapshot in {topic}")
        rig.worker.call("DELETE", f"/connectors/{rig.sink}")
        rig.sql("UPDATE t SET v = 200 WHERE id = 1")
        rig.sql("DELETE FROM t WHERE id = 2")
        rig.index_equals_table()
    finally:
        rig.close()
