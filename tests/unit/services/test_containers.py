"""What docker would be asked; a stand-in program on the PATH writes down its arguments."""

from __future__ import annotations

import json
import socket
import sys
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from services import __main__ as command
from services import containers
from services.place import ServiceError

DOCKER = """#!{python}
import json, os, sys
with open(os.environ["DOCKER_CALLS"], "a") as calls:
    given = sys.stdin.read() if "-i" in sys.argv else ""
    calls.write(json.dumps({{"words": sys.argv[1:], "given": given}}) + "\\n")
if sys.argv[1] == "ps":
    print(os.environ.get("DOCKER_KNOWS", ""))
sys.exit(int(os.environ.get("DOCKER_STATUS", "0")))
"""


class Docker:
    """The calls so far: words, and what was given on standard input."""

    def __init__(self, calls: Path) -> None:
        self._calls = calls

    def calls(self) -> list[tuple[list[str], str]]:
        lines = self._calls.read_text().splitlines() if self._calls.exists() else []
        return [(call["words"], call["given"]) for call in map(json.loads, lines)]


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Docker]:
    program = tmp_path / "docker"
    program.write_text(DOCKER.format(python=sys.executable))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("DOCKER_CALLS", str(tmp_path / "calls"))
    containers.answer.cache_clear()
    yield Docker(tmp_path / "calls")
    containers.answer.cache_clear()


def options(words: list[str], name: str) -> list[str]:
    return [value for option, value in pairwise(words) if option == name]


@pytest.mark.parametrize("server", ["mysql", "kafka", "elasticsearch"])
def test_a_server_listens_on_this_machine_only_and_from_a_tagged_image(server: str) -> None:
    words = containers.arguments(server, 23000)
    (published,) = options(words, "-p")
    assert published.startswith("127.0.0.1:23000:")
    assert containers.IMAGES[server] in words and ":" in containers.IMAGES[server]


def test_mysql_is_configured_behind_the_image_and_a_broker_names_the_port_it_is_reached_at() -> None:
    mysql = containers.arguments("mysql", 1)
    after_image = mysql[mysql.index("mysql:9.7") + 1 :]
    assert "--gtid-mode=ON" in after_image and "--binlog-row-metadata=FULL" in after_image
    kafka = dict(setting.split("=", 1) for setting in options(containers.arguments("kafka", 29092), "-e"))
    assert kafka["KAFKA_ADVERTISED_LISTENERS"] == "PLAINTEXT://127.0.0.1:29092"
    assert "PLAINTEXT://:29092" in kafka["KAFKA_LISTENERS"]
    assert options(containers.arguments("kafka", 29092), "-p") == ["127.0.0.1:29092:29092"]


def test_a_new_mysql_is_run_and_given_its_accounts(docker: Docker) -> None:
    containers.start("mysql", "tailrace-test-mysql", 23306)
    (listed, _), (run, _), (client, given) = docker.calls()
    assert listed[:2] == ["ps", "-a"]
    assert run[:4] == ["run", "-d", "--name", "tailrace-test-mysql"]
    assert client[:5] == ["exec", "-i", "tailrace-test-mysql", "mysql", "-h127.0.0.1"] and "'cdc'@'%'" in given


def test_a_container_that_is_there_is_started_again(docker: Docker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_KNOWS", "tailrace-test-mysql")
    containers.start("mysql", "tailrace-test-mysql", 23306)
    assert [words[0] for words, _ in docker.calls()] == ["ps", "start", "exec"]


def test_a_broker_is_ready_when_it_answers_and_not_when_it_only_listens(docker: Docker) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        served = threading.Thread(target=_serve, args=(listener, [b"", b"\0\0\0\x04\0\0\0\x01"]))
        served.start()
        containers.start("kafka", "k", port)
        served.join()
    assert [words[0] for words, _ in docker.calls()] == ["ps", "run"]


def _serve(listener: socket.socket, answers: list[bytes]) -> None:
    for answer in answers:
        connection, _ = listener.accept()
        with connection:
            connection.recv(100)
            connection.sendall(answer)


def test_a_daemon_that_refuses_is_told_with_its_words(docker: Docker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_STATUS", "1")
    assert not containers.answer()
    with pytest.raises(ServiceError, match=r"docker ps .* failed \(1\)"):
        containers.start("mysql", "m", 1)


def test_without_the_docker_program_no_daemon_answers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    containers.answer.cache_clear()
    assert not containers.answer()
    containers.answer.cache_clear()


def test_a_profile_is_stopped_and_wiped_by_the_names_of_its_containers(
    docker: Docker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TAILRACE_CACHE", str(tmp_path))
    calls: list[Any] = []
    for verb in ("stop", "wipe"):
        assert command.main([verb, "test", "kafka"]) == 0
        calls = [words for words, _ in docker.calls() if words != ["info"]]
    assert calls == [["stop", "tailrace-test-kafka"], ["rm", "-f", "-v", "tailrace-test-kafka"]]
