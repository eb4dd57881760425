from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from connect_compat.crash_points import RARE, STEPS, crash_at


@pytest.mark.parametrize(("where", "passes"), [("sink:put", 1), ("sink:put:1", 1), ("sink:put:3", 3)])
def test_the_process_is_killed_the_nth_time_it_passes_the_step(where: str, passes: int) -> None:
    program = (
        "from connect_compat.crash_points import passed\n"
        "for _ in range(5):\n"
        "    passed('sink:committed')\n"
        "    print('.', end='', flush=True)\n"
        "    passed('sink:put')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env={"TAILRACE_CRASH_AT": where}, capture_output=True, check=False
    )
    assert done.returncode == -signal.SIGKILL
    assert done.stdout == b"." * passes


def test_unset_nothing_happens() -> None:
    assert crash_at(None)("sink:put") is None


def test_the_listed_steps_are_those_that_the_code_passes() -> None:
    root = Path(__file__).parents[3] / "connect_compat"
    passed = re.compile(r'\bpassed\("([^"]+)"\)')
    found = {step for path in root.rglob("*.py") for step in passed.findall(path.read_text())}
    assert found == {*STEPS, *RARE}


def test_a_file_that_names_the_step_kills_one_process_once(tmp_path: Path) -> None:
    told = tmp_path / "step"
    program = "from connect_compat.crash_points import passed\npassed('sink:decoded')\npassed('sink:put')\n"

    def status() -> int:
        environment = {"TAILRACE_CRASH_AT": f"@{told}"}
        return subprocess.run([sys.executable, "-c", program], env=environment, check=False).returncode

    assert status() == 0
    told.write_text("sink:put")
    assert [status(), status()] == [-signal.SIGKILL, 0]
    assert not told.exists()
