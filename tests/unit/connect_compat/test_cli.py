from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner

from connect_compat import console
from connect_compat.cli import command


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(command, arguments)
    return result.exit_code, result.output


def test_the_version_is_said() -> None:
    assert run("--version") == (0, f"tailrace {version('tailrace')}\n")


def test_a_wrong_level_is_refused_with_those_there_are() -> None:
    code, text = run("--log-level", "loud")
    assert code == 2 and "loud is no level" in text


def test_a_missing_properties_file_is_one_sentence(tmp_path: Path) -> None:
    code, text = run("distributed", str(tmp_path / "gone.properties"))
    assert code == 1 and text.startswith("tailrace: cannot read the properties file ") and "Traceback" not in text


def test_every_missing_worker_setting_is_told(tmp_path: Path) -> None:
    (tmp_path / "w.properties").write_text("bootstrap.servers=kafka:9092\n")
    code, text = run("distributed", str(tmp_path / "w.properties"))
    assert code == 1 and text.count("Missing required configuration") == 6


@pytest.mark.parametrize("before", [True, False])
def test_the_history_of_an_unknown_connector_is_refused_with_those_there_are(tmp_path: Path, before: bool) -> None:
    history, data = ["history", "show", "inventory"], ["--data", str(tmp_path)]
    code, text = run(*([*data, *history] if before else [*history, *data]))
    assert code == 1 and f"{tmp_path} holds no connector inventory; it holds: none" in text


def test_log_lines_are_json_without_secrets(capfd: pytest.CaptureFixture[str]) -> None:
    console.configure("info", as_json=True)
    structlog.get_logger("a.b").warning("login failed for password=s3cret", database_password="s3cret", table="t")
    logging.getLogger("c.d").error("http://me:s3cret@es:9200 is away")
    structlog.get_logger("a.b").debug("not shown")
    ours, theirs = map(json.loads, capfd.readouterr().err.splitlines())
    assert (ours["event"], ours["level"], ours["logger"], ours["table"]) == (
        "login failed for password=********", "warning", "a.b", "t",
    )  # fmt: skip
    assert ours["database_password"] == "********" and theirs["event"] == "http://me:********@es:9200 is away"


def test_what_a_task_logs_is_one_line_of_text(capfd: pytest.CaptureFixture[str]) -> None:
    console.configure("info", as_json=True)
    console.through_logging()
    structlog.get_logger("cdc.x").warning("not understood", table="t", api_token="s3cret")
    assert json.loads(capfd.readouterr().err)["event"] == "not understood table=t api_token=********"
