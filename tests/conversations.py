"""Recorded REST conversations: a script of calls is run against a worker, each answer compared with the recorded one.

What belongs to a run is masked: worker ids, traces, times, the text of JSON readers where the script says so.
A call's `compare` may narrow the comparison: `body: any`, `keys`, `contains`.
"""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

Json = Any
_FREE = {"commit", "kafka_cluster_id", "version"}
_PASSING = ("rebalance", "stale configuration", "conflicting operation", "no known leader")
_AGREED_S = 20.0
_LONG = ("documentation", "recommended_values", "group", "width", "display_name", "dependents", "order_in_group")
_DEFINED = ("type", "required", "default_value", "importance")


@dataclass(frozen=True)
class Difference:
    call: str
    what: str


@dataclass
class Conversation:
    """One script and its answers, run with a name and a folder of its own.

    Attributes:
        settle: returns when what was asked for has been done; called where the recording slept for that.
        skip: ids of calls that are not made here.
        patience_s: how long a call waits for what it must find.
        calls: how many were made.
    """

    folder: Path
    name: str
    tmp: Path
    settle: Callable[[], object]
    skip: frozenset[str] = frozenset()
    patience_s: float = 10
    calls: int = 0

    def __post_init__(self) -> None:
        self._words = {"@@RUN@@": "r" + uuid.uuid4().hex[:7], "@@TMP@@": str(self.tmp)}

    def differences(self, base: str) -> Iterator[Difference]:
        """Runs every call in order; one difference or more for each answer that is not as recorded."""
        lines = (self.folder / f"{self.name}.answers.jsonl").read_text().splitlines()
        answers = {answer["id"]: answer for answer in map(json.loads, lines)}
        for step, got in self._run(base):
            if isinstance(got, str):
                yield Difference(step["id"], got)
                continue
            wanted = self._filled(answers[step["id"]])
            for what in _compare(step, wanted, got, self._words["@@RUN@@"]):
                yield Difference(step["id"], f"{step['method']} {step['path']}: {what}")

    def answers(self, base: str) -> Iterator[Json]:
        """What a worker answers, as it is recorded."""
        for step, got in self._run(base):
            assert not isinstance(got, str), f"{step['id']}: {got}"
            headers = {name: got.headers[name] for name in ("Content-Type", "Location") if name in got.headers}
            as_json = headers.get("Content-Type", "").startswith("application/json") or got.text.startswith("{")
            body = got.json() if got.content and as_json else got.text or None
            answer = {"id": step["id"], "status": got.status_code, "headers": headers, "body": _short(body)}
            text = json.dumps(answer, ensure_ascii=False)
            for word, value in self._words.items():
                text = text.replace(value, word)
            yield json.loads(text)

    def forget(self, base: str) -> None:
        """Deletes what the calls have left."""
        with httpx.Client(base_url=base, timeout=30) as client:
            for name in client.get("/connectors").json():
                if self._words["@@RUN@@"] in name:
                    client.delete(f"/connectors/{quote(name, safe='')}")

    def _run(self, base: str) -> Iterator[tuple[Mapping[str, Json], httpx.Response | str]]:
        """Each call with its answer, or with what it waited for in vain."""
        script = json.loads((self.folder / f"{self.name}.json").read_text())
        once = httpx.Limits(max_keepalive_connections=0)  # some answers end the connection without saying so
        with httpx.Client(base_url=base, timeout=100, limits=once) as client:
            for step in script["calls"]:
                step = self._filled(step)
                if step["id"] in self.skip:
                    continue
                for wait in self._waits(step):
                    if not self._wait(client, wait):
                        yield step, f"not reached: {wait}"
                if step.get("do") == "write_file":
                    Path(step["path"]).write_text(step["text"])
                elif step.get("do") == "sleep":
                    self.settle()
                elif "do" not in step:
                    self.calls += 1
                    yield step, _answered(client, step)

    def _filled(self, item: Json) -> Json:
        if isinstance(item, str):
            for word, text in self._words.items():
                item = item.replace(word, text)
            return item
        if isinstance(item, list):
            return [self._filled(each) for each in item]
        if isinstance(item, dict):
            return {self._filled(key): self._filled(value) for key, value in item.items()}
        return item

    @staticmethod
    def _waits(step: Mapping[str, Json]) -> list[Json]:
        waits = step.get("wait", [])
        return waits if isinstance(waits, list) else [waits]

    def _wait(self, client: httpx.Client, wait: Mapping[str, Json]) -> bool:
        end = time.monotonic() + self.patience_s
        while time.monotonic() < end:
            answer = client.get(wait["path"])
            if "status" in wait and answer.status_code != wait["status"]:
                pass
            elif "pointer" not in wait:
                return True
            else:
                found = _pointed(answer.json(), wait["pointer"])
                if found == wait["equals"] if "equals" in wait else len(found or "") == wait["length"]:
                    return True
            time.sleep(0.02)
        return False


def _pointed(document: Json, pointer: str) -> Json:
    for part in pointer.split("/")[1:]:
        try:
            document = document[int(part)] if isinstance(document, list) else document[part]
        except (KeyError, IndexError, TypeError, ValueError):
            return None
    return document


def _short(body: Json) -> Json:
    """Without what is long and never compared."""
    if isinstance(body, dict):
        return {name: _short(value) for name, value in body.items() if name not in _LONG}
    return [_short(each) for each in body] if isinstance(body, list) else body


def _answered(client: httpx.Client, step: Mapping[str, Json]) -> httpx.Response:
    """The answer; asked again while it only says that workers of a group are about to agree on something else."""
    end = time.monotonic() + _AGREED_S
    while True:
        got = _call(client, step)
        passing = got.status_code in (409, 500) and any(word in got.text for word in _PASSING)
        if not passing or step.get("noretry") or time.monotonic() > end:
            return got
        time.sleep(0.3)


def _call(client: httpx.Client, step: Mapping[str, Json]) -> httpx.Response:
    headers = {"Accept": "application/json"}
    content = None
    if "raw" in step or "body" in step:
        content = (step["raw"] if "raw" in step else json.dumps(step["body"])).encode()
        headers["Content-Type"] = "application/json"
    return client.request(step["method"], step["path"], content=content, headers={**headers, **step.get("headers", {})})


def _compare(step: Mapping[str, Json], wanted: Mapping[str, Json], got: httpx.Response, run: str) -> Iterator[str]:
    if wanted["status"] != got.status_code:
        yield f"status {wanted['status']} was recorded, got {got.status_code}: {got.text[:300]}"
        return
    for header, shown in (("Content-Type", lambda text: text.partition(";")[0]), ("Location", _path)):
        was, now = wanted["headers"].get(header, ""), got.headers.get(header, "")
        if shown(was) != shown(now):
            yield f"{header} {was!r} was recorded, got {now!r}"
    as_json = got.headers.get("Content-Type", "").startswith("application/json") or got.text.startswith("{")
    yield from _compare_bodies(step, wanted["body"], got.json() if got.content and as_json else got.text or None, run)


def _path(url: str) -> str:
    return urlsplit(url).path


def _compare_bodies(step: Mapping[str, Json], was: Json, now: Json, run: str) -> Iterator[str]:
    how = step.get("compare", {})
    if isinstance(was, dict) and "error_code" in was:
        yield from _errors(step.get("message", "exact"), was, now)
    elif how.get("body") == "any":
        return
    elif "contains" in how:
        yield from (
            f"{item} was recorded in {was}, got {now}" for item in how["contains"] if (item in was) != (item in now)
        )
    elif isinstance(was, dict) and "configs" in was:
        yield from _infos(was, now)
    elif isinstance(was, list) and was and "default_value" in was[0]:
        yield from _definitions({key["name"]: key for key in was}, {key["name"]: key for key in now})
    elif isinstance(was, list) and was and "class" in was[0]:
        listed = {(plugin["class"], plugin["type"]) for plugin in now}
        yield from (f"{plugin} is not listed" for plugin in was if (plugin["class"], plugin["type"]) not in listed)
    else:
        if step["path"].partition("?")[0].rstrip("/") == "/connectors":
            was, now = _of_run(was, run), _of_run(now, run)
        if "keys" in how and isinstance(was, dict) and isinstance(now, dict):
            was, now = ({key: body[key] for key in how["keys"] if key in body} for body in (was, now))
        yield from _differ(was, now, "", free=step.get("last_modified") == "any")


def _of_run(body: Json, run: str) -> Json:
    """Other conversations may have left connectors behind."""
    if isinstance(body, list):
        return sorted(name for name in body if run in name)
    return {name: body[name] for name in sorted(body) if run in name} if isinstance(body, dict) else body


def _errors(how: str, was: Json, now: Json) -> Iterator[str]:
    if not isinstance(now, dict) or set(now) != {"error_code", "message"} or was["error_code"] != now["error_code"]:
        yield f"error {was['error_code']} was recorded, got {now}"
        return
    kind, _, text = how.partition(":")
    said = str(now["message"])
    fits = {"any": True, "exact": said == was["message"], "prefix": said.startswith(text), "contains": text in said}
    if not fits[kind]:
        yield f"message {was['message']!r} was recorded, got {said!r}"


def _infos(was: Json, now: Json) -> Iterator[str]:
    for member in ("name", "error_count"):
        if was[member] != now[member]:
            yield f"{member} {was[member]} was recorded, got {now[member]}"
    if sorted(was["groups"]) != sorted(now["groups"]):
        yield f"groups {was['groups']} were recorded, got {now['groups']}"
    old = {item["value"]["name"]: item for item in was["configs"]}
    new = {item["value"]["name"]: item for item in now["configs"]}
    yield from _definitions(
        {name: item["definition"] for name, item in old.items()},
        {name: item["definition"] for name, item in new.items()},
    )
    for name in old.keys() & new.keys():
        before, after = old[name]["value"], new[name]["value"]
        if bool(before["errors"]) != bool(after["errors"]):
            yield f"{name}: errors {before['errors']} were recorded, got {after['errors']}"
        if before["value"] != after["value"]:
            yield f"{name}: value {before['value']} was recorded, got {after['value']}"


def _definitions(was: Mapping[str, Json], now: Mapping[str, Json]) -> Iterator[str]:
    if was.keys() != now.keys():
        yield f"keys that differ: {sorted(was.keys() ^ now.keys())}"
    for name in was.keys() & now.keys():
        if was[name] is None or now[name] is None:
            if was[name] is not now[name]:
                yield f"{name}: definition {was[name]} was recorded, got {now[name]}"
            continue
        for member in _DEFINED:
            if was[name][member] != now[name][member]:
                yield f"{name}: {member} {was[name][member]!r} was recorded, got {now[name][member]!r}"


def _differ(was: Json, now: Json, at: str, *, free: bool) -> Iterator[str]:
    key = at.rpartition("/")[2]
    if key == "worker_id":
        fits = isinstance(now, str) and re.fullmatch(r".+:\d+", now) is not None
    elif key == "trace" or (key in _FREE and "/config/" not in at):
        fits = (isinstance(now, str) and bool(now)) or (key == "version" and now is None)
    elif key == "last_modified":
        fits = free or (was is None) == (now is None)
    elif isinstance(was, dict) and isinstance(now, dict):
        if was.keys() != now.keys():
            yield f"{at}: members that differ: {sorted(was.keys() ^ now.keys())}"
        for name in was.keys() & now.keys():
            yield from _differ(was[name], now[name], f"{at}/{name}", free=free)
        return
    elif isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        for number, (before, after) in enumerate(zip(was, now, strict=True)):
            yield from _differ(before, after, f"{at}/{number}", free=free)
        return
    else:
        fits = type(was) is type(now) and was == now
    if not fits:
        yield f"{at or 'body'}: {was!r} was recorded, got {now!r}"
