"""What a start has to do: `snapshot.mode` and what is left of earlier starts -> snapshot, keep the offset, stream.

Source: Debezium 3.5.0.Final, the snapshotters of `io.debezium.snapshot.mode` and `BaseSourceTask`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from cdc.errors import SourceError
from cdc.mysql.config import MySqlConfig


@dataclass(frozen=True)
class Plan:
    """What to do at a start.

    Attributes:
        definitions: read the tables' definitions into the history.
        rows: read the tables' rows too.
        keep_offset: the definitions are taken as those at the stored offset, and streaming goes on from it.
        stream: go on with the binary log; otherwise stay idle.
        on_log_gone: take a snapshot when the server no longer has the log after the stored offset.
        again: a snapshot was cut short: `rows` are read as they are now, but the definitions stay those that it
            recorded, and the log is read from its position, so that deletes of rows it sent are seen.
    """

    definitions: bool
    rows: bool
    stream: bool
    keep_offset: bool = False
    on_log_gone: bool = False
    again: bool = False


def plan(config: MySqlConfig, *, offset: bool, unfinished: bool, history: bool) -> Plan:
    """The plan of one start.

    Args:
        offset: an offset is stored.
        unfinished: it was stored in the middle of a snapshot.
        history: the schema history topic holds something of this connector.
    Raises: SourceError: the mode has no way to go on; says which has.
    """
    mode, due = config.snapshot_mode, not offset or unfinished
    if mode == "configuration_based":
        made = Plan(config.based_snapshot_schema, config.based_snapshot_data, config.based_start_stream,
                    on_log_gone=config.based_on_data_error)  # fmt: skip
        heals = config.based_on_schema_error
    elif mode == "recovery":
        return _recovery(offset=offset, unfinished=unfinished)
    else:
        made = {
            "initial": Plan(due, due, True),
            "initial_only": Plan(due, due, False),
            "when_needed": Plan(due, due, True, on_log_gone=True),
            "always": Plan(True, True, True),
            "no_data": Plan(due, False, True),
            "never": Plan(False, False, True),
        }[mode]
        heals = mode == "when_needed"
    if unfinished and not made.definitions:
        raise SourceError(
            f"the stored offset stands in the middle of a snapshot and snapshot.mode={mode} takes none; set "
            "snapshot.mode=initial or when_needed, or reset the connector's offsets"
        )
    if offset and not history and not made.definitions:
        if not heals:
            raise SourceError(
                f"the schema history topic {config.history_topic} is missing or holds nothing of "
                f"{config.topic_prefix}, so rows of the binary log cannot be read; set snapshot.mode=recovery for one "
                "start, which rebuilds it from the tables as they are now and keeps the offset"
            )
        return Plan(True, False, made.stream, keep_offset=True, on_log_gone=made.on_log_gone)
    return replace(made, definitions=False, again=True) if unfinished and history else made


def _recovery(*, offset: bool, unfinished: bool) -> Plan:
    if not offset:
        raise SourceError(
            "snapshot.mode=recovery rebuilds the schema history for a stored offset and there is none; set "
            "snapshot.mode=initial, or no_data to begin with the newest changes"
        )
    if unfinished:
        raise SourceError(
            "the stored offset stands in the middle of a snapshot, which snapshot.mode=recovery cannot finish; set "
            "snapshot.mode=initial"
        )
    return Plan(True, False, True, keep_offset=True)
