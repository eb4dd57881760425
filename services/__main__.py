"""`python -m services start|stop|status|wipe|env PROFILE [SERVER…]`: the servers of the demo, the tests, …

A profile is a set of ports and a data folder of its own. Of a server that it has several times, the second is called
`mysql-2`. `env` prints shell assignments that tests read.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from services import containers, elasticsearch, kafka, mariadb, mysql, postgres, seaweedfs
from services.place import HERE, ServiceError, cache, say
from services.process import Process

SERVERS: dict[str, Callable[..., None]] = {
    "mysql": mysql.start, "mariadb": mariadb.start, "postgres": postgres.start, "kafka": kafka.start,
    "seaweedfs": seaweedfs.start, **{kind: partial(elasticsearch.start, kind=kind) for kind in elasticsearch.RELEASES},
}  # fmt: skip
# Below the ports that Linux gives to outgoing connections (32768 and up): there one may be taken at any moment.
PORTS = {
    "demo": {"mysql": 13306, "kafka": 19092, "elasticsearch": 19200},
    "test": {
        "kafka": 29092, "elasticsearch": 29200, "seaweedfs": 22340, "mysql": 23306, "mariadb": 23307, "postgres": 25432,
        "mysql-2": 23316, "mariadb-2": 23317, "postgres-2": 25442,
        "mysql-3": 23326, "mariadb-3": 23327, "postgres-3": 25452,
    },
    "differential": {"mysql": 14306, "mariadb": 14307, "postgres": 14432, "kafka": 17092, "elasticsearch": 17200},
    "bench": {"mysql": 15306, "postgres": 15432, "kafka": 18092, "elasticsearch": 18200},
}  # fmt: skip


def kind(server: str) -> str:
    return server.partition("-")[0]


def folder(profile: str, server: str) -> Path:
    return cache() / "data" / profile / server


def start(profile: str, servers: list[str]) -> None:
    """All at the same time. Raises: ServiceError: of the first that does not come up."""
    with ThreadPoolExecutor() as starters:
        for started in [starters.submit(start_one, profile, server) for server in servers]:
            started.result()


def start_one(profile: str, server: str) -> None:
    port = PORTS[profile][server]
    if containers.answer() and kind(server) in containers.IMAGES:
        containers.start(kind(server), f"tailrace-{profile}-{server}", port)
    else:
        SERVERS[kind(server)](folder(profile, server), port)


def stop(profile: str, servers: list[str]) -> None:
    for server in servers:
        if containers.answer():
            containers.stop(f"tailrace-{profile}-{server}")
        Process(server, folder(profile, server)).stop()


def wipe(profile: str, servers: list[str]) -> None:
    for server in servers:
        if containers.answer():
            containers.remove(f"tailrace-{profile}-{server}")
        Process(server, folder(profile, server)).wipe()


def status(profile: str, servers: list[str]) -> None:
    for server in servers:
        pid = Process(server, folder(profile, server)).pid()
        print(f"{server} 127.0.0.1:{PORTS[profile][server]} {f'pid {pid}' if pid else 'not running'}")


def environment(profile: str) -> dict[str, str]:
    """Where the tests find the profile's servers: addresses with blanks between them."""
    found: dict[str, list[str]] = {}
    for server, port in PORTS[profile].items():
        name = {"elasticsearch": "ES", "seaweedfs": "S3"}.get(kind(server), kind(server).upper())
        scheme = "http://" if name in ("ES", "S3") else ""
        found.setdefault(f"TAILRACE_{name}", []).append(f"{scheme}127.0.0.1:{port}")
    return {name: " ".join(addresses) for name, addresses in found.items()}


def load_inventory(profile: str) -> None:
    """The `inventory` sample database, made anew."""
    if containers.answer():
        containers.load_inventory(f"tailrace-{profile}-mysql", (HERE / "inventory.sql").read_text())
    else:
        mysql.load_inventory(PORTS[profile]["mysql"])


def main(arguments: list[str]) -> int:
    if len(arguments) < 2 or arguments[1] not in PORTS:
        say(__doc__ or "")
        return 2
    verb, profile, *servers = arguments
    try:
        match verb:
            case "start":
                start(profile, servers or list(PORTS[profile]))
            case "stop":
                stop(profile, servers or list(PORTS[profile]))
            case "wipe":
                wipe(profile, servers or list(PORTS[profile]))
            case "status":
                status(profile, servers or list(PORTS[profile]))
            case "env":
                print("\n".join(f"export {name}='{value}'" for name, value in environment(profile).items()))
            case _:
                say(__doc__ or "")
                return 2
    except ServiceError as error:
        say(f"ERROR: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
