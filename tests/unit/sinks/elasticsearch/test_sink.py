"""Answers to bulk requests that a real server gives at bad times only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import orjson
import pytest

from cdc.errors import TargetUnavailable
from cdc.record import Batch, Rejected
from cdc.schema import INT32, struct
from sinks.elasticsearch.connector import ELASTICSEARCH

KEY, ROW = struct(("id", INT32), name="k"), struct(("id", INT32), name="v")
FAULT = {"type": "node_not_connected_exception", "reason": "node left"}


@contextmanager
def server(faults: dict[str, int], whole: set[str]) -> Iterator[tuple[str, list[list[str]]]]:
    """Its URL, and the ids of each bulk request: `faults` fail so often by a 500, `whole` make a request a 400."""
    requests: list[list[str]] = []

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            lines = self.rfile.read(int(self.headers.get("Content-Length") or 0)).splitlines()
            status, told = 200, dict[str, Any]()
            if self.path.startswith("/_bulk"):
                ids = [orjson.loads(line)["index"]["_id"] for line in lines[::2]]
                requests.append(ids)
                status, told = bulk(ids)
            body = orjson.dumps(told)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_HEAD = do_GET = do_PUT = do_POST = _answer

        def log_message(self, *_: Any) -> None:
            pass

    def bulk(ids: list[str]) -> tuple[int, dict[str, Any]]:
        if whole.intersection(ids):
            return 400, {"error": {"type": "action_request_validation_exception", "reason": "bad id"}, "status": 400}
        items = []
        for id in ids:
            left = faults.get(id, 0)
            faults[id] = left - 1
            items.append({"index": {"status": 500, "error": FAULT} if left > 0 else {"status": 201}})
        return 200, {"errors": any("error" in item["index"] for item in items), "items": items}

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.server_port}", requests
    listening.shutdown()
    listening.server_close()
    thread.join()


def put(url: str, count: int, **given: str) -> list[Rejected]:
    rows = [(number,) for number in range(count)]
    batch = Batch("t", KEY, ROW, rows, rows, [()] * count, 0, [0] * count, range(count))
    raw = {"connection.url": url, "retry.backoff.ms": "1", "schema.ignore": "true"}
    with closing(ELASTICSEARCH.build(raw | {name.replace("_", "."): text for name, text in given.items()})) as sink:
        return list(sink.put([batch]))


def test_what_failed_by_the_servers_fault_is_sent_again_alone() -> None:
    with server({"1": 2, "3": 1}, set()) as (url, requests):
        assert put(url, 4) == []
    assert requests == [["0", "1", "2", "3"], ["1", "3"], ["1"]]


def test_and_is_an_outage_when_it_goes_on() -> None:
    with server({"1": 9}, set()) as (url, _), pytest.raises(TargetUnavailable, match="node left"):
        put(url, 2, max_retries="2")


def test_a_request_that_is_refused_as_a_whole_is_halved_until_the_culprits_are_alone() -> None:
    with server({}, {"2", "7"}) as (url, requests):
        refused = put(url, 8)
    assert [each.index for each in refused] == [2, 7]
    assert "document '2' of index 't' was refused: action_request_validation_exception: bad id" in refused[0].reason
    assert [ids for ids in requests if not {"2", "7"} & set(ids)] == [["0", "1"], ["3"], ["4", "5"], ["6"]]


def test_in_halves_nothing_overtakes_what_is_put_off() -> None:
    with server({"0": 1}, {"3"}) as (url, requests):
        assert [each.index for each in put(url, 4)] == [3]
    assert requests[1:4] == [["0", "1"], ["0", "2", "3"], ["0"]]
