"""Files of a glob: forms, rotation, resuming, lines that are not what they should be."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from cdc.errors import ConfigError, SourceError
from cdc.files import FILE_STREAM
from cdc.record import Poll, SourceContext, SourceOffset


class NoTopics:
    def open(self, name: str, client: object) -> Any:
        raise AssertionError("a file source keeps no topics")


def read(pattern: Path, resume: Sequence[SourceOffset] = (), **more: str) -> tuple[list[Any], list[SourceOffset]]:
    """All values there are, and the newest offset of each file."""
    config = {
        "tailrace.files": str(pattern),
        "topic": "lines",
        **{name.replace("_", "."): value for name, value in more.items()},
    }
    source = FILE_STREAM.build(config, SourceContext("c", 0, NoTopics()))
    values: list[Any] = []
    offsets = {str(each.partition): each for each in resume}
    for poll in _until_idle(source.polls(resume)):
        values += [value for batch in poll.batches for value in batch.values]
        offsets.update({str(each.partition): each for each in poll.offsets})
    source.close()
    return values, list(offsets.values())


def _until_idle(polls: Iterator[Poll]) -> Iterator[Poll]:
    for poll in polls:
        if poll.idle:
            return
        yield poll


def test_every_file_is_read_once_and_goes_on_where_it_was(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("a1\na2\nhalf")
    (tmp_path / "b.log").write_text("b1\n")
    (tmp_path / "other.txt").write_text("no\n")
    values, offsets = read(tmp_path / "*.log")
    assert values == ["a1", "a2", "b1"]
    with (tmp_path / "a.log").open("a") as file:
        file.write(" a line\n")
    (tmp_path / "c.log").write_text("c1\n")
    values, offsets = read(tmp_path / "*.log", offsets)
    assert values == ["half a line", "c1"]
    assert read(tmp_path / "*.log", offsets)[0] == []


def test_a_rotated_file_is_known_under_its_new_name_and_the_new_one_is_read_from_its_beginning(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_text("one\n")
    values, offsets = read(tmp_path / "app.log*")
    with log.open("a") as file:
        file.write("two\n")
    log.rename(tmp_path / "app.log.1")
    log.write_text("three\n")
    values, offsets = read(tmp_path / "app.log*", offsets)
    assert sorted(values) == ["three", "two"]
    assert read(tmp_path / "app.log*", offsets)[0] == []


def test_a_file_that_was_cut_is_read_from_its_beginning(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one\ntwo\n")
    _, offsets = read(tmp_path / "a")
    (tmp_path / "a").write_text("new\n")
    assert read(tmp_path / "a", offsets)[0] == ["new"]


def test_an_offset_set_by_hand_holds_for_the_file_of_that_name(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one\ntwo\n")
    by_hand = [SourceOffset({"filename": str(tmp_path / "a")}, {"position": 4})]
    assert read(tmp_path / "*", by_hand)[0] == ["two"]


def test_json_lines_are_values_without_a_schema(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"id": 1, "tags": ["x"]}\n\n[2]\n')
    assert read(tmp_path / "*.jsonl", tailrace_files_format="json")[0] == [{"id": 1, "tags": ["x"]}, [2]]


def test_csv_lines_are_structs_under_the_names_of_the_first_line_of_their_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('id,name\n1,"x, y"\n2,\n')
    (tmp_path / "b.csv").write_text("code\nz\n")
    values, offsets = read(tmp_path / "*.csv", tailrace_files_format="csv", batch_size="1")
    assert sorted(values) == [("1", "x, y"), ("2", ""), ("z",)]
    with (tmp_path / "a.csv").open("a") as file:
        file.write("3,w\n")
    assert read(tmp_path / "*.csv", offsets, tailrace_files_format="csv")[0] == [("3", "w")]


@pytest.mark.parametrize(("form", "line"), [("json", "{no"), ("csv", "1,2,3")])
def test_a_line_that_is_not_of_the_form_stops_the_task_or_is_left_out(form: str, line: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_text(f'"a","b"\n{line}\n' if form == "csv" else f"{line}\n[1]\n")
    with pytest.raises(SourceError, match=r"tailrace\.files\.skip\.bad\.lines=true"):
        read(tmp_path / "a", tailrace_files_format=form)
    values, _ = read(tmp_path / "a", tailrace_files_format=form, tailrace_files_skip_bad_lines="true")
    assert values == ([[1]] if form == "json" else [])


def test_a_file_and_a_glob_together_are_refused(tmp_path: Path) -> None:
    config = {"file": "x", "tailrace.files": "y*", "topic": "t"}
    (problem,) = FILE_STREAM.check(config)
    assert problem.key == "tailrace.files"
    with pytest.raises(ConfigError):
        FILE_STREAM.build(config, SourceContext("c", 0, NoTopics()))


def test_a_file_that_goes_away_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a").write_text("one\n")
    _, offsets = read(tmp_path / "in" / "*")
    shutil.rmtree(tmp_path / "in")
    assert read(tmp_path / "in" / "*", offsets)[0] == []
