"""`.venv` with the `tailrace` command and all tools, from the lock file. Needs only a bare Python."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from services.place import ServiceError, run, say, step

ROOT = Path(__file__).parent.parent
VENV = ROOT / ".venv"
CODE = ("cdc", "sinks", "connect_compat", "services", "scripts")


def main() -> int:
    if sys.version_info < (3, 11):  # noqa: UP036 - the one place where an older one is told
        say(f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}: run `make setup PYTHON=python3.12`")
        return 1
    try:
        _prepare(VENV / "bin" / "python")
    except ServiceError as error:
        say(f"ERROR: {error}")
        return 1
    return 0


def _prepare(python: Path) -> None:
    if not python.exists() or subprocess.run([python, "-m", "pip", "--version"], capture_output=True).returncode:
        with step("making .venv"):
            run([sys.executable, "-m", "venv", "--clear", VENV])
    pip: list[str | Path] = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    with step("fetching Python packages into .venv (once)"):
        run([*pip, "--require-hashes", "-r", ROOT / "requirements-dev.lock"])
    with step("installing tailrace into .venv"):
        run([*pip, "--no-deps", "--editable", ROOT])
        # Task processes start sooner when what they import is compiled already.
        run([python, "-m", "compileall", "-q", VENV / "lib", *(ROOT / name for name in CODE)])
    (VENV / "ready").touch()


if __name__ == "__main__":
    sys.exit(main())
