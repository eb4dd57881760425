"""The rows of a SELECT as COPY sends them, read as they come and never longer waited for than half a second."""

from __future__ import annotations

import select
from collections.abc import Iterator
from typing import Final

import psycopg
from psycopg import pq

from cdc.errors import SourceUnavailable, TailraceError
from cdc.postgres.wire import Settings, failure, said

_WAIT_S: Final = 0.5
_MORE_S: Final = 0.05
"""How long a chunk that has rows waits for more."""
Lines = list[memoryview]


class CopyOut:
    """One COPY … TO STDOUT. The connection does nothing else until `chunks` has ended.

    Attributes:
        patience: seconds that a chunk waits for its first row.
    """

    def __init__(self, connection: pq.abc.PGconn, settings: Settings, select_: str) -> None:
        """Raises: SourceUnavailable."""
        self._connection, self._settings = connection, settings
        self._more, self.patience = False, _WAIT_S
        try:
            connection.send_query(f"COPY ({select_}) TO STDOUT".encode())
        except psycopg.Error as error:
            raise failure(error, settings) from error

    @property
    def socket(self) -> int:
        return self._connection.socket

    def ready(self) -> bool:
        """Whether a chunk would come without waiting."""
        self._more = self._more or self._arrives(0)
        return self._more

    def chunks(self, rows: int) -> Iterator[Lines]:
        """Up to so many lines a chunk; an empty one when the server takes its time.

        Raises: SourceUnavailable, SourceError.
        """
        while self._connection.is_busy():
            if not self._arrives(self.patience):
                yield []
        result = self._connection.get_result()
        if result is None or result.status != pq.ExecStatus.COPY_OUT:
            raise self._refused(result)
        found: Lines = []
        read = self._connection.get_copy_data
        while True:
            size, data = read(1)
            if size > 0:
                found.append(data)
                if len(found) < rows:
                    continue
            elif size < 0:
                break
            elif self._arrives(_MORE_S if found else self.patience):
                continue
            self._more = size > 0
            yield found
            found = []
        self._end()
        self._more = True
        if found:
            yield found

    def _arrives(self, seconds: float) -> bool:
        if not select.select([self._connection.socket], [], [], seconds)[0]:
            return False
        try:
            self._connection.consume_input()
        except psycopg.Error as error:
            raise failure(error, self._settings) from error
        return True

    def _end(self) -> None:
        result = self._connection.get_result()
        if result is None or result.status != pq.ExecStatus.COMMAND_OK:
            raise self._refused(result)
        while self._connection.get_result() is not None:
            pass

    def _refused(self, result: pq.abc.PGresult | None) -> TailraceError:
        if result is None or self._connection.status != pq.ConnStatus.OK:
            return SourceUnavailable(f"{self._settings} closed the connection in the middle of a snapshot")
        state = (result.error_field(pq.DiagnosticField.SQLSTATE) or b"").decode()
        primary = (result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY) or b"").decode()
        while self._connection.get_result() is not None:
            pass
        return said(state, primary or result.get_error_message("utf-8").strip(), self._settings)
