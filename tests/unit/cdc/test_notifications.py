"""Notifications as records."""

from __future__ import annotations

from cdc.notifications import INCREMENTAL, Notification, Notifications


def test_a_notification_is_a_record_of_the_topic_with_its_members_in_the_order_of_javas_map() -> None:
    made = Notifications("shop", ["sink"], "notes", now_ms=lambda: 5, new_id=lambda: "new")
    data = {"current_collection_in_progress": "a.t", "maximum_key": "3", "last_processed_key": "2",
            "data_collections": "a.t"}  # fmt: skip
    (batch,) = made.batches([Notification(INCREMENTAL, "IN_PROGRESS", data, "first")])
    assert (batch.topic, batch.keys) == ("notes", [("first",)])
    (value,) = batch.values
    assert value[:3] == ("first", "IN_PROGRESS", INCREMENTAL)
    assert list(value[3]) == ["current_collection_in_progress", "connector_name", "maximum_key", "last_processed_key",
                              "data_collections"]  # fmt: skip
    assert value[3]["connector_name"] == "shop"
    assert value[4] == 5


def test_one_without_a_signal_gets_an_id_of_its_own() -> None:
    made = Notifications("shop", ["sink"], "notes", new_id=lambda: "new")
    assert made.batches([Notification(INCREMENTAL, "COMPLETED")])[0].keys == [("new",)]


def test_without_the_channel_there_is_no_record() -> None:
    assert Notifications("shop", ["log"], "notes").batches([Notification(INCREMENTAL, "COMPLETED")]) == []
    assert Notifications("shop").batches([Notification(INCREMENTAL, "COMPLETED")]) == []
