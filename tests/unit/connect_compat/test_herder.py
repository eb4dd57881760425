"""The records a herder writes against those a real Kafka Connect 4.3.1 worker wrote, and its rules one by one."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from cdc.errors import LogUnavailable, RequestError
from connect_compat.herder import Herder
from connect_compat.log import Log, LogSettings, Store
from connect_compat.masking import MASK
from connect_compat.state import State, Target
from connect_compat.worker import TaskId
from tests.rest_service import make_herder
from tests.rest_worker import FILES, FileWorker

RECORDED = Path(__file__).parents[2] / "golden" / "rest" / "internal_topics.jsonl"
Record = tuple[str, str, Any]


class Noted:
    """A store that notes what is put."""

    def __init__(self, store: Store, topic: str, noted: list[Record]) -> None:
        self._store, self._topic, self._noted = store, topic, noted

    def put(self, entries: Sequence[tuple[str, bytes | None]]) -> None:
        self._noted += [(self._topic, key, None if raw is None else json.loads(raw)) for key, raw in entries]
        self._store.put(entries)

    def all(self) -> Mapping[str, bytes]:
        return self._store.all()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[Herder, FileWorker]]:
    herder, worker = make_herder(tmp_path)
    herder.start().result(30)
    yield herder, worker
    herder.stop()


def settled(herder: Herder) -> None:
    """All that was asked for is done; reports of tasks come a turn later."""
    for _ in range(3):
        herder.reset_topics("nobody")


def source(tmp_path: Path, name: str = "src", **more: str) -> dict[str, str | None]:
    return {"connector.class": FILES + "FileStreamSourceConnector", "tasks.max": "1", "file": f"{tmp_path}/in.txt",
            "topic": "t", "name": name, **more}  # fmt: skip


def sink(tmp_path: Path, name: str = "snk", **more: str) -> dict[str, str | None]:
    return {"connector.class": FILES + "FileStreamSinkConnector", "tasks.max": "1", "file": f"{tmp_path}/out.txt",
            "topics": "t", "name": name, **more}  # fmt: skip


# What is written


def normal(value: Any) -> Any:
    """Without what belongs to a run; the version of what is being stopped came and went in the recording."""
    if not isinstance(value, dict):
        return value
    value = {key: item for key, item in value.items() if key not in ("generation", "worker_id")}
    if value.get("state") in ("UNASSIGNED", "RESTARTING"):
        value.pop("version", None)
    if "topic" in value:
        value = {"topic": {**value["topic"], "discoverTimestamp": 0, "task": 0}}
    if "properties" in value:
        value = {"properties": sorted(key for key in value["properties"] if key != "value.converter")}
    return value


def recorded() -> dict[str, list[Record]]:
    steps: dict[str, list[Record]] = {}
    for line in RECORDED.read_text().splitlines():
        row = json.loads(line.replace("-@@RUN@@", "").replace("@@RUN@@", "x"))
        topic, written = row["topic"].removeprefix("<group>-"), steps.setdefault(row["step"], [])
        if topic in ("configs", "status"):
            written.append((topic, row["key"], normal(row["value"])))
    return steps


def by_key(records: Sequence[Record], topic: str) -> dict[str, list[Any]]:
    """What became of each key; the same value twice in a row is once."""
    found: dict[str, list[Any]] = {}
    for where, key, value in records:
        values = found.setdefault(key, []) if where == topic else []
        if not values or values[-1] != value:
            values.append(value)
    return found


def test_the_records_of_a_whole_life_are_those_of_a_real_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    herder, _ = make_herder(tmp_path / "data")
    noted: list[Record] = []
    restore = herder._open_log

    def opened(settings: LogSettings) -> Log:
        log = restore(settings)
        configs, statuses = Noted(log.configs(), "configs", noted), Noted(log.statuses(), "status", noted)
        monkeypatch.setattr(log, "configs", lambda: configs)
        monkeypatch.setattr(log, "statuses", lambda: statuses)
        return log

    herder._open_log = opened
    herder.start().result(30)
    (tmp_path / "in.txt").write_text("one\ntwo\n")
    offsets = {"offsets": [{"partition": {"filename": f"{tmp_path}/in.txt"}, "offset": {"position": 4}}]}

    def life(name: str, kind: str, config: dict[str, str | None]) -> list[tuple[str, Callable[[], object]]]:
        return [
            (f"create {kind}", lambda: herder.create(name, config, None)),
            (f"pause {kind}", lambda: herder.set_target(name, Target.PAUSED)),
            (f"resume {kind}", lambda: herder.set_target(name, Target.STARTED)),
            (f"restart connector only, {kind}", lambda: herder.restart_connector(name)),
            (f"restart includeTasks, {kind}", lambda: herder.restart(name, include_tasks=True, only_failed=False)),
            (f"restart task, {kind}", lambda: herder.restart_task(name, 0)),
            (f"reconfigure to 2 tasks.max, {kind}", lambda: herder.patch_config(name, {"tasks.max": "2"})),
            (f"stop {kind}", lambda: herder.set_target(name, Target.STOPPED)),
            *([("alter offsets, source", lambda: herder.alter_offsets(name, offsets))] if kind == "source" else []),
            *([("reset offsets, source", lambda: herder.reset_offsets(name))] if kind == "source" else []),
            (f"topics reset, {kind}", lambda: herder.reset_topics(name)),
            (f"resume after stop, {kind}", lambda: herder.set_target(name, Target.STARTED)),
        ]

    steps = [
        *life("src", "source", source(tmp_path)),
        *life("snk", "sink", sink(tmp_path)),
        ("create STOPPED", lambda: herder.create("st", source(tmp_path, "st"), Target.STOPPED)),
        ("logger, scope cluster", lambda: herder.store_level("org.example.x", "DEBUG")),
        ("delete sink", lambda: herder.delete("snk")),
        ("delete source", lambda: herder.delete("src")),
        ("delete STOPPED", lambda: herder.delete("st")),
    ]
    expected = recorded()
    try:
        for step, act in steps:
            noted.clear()
            act()
            settled(herder)
            ours = [(topic, key, normal(value)) for topic, key, value in noted]
            theirs = expected.pop(step)
            assert [r for r in ours if r[0] == "configs"] == [r for r in theirs if r[0] == "configs"], step
            assert by_key(ours, "status") == by_key(theirs, "status"), step
        assert not expected
    finally:
        herder.stop()


# Rules


def test_a_new_worker_takes_up_what_the_former_left(tmp_path: Path) -> None:
    former, _ = make_herder(tmp_path / "data")
    former.start().result(30)
    former.create("a", source(tmp_path, "a"), None)
    former.create("b", source(tmp_path, "b"), Target.STOPPED)
    former.create("c", source(tmp_path, "c"), None)
    former.set_target("c", Target.PAUSED)
    settled(former)
    former.stop()
    herder, worker = make_herder(tmp_path / "data")
    herder.start().result(30)
    settled(herder)
    states = {(name, task): state for name, _, task, state in herder.states()}
    assert states == {("a", None): "RUNNING", ("a", 0): "RUNNING", ("b", None): "STOPPED",
                      ("c", None): "PAUSED", ("c", 0): "PAUSED"}  # fmt: skip
    assert {TaskId(spec.connector, spec.task) for spec in worker.started} == {("a", 0), ("c", 0)}
    assert herder.status("a")["tasks"][0]["worker_id"] == "127.0.0.1:8083"
    herder.stop()


def test_a_new_connector_does_not_start_with_the_tasks_of_a_deleted_one(tmp_path: Path) -> None:
    herder, _ = make_herder(tmp_path / "data")
    herder.start().result(30)
    herder.create("a", sink(tmp_path, "a", **{"tasks.max": "3"}), None)
    herder.delete("a")
    herder.create("a", sink(tmp_path, "a"), Target.PAUSED)
    settled(herder)
    herder.stop()
    again, worker = make_herder(tmp_path / "data")
    again.start().result(30)
    settled(again)
    assert again.info("a")["tasks"] == [] and worker.started == []
    again.stop()


def test_tasks_get_the_converters_of_the_worker(running: tuple[Herder, FileWorker], tmp_path: Path) -> None:
    herder, worker = running
    herder.create("a", source(tmp_path, "a"), None)
    settled(herder)
    config = worker.started[0].config
    assert config["value.converter"] == "org.apache.kafka.connect.json.JsonConverter"
    assert config["task.class"] == FILES + "FileStreamSourceTask"


def test_a_task_config_holds_references_and_not_what_they_stand_for(tmp_path: Path) -> None:
    (tmp_path / "secrets.properties").write_text("topic=hidden-topic\n")
    providers = {"config.providers": "file", "config.providers.file.class":
                 "org.apache.kafka.common.config.provider.FileConfigProvider"}  # fmt: skip
    herder, worker = make_herder(tmp_path / "data", more=providers)
    herder.start().result(30)
    reference = f"${{file:{tmp_path}/secrets.properties:topic}}"
    herder.create("a", source(tmp_path, "a", topic=reference), None)
    settled(herder)
    assert herder.task_configs("a")[0]["config"]["topic"] == reference
    assert worker.started[0].config["topic"] == reference
    herder.stop()


def test_a_report_of_a_task_that_was_replaced_changes_nothing(
    running: tuple[Herder, FileWorker], tmp_path: Path
) -> None:
    herder, _ = running
    herder.create("a", source(tmp_path, "a"), None)
    settled(herder)
    token = herder._here.token("a", 0)
    herder.restart_task("a", 0)
    settled(herder)
    herder._here.reported("a", 0, token, State.FAILED, "late")
    assert herder.task_status("a", 0)["state"] == "RUNNING"


def test_a_failed_task_is_started_again_by_a_restart_of_what_failed(
    running: tuple[Herder, FileWorker], tmp_path: Path
) -> None:
    herder, worker = running
    herder.create("a", sink(tmp_path, "a", **{"tasks.max": "2"}), None)
    settled(herder)
    worker.say(TaskId("a", 1), "FAILED", "the index is gone\n\nTraceback …")
    settled(herder)
    assert herder.task_status("a", 1)["trace"].startswith("the index is gone")
    plan = herder.restart("a", include_tasks=True, only_failed=True)
    assert [task["state"] for task in plan["tasks"]] == ["RUNNING", "RESTARTING"]
    assert plan["connector"]["state"] == "RUNNING"
    settled(herder)
    assert [task["state"] for task in herder.status("a")["tasks"]] == ["RUNNING", "RUNNING"]
    assert len(worker.started) == 3


def test_a_status_says_which_outage_a_task_waits_through(running: tuple[Herder, FileWorker], tmp_path: Path) -> None:
    herder, worker = running
    herder.create("a", sink(tmp_path, "a"), None)
    settled(herder)
    worker.say(TaskId("a", 0), "RUNNING", waiting_for="Elasticsearch does not answer", healthy=False,
               waiting_since=1_700_000_000_123)  # fmt: skip
    status = herder.task_status("a", 0)
    assert status["waiting_for"] == "Elasticsearch does not answer"
    assert status["waiting_since"] == "2023-11-14T22:13:20Z"
    assert herder.stalled() == []


def test_a_connector_whose_class_is_gone_says_so_and_leaves_the_others_alone(tmp_path: Path) -> None:
    herder, _ = make_herder(tmp_path / "data")
    herder.start().result(30)
    herder.create("a", source(tmp_path, "a"), None)
    herder._configs.put_connector("b", {"name": "b", "connector.class": "com.example.Gone"})
    settled(herder)
    herder.stop()
    again, _ = make_herder(tmp_path / "data")
    again.start().result(30)
    settled(again)
    assert again.status("b")["connector"]["state"] == "FAILED"
    assert "com.example.Gone" in again.status("b")["connector"]["trace"] and again.info("b")["type"] == "unknown"
    assert again.status("a")["connector"]["state"] == "RUNNING"
    again.stop()


def test_the_log_may_come_later_than_the_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connect_compat.turns.RETRY_S", 0.01)
    herder, _ = make_herder(tmp_path / "data")
    there = threading.Event()
    opened = herder._open_log

    def open_late(settings: LogSettings) -> Log:
        if not there.is_set():
            there.set()
            raise LogUnavailable("Kafka at nowhere:9092 does not answer")
        return opened(settings)

    herder._open_log = open_late
    started = herder.start()
    assert not herder.ready
    started.result(30)
    assert herder.names() == []
    herder.stop()


class Moody:
    """A store that is away when told to be; `refused` counts."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.away = threading.Event()
        self.refused = 0

    def put(self, entries: Sequence[tuple[str, bytes | None]]) -> None:
        if self.away.is_set():
            self.refused += 1
            raise LogUnavailable("Kafka at nowhere:9092 does not answer")
        self._store.put(entries)

    def all(self) -> Mapping[str, bytes]:
        return self._store.all()


@pytest.fixture
def moody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Herder, FileWorker, Moody, Moody]]:
    """A herder whose config and status stores can be away."""
    monkeypatch.setattr("connect_compat.turns.RETRY_S", 0.01)
    herder, worker = make_herder(tmp_path / "data")
    stores: list[Moody] = []
    restore = herder._open_log

    def opened(settings: LogSettings) -> Log:
        log = restore(settings)
        stores[:] = Moody(log.configs()), Moody(log.statuses())
        monkeypatch.setattr(log, "configs", lambda: stores[0])
        monkeypatch.setattr(log, "statuses", lambda: stores[1])
        return log

    herder._open_log = opened
    herder.start().result(30)
    yield herder, worker, stores[0], stores[1]
    if not herder._turns.stopping.is_set():
        herder.stop()


def tried(store: Moody) -> None:
    end = time.monotonic() + 10
    while store.refused < 3:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_change_while_the_log_is_away_is_refused_at_once_and_not_made_later(
    moody: tuple[Herder, FileWorker, Moody, Moody], tmp_path: Path
) -> None:
    herder, worker, configs, _ = moody
    configs.away.set()
    with pytest.raises(LogUnavailable):
        herder.create("a", source(tmp_path, "a"), None)
    configs.away.clear()
    settled(herder)
    assert herder.names() == [] and worker.started == []


def test_what_was_asked_for_is_done_when_the_log_is_back(
    moody: tuple[Herder, FileWorker, Moody, Moody], tmp_path: Path
) -> None:
    herder, worker, configs, statuses = moody
    statuses.away.set()
    herder.create("a", sink(tmp_path, "a", **{"tasks.max": "2"}), None)
    tried(statuses)
    configs.away.set()
    statuses.away.clear()
    tried(configs)
    assert worker.started == []
    configs.away.clear()
    settled(herder)
    assert [task["state"] for task in herder.status("a")["tasks"]] == ["RUNNING", "RUNNING"]


def test_a_state_that_cannot_be_written_is_shown_and_written_when_the_log_is_back(
    moody: tuple[Herder, FileWorker, Moody, Moody], tmp_path: Path
) -> None:
    herder, worker, _, statuses = moody
    herder.create("a", source(tmp_path, "a"), None)
    settled(herder)
    statuses.away.set()
    worker.say(TaskId("a", 0), "FAILED", "the table is gone")
    tried(statuses)
    assert herder.task_status("a", 0)["state"] == "FAILED"
    statuses.away.clear()
    settled(herder)
    assert json.loads(statuses.all()["status-task-a-0"])["state"] == "FAILED"


def test_a_worker_stops_although_the_log_is_away(
    moody: tuple[Herder, FileWorker, Moody, Moody], tmp_path: Path
) -> None:
    herder, _, _, statuses = moody
    herder.create("a", source(tmp_path, "a"), None)
    settled(herder)
    statuses.away.set()
    herder.stop()


# Secrets


def test_a_masked_secret_sent_back_keeps_the_stored_one(running: tuple[Herder, FileWorker], tmp_path: Path) -> None:
    herder, worker = running
    herder.create("a", source(tmp_path, "a", **{"some.password": "s3cret"}), None)
    assert herder.config("a")["some.password"] == MASK
    herder.put_config("a", {**herder.config("a"), "batch.size": "7"})
    settled(herder)
    assert worker.started[-1].config["some.password"] == "s3cret" and worker.started[-1].config["batch.size"] == "7"


def test_a_mask_without_a_stored_secret_is_refused(running: tuple[Herder, FileWorker], tmp_path: Path) -> None:
    herder, _ = running
    with pytest.raises(
        RequestError, match=r"some\.password: it is the mask that stands for a stored secret"
    ) as refused:
        herder.create("a", source(tmp_path, "a", **{"some.password": MASK}), None)
    assert refused.value.status == 400 and herder.names() == []


def test_secrets_are_shown_when_the_worker_is_told_to(tmp_path: Path) -> None:
    herder, _ = make_herder(tmp_path / "data", mask_secrets=False)
    herder.start().result(30)
    herder.create("a", source(tmp_path, "a", **{"some.password": "s3cret"}), None)
    assert herder.info("a")["config"]["some.password"] == "s3cret"
    herder.stop()
