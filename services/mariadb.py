"""A private MariaDB, 11.8 or 10.11: row binlog with full metadata; accounts app/apppw, cdc/cdcpw, root/rootpw."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from services import debian
from services.place import HERE, ServiceError, run, step
from services.process import Process

ACCOUNTS = HERE / "mariadb_accounts.sql"
SUITES = {"11.8": "trixie", "10.11": "bookworm"}
"""Version -> the Debian release that ships it."""
SETTINGS = [
    "--server-id=184055", "--binlog-format=ROW", "--binlog-row-image=FULL", "--binlog-row-metadata=FULL",
    "--gtid-strict-mode=ON", "--log-slave-updates=ON", "--default-time-zone=+00:00",
    "--character-set-server=utf8mb4",
]  # fmt: skip
SMALL = ["--innodb-buffer-pool-size=64M", "--innodb-log-file-size=16M", "--max-connections=100"]
_SCRIPTS = ("system_tables", "performance_tables", "system_tables_data")


def start(folder: Path, port: int, options: Sequence[str] = (), version: str = "11.8") -> None:
    """Makes `folder` the data of a new server when it is new, starts the server, and creates the accounts.

    Args:
        options: of mariadbd, such as `--log-bin-compress=ON`; they win over SETTINGS and hold for this start alone.
        version: a key of SUITES.
    """
    usr = _programs(version)
    process = Process("mariadb", folder)
    if process.pid():
        return
    (folder / "tmp").mkdir(parents=True, exist_ok=True)
    socket = folder / "s"
    if len(str(socket)) > 103:  # the limit of a unix socket's path is 107
        socket = Path(f"/tmp/tailrace-mariadb-{port}.sock")
    share = next(path for path in (usr / "share/mariadb", usr / "share/mysql") if (path / "charsets").exists())
    plugins = next((path for path in (usr / "lib/mysql/plugin", usr / "lib/mariadb/plugin") if path.exists()), usr)
    server: list[str | Path] = [usr / "sbin/mariadbd", "--no-defaults", f"--basedir={usr}",
              f"--datadir={folder}/data", f"--lc-messages-dir={share}", f"--character-sets-dir={share}/charsets",
              f"--plugin-dir={plugins}", f"--tmpdir={folder}/tmp",
              *(["--user=root"] if os.getuid() == 0 else [])]  # fmt: skip
    fresh = not (folder / "ready").exists()
    with step(f"starting MariaDB {version} on 127.0.0.1:{port}"):
        if fresh:
            run(["rm", "-rf", folder / "data"])
            (folder / "data").mkdir()
            run([*server, "--bootstrap", "--enforce-storage-engine=", "--skip-log-bin", "--log-warnings=0",
                 "--max-allowed-packet=8M", "--net-buffer-length=16K"], given=_first_tables(share))  # fmt: skip
        client: list[str | Path] = [usr / "bin/mariadb", "--no-defaults", "-uroot", f"--socket={socket}"]
        asked = [*client, "--connect-timeout=2", "-e", "SELECT 1"]
        process.start(
            [*server, f"--port={port}", "--bind-address=127.0.0.1", f"--socket={socket}",
             f"--log-bin={folder}/data/binlog", *SETTINGS, *SMALL, *options],
            lambda: subprocess.run(asked, capture_output=True, check=False).returncode == 0,
        )  # fmt: skip
        if fresh:
            run(client, given=ACCOUNTS.read_text())
            (folder / "ready").touch()


def _programs(version: str) -> Path:
    if version not in SUITES:
        raise ServiceError(f"no MariaDB {version} here; there are {', '.join(SUITES)}")
    packages = ["mariadb-server-core", "mariadb-client-core"]
    return debian.unpacked(f"mariadb-{version}", packages, suite=SUITES[version]) / "usr"


def _first_tables(share: Path) -> str:
    """The system tables, as mariadb-install-db makes them: without its search for programs and accounts."""
    names = [next(share.glob(f"m*_{name}.sql")) for name in _SCRIPTS]
    names += [share / "maria_add_gis_sp_bootstrap.sql", next(share.glob("m*_sys_schema.sql"))]
    first = "create database mysql;\nuse mysql;\nSET @auth_root_socket=NULL;\n"
    return first + "".join(path.read_text() for path in names)
