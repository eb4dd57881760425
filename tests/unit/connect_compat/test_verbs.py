"""The operator's commands against a live REST service, and `tail` on the embedded log."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner

from connect_compat import console
from connect_compat.cli import command
from connect_compat.log import Encoded, LogSettings, open_log
from tests.rest_service import RestService, serving
from tests.rest_worker import FILES, TRANSFORMS


@pytest.fixture
def service(tmp_path: Path) -> Iterator[RestService]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    console.configure("info", as_json=True)
    with serving(tmp_path / "data") as found:
        yield found
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def run(service: RestService | None, *arguments: str) -> tuple[int, str]:
    environment = {"TAILRACE_URL": service.url if service else "http://127.0.0.1:1"}
    result = CliRunner().invoke(command, arguments, env=environment)
    return result.exit_code, result.output


def elsewhere(service: RestService, *arguments: str) -> str:
    """What a command prints in a process of its own: here it would take over this process's logging."""
    program = [sys.executable, "-m", "connect_compat", *arguments, "--url", service.url]
    return subprocess.run(program, capture_output=True, text=True, check=True, timeout=60).stdout


def write(folder: Path, **more: str) -> str:
    (folder / "in.txt").write_text("line\n")
    config = {"name": "src", "connector.class": FILES + "FileStreamSourceConnector", "file": str(folder / "in.txt"),
              "topic": "t", "producer.override.sasl.password": "s3cret", **more}  # fmt: skip
    path = folder / "src.json"
    path.write_text(json.dumps(config))
    return str(path)


def test_a_connector_is_applied_once_changed_once_and_else_untouched(service: RestService, tmp_path: Path) -> None:
    file = write(tmp_path)
    assert run(service, "diff", file) == (1, "+ src: would be created\n")
    assert run(service, "apply", file) == (0, "src: created\n")
    started = len(service.worker.started)
    assert run(service, "apply", file, "--wait", "10") == (0, "src: unchanged\n")
    assert run(service, "diff", file) == (0, "")
    service.settle()
    assert len(service.worker.started) == max(started, 1)
    file = write(tmp_path, topic="u", **{"producer.override.sasl.password": "other"})
    code, text = run(service, "diff", file)
    assert (code, "s3cret" in text, "other" in text) == (1, False, False)
    assert text == ("src: producer.override.sasl.password\n  - ********\n  + ********\nsrc: topic\n  - t\n  + u\n")
    assert run(service, "apply", file) == (0, "src: changed\n")
    assert service.herder.config("src")["topic"] == "u"


def test_apply_waits_and_says_what_does_not_run(service: RestService, tmp_path: Path) -> None:
    file = write(tmp_path, **{"transforms": "i", "transforms.i.type": TRANSFORMS + "InsertField$Value",
                              "transforms.i.static.field": "f", "transforms.i.static.value": "v"})  # fmt: skip
    code, text = run(service, "apply", file, "--wait", "10")
    assert (code, text) == (1, "src: created\nsrc: Only Struct objects supported for [field insertion]\n")


def test_connectors_are_listed_and_described(service: RestService, tmp_path: Path) -> None:
    run(service, "apply", write(tmp_path), "--wait", "10")
    code, text = run(service, "get")
    assert code == 0
    assert [line.split() for line in text.splitlines()] == [
        ["NAME", "TYPE", "STATE", "TASKS", "WORKERS", "SAYS"],
        ["src", "source", "RUNNING", "1/1", "127.0.0.1:8083"],
    ]
    code, text = run(service, "get", "src", "-o", "json")
    assert json.loads(text)["src"]["status"]["connector"]["state"] == "RUNNING"
    code, text = run(service, "describe", "src")
    assert code == 0 and "  task 0: RUNNING on 127.0.0.1:8083" in text and "topics:\n  t\n" in text
    assert "s3cret" not in text
    code, text = run(service, "get", "else")
    assert (code, text) == (1, "tailrace: there is no connector else; there are: src\n")


def test_orders_are_carried_out(service: RestService, tmp_path: Path) -> None:
    run(service, "apply", write(tmp_path), "--wait", "10")
    for verb, done, state in (("pause", "paused", "PAUSED"), ("resume", "resumed", "RUNNING"),
                              ("restart", "restarting", "RUNNING"), ("stop", "stopped", "STOPPED")):  # fmt: skip
        assert run(service, verb, "src") == (0, f"src: {done}\n")
        service.settle()
        assert service.herder.status("src")["connector"]["state"] == state
    code, text = run(service, "offsets", "src")
    assert code == 0
    (tmp_path / "offsets.json").write_text(text)
    code, text = run(service, "offsets", "src", "--set", str(tmp_path / "offsets.json"))
    assert code == 0 and "altered" in text
    code, text = run(service, "offsets", "src", "--reset")
    assert code == 0 and "reset" in text
    assert run(service, "delete", "src") == (0, "src: deleted\n")
    assert run(service, "delete", "src") == (1, "tailrace: Connector src not found\n")


def test_without_a_worker_the_exit_code_is_3_and_the_remedy_is_told() -> None:
    code, text = run(None, "get")
    assert code == 3 and text.startswith("tailrace: no worker answers at http://127.0.0.1:1: ") and "--url" in text


def test_what_the_worker_logged_is_printed_without_secrets(service: RestService) -> None:
    structlog.get_logger("a.b").warning("login failed for password=s3cret", connector="src")
    logging.getLogger("other").error("no such thing", extra={"connector": "else"})
    text = elsewhere(service, "logs", "src")
    assert text.endswith("warning login failed for password=******** connector=src\n") and "no such thing" not in text
    text = elsewhere(service, "logs", "-o", "json")
    told = [json.loads(line)["event"] for line in text.splitlines() if "httpx" not in line]
    assert told[-2:] == ["login failed for password=********", "no such thing"]
    asked = service.client.get("/admin/logs", params={"after": "x"})
    assert (asked.status_code, asked.json()["message"].partition(":")[0][:7]) == (400, "after=x")


@pytest.mark.parametrize(
    ("options", "offsets"), [(["-n", "2"], [1, 2]), (["--from-beginning"], [0, 1, 2]), (["-n", "0"], [])]
)
def test_the_records_of_a_topic_are_printed(tmp_path: Path, options: list[str], offsets: list[int]) -> None:
    with closing(open_log(LogSettings(path=str(tmp_path)))) as log, closing(log.appender("c", 0, {})) as appender:
        values = [b'{"a": 1}', b"text", b"\xff\xfe"]
        appender.append([Encoded("t", [b"k", None, b"k"], values, [()] * 3)], [])
        appender.flush()
    code, text = run(None, "tail", "t", "--data", str(tmp_path), *options)
    assert code == 0
    found = [json.loads(line) for line in text.splitlines()]
    assert [each["offset"] for each in found] == offsets
    assert [each["value"] for each in found] == [{"a": 1}, "text", {"hex": "fffe"}][3 - len(offsets) :]
    code, text = run(None, "tail", "u", "--data", str(tmp_path))
    assert (code, text) == (1, "tailrace: there is no topic u; there are: t\n")
