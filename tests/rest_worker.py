"""A worker without processes for tests of herder and REST: files are read and written at once, states told at once.

The FileStream pair runs in it on the spot.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cdc.record import SourceOffset
from connect_compat.log import Log, TopicSpec
from connect_compat.worker import OnStatus, OnTopics, TaskId, TaskSpec, TaskView

FILES = "org.apache.kafka.connect.file."
TRANSFORMS = "org.apache.kafka.connect.transforms."


@dataclass
class FileWorker:
    """Runs `FILES` tasks on the spot. A source with transforms fails: the text it reads has no fields.

    Attributes:
        log: set by whoever opens it, before the first task starts.
        started: every spec, in order.
        sent: how many lines stand in each topic.
    """

    on_status: OnStatus
    on_topics: OnTopics
    log: Log | None = None
    started: list[TaskSpec] = field(default_factory=list)
    sent: dict[str, int] = field(default_factory=dict)
    levels: dict[str, int] = field(default_factory=dict)
    _views: dict[TaskId, TaskView] = field(default_factory=dict)
    _specs: dict[TaskId, TaskSpec] = field(default_factory=dict)

    def start_task(self, spec: TaskSpec, *, paused: bool = False) -> None:
        which = TaskId(spec.connector, spec.task)
        assert which not in self._views, f"task {which} is started already"
        self.started.append(spec)
        self._specs[which] = spec
        self._views[which] = TaskView(which, "UNASSIGNED", None, 0, 1, True, None, None, None, {})
        if paused:
            self.say(which, "PAUSED")
        elif "transforms" in spec.config:
            self.say(which, "FAILED", "Only Struct objects supported for [field insertion]\n\nTraceback …")
        else:
            self.say(which, "RUNNING")
            self._carry(spec)

    def _carry(self, spec: TaskSpec) -> None:
        """Everything that is there, once."""
        config = spec.config
        if "topic" in config and config.get("file"):
            self._read(spec.connector, config)
        for topic in filter(None, config.get("topics", "").split(",")):
            self.on_topics(spec.connector, spec.task, [topic])
            if self.log is not None and topic in self.sent:
                self.log.alter_group_offsets(f"connect-{spec.connector}", {(topic, 0): self.sent[topic]})
        if "topic" in config:
            self.on_topics(spec.connector, spec.task, [config["topic"]])

    def _read(self, connector: str, config: Mapping[str, str]) -> None:
        file = Path(config["file"])
        if self.log is None or not file.exists():
            return
        saved = [offset for partition, offset in self.log.source_offsets(connector) if offset is not None]
        text = file.read_text()
        unread = text[saved[0]["position"] if saved else 0 :]
        self.log.create_topics([TopicSpec(config["topic"], 1)])
        self.sent[config["topic"]] = self.sent.get(config["topic"], 0) + unread.count("\n")
        self.log.save_source_offsets(connector, [SourceOffset({"filename": str(file)}, {"position": len(text)})])

    def say(self, which: TaskId, state: str, trace: str | None = None, **seen: Any) -> None:
        """Reports a state as the supervising thread would; `seen` goes into the view."""
        self._views[which] = replace(self._views[which], state=state, trace=trace, **seen)
        self.on_status(which.connector, which.task, state, trace, {"restarts": 0})

    def ask_to_stop(self) -> None:
        """A task here does nothing between two calls."""

    def stop_tasks(self, ids: Iterable[TaskId]) -> None:
        for which in ids:
            if self._views.pop(which, None) is not None:
                self.on_status(which.connector, which.task, "UNASSIGNED", None, {"restarts": 0})

    def pause_task(self, which: TaskId) -> None:
        if self._views[which].state == "RUNNING":
            self.say(which, "PAUSED")

    def signal_task(self, which: TaskId, signal: str, timeout_s: float) -> bool:
        if self._views[which].state != "RUNNING":
            raise ValueError(f"task {which} is {self._views[which].state}")
        return True

    def resume_task(self, which: TaskId) -> None:
        if self._views[which].state == "PAUSED":
            self.say(which, "RUNNING")
            self._carry(self._specs[which])

    def set_level(self, logger: str, level: int) -> None:
        self.levels[logger] = level

    def view(self, which: TaskId) -> TaskView:
        return self._views[which]

    def health(self) -> list[TaskView]:
        return list(self._views.values())

    def close(self) -> None:
        self.stop_tasks(list(self._views))
