from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from cdc.errors import ConfigError
from connect_compat.serve import bind, connector_file
from connect_compat.worker_config import Listener


def test_a_port_in_use_is_told_with_the_setting_to_change() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"127\.0\.0\.1:{port} is in use.*set rest\.port \(or --port\)"):
            bind([Listener("127.0.0.1", 0, "listeners"), Listener("127.0.0.1", port, "rest.port")])


def test_an_address_of_another_machine_is_told(unreachable: str = "192.0.2.1") -> None:
    with pytest.raises(ConfigError, match=r"192\.0\.2\.1:8083.*change listeners"):
        bind([Listener(unreachable, 8083, "listeners")])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("c.properties", "name=c\ntasks.max=2\n"),
        ("c.json", json.dumps({"name": "c", "config": {"tasks.max": 2}})),
        ("c.json", json.dumps({"name": "c", "tasks.max": "2", "gone": None})),
    ],
)
def test_a_connector_file_is_properties_or_json(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert connector_file(tmp_path / name) == ("c", {"name": "c", "tasks.max": "2"})


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("c.properties", "tasks.max=2", "names no connector"),
        ("c.json", "{", "cannot read the connector file"),
        ("c.json", "[]", "holds no connector"),
        ("c.json", '{"name": "c", "a": {}}', "holds no connector"),
    ],
)
def test_a_bad_connector_file_is_refused_by_name(tmp_path: Path, name: str, text: str, words: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError, match=words):
        connector_file(tmp_path / name)
