"""Tables changed online as pt-online-schema-change and gh-ost do it: a shadow is filled under load, then renamed.

With TAILRACE_PT_OSC, the folder where Debian's percona-toolkit, libdbi-perl, libdbd-mysql-perl and libmariadb3 are
unpacked (`apt-get download` and `dpkg-deb -x`), that tool itself does it too; with TAILRACE_GH_OST, the program
gh-ost (`go build -mod=vendor ./go/cmd/gh-ost` in its repository), gh-ost itself.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pymysql
import pytest

from tests.server.in_process import Connector
from tests.server.workload import Workload

Migrate = Callable[["Shop", str, str], None]
CHUNK = 20
_RETRIED = (1205, 1213)


class Shop:
    """A database with a table under load."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.address, self.name = address, "online" + uuid.uuid4().hex[:8]
        self.admin = self.connected()
        self.run(f"CREATE DATABASE {self.name}")
        self.run(f"USE {self.name}")
        self.run("CREATE TABLE t (id INT PRIMARY KEY, v BIGINT NOT NULL, name VARCHAR(40), price DECIMAL(10,2))")
        self.run("CREATE TABLE mark (id INT PRIMARY KEY)")
        self.run("INSERT INTO t VALUES " + ", ".join(f"({id}, {id}, 'n', 1.5)" for id in range(0, 120, 3)))
        self.marks = 0
        self.readers: list[Connector] = []

    def connected(self) -> Any:
        host, port = self.address
        return pymysql.connect(host=host, port=port, user="app", password="apppw", autocommit=True, charset="utf8mb4")

    def run(self, statement: str, connection: Any = None) -> list[tuple[Any, ...]]:
        while True:
            try:
                with (connection or self.admin).cursor() as cursor:
                    cursor.execute(re.sub(r"\bDB\b", f"`{self.name}`", statement))
                    return list(cursor.fetchall())
            except pymysql.err.OperationalError as error:
                if error.args[0] not in _RETRIED:
                    raise

    def columns(self, table: str) -> list[str]:
        return [row[0] for row in self.run(f"SHOW COLUMNS FROM DB.`{table}`")]

    def connector(self, number: int, **changes: str) -> Connector:
        config = {
            "database.hostname": self.address[0], "database.port": str(self.address[1]), "database.user": "cdc",
            "database.password": "cdcpw", "database.server.id": str(int(self.name[6:], 16) % 2**30 + 1000 + number),
            "topic.prefix": self.name, "database.include.list": self.name, "decimal.handling.mode": "string",
            "table.include.list": f"{self.name}.t,{self.name}.mark",
            "schema.history.internal.kafka.bootstrap.servers": "unused:9092",
            "schema.history.internal.kafka.topic": "d-history",
        }  # fmt: skip
        return Connector(config | {name.replace("__", "."): text for name, text in changes.items()})

    def read_up_to_now(self) -> None:
        """Each reader starts, reads, and ends: the next time it has its history alone to go by."""
        self.marks += 1
        self.run(f"INSERT INTO mark VALUES ({self.marks})")
        for connector in self.readers:
            connector.until(lambda told=connector: self.marks in told.rows("mark"))  # type: ignore[misc]

    @contextmanager
    def load(self, seed: int) -> Iterator[None]:
        load = Workload(self.address, self.name, seed)
        load.start()
        yield
        load.finish()

    def copy(self, shadow: str, shared: str) -> None:
        """Both tools' chunks; between them the readers are restarted."""
        for low in range(0, 120, CHUNK):
            if low == 3 * CHUNK:
                self.read_up_to_now()
            self.run(f"INSERT LOW_PRIORITY IGNORE INTO DB.`{shadow}` ({shared}) SELECT {shared} FROM DB.`t` "
                     f"FORCE INDEX(`PRIMARY`) WHERE ((`id` >= '{low}')) AND ((`id` < '{low + CHUNK}')) "
                     "LOCK IN SHARE MODE")  # fmt: skip


def percona(shop: Shop, alter: str, shared: str) -> None:
    """pt-online-schema-change: triggers write to the shadow table what the load writes."""
    (made,) = shop.run("SHOW CREATE TABLE DB.t")
    shop.run(made[1].replace("CREATE TABLE `t`", "CREATE TABLE DB.`_t_new`", 1))
    shop.run(f"ALTER TABLE DB.`_t_new` {alter}")
    new = ", ".join(f"NEW.{column}" for column in shared.split(", "))
    replace = f"REPLACE INTO DB.`_t_new` ({shared}) VALUES ({new})"
    delete = "DELETE IGNORE FROM DB.`_t_new` WHERE DB.`_t_new`.`id` <=> OLD.`id`"
    bodies = {
        "del": f"AFTER DELETE ON DB.`t` FOR EACH ROW {delete}",
        "upd": f"AFTER UPDATE ON DB.`t` FOR EACH ROW BEGIN DELETE IGNORE FROM DB.`_t_new` WHERE "
               f"!(OLD.`id` <=> NEW.`id`) AND DB.`_t_new`.`id` <=> OLD.`id`; {replace}; END",
        "ins": f"AFTER INSERT ON DB.`t` FOR EACH ROW {replace}",
    }  # fmt: skip
    for name, body in bodies.items():
        shop.run(f"CREATE TRIGGER DB.`pt_osc_t_{name}` {body}")
    shop.copy("_t_new", shared)
    shop.run("ANALYZE TABLE DB.`_t_new` /* pt-online-schema-change */")
    shop.run("RENAME TABLE DB.`t` TO DB.`_t_old`, DB.`_t_new` TO DB.`t`")
    shop.run("DROP TABLE IF EXISTS DB.`_t_old`")
    for name in bodies:
        shop.run(f"DROP TRIGGER IF EXISTS DB.`pt_osc_t_{name}`")


def percona_itself(shop: Shop, alter: str, shared: str) -> None:
    """The tool; the readers are restarted while it copies rows."""
    root = Path(os.environ["TAILRACE_PT_OSC"])
    library = next(root.glob("usr/lib/*/libmariadb.so.3")).parent
    perl = [str(path) for path in (*library.glob("perl5/*"), root / "usr/share/perl5")]
    command = [
        "perl", str(root / "usr/bin/pt-online-schema-change"), "--execute", "--no-version-check", "--chunk-size=10",
        "--recursion-method=none", "--no-check-alter", "--no-check-unique-key-change", "--sleep=0.3", "--alter", alter,
        f"D={shop.name},t=t,h={shop.address[0]},P={shop.address[1]},u=app,p=apppw",
    ]  # fmt: skip
    environment = {"PERL5LIB": ":".join(perl), "LD_LIBRARY_PATH": str(library), "PATH": os.environ["PATH"],
                   "MARIADB_PLUGIN_DIR": str(library / "libmariadb3/plugin")}  # fmt: skip
    tool = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        time.sleep(1)
        shop.read_up_to_now()
        said, _ = tool.communicate(timeout=120)
    finally:
        tool.kill()
    assert "Successfully altered" in said, said


class Applier(threading.Thread):
    """Reads the changes of `t` in the log and writes them to the shadow table, until the hint that `t` is locked."""

    def __init__(self, shop: Shop, shared: str) -> None:
        super().__init__(daemon=True)
        self.shop, self.shared, self.connection, self.done = shop, shared.split(", "), shop.connected(), 0
        self.columns = shop.columns("t")
        self.reader = shop.connector(1, table__include__list=f"{shop.name}.t,{shop.name}._t_ghc",
                                     snapshot__mode="no_data")  # fmt: skip
        self.reader.snapshot()

    def run(self) -> None:
        self.reader.until(self.applied, 60)

    def applied(self) -> bool:
        events = self.reader.events[self.done :]
        self.done += len(events)
        for event in events:
            if event.table != "t":
                continue
            if event.before is not None and (event.after is None or event.after[0] != event.before[0]):
                self.write("DELETE /* gh-ost `t` */ FROM _t_gho WHERE ((`id` = %s))", event.before[:1])
            if event.after is not None:
                row = dict(zip(self.columns, event.after, strict=True))
                places = ", ".join(["%s"] * len(self.shared))
                self.write(f"REPLACE /* gh-ost `t` */ INTO _t_gho ({', '.join(self.shared)}) VALUES ({places})",
                           [row[name] for name in self.shared])  # fmt: skip
        return any(event.table == "_t_ghc" for event in events)

    def write(self, statement: str, values: Any) -> None:
        self.connection.select_db(self.shop.name)
        while True:
            try:
                with self.connection.cursor() as cursor:
                    cursor.execute(statement, values)
                return
            except pymysql.err.OperationalError as error:
                if error.args[0] not in _RETRIED:
                    raise


def ghost(shop: Shop, alter: str, shared: str) -> None:
    """gh-ost: the log's changes are applied to the shadow table; the cut-over renames behind a lock and a sentry."""
    shop.run("CREATE /* gh-ost */ TABLE DB.`_t_ghc` (id bigint unsigned auto_increment, last_update timestamp not null "
             "DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, hint varchar(64) charset ascii not null, value "
             "varchar(4096) charset ascii not null, primary key(id), unique key hint_uidx(hint))")  # fmt: skip
    shop.run("CREATE /* gh-ost */ TABLE DB.`_t_gho` LIKE DB.`t`")
    shop.run(f"ALTER /* gh-ost */ TABLE DB.`_t_gho` {alter}")
    applier = Applier(shop, shared)
    applier.start()
    shop.copy("_t_gho", shared)
    locker, renamer = shop.connected(), shop.connected()
    shop.run("CREATE /* gh-ost */ TABLE DB.`_t_del` (id int auto_increment primary key) engine=InnoDB "
             "comment='ghost-cut-over-sentry'")  # fmt: skip
    shop.run("LOCK /* gh-ost */ TABLES DB.`t` WRITE, DB.`_t_del` WRITE", locker)
    shop.run("INSERT /* gh-ost */ INTO DB.`_t_ghc` (id, hint, value) VALUES (NULLIF(2, 0), 'state', 'locked') "
             "ON DUPLICATE KEY UPDATE last_update=NOW(), value=VALUES(value)")  # fmt: skip
    applier.join(60)
    assert not applier.is_alive()
    swap = "RENAME /* gh-ost */ TABLE DB.`t` TO DB.`_t_del`, DB.`_t_gho` TO DB.`t`"
    renaming = threading.Thread(target=shop.run, args=(swap, renamer))
    renaming.start()
    time.sleep(0.2)
    shop.run("DROP /* gh-ost */ TABLE IF EXISTS DB.`_t_del`", locker)
    time.sleep(0.2)  # the rename locks by name: it waits for `t` only now, and must stand before the load's writes
    shop.run("UNLOCK TABLES", locker)
    renaming.join(30)
    shop.run("DROP /* gh-ost */ TABLE IF EXISTS DB.`_t_ghc`")
    shop.run("DROP /* gh-ost */ TABLE IF EXISTS DB.`_t_del`")
    for connection in (locker, renamer, applier.connection):
        connection.close()


def ghost_itself(shop: Shop, alter: str, shared: str) -> None:
    """The program; the readers are restarted before it cuts over."""
    with tempfile.TemporaryDirectory() as folder:
        wait = Path(folder, "wait")
        wait.touch()
        command = [
            os.environ["TAILRACE_GH_OST"], "--execute", "--allow-on-master", "--assume-rbr", "--ok-to-drop-table",
            "--skip-metadata-lock-check", "--chunk-size=10",
            f"--postpone-cut-over-flag-file={wait}", f"--serve-socket-file={folder}/socket",
            f"--host={shop.address[0]}", f"--port={shop.address[1]}", "--user=root", "--password=rootpw",
            f"--database={shop.name}", "--table=t", f"--alter={alter}",
        ]  # fmt: skip
        tool = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            time.sleep(2)
            shop.read_up_to_now()
            wait.unlink()
            said, _ = tool.communicate(timeout=120)
        finally:
            tool.kill()
    assert "# Done" in said, said


def itself() -> list[Migrate]:
    """The tools that are here."""
    tools: dict[str, Migrate] = {"TAILRACE_PT_OSC": percona_itself, "TAILRACE_GH_OST": ghost_itself}
    return [migrate for variable, migrate in tools.items() if variable in os.environ]


MIGRATIONS = [
    ("ADD COLUMN extra INT NOT NULL DEFAULT 7 AFTER v", "id, v, name, price"),
    ("MODIFY name VARCHAR(200), MODIFY extra BIGINT NOT NULL DEFAULT 8, ADD INDEX by_v (v)",
     "id, v, extra, name, price"),
    ("DROP PRIMARY KEY, ADD UNIQUE KEY one (id), ADD PRIMARY KEY (id, extra)", "id, v, extra, name, price"),
    ("DROP PRIMARY KEY, DROP KEY one, ADD PRIMARY KEY (id), DROP COLUMN extra, ADD COLUMN note VARCHAR(9) DEFAULT 'x'",
     "id, v, name, price"),
]  # fmt: skip


@pytest.fixture
def shop(mysql_address: tuple[str, int]) -> Iterator[Shop]:
    shop = Shop(mysql_address)
    yield shop
    shop.run("DROP DATABASE DB")
    shop.admin.close()


@pytest.mark.parametrize("migrate", [percona, ghost, *itself()])
def test_a_table_changed_online_under_load_is_told_whole_and_in_order(shop: Shop, migrate: Migrate) -> None:
    only = "schema.history.internal.store.only.captured.tables.ddl"
    readers = [shop.connector(0, **{only: "false"}), shop.connector(2, **{only: "true"})]
    for reader in readers:
        reader.snapshot()
    for number, (alter, shared) in enumerate(MIGRATIONS):
        shop.readers = [] if number == 1 else readers  # nobody reads that one before the next is under way
        with shop.load(number + 1):
            migrate(shop, alter, shared)
            time.sleep(0.1)
        shop.run("UPDATE t SET v = v + 1")  # every row under the new definition
        shop.read_up_to_now()
        for reader in shop.readers:
            assert reader.rows("t") == {row[0]: _shown(row[1:]) for row in shop.run("SELECT * FROM t")}
    for reader in readers:
        assert {event.table for event in reader.events} == {"t", "mark"}
        _follow_each_other(reader)


def _shown(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(value if value is None or isinstance(value, int) else str(value) for value in row)


def _follow_each_other(connector: Connector) -> None:
    """Each change begins with what the one before left: none is missing, none is told twice."""
    state: dict[Any, Any] = {}
    for event in connector.events:
        if event.table == "t":
            if event.before is not None:
                assert state.pop(event.before[0]) == event.before[1], event
            if event.after is not None:
                assert event.after[0] not in state, event
                state[event.after[0]] = event.after[1]
