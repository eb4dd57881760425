"""The command that the image runs by default is a worker that answers from outside its machine."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

DOCKERFILE = Path(__file__).parents[2] / "docker/Dockerfile"


def test_the_default_command_of_the_image_is_a_working_worker(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    entry, command = (
        json.loads(re.findall(rf"^{name} (.*)$", DOCKERFILE.read_text(), re.MULTILINE)[0])
        for name in ("ENTRYPOINT", "CMD")
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [str(tmp_path) if word == "/data" else word for word in command]
    assert words != command
    program = Path(sys.executable).with_name(entry[0])
    with (tmp_path / "stderr").open("wb") as log:
        worker = subprocess.Popen([program, *words, "--port", str(port)], stderr=log)
    request.addfinalizer(worker.wait)
    request.addfinalizer(worker.kill)
    health = f"http://{socket.gethostbyname(socket.gethostname())}:{port}/health"
    assert _answer(health)["status"] == "healthy"
    worker.terminate()
    assert worker.wait(20) == 0
    assert (tmp_path / "log.db").exists()


def _answer(url: str) -> dict[str, str]:
    end = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                body: dict[str, str] = json.loads(answer.read())
                return body
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
