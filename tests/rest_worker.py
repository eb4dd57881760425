"""A worker without processes for tests of herder and REST: files are read and written at once, states told at once.

Its connectors carry the names and keys of Kafka Connect's FileStream pair, so that recorded conversations fit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cdc.config import Importance, key
from cdc.connector import Raw, SinkConnector, SourceConnector
from cdc.errors import RequestError
from cdc.record import Sink, Source, SourceContext, SourceOffset
from connect_compat.log import Log, TopicSpec
from connect_compat.plugins import KAFKA, Kind, Plugin
from connect_compat.worker import OnStatus, OnTopics, TaskId, TaskSpec, TaskView

FILES = "org.apache.kafka.connect.file."
TRANSFORMS = "org.apache.kafka.connect.transforms."


@dataclass(frozen=True, kw_only=True)
class FileSourceKeys:
    file: str | None = key("file", default=None, doc="File to read.", importance=Importance.HIGH)
    topic: str = key("topic", doc="Topic to write to.", importance=Importance.HIGH)
    batch_size: int = key("batch.size", default=2000, doc="Lines a read.", importance=Importance.LOW)


@dataclass(frozen=True, kw_only=True)
class FileSinkKeys:
    file: str | None = key("file", default=None, doc="File to write.", importance=Importance.HIGH)


@dataclass(frozen=True, kw_only=True)
class RouterKeys:
    regex: str = key("regex", doc="What to match.", importance=Importance.HIGH)
    replacement: str = key("replacement", doc="What to put there.", importance=Importance.HIGH)


@dataclass(frozen=True, kw_only=True)
class InsertKeys:
    topic_field: str | None = key("topic.field", default=None, doc="Field for the topic.")
    partition_field: str | None = key("partition.field", default=None, doc="Field for the partition.")
    offset_field: str | None = key("offset.field", default=None, doc="Field for the offset.")
    timestamp_field: str | None = key("timestamp.field", default=None, doc="Field for the timestamp.")
    static_field: str | None = key("static.field", default=None, doc="Field for a fixed value.")
    static_value: str | None = key("static.value", default=None, doc="That value.")
    defaults: bool = key("replace.null.with.default", default=True, doc="Whether defaults stand in for nulls.")


@dataclass(frozen=True, kw_only=True)
class StringKeys:
    encoding: str = key("converter.encoding", default="UTF-8", doc="Character set.", importance=Importance.HIGH)


@dataclass(frozen=True, kw_only=True)
class JsonKeys:
    schemas: bool = key("schemas.enable", default=True, doc="Whether schemas go along.", importance=Importance.HIGH)


class Router:
    CONFIG = RouterKeys


class Insert:
    CONFIG = InsertKeys


class Text:
    CONFIG = StringKeys


class Json:
    CONFIG = JsonKeys


class Headers:
    """Has no settings."""


def _no_source(raw: Raw, context: SourceContext) -> Source:
    raise AssertionError("no task process runs in these tests")


def _no_sink(raw: Raw) -> Sink:
    raise AssertionError("no task process runs in these tests")


def _check_offsets(offsets: Sequence[SourceOffset]) -> None:
    """The words of Kafka Connect's FileStreamSourceConnector, with its status."""
    for partition, offset in offsets:
        if "filename" not in partition:
            raise RequestError(500, "Partition objects should contain the key 'filename'")
        if offset is None:
            continue
        if "position" not in offset:
            raise RequestError(500, "Offset objects should either be null or contain the key 'position'")
        if not isinstance(offset["position"], int):
            raise RequestError(500, "The value for the 'position' key in the offset is expected to be a Long value")
        if offset["position"] < 0:
            raise RequestError(500, "The value for the 'position' key in the offset should be a non-negative value")


SOURCE = SourceConnector(
    class_name=FILES + "FileStreamSourceConnector", version=KAFKA, config=FileSourceKeys, build=_no_source,
    check_offsets=_check_offsets, knows_offsets=True,
)  # fmt: skip
SINK = SinkConnector(
    class_name=FILES + "FileStreamSinkConnector", version=KAFKA, config=FileSinkKeys, build=_no_sink,
    knows_offsets=True,
)  # fmt: skip

_HERE = "tests.rest_worker:"
TABLE = (
    Plugin(Kind.SOURCE, SOURCE.class_name, KAFKA, _HERE + "SOURCE"),
    Plugin(Kind.SINK, SINK.class_name, KAFKA, _HERE + "SINK"),
    Plugin(Kind.TRANSFORM, TRANSFORMS + "RegexRouter", KAFKA, _HERE + "Router"),
    Plugin(Kind.TRANSFORM, TRANSFORMS + "InsertField$Value", KAFKA, _HERE + "Insert"),
    Plugin(Kind.CONVERTER, "org.apache.kafka.connect.storage.StringConverter", KAFKA, _HERE + "Text"),
    Plugin(Kind.CONVERTER, "org.apache.kafka.connect.json.JsonConverter", KAFKA, _HERE + "Json"),
    Plugin(Kind.HEADER_CONVERTER, "org.apache.kafka.connect.storage.StringConverter", KAFKA, _HERE + "Text"),
    Plugin(Kind.HEADER_CONVERTER, "org.apache.kafka.connect.json.JsonConverter", KAFKA, _HERE + "Json"),
    Plugin(Kind.HEADER_CONVERTER, "org.apache.kafka.connect.storage.SimpleHeaderConverter", KAFKA, _HERE + "Headers"),
)
"""Stand-ins under the names of the recorded conversations."""


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

    def stop_tasks(self, ids: Iterable[TaskId]) -> None:
        for which in ids:
            if self._views.pop(which, None) is not None:
                self.on_status(which.connector, which.task, "UNASSIGNED", None, {"restarts": 0})

    def pause_task(self, which: TaskId) -> None:
        if self._views[which].state == "RUNNING":
            self.say(which, "PAUSED")

    def resume_task(self, which: TaskId) -> None:
        if self._views[which].state == "PAUSED":
            self.say(which, "RUNNING")
            self._carry(self._specs[which])

    def set_level(self, logger: str, level: int) -> None:
        self.levels[logger] = level

    def health(self) -> list[TaskView]:
        return list(self._views.values())

    def close(self) -> None:
        self.stop_tasks(list(self._views))
