"""A wheel built from the checkout, in an environment of its own, is a working Tailrace far from the checkout."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

from connect_compat.log import LogSettings
from tests.server.command import Tailrace
from tests.server.lane import free_port
from tests.server.shop import open_shop

ROOT = Path(__file__).parents[2]
PACKAGES = ("cdc", "sinks", "connect_compat")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that nothing is left in the checkout. pip fetches the build backend unless it has it."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in (*PACKAGES, "tests", "services", "scripts"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "golden"))
    pip(sys.executable, "wheel", "--no-deps", "--wheel-dir", str(out), str(source))
    (built,) = out.iterdir()
    return built


def pip(python: str, *arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment that holds the wheel; its dependencies are those of this environment."""
    place = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)
    python = place / "bin/python"
    pip(str(python), "install", "--no-deps", "--no-index", str(wheel))
    (packages,) = place.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python.parent


def test_it_holds_the_packages_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as content:
        names = content.namelist()
    code = {name for name in names if ".dist-info/" not in name}
    there = {str(path.relative_to(ROOT)) for name in PACKAGES for path in (ROOT / name).rglob("*")
             if path.suffix in (".py", ".pyi", ".typed")}  # fmt: skip
    there.add(f"cdc/native/_hot{sysconfig.get_config_var('EXT_SUFFIX')}")
    assert code == there
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_it_says_its_version_and_runs_its_own_code(installed: Path, tmp_path: Path) -> None:
    def said(*command: str) -> str:
        return subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path).stdout.strip()

    assert said(str(installed / "tailrace"), "--version") == f"tailrace {version('tailrace')}"
    code = "import cdc, sinks, connect_compat; print(cdc.__file__, sinks.__file__, connect_compat.__file__)"
    for file in said(str(installed / "python"), "-c", code).split():
        assert Path(file).is_relative_to(installed.parent)


def test_it_works(installed: Path, tmp_path: Path, mysql_address: tuple[str, int], elasticsearch_url: str) -> None:
    port = free_port()
    worker = Tailrace(tmp_path, "--port", str(port), port=port, program=str(installed / "tailrace"))
    log = LogSettings(path=str(tmp_path / "tailrace-data"))
    try:
        worker.start()
        with open_shop(mysql_address, elasticsearch_url, log) as shop:
            worker.create("source", shop.source())
            worker.create("sink", shop.sink(topics=shop.goods))
            shop.finds(shop.goods, _1="axe", _2="bow")
            task = Path(f"/proc/{worker.pid('source')}/cmdline").read_text()
            assert task.startswith(str(installed))
            assert worker.stop() == 0
    finally:
        worker.close()
