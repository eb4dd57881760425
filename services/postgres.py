"""A private PostgreSQL with logical decoding; accounts app/apppw (superuser), cdc/cdcpw, postgres/postgres."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import psycopg

from services import debian, maven
from services.place import ServiceError, run, step
from services.process import Process

SUITES = {15: "bookworm", 17: "trixie", 18: "sid"}
"""Version -> the Debian release that carries it."""
BUILDS = {14: "14.24.0", 16: "16.15.0"}
"""Versions that no Debian release carries -> Zonky's build of them, from Maven; without psql and pg_basebackup."""
VERSION = 17
SETTINGS = {
    "listen_addresses": "127.0.0.1", "wal_level": "logical", "max_wal_senders": "20", "max_replication_slots": "20",
    "max_prepared_transactions": "20", "shared_buffers": "64MB", "jit": "off", "timezone": "UTC",
    "max_slot_wal_keep_size": "4GB", "fsync": "off",
}  # fmt: skip
_ACCESS = """local all all trust
local replication all trust
host all all 127.0.0.1/32 scram-sha-256
host replication all 127.0.0.1/32 scram-sha-256
"""
ACCOUNTS = """ALTER ROLE postgres PASSWORD 'postgres';
CREATE ROLE app LOGIN PASSWORD 'apppw' SUPERUSER;
CREATE ROLE cdc LOGIN REPLICATION PASSWORD 'cdcpw';
GRANT pg_read_all_data TO cdc;
CREATE DATABASE app OWNER app;
"""


def start(folder: Path, port: int, options: Sequence[str] = (), version: int = VERSION) -> None:
    """Initialises `folder` when it is new, starts the server, and creates the accounts and the database `app`.

    Args:
        options: of postgres, such as `-c` and `wal_level=replica`; they win over SETTINGS, for this start alone.
    """
    programs = programs_of(version)
    process = Process("postgres", folder)
    if process.pid():
        return
    folder.mkdir(parents=True, exist_ok=True)
    socket = folder if len(str(folder)) < 80 else Path("/tmp")  # the limit of a unix socket's path is 107
    with step(f"starting PostgreSQL {version} on 127.0.0.1:{port}"):
        fresh = not (folder / "ready").exists()
        if fresh:
            _initialise(programs, folder / "data")
        settings = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
        command: list[str | Path] = [
            *as_user(), programs / "postgres", "-D", folder / "data", "-p", str(port), "-k", socket,
        ]  # fmt: skip
        login = f"host={socket} port={port} user=postgres dbname=postgres connect_timeout=5"
        process.start([*command, *settings, *options], lambda: _answers(login))
        if fresh:
            with psycopg.connect(login, autocommit=True) as connection:
                for statement in ACCOUNTS.splitlines():
                    connection.execute(statement.encode())
            (folder / "ready").touch()


def stop(folder: Path) -> None:
    """Ends every session and stops: what SIGTERM would wait for."""
    process = Process("postgres", folder)
    if (pid := process.pid()) is not None:
        os.kill(pid, signal.SIGINT)
    process.ended(20)


def _answers(login: str) -> bool:
    try:
        psycopg.connect(login).close()
    except psycopg.OperationalError:
        return False
    return True


def programs_of(version: int) -> Path:
    """The folder of `postgres`, `initdb` and what else that build has."""
    if version in BUILDS:
        machine = {"arm64": "arm64v8"}.get(debian.architecture(), debian.architecture())
        name = f"embedded-postgres-binaries-linux-{machine}:{BUILDS[version]}"
        return maven.archive(f"io.zonky.test.postgres:{name}") / "bin"
    name = f"postgresql-{version}"
    root = debian.unpacked(name, [name, f"postgresql-client-{version}"], suite=SUITES[version])
    return root / f"usr/lib/postgresql/{version}/bin"


def _initialise(programs: Path, data: Path) -> None:
    run(["rm", "-rf", data])
    run([*as_user(), programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
         "--locale=C.UTF-8", "--no-sync"])  # fmt: skip
    (data / "pg_hba.conf").write_text(_ACCESS)


def as_user() -> list[str]:
    """What a command of PostgreSQL begins with."""
    # PostgreSQL refuses to run as root; in a user namespace it is somebody else, with root's files.
    if os.getuid() != 0:
        return []
    command = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
    if subprocess.run([*command, "true"], capture_output=True, check=False).returncode:
        raise ServiceError(
            "PostgreSQL does not run as root, and this machine allows no user namespaces: run as another user"
        )
    return command
