"""One transaction of many rows within a bounded memory, as it is and compressed, killed in its middle.

`TAILRACE_LARGE_TRANSACTION_MB=1000` makes it the 500,000 rows and 1 GB that the bound is meant for, in all four ways.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cdc.mysql.binlog import TRANSACTION_PAYLOAD
from tests.server.memory import watched
from tests.server.private_mysql import PrivateMySql
from tests.server.worker_process import WorkerProcess, wait_until

ASKED = os.environ.get("TAILRACE_LARGE_TRANSACTION_MB")
MB = int(ASKED or "100")
WAYS = [("embedded", True), ("kafka", False), *([("embedded", False), ("kafka", True)] if ASKED else [])]
ROWS = MB * 500
PATIENCE_S = 60 + MB
PSS_MB = 300 if MB > 200 else 150
NAME = "large"
pytestmark = pytest.mark.timeout(240 + 4 * MB)
"""A busy machine takes minutes to make a GB of rows alone."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateMySql]:
    """Its `t` gets rows of 2,000 bytes, of which zstd leaves half."""
    server = PrivateMySql(tmp_path_factory.mktemp("mysql"))
    server.start("--innodb-flush-log-at-trx-commit=0", "--sync-binlog=0", "--innodb-doublewrite=OFF")
    digits = ",".join(f"({n})" for n in range(10))
    server.run("CREATE DATABASE f", "CREATE TABLE f.t (id INT PRIMARY KEY, v VARBINARY(2100))",
               "CREATE TABLE f.digits (n INT)", f"INSERT INTO f.digits VALUES {digits}")  # fmt: skip
    yield server
    server.close()


def fill(server: PrivateMySql, *, compressed: bool) -> None:
    digits = ", ".join(f"f.digits d{n}" for n in range(6))
    number = " + ".join(f"d{n}.n * {10**n}" for n in range(6))
    value = ", ".join("UNHEX(SHA2(RAND(), 512))" for _ in range(15))
    server.run(
        "TRUNCATE f.t", f"SET binlog_transaction_compression = {'ON' if compressed else 'OFF'}", "BEGIN",
        f"INSERT INTO f.t SELECT {number}, CONCAT({value}, REPEAT('v', 1000)) FROM {digits} "
        f"WHERE {number} < {ROWS} ORDER BY 1",
        "COMMIT", "SET binlog_transaction_compression = OFF", f"INSERT INTO f.t VALUES ({ROWS}, 'end')",
    )  # fmt: skip


def payloads(file: Path) -> list[int]:
    """The sizes of the compressed transactions in a binary log; the server itself cannot list large ones."""
    found = []
    with file.open("rb") as log:
        log.seek(4)
        while len(head := log.read(19)) == 19:
            size = int.from_bytes(head[9:13], "little")
            found += [size] if head[4] == TRANSACTION_PAYLOAD else []
            log.seek(size - 19, os.SEEK_CUR)
    return found


@pytest.mark.parametrize(("log", "compressed"), WAYS)
def test_a_large_transaction_is_carried_in_little_memory_and_once(
    server: PrivateMySql, tmp_path: Path, kafka: str, log: str, compressed: bool
) -> None:
    name = f"{NAME}{os.getpid()}{log[0]}{'c' if compressed else 'p'}"
    worker = WorkerProcess(tmp_path, name, kafka if log == "kafka" else None)
    topic = f"{name}.f.t"
    try:
        worker.start()
        worker.put(name, {
            "connector.class": "io.debezium.connector.mysql.MySqlConnector", "topic.prefix": name,
            "database.hostname": "127.0.0.1", "database.port": str(server.port), "database.user": "cdc",
            "database.password": "cdcpw", "database.server.id": "18460", "database.include.list": "f",
            "table.include.list": "f.t", "snapshot.mode": "no_data", "value.converter.schemas.enable": "false",
            "value.converter": "org.apache.kafka.connect.json.JsonConverter",
            "schema.history.internal.kafka.topic": f"{name}-history",
            "schema.history.internal.kafka.bootstrap.servers": kafka,
        })  # fmt: skip

        def offset() -> dict[str, object]:
            offsets = worker.call("GET", f"/connectors/{name}/offsets").json().get("offsets", [])
            return dict(offsets[0]["offset"]) if offsets else {}

        wait_until(lambda: offset() != {} and "snapshot" not in offset(), "the end of the snapshot")
        server.run("FLUSH BINARY LOGS")
        in_file = server.run("SHOW BINARY LOG STATUS")[0][0]
        began = time.monotonic()
        fill(server, compressed=compressed)
        filled = time.monotonic()
        with watched(worker) as highest, worker.log() as reading:

            def written() -> int:
                return sum(reading.end_offsets(topic).values()) if topic in reading.topics() else 0

            wait_until(lambda: "event" in offset() and written() > ROWS // 3, "the middle", PATIENCE_S, every=0.2)
            os.kill(worker.tasks()[f"{name}-0"], signal.SIGKILL)
            wait_until(lambda: written() > ROWS and "event" not in offset(), "the end", PATIENCE_S, every=0.5)
            keys = [key for key, _ in reading.topic(topic, {}).read() if key is not None]
        seconds = f"filled in {filled - began:.0f} s, read in {time.monotonic() - filled:.0f} s"
        sys.stderr.write(f"{MB} MB {log} {'compressed' if compressed else 'as it is'}: {seconds}, {highest[0]} MB\n")
        sizes = payloads(server.folder / "data" / in_file)
        assert len(sizes) == compressed and all(size > MB << 18 for size in sizes)
        numbers = [int(key[key.rindex(b":") + 1 : -1].rstrip(b"}")) for key in keys]
        if log == "embedded":
            assert numbers == list(range(ROWS + 1))
        else:  # what came after the saved offset comes again, in order
            back = [at for at in range(1, len(numbers)) if numbers[at] != numbers[at - 1] + 1]
            assert len(back) <= 1 and set(numbers) == set(range(ROWS + 1))
        assert highest[0] < PSS_MB
    finally:
        worker.close()
        if log == "kafka":
            worker.forget()
