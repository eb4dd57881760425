"""What records do to a table, on a real SQLite file; the same sink on servers is in tests/server/test_jdbc_sink.py."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cdc.connector import SinkConnector
from cdc.errors import ConfigError, TargetUnavailable
from cdc.record import Batch, Header
from cdc.schema import INT32, OPTIONAL_STRING, STRING, Field, Schema, Type, array, struct
from sinks.jdbc.connector import CONFLUENT, DEBEZIUM
from tests.unit.sinks.jdbc.records import ROW, WORD, batch, change, created, row

GOLDEN = Path(__file__).parents[3] / "golden"
KEYED = {"insert.mode": "upsert", "pk.mode": "record_key", "delete.enabled": "true", "auto.create": "true"}


class Target:
    """A SQLite file, and sinks that write to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.connection = sqlite3.connect(path)

    def put(self, config: dict[str, str], *batches: Batch, declared: SinkConnector = CONFLUENT) -> list[str]:
        """One put of a new task; the reasons of what was refused."""
        sink = declared.build({"name": "s", "connection.url": f"jdbc:sqlite:{self.path}", **config})
        try:
            return [each.reason for each in sink.put(batches)]
        finally:
            sink.close()

    def rows(self, columns: str = "id, name", table: str = "t") -> list[tuple[Any, ...]]:
        return self.connection.execute(f"SELECT {columns} FROM {table} ORDER BY 1").fetchall()


@pytest.fixture
def target(tmp_path: Path) -> Target:
    return Target(tmp_path / "target.db")


def test_envelopes_create_update_and_delete(target: Target) -> None:
    assert target.put(KEYED, batch(created(row(1, "a"), row(2, "b"), row(3, "c")))) == []
    changes = [(1, change("u", row(1, "A"))), (2, change("d", None)), (2, None), (4, change("r", row(4, "d")))]
    assert target.put(KEYED, batch(changes)) == []
    assert target.rows() == [(1, "A"), (3, "c"), (4, "d")]
    assert target.rows("price, at, raw") == [(1, "1970-01-01 00:00:00.000000", b"r")] * 3


def test_flat_records_do_the_same(target: Target) -> None:
    records = [(1, row(1, "a")), (2, row(2, "b")), (1, None)]
    assert target.put(KEYED, batch(records, value=ROW)) == []
    assert target.rows() == [(2, "b")]


def test_the_last_state_of_a_key_counts(target: Target) -> None:
    records = [*created(row(1, "a")), (1, change("d", None)), (1, None), *created(row(1, "b")), *created(row(2))]
    assert target.put(KEYED, batch([*records, (2, change("d", None))])) == []
    assert target.rows() == [(1, "b")]


def test_tombstones_alone_delete(target: Target) -> None:
    target.put(KEYED, batch(created(row(1), row(2))))
    assert target.put(KEYED, batch([(1, None)], value=None), batch(created(row(3)), first=1)) == []
    assert [id for id, _ in target.rows()] == [2, 3]


def test_a_truncation_empties_the_table_before_what_follows(target: Target) -> None:
    target.put(KEYED, batch(created(row(1))))
    records = [*created(row(2)), (None, change("t", None)), *created(row(3))]
    assert target.put(KEYED, batch(records)) == []
    assert target.rows() == [(3, "n")]


def test_a_message_of_the_log_is_passed_over(target: Target) -> None:
    assert target.put(KEYED, batch([(None, change("m", None)), *created(row(1))])) == []
    assert target.rows() == [(1, "n")]


def test_what_the_log_does_not_hold_is_left_as_it_is(target: Target) -> None:
    target.put(KEYED, batch(created(row(1, "old", raw=b"old"), row(2, "old"))))
    records = [(1, change("u", row(1, WORD, 7, raw=WORD.encode()))), (2, change("u", row(2, "new"))),
               (2, change("u", row(2, WORD, 9)))]  # fmt: skip
    assert target.put(KEYED, batch(records)) == []
    assert target.rows("id, name, price, raw") == [(1, "old", 0.07, b"old"), (2, "new", 0.09, b"r")]


def test_a_row_that_is_not_there_is_written_without_what_the_log_does_not_hold(target: Target) -> None:
    target.put(KEYED, batch(created(row(1))))
    assert target.put(KEYED, batch([(5, change("u", row(5, WORD)))])) == []
    assert target.rows() == [(1, "n"), (5, None)]


def test_the_placeholder_may_be_another_word(target: Target) -> None:
    config = KEYED | {"unavailable.value.placeholder": "gone"}
    target.put(config, batch(created(row(1, "old"), row(2, WORD))))
    target.put(config, batch([(1, change("u", row(1, "gone")))]))
    assert target.rows() == [(1, "old"), (2, WORD)]


def test_lists_of_the_placeholder_are_left_alone_too(target: Target) -> None:
    tagged = struct(("id", INT32), ("tags", array(STRING, optional=True)), ("n", array(INT32, optional=True)))
    target.put(KEYED, batch([(1, (1, ["a"], [1]))], value=tagged))
    target.put(KEYED, batch([(1, (1, [WORD], [*WORD.encode()]))], value=tagged))
    assert target.rows("id, tags, n") == [(1, '["a"]', "[1]")]


def test_insert_mode_writes_each_record(target: Target) -> None:
    config = {"insert.mode": "insert", "auto.create": "true"}
    target.put(config, batch([(1, row(1)), (1, row(1))], value=ROW, key=None))
    assert len(target.rows()) == 2


def test_update_mode_touches_only_what_is_there(target: Target) -> None:
    target.put(KEYED, batch(created(row(1))))
    target.put(KEYED | {"insert.mode": "update"}, batch(created(row(1, "new"), row(2))))
    assert target.rows() == [(1, "new")]


@pytest.mark.parametrize("declared", [CONFLUENT, DEBEZIUM])
def test_keys_may_be_the_place_in_the_log(target: Target, declared: SinkConnector) -> None:
    modes = {"pk.mode": "kafka", "auto.create": "true"}
    if declared is DEBEZIUM:
        modes = {"primary.key.mode": "kafka", "schema.evolution": "basic", "connection.username": "u"}
    records = batch(created(row(1), row(1)), first=40)
    target.put({"insert.mode": "upsert", **modes}, records, declared=declared)
    columns = "__connect_topic, __connect_partition, __connect_offset, id"
    assert target.rows(columns) == [("t", 0, 40, 1), ("t", 0, 41, 1)]


def test_keys_may_be_fields_of_the_value(target: Target) -> None:
    config = {"insert.mode": "upsert", "pk.mode": "record_value", "pk.fields": "name", "auto.create": "true"}
    target.put(config, batch(created(row(1, "a"), row(2, "a"), row(3, "b"))))
    assert target.rows("name, id") == [("a", 2), ("b", 3)]


def test_a_primitive_key_needs_a_name(target: Target) -> None:
    records = batch([("a", row(1)), ("b", row(2)), ("a", None)], value=ROW, key=STRING)
    assert "exactly one PK column" in target.put(KEYED, records)[0]
    assert target.put(KEYED | {"pk.fields": "code"}, records) == []
    assert target.rows("code, id") == [("b", 2)]


def test_keys_may_be_headers(target: Target) -> None:
    config = {"connection.username": "u", "insert.mode": "upsert", "primary.key.mode": "record_header",
              "schema.evolution": "basic"}  # fmt: skip
    headers = [(Header("region", STRING, place), Header("n", INT32, 1)) for place in ("at", "de", "at")]
    records = replace(batch([(1, row(1)), (2, row(2)), (3, row(3))], value=ROW), headers=headers)
    target.put(config, records, declared=DEBEZIUM)
    assert target.rows("region, id") == [("at", 3), ("de", 2)]


def test_a_missing_table_is_not_made_unless_asked(target: Target) -> None:
    config = {key: value for key, value in KEYED.items() if key != "auto.create"}
    assert target.put(config, batch(created(row(1)))) == [
        "Table `t` is missing and auto-creation is disabled: create it, or set auto.create=true"
    ]


def test_columns_are_added_when_asked(target: Target) -> None:
    target.put(KEYED, batch(created(row(1))))
    wider = struct(*((f.name, f.schema) for f in ROW.fields), ("size", OPTIONAL_STRING))
    more = batch([(2, (*row(2), "XL"))], value=wider)
    assert target.put(KEYED, more) == [
        "Table `t` is missing fields (size) and auto-evolution is disabled: add columns for them, or set "
        "auto.evolve=true"
    ]
    assert target.put(KEYED | {"auto.evolve": "true"}, more) == []
    assert target.rows("id, size") == [(1, None), (2, "XL")]
    needed = struct(("id", INT32), ("must", STRING))
    assert "not optional and does not have a default" in target.put(
        KEYED | {"auto.evolve": "true"}, batch([(3, (3, "x"))], value=needed)
    )[0]  # fmt: skip


def test_two_shapes_of_a_table_in_one_put_are_both_written(target: Target) -> None:
    wider = struct(*((f.name, f.schema) for f in ROW.fields), ("size", OPTIONAL_STRING))
    config = KEYED | {"auto.evolve": "true"}
    put = [
        batch(created(row(1))),
        batch([(1, (*row(1, "w"), "S"))], value=wider, first=1),
        batch([(2, row(2))], value=ROW),
    ]
    assert target.put(config, *put) == []
    assert target.rows("id, name, size") == [(1, "w", "S"), (2, "n", None)]


def test_a_null_with_a_default_is_the_default_if_so_wanted(target: Target) -> None:
    shape = struct(("id", INT32), ("size", Schema(Type.STRING, optional=True, default="M")))
    for id, wanted in ((1, "true"), (2, "false")):
        target.put(KEYED | {"replace.null.with.default": wanted}, batch([(id, (id, None))], value=shape))
    assert target.rows("id, size") == [(1, "M"), (2, None)]
    target.connection.execute("INSERT INTO t (id) VALUES (3)")
    assert target.rows("id, size")[2] == (3, "M")


def test_only_a_row_that_is_refused_is_reported(target: Target) -> None:
    target.connection.execute("CREATE TABLE t (id INT PRIMARY KEY, name TEXT CHECK (name <> 'bad'), price, at, raw)")
    rows = [row(id, "bad" if id in (3, 11) else "good") for id in range(20)]
    reasons = target.put(KEYED, batch(created(*rows)))
    assert reasons == ["table `t` refused the row: CHECK constraint failed: name <> 'bad'"] * 2
    assert [id for id, _ in target.rows()] == [id for id in range(20) if id not in (3, 11)]


def test_a_refused_state_of_a_key_leaves_the_one_before(target: Target) -> None:
    target.connection.execute("CREATE TABLE t (id INT PRIMARY KEY, name TEXT CHECK (name <> 'bad'), price, at, raw)")
    assert len(target.put(KEYED, batch(created(row(1, "good"), row(2), row(1, "bad"))))) == 1
    assert target.rows() == [(1, "good"), (2, "n")]


def test_unique_values_may_pass_from_row_to_row(target: Target) -> None:
    target.connection.execute("CREATE TABLE t (id INT PRIMARY KEY, name TEXT UNIQUE, price, at, raw)")
    target.put(KEYED, batch(created(row(1, "x"), row(2, "y"))))
    swap = [(1, change("u", row(1, "z"))), (2, change("u", row(2, "x"))), (1, change("u", row(1, "y")))]
    assert target.put(KEYED, batch(swap)) == []
    assert target.rows() == [(1, "y"), (2, "x")]


def test_a_value_that_its_schema_does_not_promise_is_refused_alone(target: Target) -> None:
    records = batch(created(row(1), (2, "n", "twelve", 0, b""), row(3)))
    assert len(target.put(KEYED, records)) == 1
    assert [id for id, _ in target.rows()] == [1, 3]


def test_records_without_a_schema_are_refused(target: Target) -> None:
    (reason,) = target.put(KEYED, batch([(1, {"id": 1})], value=None))
    assert "requires records with a non-null Struct value and non-null Struct schema" in reason
    assert "with a HashMap value and null value schema" in reason


def test_a_null_value_needs_deletes(target: Target) -> None:
    config = KEYED | {"delete.enabled": "false"}
    plain = struct(("id", INT32))
    (reason,) = target.put(config, batch([(1, None)], value=ROW, key=plain))
    assert "set delete.enabled=true" in reason
    assert target.put(config, batch([(1, None)], value=ROW)) == []  # of Debezium, by the name of its key


def test_a_struct_has_no_column(target: Target) -> None:
    inner = struct(("id", INT32), ("inner", struct(("x", INT32))))
    assert "doesn't have a mapping" in target.put(KEYED, batch([(1, (1, (2,)))], value=inner))[0]


def test_a_text_alone_has_a_column(target: Target) -> None:
    config = {"auto.create": "true"}
    target.put(config, batch([(None, "hello"), (None, "you")], value=STRING, key=None))
    assert target.rows("record_value") == [("hello",), ("you",)]


def test_the_config_of_users_can_be_built() -> None:
    posted = json.loads((GOLDEN / "configs" / "jdbc-sink-connector.post.json").read_text())
    CONFLUENT.build(posted["config"] | {"name": posted["name"]}).close()


def test_the_shortest_config_writes_what_comes(target: Target) -> None:
    """As users have it: no key, tables made as needed."""
    config = {"topics": "my_topic", "tasks.max": "1", "auto.create": "true", "insert.mode": "insert"}
    assert target.put(config, batch(created(row(1), row(1)), topic="my_topic")) == []
    assert target.rows("id, name", "my_topic") == [(1, "n"), (1, "n")]


def test_fields_are_chosen(target: Target) -> None:
    target.put(KEYED | {"fields.whitelist": "name"}, batch(created(row(1))))
    assert target.connection.execute("SELECT * FROM t").fetchall() == [(1, "n")]


def test_debezium_chooses_fields_by_topic(target: Target) -> None:
    config = {"connection.username": "u", "insert.mode": "upsert", "primary.key.mode": "record_key",
              "schema.evolution": "basic", "field.exclude.list": "t:raw,other:name,at"}  # fmt: skip
    target.put(config, batch(created(row(1))), declared=DEBEZIUM)
    assert target.connection.execute("SELECT * FROM t").fetchall() == [(1, "n", 1)]


def test_debezium_names_tables_and_columns_its_way(target: Target) -> None:
    config = {"connection.username": "u", "schema.evolution": "basic", "collection.name.format": "x_${topic}"}
    shape = struct(("Id", INT32))
    target.put(config, batch([(1, (1,))], value=shape, topic="shop.Public.t"), declared=DEBEZIUM)
    found = target.connection.execute("SELECT sql FROM sqlite_master").fetchall()
    assert found == [("CREATE TABLE `x_shop_Public_t` (\n`id` INTEGER NOT NULL)",)]


def test_the_source_may_name_the_table(target: Target) -> None:
    config = KEYED | {"table.name.format": "${source.db}_${source.table}"}
    target.put(config, batch(created(row(1)), topic="routed"))
    assert target.rows(table="shop_t") == [(1, "n")]


def test_offsets_in_the_target_write_each_record_once(target: Target) -> None:
    config = {"auto.create": "true", "tailrace.offsets.table": "done"}
    whole = batch([(1, row(1)), (2, row(2)), (3, row(3))], value=ROW, key=None, first=7)
    target.put(config, whole.pick([0, 1]))
    target.put(config, whole)
    target.put(config, whole)
    assert [id for id, _ in target.rows()] == [1, 2, 3]
    assert target.rows("connector, topic, part, position", "done") == [("s", "t", 0, 9)]


def test_a_database_that_is_busy_is_an_outage(target: Target) -> None:
    target.put(KEYED, batch(created(row(1))))
    target.connection.execute("BEGIN IMMEDIATE")
    with pytest.raises(TargetUnavailable, match="locked"):
        target.put({**KEYED, "connection.busy_timeout": "1"}, batch(created(row(2))))
    target.connection.rollback()
    assert target.rows() == [(1, "n")]


def test_a_table_that_was_dropped_is_made_again(target: Target) -> None:
    sink = CONFLUENT.build({"name": "s", "connection.url": f"jdbc:sqlite:{target.path}", **KEYED})
    sink.put([batch(created(row(1)))])
    target.connection.execute("DROP TABLE t")
    assert sink.put([batch(created(row(2)), first=1)]) == []
    sink.close()
    assert target.rows() == [(2, "n")]


@pytest.mark.parametrize(
    ("declared", "config", "key"),
    [
        (CONFLUENT, {"delete.enabled": "true"}, "delete.enabled"),
        (CONFLUENT, {"insert.mode": "upsert"}, "pk.mode"),
        (CONFLUENT, {"pk.mode": "kafka", "pk.fields": "a,b"}, "pk.fields"),
        (CONFLUENT, {"db.timezone": "Mars/Base"}, "db.timezone"),
        (CONFLUENT, {"connection.url": "mysql://x"}, "connection.url"),
        (DEBEZIUM, {"delete.enabled": "true"}, "delete.enabled"),
        (DEBEZIUM, {"insert.mode": "upsert"}, "insert.mode"),
        (DEBEZIUM, {"field.include.list": "a", "field.exclude.list": "b"}, "field.exclude.list"),
    ],
)
def test_a_config_that_cannot_work_says_which_key(
    tmp_path: Path, declared: SinkConnector, config: dict[str, str], key: str
) -> None:
    base = {"name": "s", "connection.url": f"jdbc:sqlite:{tmp_path}/x.db", "connection.username": "u"}
    with pytest.raises(ConfigError) as found:
        declared.build(base | config)
    assert [problem.key for problem in found.value.problems] == [key]


def test_a_shape_keeps_its_field_order_in_a_new_table(target: Target) -> None:
    shape: Sequence[Field] = ROW.fields
    target.put(
        KEYED | {"pk.mode": "record_value", "pk.fields": "price", "delete.enabled": "false"}, batch(created(row(1)))
    )
    made = target.connection.execute("SELECT sql FROM sqlite_master WHERE name = 't'").fetchone()[0]
    assert [line.split("`")[1] for line in made.splitlines()[1:6]] == [field.name for field in shape]
    assert made.endswith("PRIMARY KEY(`price`))")
