"""The oldest and the newest PostgreSQL that are read; every other test of it runs on one in between."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from cdc.errors import SourceError
from tests.server.private_postgres import Connector, PrivatePostgres, config


@pytest.mark.parametrize("version", [14, 18])
def test_it_is_snapshotted_streamed_resumed_and_its_gap_told(tmp_path: Path, version: int) -> None:
    with closing(PrivatePostgres(tmp_path / "postgres", version)) as server:
        server.start(logical_decoding_work_mem="64kB", max_slot_wal_keep_size="16MB")
        server.run("CREATE TABLE t (id INT PRIMARY KEY, v TEXT)", "INSERT INTO t VALUES (1, 'a'), (2, 'b')")
        connector = Connector(config(server.port, "v", max__batch__size="300", slot__failover="true"))
        connector.until(lambda: connector.is_streaming() and connector.keys("r") == [1, 2])
        server.run("INSERT INTO t SELECT i, repeat('x', 100) FROM generate_series(10, 2009) i",
                   "UPDATE t SET v = 'c' WHERE id = 1", "DELETE FROM t WHERE id = 2")  # fmt: skip
        connector.until(lambda: len(connector.keys()) > 500)
        connector.until(lambda: bool(connector.keys("d")))
        assert connector.keys() == list(range(10, 2010))
        assert (connector.keys("u"), connector.keys("d")) == ([1], [2])
        for _ in range(3):
            server.run("SELECT pg_logical_emit_message(false, 'fill', repeat('x', 16000000))", "SELECT pg_switch_wal()")
        server.run("CHECKPOINT")
        with pytest.raises(SourceError, match="no longer has the WAL that slot 'v' needs"):
            connector.until(lambda: False)
