"""A live REST service for tests: our application on a free port, over a worker without processes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import uvicorn

from connect_compat.herder import Herder, Settings
from connect_compat.log import Log, LogSettings, open_log
from connect_compat.plugins import Plugins
from connect_compat.rest.app import application
from connect_compat.serve import bind
from connect_compat.worker import OnStatus, OnTopics
from connect_compat.worker_config import Listener
from tests import rest_worker

WORKER = {
    "key.converter": "org.apache.kafka.connect.json.JsonConverter",
    "value.converter": "org.apache.kafka.connect.json.JsonConverter",
    "header.converter": "org.apache.kafka.connect.storage.SimpleHeaderConverter",
}


NOTHING: Mapping[str, str] = {}


@dataclass
class RestService:
    url: str
    herder: Herder
    worker: rest_worker.FileWorker
    client: httpx.Client

    def settle(self) -> None:
        """Returns when all that was asked for until now has been carried out: the herder does one thing at a time."""
        self.herder.reset_topics("no-such-connector")


def make_herder(
    folder: Path, more: Mapping[str, str] = NOTHING, *, mask_secrets: bool = True
) -> tuple[Herder, rest_worker.FileWorker]:
    """A herder over an embedded log; its worker reads and writes files on the spot. `more`: worker properties."""
    made: list[rest_worker.FileWorker] = []

    def worker(on_status: OnStatus, on_topics: OnTopics) -> rest_worker.FileWorker:
        made.append(rest_worker.FileWorker(on_status, on_topics))
        return made[0]

    def opened(log_settings: LogSettings) -> Log:
        made[0].log = open_log(log_settings)
        return made[0].log

    place = Settings("127.0.0.1:8083", {**WORKER, **more}, LogSettings(path=str(folder)), mask_secrets=mask_secrets)
    herder = Herder(place, Plugins(), opened, worker)
    return herder, made[0]


@contextmanager
def serving(folder: Path) -> Iterator[RestService]:
    herder, worker = make_herder(folder)
    herder.start().result(30)
    (listening,) = bind([Listener("127.0.0.1", 0, "rest.port")])
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(application(herder), log_config=None, access_log=False, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        with httpx.Client(base_url=url, timeout=30) as client:
            yield RestService(url, herder, worker, client)
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
        herder.stop()
