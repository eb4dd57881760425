"""Where a task begins: its stored position and what the server still has -> the plan, or what is to be said."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from contextlib import closing
from dataclasses import replace
from typing import Any

import structlog

from cdc.errors import SourceError, SourceUnavailable
from cdc.gaps import Gap, remedy
from cdc.mysql import wire
from cdc.mysql.capture import Capture
from cdc.mysql.checks import look
from cdc.mysql.config import MySqlConfig
from cdc.mysql.failures import LogGone
from cdc.mysql.history import History, at_or_before
from cdc.mysql.log_gap import gap
from cdc.mysql.offset import Position
from cdc.mysql.plan import Plan, plan
from cdc.mysql.server import Server

_log = structlog.get_logger(__name__)


class Start:
    """Looks at the server each time it is asked. `connector` and `report` are the names and facts that it tells."""

    def __init__(
        self, config: MySqlConfig, settings: wire.Settings, capture: Capture, history: History,
        origin: Callable[[str], bool] | None, connector: str, report: MutableMapping[str, Any],
    ) -> None:  # fmt: skip
        """`origin` says which servers' GTIDs count; None: all."""
        self._config, self._settings, self._capture, self._history = config, settings, capture, history
        self._origin, self._connector, self._report = origin, connector, report
        self._read_timeout = max(1, config.validation_timeout_ms // 1000)

    def planned(self, stored: Position | None) -> tuple[Plan, Position | None]:
        """What to do, and the position it begins from: the stored one, or for `never` the oldest there is."""
        server = Server(self._settings, read_timeout=self._read_timeout)
        try:
            findings = look(server, self._config, self._capture)
            findings.require()
            for warning in findings.warnings:
                _log.warning(warning)
            self._report.update(findings.facts)
            if server.variables("lower_case_table_names") == {"lower_case_table_names": "1"}:
                self._history.fold_names()
            unfinished = stored is not None and stored.snapshot is not None
            has_history = stored is not None and self._history.exists()
            made = plan(self._config, offset=stored is not None, unfinished=unfinished, history=has_history)
            if stored is None:
                reads_all = made.stream and not made.definitions
                return made, Position(file=server.logs()[0], pos=4) if reads_all else None
            if unfinished:
                return self._taken_again(made, stored, server)
            found = None if made.rows or not made.stream else self._gap(server, stored)
            if found is None:
                return made, stored
            return self._closing(found, made, server), None
        finally:
            server.close()

    def _taken_again(self, made: Plan, stored: Position, server: Server) -> tuple[Plan, Position | None]:
        """An interrupted snapshot's plan and position; without that position, those of a first snapshot."""
        if not made.again:
            gone = f"the schema history topic {self._config.history_topic} is empty"
        elif (found := self._gap(server, stored)) is not None:
            if found.passes:
                raise SourceUnavailable(found.what)
            gone = found.what
        else:
            return made, stored
        _log.warning("a snapshot was interrupted and cannot be taken up; it begins anew, and rows that were deleted "
                     "since stay in the targets: delete those there", reason=gone)  # fmt: skip
        return replace(made, definitions=True, again=False), None

    def _gap(self, server: Server, position: Position) -> Gap | None:
        if not self._config.log_position_check:
            return None
        counts = self._origin or (lambda uuid: True)
        by_gtid = not self._config.gtid_ignore_on_recovery
        return gap(server, position, counts, by_gtid=by_gtid, server_id=self._config.server_id)

    def is_gone(self, stored: Position, offset: Mapping[str, Any]) -> bool:
        """Whether the server cannot be read from an offset any more, which is not after the stored one."""
        if not at_or_before(offset, stored.to_offset(), self._origin):
            return False
        with closing(Server(self._settings, read_timeout=self._read_timeout)) as server:
            found = self._gap(server, replace(Position.from_offset(offset), snapshot=None))
        return found is not None and not found.passes

    def _closing(self, found: Gap, made: Plan, server: Server) -> Plan:
        """A snapshot where the plan allows it. Raises: SourceUnavailable: waiting helps; SourceError: it does not."""
        if found.passes:
            raise SourceUnavailable(found.what)
        if not made.on_log_gone:
            raise SourceError(f"{found.what}. {self._remedy(server)}")
        _log.warning("changes are lost between the stored offset and now; a snapshot is taken, and rows that were "
                     "deleted meanwhile stay in the targets: delete those there", reason=found.what)  # fmt: skip
        self._report["mysql.gap"] = found.what
        return Plan(True, True, made.stream)

    def log_gone(self, error: LogGone, position: Position, made: Plan) -> SourceError:
        """What is to be said when the server refuses to send its log: the gap, when there is one."""
        server = Server(self._settings, read_timeout=self._read_timeout)
        try:
            found = self._gap(server, position)
            if found is None:
                return SourceError(f"{error}. {self._remedy(server)}")
            self._closing(found, made, server)
            return SourceUnavailable(found.what)  # the next start finds it too and takes the snapshot
        finally:
            server.close()

    def _remedy(self, server: Server) -> str:
        return remedy(self._connector, [table for table in server.tables() if self._capture.table(table)])
