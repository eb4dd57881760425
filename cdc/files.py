"""Lines appended to a text file, each as a record: Kafka Connect's FileStreamSourceConnector.

Equal to it in keys, records and offsets; it differs in that positions count bytes, so that a file with letters beyond
ASCII is taken up where it was left, and in that standard input cannot be read (a task is a process of its own).
Source: Kafka Connect 4.3.1, `org.apache.kafka.connect.file`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cdc.config import Importance, key, parse
from cdc.connector import Raw, SourceConnector
from cdc.errors import ConfigError, Problem, RequestError, SourceError
from cdc.file_set import FILENAME, POSITION, FileSet, Form
from cdc.lines import Lines
from cdc.record import Batch, Poll, Source, SourceContext, SourceOffset
from cdc.schema import STRING

CLASS_NAME: Final = "org.apache.kafka.connect.file.FileStreamSourceConnector"
_WAIT_S: Final = 0.25


@dataclass(frozen=True, kw_only=True)
class FileStreamSourceConfig:
    """What a FileStreamSource reads from its connector config."""

    file: str | None = key(
        "file", default=None, importance=Importance.HIGH,
        doc="Source filename. If not specified, the standard input will be used",
    )  # fmt: skip
    topic: str = key("topic", importance=Importance.HIGH, doc="The topic to publish data to")
    batch_size: int = key(
        "batch.size", default=2000, importance=Importance.LOW,
        doc="The maximum number of records the source task can read from the file each time it is polled",
    )  # fmt: skip
    pattern: str | None = key(
        "tailrace.files", default=None, internal=True, importance=Importance.LOW,
        doc="Glob of files to read instead of `file`, such as `/data/in/*.csv`; `**` stands for any folders. Each is "
            "read from where it was left, also under another name (rotated), and new ones are found all the time.",
    )  # fmt: skip
    form: str = key(
        "tailrace.files.format", default="text", values=("text", "json", "csv"), internal=True,
        importance=Importance.LOW,
        doc="Of the files of `tailrace.files`: `text`, a line is a string; `json`, a line is a JSON value, without a "
            "schema; `csv`, a line is a struct of strings under the names in the file's first line.",
    )  # fmt: skip
    delimiter: str = key(
        "tailrace.files.csv.delimiter", default=",", internal=True, importance=Importance.LOW,
        check=lambda value: None if len(value) == 1 else "it must be one character",
        doc="What stands between the values of a CSV line.",
    )  # fmt: skip
    skip_bad: bool = key(
        "tailrace.files.skip.bad.lines", default=False, internal=True, importance=Importance.LOW,
        doc="Whether a line that is no JSON or no CSV of the file's columns is left out with a warning; else the task "
            "fails at it.",
    )  # fmt: skip


class FileSource:
    """One task: one file."""

    def __init__(self, config: FileStreamSourceConfig) -> None:
        assert config.file
        self._config, self._lines = config, Lines(config.file, 0)
        self._partition = {FILENAME: config.file}

    def polls(self, resume: Sequence[SourceOffset]) -> Iterator[Poll]:
        for partition, offset in resume:
            if partition == self._partition and offset is not None:
                _check_offset(offset)
                self._lines.position = offset[POSITION]
        while True:
            lines = self._lines.read(max(1, self._config.batch_size))
            if not lines:
                yield Poll(idle=True)
                time.sleep(_WAIT_S)
                continue
            none, count = [None] * len(lines), len(lines)
            now_ms = [time.time_ns() // 1_000_000] * count
            batch = Batch(self._config.topic, None, STRING, none, lines, [()] * count, timestamps=now_ms)
            yield Poll([batch], [SourceOffset(self._partition, {POSITION: self._lines.position})])

    def committed(self, offsets: Sequence[SourceOffset]) -> None:
        """Nothing to forget: the file stays as it is."""

    def close(self) -> None:
        self._lines.close()


def build(raw: Raw, context: SourceContext) -> Source:
    """Raises: ConfigError."""
    config = parse(FileStreamSourceConfig, raw)
    if problems := check(raw):
        raise ConfigError(problems)
    if config.pattern:
        form = Form(config.form, config.delimiter, skip_bad=config.skip_bad)
        return FileSet(config.pattern, config.topic, max(1, config.batch_size), form)
    if not config.file:
        raise ConfigError([Problem("file", "file is not set, and a task has no standard input to read; name a file "
                                   "in file (a FIFO made by mkfifo carries what a pipe would)")])  # fmt: skip
    return FileSource(config)


def check(raw: Raw) -> list[Problem]:
    """One file or a glob, not both."""
    both = raw.get("file") and raw.get("tailrace.files")
    message = f"file={raw.get('file')} is set too, and only one of file and tailrace.files can be read: remove one"
    return [Problem("tailrace.files", message)] if both else []


def check_offsets(raw: Raw, offsets: Sequence[SourceOffset]) -> None:
    """Raises: RequestError: in Kafka Connect's words and with its status, what this source could not take up."""
    if not raw.get("file") and not raw.get("tailrace.files"):
        raise RequestError(
            500, "Offsets cannot be modified if the 'file' configuration is unspecified. This is because stdin is used "
            "for input and offsets are not tracked.",
        )  # fmt: skip
    for partition, offset in offsets:
        if offset is None:
            continue
        try:
            _check_offset(offset)
        except SourceError as error:
            raise RequestError(500, str(error)) from error
        if FILENAME not in partition:
            raise RequestError(500, "Partition objects should contain the key 'filename'")


def _check_offset(offset: Any) -> None:
    """Raises: SourceError."""
    if POSITION not in offset:
        raise SourceError("Offset objects should either be null or contain the key 'position'")
    position = offset[POSITION]
    if not isinstance(position, int) or isinstance(position, bool):
        raise SourceError("The value for the 'position' key in the offset is expected to be a Long value")
    if position < 0:
        raise SourceError("The value for the 'position' key in the offset should be a non-negative value")


FILE_STREAM: Final = SourceConnector(
    class_name=CLASS_NAME,
    version="4.3.1",
    config=FileStreamSourceConfig,
    build=build,
    check=check,
    check_offsets=check_offsets,
    knows_offsets=True,
)
