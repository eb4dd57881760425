"""The JDBC sinks on real MySQL, MariaDB and PostgreSQL; on SQLite they are in tests/unit/sinks/jdbc."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from cdc.connector import SinkConnector
from cdc.errors import TargetUnavailable
from cdc.record import Batch
from cdc.schema import INT32, INT64, OPTIONAL_STRING, STRING, TIMESTAMP, Schema, Type, struct
from sinks.jdbc.connector import CONFLUENT, DEBEZIUM
from tests.server.jdbc_target import JdbcTarget
from tests.server.worker_process import wait_until
from tests.unit.sinks.jdbc.records import ROW, WORD, batch, change, created, row

CONFIGS = Path(__file__).parents[1] / "golden/configs"
KINDS = ("mysql", "mariadb", "postgresql")


@pytest.fixture(params=KINDS)
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[JdbcTarget]:
    fixture = {"postgresql": "postgres"}.get(request.param, request.param)
    made = JdbcTarget(request.param, request.getfixturevalue(f"{fixture}_address"), tmp_path)
    yield made
    made.close()


def keyed(target: JdbcTarget, **changes: str) -> dict[str, str]:
    given = {"insert_mode": "upsert", "pk_mode": "record_key", "delete_enabled": "true", "auto_create": "true"}
    return target.config(**given | changes)


def put(config: dict[str, str], *batches: Batch, declared: SinkConnector = CONFLUENT) -> list[str]:
    sink = declared.build(config)
    try:
        return [each.reason for each in sink.put(batches)]
    finally:
        sink.close()


def rows(target: JdbcTarget, columns: str = "id, name", table: str = "t") -> Sequence[tuple[Any, ...]]:
    return target.sql(f"SELECT {columns} FROM {target.quoted(table)} ORDER BY 1")


def test_changes_of_every_sort(target: JdbcTarget) -> None:
    awkward = "a'b\\c\td\ne\r\"`%s{}\u00e9\U0001f600"
    sink = CONFLUENT.build(keyed(target))
    first = [*created(row(1, awkward, raw=b"\x00'\\\xff"), row(2), row(3), row(4, "old", raw=b"old"), row(5))]
    assert sink.put([batch([*first, (3, change("d", None)), (3, None), *created(row(2, "last"))])]) == []
    word = WORD.encode()
    second = [(4, change("u", row(4, WORD, 7, raw=word))), (5, change("u", row(5, "x"))),
              (5, change("u", row(5, WORD, 8))), (6, change("u", row(6, WORD)))]  # fmt: skip
    assert sink.put([batch(second, first=10)]) == []
    assert sink.put([batch([(2, None)], value=None, first=20), batch(created(row(7)), topic="u", first=0)]) == []
    sink.close()
    assert rows(target) == [(1, awkward), (4, "old"), (5, "x"), (6, None)]
    assert [bytes(raw) for (raw,) in target.sql("SELECT raw FROM t WHERE id IN (1, 4) ORDER BY id")] == [
        b"\x00'\\\xff", b"old",
    ]  # fmt: skip
    assert [str(price) for _, price in rows(target, "id, price")] == ["1.00", "0.07", "0.08", "1.00"]
    assert rows(target, table="u") == [(7, "n")]
    put(keyed(target), batch([(None, change("t", None)), *created(row(9))], first=30))
    assert rows(target) == [(9, "n")]


def test_rows_that_are_refused_are_reported_alone_in_the_servers_words(target: JdbcTarget) -> None:
    target.sql("CREATE TABLE t (id INT PRIMARY KEY, name VARCHAR(8) UNIQUE, price DECIMAL(5,2), "
               f"at {'TIMESTAMP' if target.kind == 'postgresql' else 'DATETIME(6)'}, "
               f"raw {'BYTEA' if target.kind == 'postgresql' else 'BLOB'})")  # fmt: skip
    some = [row(id, f"n{id}") for id in range(400)]
    some[17], some[250] = row(17, "far too long"), row(250, "n250", 10**9)
    long, large = put(keyed(target), batch(created(*some)))
    assert "too long" in long
    assert "out of range" in large.lower() or "overflow" in large
    assert len(rows(target)) == 398
    swap = [(1, change("u", row(1, "z"))), (2, change("u", row(2, "n1"))), (1, change("u", row(1, "n2")))]
    assert put(keyed(target), batch(swap)) == []
    assert target.sql("SELECT name FROM t WHERE id IN (1, 2) ORDER BY id") == [("n2",), ("n1",)]


def test_the_users_config_writes_rows(mysql_address: tuple[str, int], tmp_path: Path) -> None:
    """As it is, hosts and credentials apart."""
    raw = json.loads((CONFIGS / "jdbc-sink-connector.post.json").read_text())["config"]
    target = JdbcTarget("mysql", mysql_address, tmp_path)
    assert (
        put(raw | target.config(), batch([(None, row(1)), (None, row(1))], value=ROW, key=None, topic="my_topic")) == []
    )
    assert rows(target, table="my_topic") == [(1, "n"), (1, "n")]
    target.close()


def test_tables_grow_with_the_records(target: JdbcTarget) -> None:
    key = struct(("code", STRING), ("part", STRING), name="shop.t.Key")
    value = struct(("code", STRING), ("size", Schema(Type.STRING, optional=True, default="M")))
    config = keyed(target, auto_evolve="true")
    sink = CONFLUENT.build(config)
    records = [(("a", "1"), ("a", None)), (("a", "2"), ("a", "L"))]
    assert sink.put([batch(records, value=value, key=key)]) == []
    wider = struct(*((f.name, f.schema) for f in value.fields), ("more", OPTIONAL_STRING),
                   ("n", INT32.with_(default=5)))  # fmt: skip
    assert sink.put([batch([(("b", "1"), ("b", "S", "x", 6))], value=wider, key=key)]) == []
    assert sink.put([batch([(("a", "1"), None)], value=None, key=key)]) == []
    target.sql("ALTER TABLE t ALTER COLUMN n TYPE BIGINT" if target.kind == "postgresql" else
               "ALTER TABLE t MODIFY n BIGINT")  # fmt: skip
    longer = struct(*((f.name, f.schema) for f in wider.fields[:3]), ("n", INT64))
    assert sink.put([batch([(("c", "1"), ("c", "S", "x", 2**40))], value=longer, key=key)]) == []
    sink.close()
    assert rows(target, "code, part, size, more, n") == [
        ("a", "2", "L", None, 5), ("b", "1", "S", "x", 6), ("c", "1", "S", "x", 2**40),
    ]  # fmt: skip


def test_offsets_in_the_target_write_each_record_once(target: JdbcTarget) -> None:
    config = target.config(auto_create="true", tailrace_offsets_table="done")
    whole = batch([(id, row(id)) for id in range(6)], value=ROW, key=None, first=7)
    put(config, whole.pick([0, 1, 2]))
    sink = CONFLUENT.build(config)
    for _ in range(2):
        sink.put([whole, replace(whole, partition=1)])
    sink.close()
    assert [id for (id,) in rows(target, "id")] == sorted([*range(6), *range(6)])
    assert rows(target, "part, topic, position", "done") == [(0, "t", 12), (1, "t", 12)]


def test_a_lost_connection_is_an_outage_and_a_retry_writes_all(target: JdbcTarget) -> None:
    sink = CONFLUENT.build(keyed(target))
    sink.put([batch(created(row(1)))])
    target.cut_others()
    with pytest.raises(TargetUnavailable):
        sink.put([batch(created(row(2)), first=1)])
    assert sink.put([batch(created(row(2)), first=1)]) == []
    sink.close()
    assert rows(target) == [(1, "n"), (2, "n")]


def test_a_deadlock_is_tried_again(target: JdbcTarget) -> None:
    """Each holds a row that the other wants. The sink is the one that the server lets down: it waited first
    (PostgreSQL), and has written less (MySQL, MariaDB)."""
    put(keyed(target), batch(created(row(1, "old"))), batch(created(*(row(id, "old") for id in range(50))), topic="u"))
    waiting = "SELECT 1 FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'"
    if target.kind == "postgresql":
        waiting = "SELECT 1 FROM pg_locks WHERE NOT granted"
    target.sql("BEGIN")
    target.sql("UPDATE u SET name = 'theirs'")
    refused: list[list[str]] = []
    new = batch(created(row(1, "new")), first=10)
    writing = Thread(target=lambda: refused.append(put(keyed(target), new, replace(new, topic="u"))))
    writing.start()
    wait_until(lambda: bool(target.sql(waiting)), "the sink to wait", 20, every=0.3)
    target.sql("UPDATE t SET name = 'theirs' WHERE id = 1")  # only possible when the sink gave up its row
    assert (writing.is_alive(), rows(target)) == (True, [(1, "theirs")])
    target.sql("COMMIT")
    writing.join(30)
    assert refused == [[]]
    assert rows(target) == [(1, "new")]
    assert rows(target, table="u")[:3] == [(0, "theirs"), (1, "new"), (2, "theirs")]


def test_other_modes(target: JdbcTarget) -> None:
    plain = target.config(auto_create="true", pk_mode="kafka")
    put(plain, batch([(1, row(1)), (1, row(1))], value=ROW, topic="log"))
    assert rows(target, "__connect_offset, id", "log") == [(0, 1), (1, 1)]
    assert "uplicate" in put(plain, batch([(1, row(1))], value=ROW, topic="log"))[0]
    put(keyed(target), batch(created(row(1), row(2))))
    changes = [*created(row(1, "new"), row(3)), (2, change("u", row(2, WORD, 5)))]
    put(keyed(target, insert_mode="update"), batch(changes))
    assert rows(target, "id, name") == [(1, "new"), (2, "n")]
    odd = struct(("Id%s", INT32), ("per%(cent)s", OPTIONAL_STRING))
    named = keyed(target, table_name_format="Odd %s Name")
    assert put(named, batch([((1,), (1, "%d")), ((2,), (2, None))], value=odd, key=struct(("Id%s", INT32)))) == []
    assert put(named, batch([((2,), None)], value=None, key=struct(("Id%s", INT32)), first=9)) == []
    assert rows(target, "*", "Odd %s Name") == [(1, "%d")]


def test_instants_are_written_in_the_zone_that_is_wanted(target: JdbcTarget) -> None:
    shape = struct(("id", INT32), ("at", Schema(Type.INT64, name=TIMESTAMP, version=1)),
                   ("zoned", Schema(Type.STRING, name="io.debezium.time.ZonedTimestamp", version=1)))  # fmt: skip
    records = batch([(1, (1, 1_700_000_000_001, "2023-11-14T22:13:20.5Z"))], value=shape)
    put(keyed(target, db_timezone="Europe/Vienna"), records)
    ((at, zoned),) = target.sql("SELECT at, zoned FROM t")
    assert at.isoformat(" ") == "2023-11-14 23:13:20.001000"
    if target.kind == "postgresql":
        assert zoned.timestamp() == 1_700_000_000.5
    else:
        assert zoned.isoformat(" ") == "2023-11-14 23:13:20.500000"


def test_debeziums_class(target: JdbcTarget) -> None:
    config = target.debezium(
        insert_mode="upsert", primary_key_mode="record_key", delete_enabled="true", truncate_enabled="true",
        schema_evolution="basic", collection_name_format="Copy_${topic}", field_exclude_list="t:raw",
    )  # fmt: skip
    wide = struct(*((f"C{f.name}" if f.name == "at" else f.name, f.schema) for f in ROW.fields), optional=True)
    records = [(1, row(1, "a")), (2, row(2)), (2, None)]
    assert put(config, batch(records, value=wide, topic="shop.T"), declared=DEBEZIUM) == []
    table = "copy_shop_t" if target.kind == "postgresql" else "Copy_shop_T"
    assert rows(target, "id, name, cat, raw", table)[0][:2] == (1, "a")
    assert len(rows(target, "id", table)) == 1
    types: dict[str, str] = dict(target.sql("SELECT column_name, data_type FROM information_schema.columns "
                            f"WHERE table_schema = '{target.name}' AND table_name = '{table}'"))  # fmt: skip
    assert types["name"] in ("text", "longtext")
    assert put(config, batch([(None, change("t", None))], topic="shop.T"), declared=DEBEZIUM) == []
    assert rows(target, "id", table) == []
