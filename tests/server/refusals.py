"""A worker on its embedded log, given bad input: each answer is timed and searched for secrets, each fault read out."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pymysql
import requests

from connect_compat.log import Encoded, TopicSpec
from tests.server.private_mysql import PrivateMySql
from tests.server.worker_process import WorkerProcess, wait_until

SECRET = "S3cr3t-pa55w0rd"
"""Every password and key that a test gives. It must be in no answer, no status and no line of the worker's log."""
SLOWEST_S = 35.0
Config = Mapping[str, Any]
Errors = dict[str, list[str]]
Rows = list[tuple[str, dict[str, Any] | None]]
_NO_SUCH_THREAD = 1094
_names = (f"bad{number}" for number in itertools.count())


class Refusals:
    """What the worker says of configs, and of tasks that meet a fault later."""

    def __init__(self, worker: WorkerProcess, server: PrivateMySql) -> None:
        self.worker, self.server = worker, server
        self.slowest = 0.0

    def source(self, prefix: str, /, **changes: str | None) -> dict[str, str]:
        """A config that works, for the user `bad` on the database `shop`; None removes a key, `__` stands for a dot."""
        return _changed(
            {
                "connector.class": "io.debezium.connector.mysql.MySqlConnector",
                "database.hostname": "127.0.0.1",
                "database.port": str(self.server.port),
                "database.user": "bad",
                "database.password": SECRET,
                "database.server.id": str(10_000 + int(prefix.removeprefix("bad") or 0)),
                "topic.prefix": prefix,
                "database.include.list": "shop",
                "schema.history.internal.kafka.topic": f"{prefix}-history",
            },
            changes,
        )

    def sink(self, url: str, /, **changes: str | None) -> dict[str, str]:
        return _changed(
            {
                "connector.class": "io.confluent.connect.elasticsearch.ElasticsearchSinkConnector",
                "connection.url": url,
                "connection.username": "me",
                "connection.password": SECRET,
                "topics": "none",
                "key.converter": "org.apache.kafka.connect.storage.StringConverter",
            },
            changes,
        )

    # Answers

    def ask(
        self, method: str, path: str, body: Any = None, *, raw: bytes | None = None, kind: str | None = None
    ) -> requests.Response:
        """`raw` is sent as it is, as `kind`; `body` as JSON."""
        data = json.dumps(body).encode() if raw is None and body is not None else raw
        headers = {"Content-Type": kind or "application/json"} if data is not None else {}
        began = time.monotonic()
        answer = requests.request(method, self.worker.url + path, data=data, headers=headers, timeout=100)
        took = time.monotonic() - began
        self.slowest = max(self.slowest, took)
        assert took < SLOWEST_S, f"{method} {path} took {took:.0f} s: {answer.text}"
        assert SECRET not in answer.text
        assert "Traceback" not in answer.text.partition("\\n")[0]
        return answer

    def validated(self, config: Config) -> Errors:
        """The errors by key as …/config/validate tells them."""
        answer = self.ask("PUT", f"/connector-plugins/{config['connector.class']}/config/validate", config)
        assert answer.status_code == 200, answer.text
        infos = answer.json()
        found = {info["value"]["name"]: info["value"]["errors"] for info in infos["configs"]}
        return {key: errors for key, errors in found.items() if errors}

    def refused(self, config: Config, name: str | None = None) -> Errors:
        """The errors by key; a PUT of the config tells all of them and creates nothing."""
        name = name or next(_names)
        errors = self.validated({"name": name, **config})
        answer = self.ask("PUT", f"/connectors/{name}/config", config)
        assert answer.status_code == 400, answer.text
        told = [error for found in errors.values() for error in found]
        first, _, rest = answer.json()["message"].partition("\n")
        assert first == f"Connector configuration is invalid and contains the following {len(told)} error(s):"
        assert told and all(error in rest for error in told)
        assert self.ask("GET", f"/connectors/{name}").status_code == 404
        return errors

    def message(self, config: Config) -> str:
        """What a PUT of the config is refused with."""
        answer = self.ask("PUT", f"/connectors/{next(_names)}/config", config)
        assert answer.status_code == 400, answer.text
        return str(answer.json()["message"])

    # Tasks

    @contextmanager
    def running(self, config: Config | None = None, **changes: str | None) -> Iterator[str]:
        """A connector, a source of `shop` unless told otherwise, up to its deletion; gives its name."""
        name = next(_names)
        answer = self.ask("PUT", f"/connectors/{name}/config", config or self.source(name, **changes))
        assert answer.status_code == 201, answer.text
        try:
            self.until(name, lambda task: task.get("state") in ("RUNNING", "FAILED"), "a start")
            yield name
        finally:
            assert self.ask("DELETE", f"/connectors/{name}").status_code == 204

    def task(self, name: str) -> dict[str, Any]:
        """The state of task 0, empty before it has one."""
        status = self.ask("GET", f"/connectors/{name}/status").json()
        return dict((status.get("tasks") or [{}])[0])

    def until(self, name: str, seen: Callable[[dict[str, Any]], Any], what: str) -> dict[str, Any]:
        task: dict[str, Any] = {}

        def look() -> bool:
            nonlocal task
            task = self.task(name)
            return bool(seen(task))

        try:
            wait_until(look, what, 30)
        except AssertionError:
            raise AssertionError(f"no {what} of {name} within 30 s: {task}\n{self.worker.said()}") from None
        return task

    def failed(self, name: str) -> str:
        """Why a task failed: the first line of its trace, which the worker's log has too."""
        trace = self.until(name, lambda task: task.get("state") == "FAILED", "failure")["trace"]
        first, _, rest = str(trace).partition("\n")
        assert "Traceback" in rest and "Traceback" not in first
        logged = [line for line in self.said().splitlines() if f"Task {name}-0 failed: " in line]
        assert any(json.loads(line)["event"].endswith(first) for line in logged)
        return first

    def waits(self, name: str) -> str:
        """What a running task waits for."""
        task = self.until(name, lambda task: task.get("waiting_for"), "outage")
        assert task["state"] == "RUNNING"
        return str(task["waiting_for"])

    def works(self, name: str) -> None:
        self.until(name, lambda task: task.get("state") == "RUNNING" and not task.get("waiting_for"), "recovery")

    def warned(self, name: str, words: str) -> str:
        """The warning with these words in the status of a running task."""
        task = self.until(name, lambda task: any(words in each for each in task.get("warnings", [])), "warning")
        assert task["state"] == "RUNNING"
        return next(str(each) for each in task["warnings"] if words in each)

    def restart(self, name: str) -> None:
        assert self.ask("POST", f"/connectors/{name}/tasks/0/restart").status_code == 204

    def stop(self, name: str) -> None:
        assert self.ask("PUT", f"/connectors/{name}/stop").status_code == 204
        wait_until(lambda: not self.task(name), f"the stop of {name}", 20)

    def resume(self, name: str) -> None:
        assert self.ask("PUT", f"/connectors/{name}/resume").status_code == 202

    # The server and the log

    def said(self) -> str:
        """All that the worker has logged."""
        return (self.worker.folder / "worker.log").read_text(errors="replace")

    def cut(self) -> None:
        """Ends every connection of the user `bad`, as a network does."""
        for (number,) in self.server.run("SELECT id FROM information_schema.processlist WHERE user = 'bad'"):
            try:
                self.server.run(f"KILL {number}")
            except pymysql.err.OperationalError as error:
                if error.args[0] != _NO_SUCH_THREAD:  # it ended by itself meanwhile
                    raise

    def rows(self, name: str) -> Rows:
        """Operation and row after it of every event of `shop.t`."""
        with self.worker.log() as log:
            values = [value for _, value in log.topic(f"{name}.shop.t", {}).read()]
        events = [json.loads(value)["payload"] for value in values if value]
        return [(event["op"], event["after"]) for event in events]

    def has_row(self, name: str, id: int) -> None:
        wait_until(lambda: any(row and row["id"] == id for _, row in self.rows(name)), f"row {id} of {name}", 20)

    def write(self, topic: str, *values: bytes) -> None:
        """Records of a topic of one partition."""
        with self.worker.log() as log:
            log.create_topics([TopicSpec(topic, 1, 1)])
            appender = log.appender("test", 0, {})
            appender.append([Encoded(topic, [b"k"] * len(values), list(values), [()] * len(values))], ())
            appender.flush()
            appender.close()


def _changed(config: dict[str, str], changes: Mapping[str, str | None]) -> dict[str, str]:
    named = {name.replace("__", "."): text for name, text in changes.items()}
    return {name: text for name, text in (config | named).items() if text is not None}
