"""A stored position held against what a server still has: nothing is missing, not there yet, or gone and told in full.

Source: MySQL's manual, "GTID Life Cycle", "SHOW BINARY LOGS", "SHOW REPLICA STATUS".
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from cdc.errors import TailraceError
from cdc.gaps import Gap, moment
from cdc.mysql import binlog, wire
from cdc.mysql.offset import Gtids, Position
from cdc.mysql.server import Server


def gap(
    server: Server, position: Position, counts: Callable[[str], bool], *, by_gtid: bool, server_id: int
) -> Gap | None:
    """None: the server has everything after `position`.

    Args:
        counts: tells the servers (UUIDs) whose GTIDs matter (`gtid.source.includes`, `.excludes`).
        server_id: the connector's own, to look into the log with.
        by_gtid: False: the log is to be read by file and position although there are GTIDs.
    """
    state = server.flavor.compared(server, position.gtids, counts) if by_gtid and position.gtids is not None else None
    if state is not None:
        if state.lost:
            return _purged(server, server_id, position, f"it purged the transactions {state.lost}, which were not read")
        return _lacking(server, state.server, state.lacking) if state.lacking else None
    return _missing_bytes(server, server_id, position)


def _missing_bytes(server: Server, server_id: int, position: Position) -> Gap | None:
    """The same by file and position."""
    sizes = server.log_sizes()
    size = sizes.get(position.file)
    if size is not None:
        if position.pos <= size:
            return None
        return Gap(
            f"{server.settings} has only {size} bytes in {position.file}, which was read up to {position.pos}: its log "
            "was reset, or a crash cost it the end of it (sync_binlog other than 1)"
        )
    base, _, number = position.file.rpartition(".")
    first_base, _, first = next(iter(sizes)).rpartition(".")
    if base == first_base and number.isdigit() and int(number) < int(first):
        last = f"{base}.{int(first) - 1:0{len(first)}}"
        upto = "" if last == position.file else f" to the end of {last}"
        what = f"it purged {position.file} from byte {position.pos} on{upto}, which were not read"
        return _purged(server, server_id, position, what)
    return Gap(
        f"{server.settings} has no {position.file}, where reading stopped, but {next(iter(sizes))} to "
        f"{list(sizes)[-1]}: its log was reset, or it is another server, which can only be found by GTID"
    )


def _purged(server: Server, server_id: int, position: Position, what: str) -> Gap:
    """Since when: between the last record that was sent and the first that is left."""
    oldest = next(iter(server.log_sizes()))
    times = [f"after {moment(position.ts_sec)}"] if position.ts_sec else []
    if (began := _began(server.settings, server_id, oldest)) is not None:
        times.append(f"before {moment(began)}, when {oldest}, the oldest it has, began")
    when = f"; they were made {' and '.join(times)}" if times else f"; the oldest it has is {oldest}"
    return Gap(f"{server.settings} no longer has the binary log after the stored offset: {what}{when}")


def _lacking(server: Server, name: str, lacking: Gtids) -> Gap:
    """Transactions that were sent and that this server does not have."""
    where = f"{server.settings} ({name})"
    channels = server.replication()
    if not channels:
        unseen = (
            f". Or it is a replica that has not got them yet, which {server.settings.user} may not see: GRANT SLAVE "
            f"MONITOR ON *.* TO '{server.settings.user}', and such a one is waited for"
        )
        return Gap(
            f"{where} does not know the transactions {lacking}, which were read and sent already: its log was reset "
            "(RESET BINARY LOGS AND GTIDS), it was restored from a backup, a crash cost it the end of its log, or it "
            "was promoted before it had them. What they changed stands in the topics and not in this server"
            + (unseen if channels is None else "")
        )
    return Gap(
        f"{where} is a replica that has not got yet the transactions {lacking}, which were read and sent already "
        f"({', '.join(map(_channel, channels))}); reading goes on when it has them. If its source has lost them too, "
        "set snapshot.mode=when_needed and end the replication (RESET REPLICA ALL): then a snapshot is taken",
        passes=True,
    )


def _channel(status: dict[str, Any]) -> str:
    def value(*names: str) -> Any:
        return next((status[name] for name in names if name in status), None)

    receiving, applying = (value(f"Replica_{x}_Running", f"Slave_{x}_Running") for x in ("IO", "SQL"))
    behind = value("Seconds_Behind_Source", "Seconds_Behind_Master")
    if receiving == applying == "Yes":
        return f"replication runs, {behind} s behind"
    error = value("Last_SQL_Errno") or value("Last_IO_Errno")
    return (f"replication stands still: receiving {receiving}, applying {applying}, error {error}; run START REPLICA "
            "there, SHOW REPLICA STATUS tells more")  # fmt: skip


def _began(settings: wire.Settings, server_id: int, file: str) -> int | None:
    """When the server began a file of its log, in seconds since 1970; None when it does not say."""
    with contextlib.suppress(TailraceError):
        packets = wire.Stream(settings, server_id, Position(file=file, pos=4), None)
        try:
            for _ in range(10):
                for event in packets.read():
                    head = binlog.header(event)
                    if head.type == binlog.FORMAT_DESCRIPTION:
                        return head.timestamp
        finally:
            packets.close()
    return None
