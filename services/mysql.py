"""A private MySQL 9.7: row binlog with full metadata, GTIDs on; accounts app/apppw, cdc/cdcpw, root/rootpw."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from services import debian
from services.place import HERE, run, step
from services.process import Process

ACCOUNTS = HERE / "accounts.sql"
SETTINGS = [
    "--server-id=184054", "--binlog-format=ROW", "--binlog-row-image=FULL", "--binlog-row-metadata=FULL",
    "--gtid-mode=ON", "--enforce-gtid-consistency=ON", "--binlog-rows-query-log-events=ON",
    "--default-time-zone=+00:00",
]  # fmt: skip
SMALL = ["--innodb-buffer-pool-size=64M", "--innodb-redo-log-capacity=16M", "--performance-schema=OFF",
         "--max-connections=100", "--table-open-cache=400", "--mysqlx=OFF"]  # fmt: skip


def start(folder: Path, port: int, options: Sequence[str] = ()) -> None:
    """Initialises `folder` when it is new, starts the server, and creates the accounts.

    Args:
        options: of mysqld, such as `--skip-log-bin`; they win over SETTINGS and hold for this start alone, but for
            `--lower-case-table-names`, which a new folder keeps: give it each time.
    """
    usr = debian.unpacked("mysql-9.7", ["mysql-server-core", "mysql-client-core"], suite="sid") / "usr"
    process = Process("mysql", folder)
    if process.pid():
        return
    folder.mkdir(parents=True, exist_ok=True)
    socket = folder / "s"
    if len(str(socket)) > 103:  # the limit of a unix socket's path is 107
        socket = Path(f"/tmp/tailrace-mysql-{port}.sock")
    layout: list[str | Path] = [f"--basedir={usr}", f"--datadir={folder}/data", f"--lc-messages-dir={usr}/share/mysql",
              f"--character-sets-dir={usr}/share/mysql/charsets", f"--plugin-dir={usr}/lib/mysql/plugin",
              "--secure-file-priv=", *(["--user=root"] if os.getuid() == 0 else [])]  # fmt: skip
    fresh = not (folder / "ready").exists()
    with step(f"starting MySQL on 127.0.0.1:{port}"):
        if fresh:
            run(["rm", "-rf", folder / "data"])
            lasting = [option for option in options if option.startswith("--lower-case-table-names")]
            run([usr / "sbin/mysqld", "--no-defaults", *layout, "--initialize-insecure", *lasting])
        admin: list[str | Path] = [
            usr / "bin/mysqladmin",
            "--no-defaults",
            "-uroot",
            f"--socket={socket}",
            "--connect-timeout=2",
            "ping",
        ]
        process.start(
            [usr / "sbin/mysqld", "--no-defaults", *layout, f"--port={port}", "--bind-address=127.0.0.1",
             f"--socket={socket}", f"--log-bin={folder}/data/binlog", *SETTINGS, *SMALL, *options],
            # `ping` succeeds as soon as the server answers, even when the password is wrong
            lambda: subprocess.run(admin, capture_output=True, check=False).returncode == 0,
        )  # fmt: skip
        if fresh:
            client: list[str | Path] = [usr / "bin/mysql", "--no-defaults", "-uroot", f"--socket={socket}"]
            run(client, given=ACCOUNTS.read_text())
            (folder / "ready").touch()


def load_inventory(port: int) -> None:
    """The `inventory` sample database, made anew."""
    usr = debian.unpacked("mysql-9.7", ["mysql-server-core", "mysql-client-core"], suite="sid") / "usr"
    client: list[str | Path] = [usr / "bin/mysql", "--no-defaults", "-h127.0.0.1", f"-P{port}", "-uapp", "-papppw"]
    run(client, given=(HERE / "inventory.sql").read_text())
