"""What each snapshot.mode does at a start, for everything that earlier starts may have left."""

from __future__ import annotations

import pytest

from cdc.config import parse
from cdc.errors import SourceError
from cdc.mysql.config import MySqlConfig
from cdc.mysql.plan import Plan, plan

NEEDED = {
    "topic.prefix": "shop", "database.hostname": "db", "database.user": "u", "database.server.id": "1",
    "schema.history.internal.kafka.topic": "h",
}  # fmt: skip
EVERYTHING, STREAM = Plan(True, True, True), Plan(False, False, True)


def made(mode: str, left: str, **given: str) -> Plan:
    """`left`: nothing, unfinished, unfinished without history, offset (without history) or both."""
    config = parse(MySqlConfig, NEEDED | {"snapshot.mode": mode} | given)
    unfinished = left.startswith("unfinished")
    return plan(config, offset=left != "nothing", unfinished=unfinished, history=left in ("both", "unfinished"))


@pytest.mark.parametrize(
    ("mode", "first", "later"),
    [
        ("initial", EVERYTHING, STREAM),
        ("always", EVERYTHING, EVERYTHING),
        ("initial_only", Plan(True, True, False), Plan(False, False, False)),
        ("no_data", Plan(True, False, True), STREAM),
        ("when_needed", Plan(True, True, True, on_log_gone=True), Plan(False, False, True, on_log_gone=True)),
    ],
)
def test_a_mode_reads_tables_when_it_should(mode: str, first: Plan, later: Plan) -> None:
    assert made(mode, "nothing") == first
    assert made(mode, "unfinished, no history") == first
    assert made(mode, "both") == later


@pytest.mark.parametrize(
    ("mode", "rows", "stream"),
    [
        ("initial", True, True),
        ("always", True, True),
        ("initial_only", True, False),
        ("no_data", False, True),
        ("when_needed", True, True),
    ],
)
def test_a_snapshot_that_was_cut_short_keeps_its_definitions_and_its_position(
    mode: str, rows: bool, stream: bool
) -> None:
    found = made(mode, "unfinished")
    assert (found.definitions, found.rows, found.stream, found.again) == (False, rows, stream, True)


def test_never_streams_at_once() -> None:
    assert made("never", "nothing") == STREAM


@pytest.mark.parametrize("mode", ["initial", "no_data", "never", "initial_only"])
def test_an_offset_without_history_is_refused_with_the_remedy(mode: str) -> None:
    with pytest.raises(SourceError, match=r"schema history topic h .* snapshot\.mode=recovery"):
        made(mode, "offset")


@pytest.mark.parametrize("mode", ["recovery", "when_needed"])
def test_a_lost_history_is_rebuilt_at_the_stored_offset(mode: str) -> None:
    found = made(mode, "offset")
    assert (found.definitions, found.rows, found.stream, found.keep_offset) == (True, False, True, True)


def test_recovery_rebuilds_a_history_that_is_there_too() -> None:
    assert made("recovery", "both").definitions


@pytest.mark.parametrize(("left", "words"), [("nothing", "there is none"), ("unfinished", "cannot finish")])
def test_recovery_needs_a_whole_offset(left: str, words: str) -> None:
    with pytest.raises(SourceError, match=words):
        made("recovery", left)


def test_a_half_snapshot_needs_a_mode_that_takes_one() -> None:
    with pytest.raises(SourceError, match=r"in the middle of a snapshot and snapshot\.mode=never"):
        made("never", "unfinished")


def test_configuration_based_does_what_the_switches_say() -> None:
    prefix = "snapshot.mode.configuration.based."
    names = ("snapshot.data", "snapshot.schema", "start.stream", "snapshot.on.data.error")
    switches = {prefix + name: "true" for name in names}
    assert made("configuration_based", "nothing", **switches) == Plan(True, True, True, on_log_gone=True)
    assert made("configuration_based", "both") == Plan(False, False, False)
    healing = {prefix + "start.stream": "true", prefix + "snapshot.on.schema.error": "true"}
    assert made("configuration_based", "offset", **healing).keep_offset
