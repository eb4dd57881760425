"""Files in a folder of this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from cdc.errors import TargetError
from cdc.record import Place
from sinks.s3.connector import S3
from sinks.s3.folder import FolderStore
from tests.unit.sinks.s3.files import batch, config, rows

PLACE: Place = ("t", 0)


def test_files_stand_where_their_objects_would_and_a_restart_goes_on_after_them(tmp_path: Path) -> None:
    given = config(store_url=f"file://{tmp_path}")
    assert S3.check(given) == []
    task = S3.build(given)
    task.put([batch(rows(7))])
    assert task.settle({PLACE: 7}) == {PLACE: 6}  # type: ignore[attr-defined]
    task.close()
    again = S3.build(given)
    again.put([batch(rows(9))])
    assert again.settle({PLACE: 9}) == {PLACE: 9}  # type: ignore[attr-defined]
    folder = tmp_path / "b" / "topics" / "t" / "partition=0"
    assert [path.name for path in sorted(folder.glob("t*"))] == [f"t+0+000000000{at}.json" for at in (0, 3, 6)]
    assert [path.read_text().count("\n") for path in sorted(folder.glob("t*"))] == [3, 3, 3]
    assert (folder / ".t+0+0000000003.json.last").read_text().startswith("5 ")


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    given = config(store_url=f"file://{tmp_path}/file")
    (problem,) = S3.check(given)
    assert problem.key == "store.url"
    assert "name a folder that the worker may write" in problem.message
    task = S3.build(given)
    task.put([batch(rows(3))])
    with pytest.raises(TargetError, match=r"correct store\.url"):
        task.settle({PLACE: 3})  # type: ignore[attr-defined]
    assert FolderStore(str(tmp_path), "b").look("t/none.json") is None
