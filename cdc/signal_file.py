"""The signal channel `file`: one JSON object a line; a line is taken out of the file when its signal is carried out.

Source: Debezium 3.5.0.Final, `io.debezium.pipeline.signal.channels.FileSignalChannel`, which empties the file at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import structlog

from cdc.signals import Signal, from_json

_log = structlog.get_logger(__name__)


class SignalFile:
    """`signal.file`; it need not be there."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._read = 0
        self._told = False

    def read(self) -> Sequence[Signal]:
        """The signals of whole lines that were added since the last call."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._read)
                added = file.read()
        except FileNotFoundError:
            self._read = 0
            return []
        except OSError as error:
            self._warn("read", error)
            return []
        lines, end, _ = added.rpartition(b"\n")
        if not end and not added.strip().endswith(b"}"):
            return []
        whole = lines if end else added
        self._read += len(whole) + len(end)
        return [signal for line in whole.splitlines() if line.strip() and (signal := from_json(line)) is not None]

    def done(self) -> None:
        """Leaves what was added since in the file."""
        if not self._read:
            return
        try:
            with self._path.open("r+b") as file:
                file.seek(self._read)
                rest = file.read()
                file.seek(0)
                file.write(rest)
                file.truncate()
            self._read = 0
        except FileNotFoundError:
            self._read = 0
        except OSError as error:
            self._warn("written", error)

    def close(self) -> None:
        """Nothing is held open."""

    def _warn(self, what: str, error: OSError) -> None:
        if not self._told:
            self._told = True
            _log.warning(f"signal.file cannot be {what}: give the worker's user access to it", reason=str(error))
