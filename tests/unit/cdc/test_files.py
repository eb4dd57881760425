"""Lines of a growing file: ends, positions, waiting, and what offsets are refused."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdc.errors import ConfigError, RequestError, SourceError
from cdc.files import FILE_STREAM
from cdc.lines import Lines
from cdc.record import Poll, SourceContext, SourceOffset


class NoTopics:
    def open(self, name: str, client: object) -> Any:
        raise AssertionError("a file source keeps no topics")


Reading = Callable[..., Iterator[Poll]]


@pytest.fixture
def polls() -> Iterator[Reading]:
    """Reads a file, from a position on."""
    made: list[Any] = []

    def reading(path: Path, position: int | None = None, batch_size: int = 2000) -> Iterator[Poll]:
        config = {"file": str(path), "topic": "lines", "batch.size": str(batch_size)}
        made.append(FILE_STREAM.build(config, SourceContext("c", 0, NoTopics())))
        resume = [] if position is None else [SourceOffset({"filename": str(path)}, {"position": position})]
        found: Iterator[Poll] = made[-1].polls(resume)
        return found

    yield reading
    for source in made:
        source.close()


def test_each_complete_line_is_a_record_and_the_offset_stands_after_it(tmp_path: Path, polls: Reading) -> None:
    file = tmp_path / "in"
    file.write_bytes(b"one\ntwo\r\nthree\rf\xc3\xbcr\nhalf")
    reading = polls(file)
    poll = next(reading)
    (batch,) = poll.batches
    assert (batch.topic, list(batch.values), list(batch.keys)) == ("lines", ["one", "two", "three", "für"], [None] * 4)
    assert poll.offsets == [SourceOffset({"filename": str(file)}, {"position": 20})]
    assert next(reading).idle
    with file.open("ab") as more:
        more.write(b" and half\n")
    poll = next(reading)
    assert list(poll.batches[0].values) == ["half and half"]


def test_a_poll_holds_no_more_lines_than_the_batch_size_says(tmp_path: Path, polls: Reading) -> None:
    file = tmp_path / "in"
    file.write_text("a\nb\nc\n")
    reading = polls(file, batch_size=2)
    found = [next(reading) for _ in range(2)]
    assert [list(poll.batches[0].values) for poll in found] == [["a", "b"], ["c"]]
    assert [poll.offsets[0].offset for poll in found] == [{"position": 4}, {"position": 6}]


def test_reading_goes_on_from_the_stored_position(tmp_path: Path, polls: Reading) -> None:
    file = tmp_path / "in"
    file.write_text("ä\nb\n")
    assert list(next(polls(file, 3)).batches[0].values) == ["b"]


def test_a_missing_file_is_waited_for(tmp_path: Path, polls: Reading) -> None:
    reading = polls(tmp_path / "in")
    assert next(reading).idle
    (tmp_path / "in").write_text("here\n")
    assert list(next(reading).batches[0].values) == ["here"]


def test_a_fifo_is_read_as_lines_come(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    lines = Lines(str(tmp_path / "pipe"), 0)
    assert lines.read(10) == []
    with (tmp_path / "pipe").open("wb") as writer:
        writer.write(b"a\nb")
        writer.flush()
        assert lines.read(10) == ["a"]
        writer.write(b"\n")
        writer.flush()
        assert lines.read(10) == ["b"]
    lines.close()


def test_what_cannot_be_read_says_why(tmp_path: Path, polls: Reading) -> None:
    with pytest.raises(SourceError, match="is a directory; name a file in file"):
        next(polls(tmp_path))
    with pytest.raises(SourceError, match=r"cannot be read: Not a directory; correct the file's path"):
        (tmp_path / "in").write_text("")
        next(polls(tmp_path / "in" / "x"))
    with pytest.raises(ConfigError, match="a task has no standard input to read; name a file"):
        FILE_STREAM.build({"topic": "t"}, SourceContext("c", 0, NoTopics()))


@given(st.lists(st.text(st.characters(exclude_characters="\r\n", codec="utf-8")), max_size=20), st.integers(1, 7),
       st.sampled_from(["\n", "\r\n"]))  # fmt: skip
def test_lines_come_whole_however_the_file_grows(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], step: int, end: str
) -> None:
    path = tmp_path_factory.mktemp("grow") / "in"
    written = "".join(text + end for text in texts).encode()
    lines, found = Lines(str(path), 0), []
    with path.open("wb", buffering=0) as file:
        for at in range(0, len(written), step):
            file.write(written[at : at + step])
            found += lines.read(2)
    while more := lines.read(2):
        found += more
    lines.close()
    assert found == texts and lines.position == len(written)


@pytest.mark.parametrize(
    ("partition", "offset", "words"),
    [
        ({"filename": "f"}, {"pos": 1}, "Offset objects should either be null or contain the key 'position'"),
        ({"filename": "f"}, {"position": "1"}, "is expected to be a Long value"),
        ({"filename": "f"}, {"position": 1.5}, "is expected to be a Long value"),
        ({"filename": "f"}, {"position": -1}, "should be a non-negative value"),
        ({"file": "f"}, {"position": 1}, "Partition objects should contain the key 'filename'"),
    ],
)
def test_offsets_that_cannot_be_taken_up_are_refused(
    partition: dict[str, Any], offset: dict[str, Any], words: str
) -> None:
    with pytest.raises(RequestError, match=words) as refused:
        FILE_STREAM.check_offsets({"file": "f", "topic": "t"}, [SourceOffset(partition, offset)])
    assert refused.value.status == 500


def test_offsets_of_standard_input_cannot_be_changed() -> None:
    FILE_STREAM.check_offsets({"file": "f"}, [SourceOffset({"nonsense": 1}, None)])
    with pytest.raises(RequestError, match="This is because stdin is used for input"):
        FILE_STREAM.check_offsets({"topic": "t"}, [])
