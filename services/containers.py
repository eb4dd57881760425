"""The same servers as containers, used when a Docker daemon answers."""

from __future__ import annotations

import shutil
import subprocess
import time
from functools import cache

from services import elasticsearch, kafka, mariadb, mysql, postgres
from services.place import ServiceError, run, step

IMAGES = {
    "mysql": "mysql:9.7", "mariadb": "mariadb:11.8", "postgres": "postgres:17", "kafka": "apache/kafka:4.3.1",
    "elasticsearch": "elasticsearch:8.19.21",
}  # fmt: skip


@cache
def answer() -> bool:
    """Whether a Docker daemon answers."""
    if shutil.which("docker") is None:
        return False
    try:
        done = subprocess.run(["docker", "info"], capture_output=True, timeout=10, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def arguments(server: str, port: int) -> list[str]:
    """What follows `docker run -d --name …` for a server that listens on 127.0.0.1:port."""
    match server:
        case "mysql":
            options = ["-p", f"127.0.0.1:{port}:3306", "-e", "MYSQL_ROOT_PASSWORD=rootpw"]
            return [*options, IMAGES[server], *mysql.SETTINGS]
        case "mariadb":
            options = ["-p", f"127.0.0.1:{port}:3306", "-e", "MARIADB_ROOT_PASSWORD=rootpw"]
            return [*options, IMAGES[server], "--log-bin=binlog", *mariadb.SETTINGS]
        case "postgres":
            options = ["-p", f"127.0.0.1:{port}:5432", "-e", "POSTGRES_PASSWORD=postgres"]
            given = postgres.SETTINGS | {"listen_addresses": "*"}
            return [*options, IMAGES[server], *(part for item in given.items() for part in ("-c", "=".join(item)))]
        case "kafka":
            settings = {
                "KAFKA_NODE_ID": "1",
                "KAFKA_PROCESS_ROLES": "broker,controller",
                "KAFKA_LISTENERS": f"PLAINTEXT://:{port},CONTROLLER://:9093",
                "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://127.0.0.1:{port}",
                "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
                "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
                "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
                "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
                "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
                "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
                "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
            }
            options = [part for name, value in settings.items() for part in ("-e", f"{name}={value}")]
            return ["-p", f"127.0.0.1:{port}:{port}", *options, IMAGES[server]]
        case _:
            options = ["-e", "discovery.type=single-node", "-e", "xpack.security.enabled=false"]
            return ["-p", f"127.0.0.1:{port}:9200", *options, "-e", "ES_JAVA_OPTS=-Xms512m -Xmx768m", IMAGES[server]]


def start(server: str, name: str, port: int) -> None:
    """Starts the container `name`, creating it when it is new, and waits until the server answers."""
    with step(f"starting the {server} container on 127.0.0.1:{port} ({IMAGES[server]})"):
        known = run(["docker", "ps", "-a", "--filter", f"name=^{name}$", "--format", "{{.Names}}"]).strip()
        run(["docker", "start", name] if known else ["docker", "run", "-d", "--name", name, *arguments(server, port)])
        end = time.monotonic() + 120
        while not _ready(server, name, port):
            if time.monotonic() > end:
                raise ServiceError(f"container {name} was not ready after 120 s: see `docker logs {name}`")
            time.sleep(0.5)


def _ready(server: str, name: str, port: int) -> bool:
    """Whether it answers; MySQL and MariaDB are given their accounts by that. A set-up server takes no TCP."""
    if server == "kafka":
        return kafka.answers(port)
    if server == "elasticsearch":
        return elasticsearch.answers(port)
    if server == "postgres":
        return _postgres_ready(name)
    accounts = mariadb.ACCOUNTS if server == "mariadb" else mysql.ACCOUNTS
    client = ["docker", "exec", "-i", name, server, "-h127.0.0.1", "-uroot", "-prootpw"]
    return subprocess.run(client, input=accounts.read_bytes(), capture_output=True, check=False).returncode == 0


def _postgres_ready(name: str) -> bool:
    client = ["docker", "exec", "-i", name, "psql", "-h127.0.0.1", "-Upostgres", "-v", "ON_ERROR_STOP=1"]
    known = subprocess.run([*client, "-tc", "SELECT 1 FROM pg_roles WHERE rolname = 'app'"], capture_output=True,
                           text=True, check=False)  # fmt: skip
    if known.returncode or known.stdout.strip() == "1":
        return known.returncode == 0
    return subprocess.run(client, input=postgres.ACCOUNTS.encode(), capture_output=True, check=False).returncode == 0


def load_inventory(name: str, script: str) -> None:
    subprocess.run(["docker", "exec", "-i", name, "mysql", "-uroot", "-prootpw"], input=script.encode(), check=True)


def stop(name: str) -> None:
    subprocess.run(["docker", "stop", name], capture_output=True, check=False)


def remove(name: str) -> None:
    subprocess.run(["docker", "rm", "-f", "-v", name], capture_output=True, check=False)
