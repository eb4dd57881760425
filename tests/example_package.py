"""The package of examples/plugins as if it were installed: its code on the path, its metadata beside."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Final

EXAMPLE: Final = Path(__file__).parents[1] / "examples" / "plugins"


def put_metadata(folder: Path) -> None:
    """What an installation of the package leaves behind, but for its code."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    there = folder / "tailrace_example-1.0.dist-info"
    there.mkdir()
    (there / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    lines = []
    for group, points in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {where}" for name, where in points.items())]
    (there / "entry_points.txt").write_text("\n".join(lines))
