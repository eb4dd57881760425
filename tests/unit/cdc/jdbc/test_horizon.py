"""Up to where can be read while transactions are open."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from cdc.jdbc import mysql
from cdc.jdbc.horizon import Horizon


class _Database:
    """A database with a highest number and open transactions, and a word when it is asked."""

    def __init__(self) -> None:
        self.highest: int | None = 5
        self.open: frozenset[str] | None = frozenset()
        self.product = SimpleNamespace(open_transactions=self._asked, LACKING="grant it")
        self.asked, self.database = 0, "mysql at db"

    def _asked(self, session: Any, *, writers: bool) -> frozenset[str] | None:
        self.asked += 1
        return self.open


def _horizon(database: Any, *, wait: bool = True) -> Horizon:
    return Horizon(database, "shop.orders", writers=True, wait=wait)


def test_nothing_open_means_nothing_to_wait_for() -> None:
    database = _Database()
    horizon = _horizon(database)
    assert horizon.reach(lambda: database.highest) == 5
    assert not horizon.waits


def test_a_bound_holds_when_all_that_were_open_have_ended_and_later_ones_do_not_matter() -> None:
    database = _Database()
    horizon = _horizon(database)
    database.open = frozenset({"a", "b"})
    assert horizon.reach(lambda: database.highest) is None
    assert horizon.waits
    database.highest, database.open = 9, frozenset({"b", "c"})
    assert horizon.reach(lambda: database.highest) is None
    database.open = frozenset({"c"})
    assert horizon.reach(lambda: database.highest) == 5
    assert horizon.reach(lambda: database.highest) is None


def test_who_does_not_want_to_wait_does_not_ask() -> None:
    database = _Database()
    assert _horizon(database, wait=False).reach(lambda: 7) == 7
    assert database.asked == 0


def test_a_database_that_does_not_tell_is_read_without_waiting() -> None:
    database = _Database()
    database.open = None
    horizon = _horizon(database)
    assert [horizon.reach(lambda: database.highest) for _ in range(3)] == [5, 5, 5]
    assert database.asked == 1


def test_an_empty_table_is_not_waited_for() -> None:
    database = _Database()
    database.highest = None
    assert _horizon(database).reach(lambda: database.highest) is None
    assert database.asked == 0


def test_innodb_s_status_names_the_transactions_that_write() -> None:
    status = (
        "---TRANSACTION 421947013570360, not started\n---TRANSACTION 1234, ACTIVE 3 sec inserting\n"
        "---TRANSACTION 421947013570361, ACTIVE 1 sec fetching rows\n---TRANSACTION 1240, ACTIVE (PREPARED) 9 sec\n"
    )
    assert mysql.active(status) == frozenset({"1234", "1240"})
    assert mysql.active(status + "... truncated...\n") is None
