"""The main job on real servers: MySQL `inventory` -> Tailrace's embedded log -> Elasticsearch, change by change.

`make demo` starts MySQL and Elasticsearch first. With ONCE=1 it ends after the run, non-zero if anything was not seen.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pymysql

from services import __main__ as services
from services.place import cache

HERE = Path(__file__).parent.parent
REST = "http://127.0.0.1:8083"
DATA = cache() / "data" / "demo" / "tailrace"
MYSQL_PORT = services.PORTS["demo"]["mysql"]
SEARCH = f"http://127.0.0.1:{services.PORTS['demo']['elasticsearch']}"
TABLES = ("addresses", "customers", "orders", "products", "products_on_hand")
TOPICS = [f"dbserver1.inventory.{table}" for table in TABLES]


def source_config() -> dict[str, str]:
    """A config as people have it from Kafka Connect, names of Debezium 1.x and all; only host and account changed."""
    given: dict[str, str] = json.loads((HERE / "tests/golden/configs/mysql-source-connector.put.json").read_text())
    ours = {"database.hostname": "127.0.0.1", "database.port": str(MYSQL_PORT), "database.user": "cdc",
            "database.password": "cdcpw"}  # fmt: skip
    return given | ours


def sink_config() -> dict[str, str]:
    return {
        "connector.class": "io.confluent.connect.elasticsearch.ElasticsearchSinkConnector",
        "tasks.max": "1",
        "topics": ",".join(TOPICS),
        "connection.url": SEARCH,
        "key.ignore": "false",
        "behavior.on.null.values": "delete",
        "transforms": "unwrap,key",
        "transforms.unwrap.type": "io.debezium.transforms.ExtractNewRecordState",
        "transforms.key.type": "org.apache.kafka.connect.transforms.ExtractField$Key",
        "transforms.key.field": "id",
        "transforms.key.predicate": "hasId",
        "predicates": "hasId",
        "predicates.hasId.type": "org.apache.kafka.connect.transforms.predicates.TopicNameMatches",
        "predicates.hasId.pattern": r"dbserver1\.inventory\.(addresses|customers|products)",
    }


def call(method: str, url: str, body: object = None) -> tuple[int, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"null")


class Demo:
    """Counts what was not seen."""

    def __init__(self, worker: subprocess.Popen[bytes]) -> None:
        self.worker = worker
        self.missed = 0
        self.database = pymysql.connect(host="127.0.0.1", port=MYSQL_PORT, user="app", password="apppw",
                                        database="inventory", autocommit=True)  # fmt: skip

    def say(self, text: str) -> None:
        print(text, flush=True)

    def see(self, what: str, seen: Callable[[], bool], seconds: float = 30) -> None:
        """Waits until `seen`, and says how long that took."""
        began = time.perf_counter()
        while time.perf_counter() - began < seconds:
            if seen():
                self.say(f"   ok    {what:<60} {(time.perf_counter() - began) * 1000:7.1f} ms")
                return
            if self.worker.poll() is not None:
                sys.exit(f"Tailrace ended with {self.worker.returncode}: see its messages above")
            time.sleep(0.002)
        self.missed += 1
        self.say(f"   MISS  {what:<60} not seen in {seconds:.0f} s")
        for name in ("mysql-source", "elasticsearch-sink"):
            self.say(f"         {json.dumps(call('GET', f'{REST}/connectors/{name}/status')[1])}")

    def run_sql(self, statement: str) -> None:
        self.say(f"-> {statement}")
        with self.database.cursor() as cursor:
            cursor.execute(statement)

    def rows(self, table: str) -> int:
        with self.database.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {table}")
            return int((cursor.fetchone() or (0,))[0])

    def create(self) -> None:
        self.say("-> PUT /connectors/mysql-source/config (the config of a Debezium 1.x user)")
        self.expect_created(call("PUT", f"{REST}/connectors/mysql-source/config", source_config()))
        self.say("-> POST /connectors elasticsearch-sink")
        posted = {"name": "elasticsearch-sink", "config": sink_config()}
        self.expect_created(call("POST", f"{REST}/connectors", posted))

    def expect_created(self, answer: tuple[int, Any]) -> None:
        if answer[0] != 201:
            self.missed += 1
            self.say(f"   MISS  expected 201, got {answer[0]}: {json.dumps(answer[1])}")

    def snapshot(self) -> None:
        for table in TABLES:
            wanted = self.rows(table)
            self.see(f"{wanted} rows of inventory.{table} are in its index", partial(holds, table, wanted))

    def changes(self) -> None:
        self.run_sql("INSERT INTO customers VALUES (2001, 'Ada', 'Lovelace', 'ada@example.com')")
        self.see("the new customer is in the index", lambda: field("customers", 2001, "first_name") == "Ada")
        self.run_sql("UPDATE customers SET first_name = 'Augusta' WHERE id = 2001")
        self.see("her new name is", lambda: field("customers", 2001, "first_name") == "Augusta")
        self.run_sql("UPDATE products SET weight = 4.5 WHERE id = 101")
        self.see("the product's weight is", lambda: field("products", 101, "weight") == 4.5)
        self.run_sql("DELETE FROM customers WHERE id = 2001")
        self.see("the customer has left the index", lambda: field("customers", 2001, "id") is None)
        self.run_sql("ALTER TABLE customers ADD COLUMN phone VARCHAR(20)")
        self.run_sql("INSERT INTO customers VALUES (2002, 'Alan', 'Turing', 'alan@example.com', '0123')")
        self.see("a column added just now is there", lambda: field("customers", 2002, "phone") == "0123")
        self.run_sql("DELETE FROM customers WHERE id = 2002")
        self.see("and gone", lambda: field("customers", 2002, "id") is None)


def holds(table: str, documents: int) -> bool:
    index = f"{SEARCH}/dbserver1.inventory.{table}"
    if call("POST", f"{index}/_refresh")[0] != 200:
        return False
    return bool(call("GET", f"{index}/_count")[1].get("count") == documents)


def field(table: str, identity: int, name: str) -> Any:
    status, found = call("GET", f"{SEARCH}/dbserver1.inventory.{table}/_doc/{identity}")
    return found["_source"].get(name) if status == 200 else None


def start_worker() -> subprocess.Popen[bytes]:
    shutil.rmtree(DATA, ignore_errors=True)
    DATA.parent.mkdir(parents=True, exist_ok=True)
    command = [str(Path(sys.executable).with_name("tailrace")), "--data", str(DATA), "--log-level", "warning"]
    worker = subprocess.Popen(command)
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if worker.poll() is not None:
            sys.exit(f"Tailrace ended with {worker.returncode}: see its message above")
        try:
            if call("GET", REST)[0] == 200:
                return worker
        except OSError:
            time.sleep(0.05)
    worker.kill()
    sys.exit("Tailrace did not answer on 127.0.0.1:8083 within 30 s")


WHAT_NOW = f"""
Tailrace is up. Try, in another terminal:

  curl '{REST}/connectors?expand=status'
  curl {REST}/connectors/mysql-source/offsets
  curl '{SEARCH}/dbserver1.inventory.customers/_search?pretty'
  .venv/bin/tailrace history show mysql-source --data {DATA}
  curl {REST}/connectors/mysql-source/config > config.json     # edit it, and give it back:
  curl -X PUT -H 'Content-Type: application/json' {REST}/connectors/mysql-source/config -d @config.json
  mysql -h127.0.0.1 -P{MYSQL_PORT} -uapp -papppw inventory     # change something, and search again

Ctrl-C ends it.
"""


def main() -> int:
    print("-> loading the inventory sample into MySQL", flush=True)
    services.load_inventory("demo")
    for table in TABLES:
        call("DELETE", f"{SEARCH}/dbserver1.inventory.{table}")
    print(f"-> starting Tailrace: REST on {REST}, topics in {DATA}", flush=True)
    began = time.perf_counter()
    worker = start_worker()
    try:
        demo = Demo(worker)
        demo.say(f"   up in {time.perf_counter() - began:.1f} s")
        demo.create()
        demo.snapshot()
        demo.changes()
        demo.say("everything was seen" if not demo.missed else f"{demo.missed} thing(s) NOT seen")
        if not os.environ.get("ONCE"):
            demo.say(WHAT_NOW)
            signal.signal(signal.SIGTERM, signal.default_int_handler)
            worker.wait()
        return 1 if demo.missed else 0
    except KeyboardInterrupt:
        return 0
    finally:
        worker.terminate()
        worker.wait(30)
        services.stop("demo", ["mysql", "elasticsearch"])


if __name__ == "__main__":
    sys.exit(main())
