"""A history with a checkpoint gives the same tables as one without, wherever the writing of it was cut short."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdc.errors import LogUnavailable, SourceError
from cdc.mysql.compaction import ENOUGH, Survey
from cdc.mysql.history import History
from cdc.mysql.schema_change import HistoryRecord, Mark
from cdc.table import Table, TableId
from tests.unit.cdc.mysql.test_history import MemoryTopic, history, position

STATEMENTS = (
    ("", "a", "CREATE TABLE a (id INT PRIMARY KEY, t TEXT)"), ("", "b", "CREATE TABLE b (id INT)"),
    ("", "c", "CREATE TABLE c (t TEXT)"), ("a", "b", "CREATE TABLE b LIKE a"), ("", "", "DROP TABLE IF EXISTS b"),
    ("a", "", "ALTER TABLE a ADD c1 VARCHAR(3) NOT NULL DEFAULT 'x'"), ("a", "", "ALTER TABLE a MODIFY t VARCHAR(9)"),
    ("a", "c", "RENAME TABLE a TO c"), ("c", "a", "RENAME TABLE c TO a"), ("b", "", "CREATE UNIQUE INDEX u ON b (id)"),
    ("ab", "", "RENAME TABLE a TO x, b TO a, x TO b"), ("", "", "ALTER DATABASE d CHARSET latin1"),
    ("", "", "CREATE DATABASE d CHARSET utf8mb3"), ("", "", "DROP DATABASE d"),
    ("", "", "SET character_set_server=latin1"),
)  # fmt: skip
"""The tables that must be there, those that must not, and the statement."""


class CutTopic(MemoryTopic):
    """Takes so many more records, then the process is gone."""

    def __init__(self, values: Sequence[bytes], takes: int) -> None:
        super().__init__(values)
        self._takes = takes

    def append(self, records: Sequence[tuple[bytes | None, bytes]]) -> None:
        super().append(records[: self._takes])
        self._takes -= len(records)
        if self._takes < 0:
            raise LogUnavailable("gone")


def recovered(topic: MemoryTopic, upto: Mapping[str, Any]) -> History:
    made = history(topic)
    made.recover(upto)
    return made


def at(topic: MemoryTopic, transaction: int) -> Mapping[TableId, Table]:
    return recovered(topic, position(transaction)).tables


def going_on(topic: MemoryTopic, upto: int, statements: Sequence[str]) -> Mapping[TableId, Table]:
    """The tables after a restart at an offset: the statement there is read again, then those that follow."""
    topic = MemoryTopic(topic.values)
    made = recovered(topic, position(upto))
    for transaction, sql in enumerate(statements, 1):
        if transaction >= upto:
            made.apply(sql, "d", position(transaction), transaction)
    assert at(topic, len(statements)) == made.tables
    return made.tables


@given(st.lists(st.sampled_from(STATEMENTS), min_size=1, max_size=9), st.data())
def test_wherever_the_writing_is_cut_short_the_tables_are_those_of_the_whole_history(
    wanted: list[tuple[str, str, str]], data: st.DataObject
) -> None:
    plain = MemoryTopic()
    first = history(plain)
    statements: list[str] = []
    for needed, barred, sql in wanted:
        names = {id.name for id in first.tables}
        if names >= set(needed) and names.isdisjoint(barred):
            statements.append(sql)
            first.apply(sql, "d", position(len(statements)), len(statements))
    if not statements:
        return
    upto = data.draw(st.integers(1, len(statements)))
    if not plain.values or json.loads(plain.values[0])["position"]["pos"] > upto * 100:
        return
    topic = CutTopic(plain.values, data.draw(st.integers(0, 16)))
    whole, forgotten = True, data.draw(st.booleans())
    try:
        name = recovered(topic, position(upto)).checkpoint(position(upto), 5)
        if forgotten:
            recovered(topic, position(upto)).forget_before(name)
            assert json.loads(topic.values[0])["checkpoint"]["began"] == 5
    except LogUnavailable:
        whole = forgotten = False
    for offset in range(upto if forgotten else 1, (len(statements) if whole else upto) + 1):
        assert at(topic, offset) == at(plain, offset)
        assert going_on(topic, offset, statements) == going_on(plain, offset, statements)


def long_history(topic: MemoryTopic) -> History:
    made = history(topic)
    for transaction in range(1, ENOUGH + 2):
        made.apply("CREATE TABLE d.t (id INT)", "d", position(transaction), 0)
    return recovered(topic, position(ENOUGH + 1))


def test_a_history_is_long_after_a_thousand_records_and_short_after_its_checkpoint() -> None:
    topic = MemoryTopic()
    long = long_history(topic)
    assert long.is_long(position(ENOUGH + 1))
    assert not recovered(topic, position(0)).is_long(position(0))
    assert not recovered(MemoryTopic(topic.values[:ENOUGH]), position(ENOUGH + 1)).is_long(position(ENOUGH + 1))
    name = long.checkpoint(position(ENOUGH + 1), 7)
    assert not recovered(topic, position(ENOUGH + 1)).is_long(position(ENOUGH + 1))
    topic.values += topic.values[:2]
    again = recovered(topic, position(ENOUGH + 1))
    assert again.superseded(lambda offset: False) is None
    assert again.superseded(lambda offset: "snapshot" in offset) == name
    assert again.forget_before(name) == ENOUGH + 1
    assert recovered(topic, position(ENOUGH + 1)).superseded(lambda offset: True) is None


def test_a_checkpoint_cut_short_is_none() -> None:
    survey = Survey()
    record = HistoryRecord("p", position(1), 0, "d", None, (), Mark(3, whole=False))
    survey.see(record)
    survey.see(record)
    assert (survey.since, survey.superseded(lambda offset: True)) == (2, None)
    survey.see(record._replace(mark=Mark(4, whole=False)))
    survey.see(record._replace(mark=Mark(4, whole=True)))
    assert (survey.since, survey.superseded(lambda offset: True)) == (0, 4)


def test_a_topic_of_several_connectors_is_left_as_it_is() -> None:
    topic = MemoryTopic()
    history(topic, server="other").apply("CREATE TABLE d.t (id INT)", "d", position(1), 1)
    history(topic).apply("CREATE TABLE d.t (id INT)", "d", position(1), 1)
    made = recovered(topic, position(1))
    assert made.superseded(lambda offset: True) is None
    with pytest.raises(SourceError, match="other connectors record their tables in the same topic"):
        made.checkpoint(position(1), 1)


def test_tables_that_are_not_known_for_sure_are_not_written_down_as_if_they_were() -> None:
    topic = MemoryTopic()
    made = history(topic)
    made.apply("CREATE TABLE d.t (id INT)", "d", position(3), 1)
    with pytest.raises(SourceError, match="begins after the stored offset"):
        recovered(topic, position(2)).checkpoint(position(2), 1)
    made.apply("ALTER TABLE d.t ADD", "d", position(4), 1)
    doubtful = recovered(topic, position(4))
    assert not doubtful.is_long(position(4))
    with pytest.raises(SourceError, match=r"the last change of d\.t was not understood"):
        doubtful.checkpoint(position(4), 1)
