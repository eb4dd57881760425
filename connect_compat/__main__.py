"""The `tailrace` command. The commands are in cli.py, read only when one is run."""

from __future__ import annotations


def main() -> None:
    from connect_compat.cli import command

    command()


if __name__ == "__main__":
    main()
