"""Positions against what a server says of its log: nothing missing, to be waited for, or lost and told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from cdc.gaps import Gap, remedy
from cdc.mysql import wire
from cdc.mysql.log_gap import gap
from cdc.mysql.offset import Position
from cdc.mysql.server import Server
from cdc.table import TableId

A = "3e11fa47-71ca-11e1-9e33-c80aa9429562"
B = "11111111-71ca-11e1-9e33-c80aa9429562"
LOGS = {"binlog.000008": 900, "binlog.000009": 500}


class Standing(Server):
    """A server in a state of a test's own; no other connection to it can be made."""

    def __init__(
        self, known: Mapping[str, str], logs: Mapping[str, int], channels: list[dict[str, Any]] | None
    ) -> None:
        self.settings = wire.Settings(host="127.0.0.1", port=1, user="u", connect_timeout_ms=1)
        self._known, self._logs, self._channels = known, logs, channels

    def variables(self, *names: str) -> dict[str, str]:
        return dict(self._known)

    def log_sizes(self) -> dict[str, int]:
        return dict(self._logs)

    def replication(self) -> list[dict[str, Any]] | None:
        return self._channels


def found(position: Position, *, by_gtid: bool = True, channels: Sequence[dict[str, Any]] | None = ()) -> Gap | None:
    known = {"gtid_mode": "ON", "gtid_executed": f"{A}:1-100", "gtid_purged": f"{A}:1-10", "server_uuid": A}
    return gap(
        Standing(known, LOGS, None if channels is None else list(channels)),
        position,
        lambda uuid: True,
        by_gtid=by_gtid,
        server_id=7,
    )


def at(gtids: str) -> Position:
    return Position(file="gone.000001", pos=4, gtids=gtids, ts_sec=1_700_000_000)


@pytest.mark.parametrize("had", [f"{A}:1-50", f"{A}:1-10", f"{A}:1-100"])
def test_nothing_is_missing_when_all_that_was_read_is_known_and_nothing_after_it_purged(had: str) -> None:
    assert found(at(had)) is None


def test_purged_transactions_are_named_with_the_time_since_when() -> None:
    lost = found(at(f"{A}:1-7"))
    assert lost is not None and not lost.passes
    assert f"it purged the transactions {A}:8-10, which were not read" in lost.what
    assert "after 2023-11-14T22:13:20Z" in lost.what


def test_transactions_that_only_this_reader_knows_are_named() -> None:
    lost = found(at(f"{A}:1-103,{B}:5"))
    assert lost is not None and not lost.passes
    assert f"does not know the transactions {B}:5,{A}:101-103, which were read and sent already" in lost.what


def test_a_replica_is_waited_for() -> None:
    running = {"Replica_IO_Running": "Yes", "Replica_SQL_Running": "Yes", "Seconds_Behind_Source": 7}
    late = found(at(f"{A}:1-103"), channels=[running])
    assert late is not None and late.passes
    assert f"has not got yet the transactions {A}:101-103" in late.what
    assert "replication runs, 7 s behind" in late.what
    stopped = {"Slave_IO_Running": "Yes", "Slave_SQL_Running": "No", "Last_SQL_Errno": 1062}
    late = found(at(f"{A}:1-103"), channels=[stopped])
    assert late is not None and late.passes
    assert "receiving Yes, applying No, error 1062; run START REPLICA" in late.what


def test_who_may_not_see_whether_it_is_a_replica_is_told_the_grant() -> None:
    lost = found(at(f"{A}:1-103"), channels=None)
    assert lost is not None and not lost.passes
    assert "which u may not see: GRANT SLAVE MONITOR ON *.* TO 'u'" in lost.what


@pytest.mark.parametrize(
    ("file", "pos", "words"),
    [
        ("binlog.000009", 500, None),
        ("binlog.000008", 4, None),
        ("binlog.000009", 501, "has only 500 bytes in binlog.000009, which was read up to 501"),
        ("binlog.000006", 77, "it purged binlog.000006 from byte 77 on to the end of binlog.000007"),
        ("binlog.000007", 77, "it purged binlog.000007 from byte 77 on, which were not read"),
        ("binlog.000010", 77, "has no binlog.000010, where reading stopped, but binlog.000008 to binlog.000009"),
        ("other.000001", 77, "it is another server, which can only be found by GTID"),
    ],
)
def test_a_position_in_a_file_is_looked_for_among_the_files(file: str, pos: int, words: str | None) -> None:
    lost = found(Position(file=file, pos=pos, gtids=f"{A}:1-5"), by_gtid=False)
    if words is None:
        assert lost is None
    else:
        assert lost is not None and not lost.passes and words in lost.what


def test_the_remedy_is_one_request_and_names_the_tables() -> None:
    tables = [TableId("shop", f"t{n:02}") for n in range(23)]
    text = remedy("shop-source", tables)
    assert 'PATCH /connectors/shop-source/config with {"snapshot.mode": "when_needed"}' in text
    assert "shop.t00, shop.t01" in text and "shop.t19 and 3 more" in text
