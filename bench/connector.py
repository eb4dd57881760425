"""One connector of a worker, over REST."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import requests

from bench.workers import Worker


class Connector:
    def __init__(self, worker: Worker, name: str) -> None:
        self._url = f"{worker.url}/connectors/{name}"

    def call(self, method: str, path: str = "", body: object = None) -> Any:
        answer = requests.request(method, self._url + path, json=body, timeout=60)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def create(self, config: Mapping[str, str]) -> None:
        """A worker that has just started says 409 until its group stands."""
        self._until(lambda: self.call("PUT", "/config", config))

    def resume(self) -> None:
        self.call("PUT", "/resume")

    def stop(self) -> None:
        """Returns when no task runs any more."""
        self.call("PUT", "/stop")
        self._until(lambda: (status := self.call("GET", "/status"))["connector"]["state"] == "STOPPED"
                    and not status["tasks"])  # fmt: skip

    def offsets(self) -> Any:
        """The first it stores."""
        return self._until(lambda: self.call("GET", "/offsets")["offsets"])

    def rewind(self, offsets: Any) -> None:
        """A worker refuses while tasks of the stopped connector are still on their way out."""
        self._until(lambda: self.call("PATCH", "/offsets", {"offsets": offsets}))

    def delete(self) -> None:
        self.call("DELETE")

    def check(self) -> None:
        """Ends the bench when a task has failed."""
        try:
            tasks = self.call("GET", "/status")["tasks"]
        except requests.HTTPError:  # it is not known yet
            return
        for task in tasks:
            if task["state"] == "FAILED":
                raise SystemExit(f"{self._url} failed: {task.get('trace', '')[:2000]}")

    def _until(self, ask: Callable[[], Any]) -> Any:
        end = time.monotonic() + 120
        while time.monotonic() < end:
            try:
                if found := ask():
                    return found
            except requests.HTTPError as error:
                if error.response.status_code == 400:
                    raise SystemExit(f"{self._url} refuses: {error.response.text}") from error
            time.sleep(0.1)
        raise SystemExit(f"{self._url} did not come so far within 120 s: {self.call('GET', '/status')}")
