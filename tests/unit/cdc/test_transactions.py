"""Records of the transaction topic and the counts an offset keeps; recorded cases are in tests/golden/mysql."""

from __future__ import annotations

from cdc.transactions import Transactions, stored


def marks(transactions: Transactions) -> list[object]:
    return [value for batch in transactions.take() for value in batch.values]


def test_a_transaction_begins_counts_and_ends() -> None:
    found = Transactions("p.transaction")
    found.begin("u:1", 1000)
    assert found.blocks("db.a", [(), ()]) == [("u:1", 1, 1), ("u:1", 2, 2)]
    assert found.blocks("db.b", [()]) == [("u:1", 3, 1)]
    assert found.blocks("db.a", [()]) == [("u:1", 4, 3)]
    found.end(2000)
    assert marks(found) == [
        ("BEGIN", "u:1", None, None, 1000),
        ("END", "u:1", 4, [("db.b", 1), ("db.a", 3)], 2000),
    ]
    assert marks(found) == []
    assert found.offset == {}


def test_outside_of_a_transaction_there_is_nothing_to_tell() -> None:
    found = Transactions("p.transaction")
    assert found.blocks("db.a", [()]) is None
    found.end(1)
    assert marks(found) == []


def test_a_restart_goes_on_counting_and_sends_no_second_begin() -> None:
    before = Transactions("p.transaction")
    before.begin("u:1", 1000)
    before.blocks("db.a", [(), ()])
    after = Transactions("p.transaction", offset=before.offset)
    after.begin("u:1", 1000)
    assert after.blocks("db.a", [()]) == [("u:1", 3, 3)]
    after.end(2000)
    assert marks(after) == [("END", "u:1", 3, [("db.a", 3)], 2000)]


def test_a_stored_transaction_that_does_not_come_again_is_forgotten() -> None:
    found = Transactions("p.transaction", offset={"transaction_id": "u:1", "transaction_data_collection_order_db.a": 7})
    found.begin("u:2", 1000)
    assert found.blocks("db.a", [()]) == [("u:2", 1, 1)]


def test_a_transaction_that_is_rolled_back_has_no_end() -> None:
    found = Transactions("p.transaction")
    found.begin("u:1", 1000)
    found.drop()
    found.end(2000)
    assert len(marks(found)) == 1


def test_an_offset_without_a_transaction_tells_none() -> None:
    assert stored({"file": "binlog.1", "pos": 4}) == (None, {})
