"""Values as lines at the end of a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from cdc.config import parse
from cdc.errors import TargetError
from cdc.record import NULL, Batch
from cdc.schema import BYTES, INT32, OPTIONAL_STRING, STRING, Schema, struct
from sinks.files import FILE_STREAM, FileSink, FileStreamSinkConfig

ROW = struct(("id", INT32), ("name", OPTIONAL_STRING), ("raw", BYTES.with_(optional=True)))


def batch(schema: Schema | None, *values: Any) -> Batch:
    return Batch("t", None, schema, [None] * len(values), values, [()] * len(values), 0, None, range(len(values)))


def written(path: Path, batches: Sequence[Batch]) -> list[str]:
    sink = FILE_STREAM.build({"file": str(path)})
    assert sink.put(batches) == []
    sink.close()
    return path.read_text().splitlines()


def test_a_line_is_the_value_as_java_writes_it(tmp_path: Path) -> None:
    lines = written(tmp_path / "out", [
        batch(STRING, "one", NULL, None),
        batch(ROW, (1, "x", None), (2, None, None)),
        batch(None, {"a": [1, None, True]}, 2.0, b"raw"),
    ])  # fmt: skip
    assert lines == ["one", "null", "null", "Struct{id=1,name=x}", "Struct{id=2}", "{a=[1, null, true]}", "2.0", "raw"]


def test_lines_are_added_to_what_the_file_holds(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("before\n")
    assert written(tmp_path / "out", [batch(STRING, "after")]) == ["before", "after"]


def test_a_value_without_text_is_refused_alone(tmp_path: Path) -> None:
    sink = FILE_STREAM.build({"file": str(tmp_path / "out")})
    (refused,) = sink.put([batch(ROW, (1, "x", b"\0"), (2, "y", None))])
    sink.close()
    assert refused.index == 0
    assert (tmp_path / "out").read_text() == "Struct{id=2,name=y}\n"


def test_without_a_file_lines_go_to_standard_output(capfd: pytest.CaptureFixture[str]) -> None:
    sink = FILE_STREAM.build({})
    sink.put([batch(STRING, "seen")])
    sink.close()
    assert capfd.readouterr().out == "seen\n"


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=r"nowhere/out cannot be written: No such file or directory; correct"):
        FILE_STREAM.build({"file": str(tmp_path / "nowhere" / "out")})


def sink(path: Path, now_ms: int = 0, **more: str) -> FileSink:
    config = {"file": str(path), **{f"tailrace.files.{name}".replace("_", "."): value for name, value in more.items()}}
    return FileSink(parse(FileStreamSinkConfig, config), lambda: now_ms)


def parts(path: Path) -> list[str]:
    """What was written, file by file in the order of their names, the one that is written last."""
    return [each.read_text() for each in (*sorted(path.parent.glob(path.name + ".*")), path)]


def test_values_may_be_json_lines(tmp_path: Path) -> None:
    made = sink(tmp_path / "out", format="json")
    assert made.put([batch(ROW, (1, "x", b"a"), NULL), batch(None, {"a": [1, None]})]) == []
    made.close()
    assert (tmp_path / "out").read_text() == '{"id":1,"name":"x","raw":"YQ=="}\nnull\n{"a":[1,null]}\n'


def test_csv_files_begin_with_the_names_and_other_fields_begin_another_file(tmp_path: Path) -> None:
    made = sink(tmp_path / "out", format="csv")
    other = struct(("code", STRING))
    assert made.put([batch(ROW, (1, "x, y", None)), batch(ROW, (2, None, None)), batch(other, ("z",))]) == []
    (refused,) = made.put([batch(STRING, "no struct")])
    assert "set it to text or json" in refused.reason
    made.close()
    again = sink(tmp_path / "out", format="csv")
    assert again.put([batch(other, ("w",))]) == []
    again.close()
    assert parts(tmp_path / "out") == ['id,name,raw\n1,"x, y",\n2,,\n', "code\nz\nw\n"]


def test_a_file_is_renamed_when_it_is_full_and_when_its_time_is_over(tmp_path: Path) -> None:
    full = sink(tmp_path / "out", rotate_bytes="8")
    for text in ("one", "two", "three", "four"):
        full.put([batch(STRING, text)])
    full.close()
    assert parts(tmp_path / "out") == ["one\ntwo\n", "three\n", "four\n"]
    assert (tmp_path / "out.19700101T000000").exists()
    hour = 3_600_000
    late = sink(tmp_path / "log", now_ms=10**13, rotate_ms=str(hour))
    late.put([batch(STRING, "a")])
    late.put([batch(STRING, "b")])
    late.close()
    assert parts(tmp_path / "log") == ["a\n", "b\n"]
