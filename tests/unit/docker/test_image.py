"""The image and the compose files, as far as they can be checked without a Docker daemon."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from connect_compat import properties
from connect_compat.worker_config import Listener, Mode, worker_config

ROOT = Path(__file__).parents[3]
DOCKERFILE = (ROOT / "docker/Dockerfile").read_text().replace("\\\n", " ")
COMPOSE = {name: yaml.safe_load((ROOT / f"docker/compose.{name}.yml").read_text()) for name in ("demo", "full")}
SERVICES = [(name, service) for name, file in COMPOSE.items() for service in file["services"]]


def instructions(name: str) -> list[str]:
    return re.findall(rf"^{name} +(.*)$", DOCKERFILE, re.MULTILINE)


def test_everything_copied_from_the_checkout_is_there_and_not_ignored() -> None:
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().split() if line.startswith("!")}
    sources = {name for copy in instructions("COPY") if "--from" not in copy for name in copy.split()[:-1]}
    assert sources == kept and all((ROOT / name).exists() for name in sources)


def test_every_package_the_project_installs_is_copied() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/py.typed")}
    assert packages == {"cdc", "sinks", "connect_compat"} <= {copy.split()[0] for copy in instructions("COPY")}


def test_the_image_runs_as_a_user_of_its_own_on_a_supported_python() -> None:
    assert instructions("USER") == ["tailrace"]
    classifiers = (ROOT / "pyproject.toml").read_text()
    for base in instructions("FROM"):
        version = re.match(r"python:(\d\.\d+)-slim", base)
        assert version is not None and f"Python :: {version[1]}" in classifiers


def test_the_port_of_the_default_command_is_exposed_and_probed() -> None:
    assert json.loads(instructions("ENTRYPOINT")[0]) == ["tailrace"]
    assert instructions("EXPOSE") == ["8083"] and "127.0.0.1:8083/health" in instructions("HEALTHCHECK")[0]


@pytest.mark.parametrize(("file", "service"), SERVICES)
def test_a_service_names_an_image_its_files_and_its_ports(file: str, service: str) -> None:
    described = COMPOSE[file]["services"][service]
    assert ("image" in described) != ("build" in described)
    assert ":" in described.get("image", ":")
    for port in described["ports"]:
        assert re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port), "reachable from this machine only"
    for volume in described.get("volumes", []):
        source, target = volume.split(":")[:2]
        assert target.startswith("/")
        assert (ROOT / "docker" / source).is_file() if source.startswith(".") else source in COMPOSE[file]["volumes"]
    assert set(described.get("depends_on", ())) <= set(COMPOSE[file]["services"])


@pytest.mark.parametrize("file", COMPOSE)
def test_tailrace_is_built_from_this_checkout(file: str) -> None:
    build = COMPOSE[file]["services"]["tailrace"]["build"]
    context = ROOT / "docker" / build["context"]
    assert context.resolve() == ROOT and (context / build["dockerfile"]).samefile(ROOT / "docker/Dockerfile")


@pytest.mark.parametrize("file", COMPOSE)
def test_mysql_gets_its_accounts_before_the_sample_and_is_healthy_with_both(file: str) -> None:
    mysql = COMPOSE[file]["services"]["mysql"]
    run = sorted(mysql["volumes"], key=lambda volume: str(volume).split(":")[1])
    assert [Path(volume.split(":")[0]).name for volume in run] == ["accounts.sql", "inventory.sql"]
    accounts = (ROOT / "services/accounts.sql").read_text()
    assert "CREATE USER IF NOT EXISTS 'cdc'@'%' IDENTIFIED BY 'cdcpw'" in accounts
    assert {"-ucdc", "-pcdcpw", "-h127.0.0.1"} <= set(mysql["healthcheck"]["test"])
    connector = json.loads((ROOT / "tests/golden/configs/mysql-source-connector.put.json").read_text())
    assert f"--server-id={connector['database.server.id']}" not in mysql["command"]


def test_the_full_stack_runs_a_worker_on_its_kafka() -> None:
    services: dict[str, Any] = COMPOSE["full"]["services"]
    assert services["tailrace"]["command"] == ["distributed", services["tailrace"]["volumes"][0].split(":")[1]]
    config = worker_config(Mode.DISTRIBUTED, properties.load(ROOT / "docker/worker.properties"))
    assert config.log.client["bootstrap.servers"] == "kafka:9092"
    assert "PLAINTEXT://kafka:9092" in services["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    assert config.listeners == (Listener("0.0.0.0", 8083, "listeners"),)
    replication = {text for name, text in config.log.internal.items() if name.endswith("replication.factor")}
    assert replication == {"1"}
