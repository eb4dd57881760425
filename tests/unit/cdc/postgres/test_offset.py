from __future__ import annotations

import pytest

from cdc.postgres.offset import Position

DEBEZIUM = {"lsn_proc": 500, "lsn_commit": 400, "lsn": 500, "txId": 7, "ts_usec": 1}


@pytest.mark.parametrize(
    ("changes", "stop"),
    [
        ({"messageType": "INSERT"}, 500),
        ({"messageType": "DELETE", "lsn_commit": 500}, 500),
        ({"messageType": "MESSAGE"}, 500),
        ({"messageType": "MESSAGE", "lsn_commit": 500}, None),
        ({"messageType": "COMMIT", "lsn_commit": 500}, None),
        ({"messageType": "BEGIN"}, None),
        ({}, None),
        ({"messageType": "INSERT", "event": 3, "commit_of": 600}, None),
    ],
)
def test_debeziums_offsets_stand_at_the_last_change_of_a_transaction(
    changes: dict[str, object], stop: int | None
) -> None:
    position = Position.from_offset({**DEBEZIUM, **changes})
    assert position.stop == stop


def test_an_offset_is_read_as_it_was_written() -> None:
    position = Position(
        lsn=500, processed_lsn=450, commit_lsn=400, tx_id=7, time_us=1, message="UPDATE", event=2, commit_of=600,
        done_lsn=420, held_lsn=300, timeline=2,
    )  # fmt: skip
    assert Position.from_offset(position.to_offset()) == position
