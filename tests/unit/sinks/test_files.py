"""Values as lines at the end of a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from cdc.errors import TargetError
from cdc.record import NULL, Batch
from cdc.schema import BYTES, INT32, OPTIONAL_STRING, STRING, Schema, struct
from sinks.files import FILE_STREAM

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
