"""Transactions that are kept until they are decided: all of their frames, without what was rolled back."""

from __future__ import annotations

from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from cdc.postgres.open_transactions import OpenTransactions

CHANGES = st.lists(st.tuples(st.sampled_from(b"IUDTMRY"), st.integers(1, 4), st.binary(max_size=50)), max_size=60)


def frame(kind: int, body: bytes) -> bytes:
    return b"w" + bytes(24) + bytes((kind,)) + body


@given(CHANGES, st.sets(st.integers(2, 4)), st.integers(1, 7))
def test_what_a_rolled_back_subtransaction_told_of_tables_stays_and_its_changes_go(
    changes: list[tuple[int, int, bytes]], undone: set[int], most: int
) -> None:
    transactions = OpenTransactions()
    kept = transactions.begin(1, lsn=10)
    for kind, subtransaction, body in changes:
        kept.add(frame(kind, body), subtransaction)
    for subtransaction in undone:
        transactions.undo(1, subtransaction)
    chunks = list(kept.chunks(most))
    assert all(len(chunk) <= most for chunk in chunks)
    assert list(chain(*chunks)) == [
        frame(kind, body) for kind, sub, body in changes if sub not in undone or kind in b"RY"
    ]  # fmt: skip


def test_a_large_transaction_comes_back_from_its_file() -> None:
    kept = OpenTransactions().begin(7, lsn=10)
    frames = [frame(ord("I"), number.to_bytes(4, "big") * 500) for number in range(5000)]
    for each in frames:
        kept.add(each, 7)
    assert list(chain(*kept.chunks(1000))) == frames


def test_the_server_must_send_again_from_the_oldest_that_is_prepared() -> None:
    transactions = OpenTransactions()
    assert transactions.prepared_lsn is None
    for xid, lsn in ((1, 30), (2, 20)):
        transactions.begin(xid, lsn).prepared_lsn = lsn
    assert transactions.prepared_lsn == 20
    transactions.drop(2)
    assert transactions.prepared_lsn == 30
    transactions.undo(1, 1)
    assert transactions.get(1) is None and transactions.prepared_lsn is None
