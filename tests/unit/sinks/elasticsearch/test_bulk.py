"""Requests on their way: how many, in which order, and what happens to those that fail."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from cdc.errors import TargetUnavailable
from cdc.record import Batch, Rejected
from sinks.elasticsearch.actions import Action
from sinks.elasticsearch.bulk import Lane
from sinks.elasticsearch.rules import settings

BATCH = Batch("t", None, None, [], [], [])


class Server:
    """Takes operations one request at a time or many; says `busy` to an id as often as told, fails as often as told."""

    def __init__(self) -> None:
        self.written: list[str | None] = []
        self.requests: list[int] = []
        self.busy: dict[str, int] = {}
        self.outages = 0
        self.at_once = self.most_at_once = 0
        self.slow = 0.0
        self.lock = threading.Lock()

    def send(self, actions: Sequence[Action]) -> tuple[list[Action], str, list[Rejected]]:
        with self.lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            fails, self.outages = self.outages > 0, max(self.outages - 1, 0)
        time.sleep(self.slow)
        with self.lock:
            self.at_once -= 1
            if fails:
                raise TargetUnavailable("away")
            self.requests.append(len(actions))
            late = [a for a in actions if self.busy.get(a.id or "", 0) > 0]
            for action in late:
                self.busy[action.id or ""] -= 1
            self.written += [action.id for action in actions if action not in late]
        return late, "full", [Rejected(BATCH, a.at, "bad") for a in actions if a.id == "bad"]


def actions(*ids: str, batch: Batch = BATCH) -> list[Action]:
    return [Action(batch, at, b'"i"', each, b"h\n", b"{}") for at, each in enumerate(ids)]


@contextmanager
def lane(server: Server, **given: str) -> Iterator[Lane]:
    raw = {"connection.url": "http://es:9200", "batch.size": "2", "retry.backoff.ms": "1", "linger.ms": "0"}
    made = Lane(settings(raw | {name.replace("_", "."): text for name, text in given.items()}), server.send)
    yield made
    made.close()


def test_several_requests_are_on_their_way_but_no_more_than_allowed() -> None:
    server = Server()
    server.slow = 0.05
    with lane(server, max_in_flight_requests="3") as made:
        made.finish(made.add(actions(*"abcdefghijkl"), ordered=False))
    assert server.most_at_once == 3
    assert sorted(map(str, server.written)) == list("abcdefghijkl")
    assert server.requests == [2] * 6


def test_a_request_that_waits_is_filled_up() -> None:
    server = Server()
    with lane(server, batch_size="100", linger_ms="10000", flush_timeout_ms="10000") as made:
        used = [*made.add(actions("a"), ordered=False), *made.add(actions("b", "c"), ordered=False)]
        made.hurry()
        made.finish(used)
    assert server.requests == [3]


def test_operations_without_versions_on_one_document_stay_in_order() -> None:
    server = Server()
    server.slow, server.busy = 0.01, {"a": 3}
    with lane(server, batch_size="1") as made:
        made.finish(made.add(actions(*"abacadab"), ordered=True))
    assert sorted(map(str, server.written)) == sorted("abacadab")
    assert [each for each in server.written if each == "b"] == ["b", "b"]


def test_what_the_server_was_too_busy_for_is_sent_again_alone() -> None:
    server = Server()
    server.busy = {"b": 2}
    with lane(server) as made:
        made.finish(made.add(actions("a", "b"), ordered=False))
    assert server.written == ["a", "b"]
    assert server.requests == [2, 1, 1]


def test_a_server_that_stays_busy_is_an_outage_and_nothing_is_lost() -> None:
    server = Server()
    server.busy = {"b": 5}
    with lane(server, max_retries="2") as made:
        used = made.add(actions("a", "b"), ordered=False)
        with pytest.raises(TargetUnavailable, match="busy: full"):
            made.finish(used)
        made.finish(used)
    assert server.written == ["a", "b"]


def test_after_an_outage_every_request_that_failed_is_sent_again_in_order() -> None:
    server = Server()
    server.outages = 4
    with lane(server, max_in_flight_requests="1") as made:
        used = made.add(actions(*"abcdabcd"), ordered=True)
        with pytest.raises(TargetUnavailable, match="away"):
            made.finish(used)
        while True:
            try:
                made.finish(used)
                break
            except TargetUnavailable:
                continue
        assert not made.full()
    assert server.written == list("abcdabcd")


def test_what_belongs_to_another_task_now_is_not_sent_again() -> None:
    server = Server()
    server.outages = 1
    gone = Batch("u", None, None, [], [], [])
    with lane(server, batch_size="10") as made:
        used = made.add([*actions("a"), *actions("b", batch=gone)], ordered=False)
        with pytest.raises(TargetUnavailable):
            made.finish(used)
        used[0].dropped.add(id(gone))
        made.finish(used)
    assert server.written == ["a"]


def test_it_is_full_by_records_and_by_bytes() -> None:
    server = Server()
    server.slow = 0.2
    with lane(server, batch_size="1", max_in_flight_requests="2", max_buffered_records="3") as made:
        used = made.add(actions("a", "b"), ordered=False)
        assert not made.full()
        used += made.add(actions("c"), ordered=False)
        assert made.full()
        made.finish(used)
        assert not made.full()
    with lane(server, batch_size="1", max_in_flight_requests="2", max_buffered_records="2000") as made:
        used = made.add(actions("a", "b", "c"), ordered=False)
        assert made.full()
        made.finish(used)
    with lane(server, bulk_size_bytes="1", max_in_flight_requests="1") as made:
        used = made.add(actions("a", "b"), ordered=False)
        assert made.full()
        made.finish(used)
