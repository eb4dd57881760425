"""The `tailrace` command. The commands are in cli.py, read only when one is run."""

from __future__ import annotations

import sys


def main() -> None:
    # structlog would import rich, were it there, to draw traces in colours: 5 MB. They are written plainly.
    sys.modules["rich"] = None  # type: ignore[assignment]
    from connect_compat.cli import command

    del sys.modules["rich"]
    command()


if __name__ == "__main__":
    main()
