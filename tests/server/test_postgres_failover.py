"""A connector whose primary is lost: it goes on at the promoted standby, and what the standby never got is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cdc.errors import SourceError, SourceUnavailable
from services import postgres
from services.place import run
from tests.server.private_postgres import Connector, PrivatePostgres, config
from tests.server.proxy import Proxy
from tests.server.worker_process import wait_until

STANDBY = {"hot_standby_feedback": "on", "primary_slot_name": "physical", "sync_replication_slots": "on"}


class Pair:
    """A primary and a standby that follows its slots, behind an address that names the one in charge."""

    def __init__(self, folder: Path) -> None:
        self.primary = PrivatePostgres(folder / "primary")
        self.primary.start()
        self.primary.run("CREATE TABLE t (id INT PRIMARY KEY, v TEXT)",
                         "SELECT pg_create_physical_replication_slot('physical', true)")  # fmt: skip
        self.standby = PrivatePostgres(folder / "standby")
        self.follow()
        self.proxy = Proxy(("127.0.0.1", self.primary.port))
        self.connector = Connector(config(self.proxy.port, "f", slot__failover="true"))

    def follow(self) -> None:
        """The standby is made from the primary as it is."""
        folder = self.standby.folder
        folder.mkdir(parents=True)
        source = f"host=127.0.0.1 port={self.primary.port} user=app password=apppw dbname=app"
        run([*postgres.as_user(), postgres.programs_of(postgres.VERSION) / "pg_basebackup", "-d", source, "-D",
             folder / "data", "-X", "stream", "-c", "fast", "-R", "--no-sync"])  # fmt: skip
        (folder / "ready").touch()
        self.standby.start(**STANDBY)

    def replayed(self) -> None:
        """The standby has all WAL."""
        end = self.primary.run("SELECT pg_current_wal_lsn()")[0][0]
        wait_until(lambda: bool(self.standby.run(f"SELECT pg_last_wal_replay_lsn() >= '{end}'")[0][0]), "the replay")

    def synced(self) -> None:
        """The standby has the slot, fit to be promoted with it: it follows one that is read, and so moves on."""

        def usable() -> bool:
            self.primary.run("SELECT pg_log_standby_snapshot()")
            return bool(self.standby.slot("f", "synced AND NOT temporary"))

        self.connector.until(usable)
        self.replayed()

    def promote(self) -> None:
        self.primary.kill()
        self.standby.run("SELECT pg_promote(true, 30)")
        self.proxy.move(("127.0.0.1", self.standby.port))

    def close(self) -> None:
        self.proxy.close()
        self.primary.close()
        self.standby.close()


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with closing(Pair(tmp_path)) as pair:
        yield pair


def test_a_failover_slot_carries_a_task_to_the_promoted_standby_in_the_middle_of_a_transaction(pair: Pair) -> None:
    connector, keys = pair.connector, pair.connector.keys
    connector.until(connector.is_streaming)
    pair.primary.run("INSERT INTO t VALUES (1, 'first')")
    connector.until(lambda: keys() == [1])
    pair.synced()
    pair.primary.run("INSERT INTO t SELECT i, repeat('v', 100) FROM generate_series(2, 3000) i",
                     "INSERT INTO t VALUES (3001, 'last of the old')")  # fmt: skip
    with connector.running(max__batch__size="500") as polls:
        connector.read(polls, lambda: len(keys()) > 700)
        assert connector.offsets[-1].offset is not None and connector.offsets[-1].offset["event"] > 700
        pair.replayed()
        pair.promote()
        with pytest.raises(SourceUnavailable):
            connector.read(polls, lambda: False)
    pair.standby.run("INSERT INTO t VALUES (3002, 'first of the new')")
    connector.until(lambda: keys()[-1:] == [3002])
    assert keys() == list(range(1, 3003))
    assert connector.offsets[-1].offset is not None and connector.offsets[-1].offset["timeline"] == 2


def test_what_a_promoted_standby_never_got_is_told_and_one_patch_mends_it(pair: Pair) -> None:
    connector, keys = pair.connector, pair.connector.keys
    connector.until(connector.is_streaming)
    pair.primary.run("INSERT INTO t VALUES (1, 'both')")
    connector.until(lambda: keys() == [1])
    pair.synced()
    pair.standby.run("SELECT pg_wal_replay_pause()")
    pair.primary.run("INSERT INTO t VALUES (2, 'replayed late')")
    pair.proxy.move(("127.0.0.1", pair.primary.port))
    connector.until(lambda: keys() == [1, 2])
    pair.proxy.move(("127.0.0.1", pair.standby.port))
    with pytest.raises(SourceUnavailable, match="is a standby that has replayed the WAL up to"):
        connector.until(lambda: False)
    pair.standby.run("SELECT pg_wal_replay_resume()")
    pair.replayed()
    pair.standby.stop()  # from here on the standby gets nothing
    pair.proxy.move(("127.0.0.1", pair.primary.port))
    pair.primary.run("INSERT INTO t VALUES (3, 'only here')")
    connector.until(lambda: keys() == [1, 2, 3])
    pair.primary.kill()
    pair.standby.start(**STANDBY)
    pair.standby.run("SELECT pg_promote(true, 30)")
    pair.proxy.move(("127.0.0.1", pair.standby.port))
    for row in range(4, 200):
        pair.standby.run(f"INSERT INTO t VALUES ({row}, repeat('new', 300))")
    with pytest.raises(
        SourceError, match=r"was promoted at 0/.*, before it had what was read and sent up to"
    ) as caught:
        connector.until(lambda: False)
    assert "stands in the topics and not in this server" in str(caught.value) and "when_needed" in str(caught.value)
    connector.until(lambda: len(connector.keys("r")) == 198 and connector.is_streaming(), snapshot__mode="when_needed")
    pair.standby.run("INSERT INTO t VALUES (500, 'goes on')")
    connector.until(lambda: keys()[-1:] == [500])
