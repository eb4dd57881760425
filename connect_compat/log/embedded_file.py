"""The file `log.db` in a data folder: opens or creates it, runs short transactions, tells its failures in our words.

Every process of a worker opens the file itself. Writers take turns (`BEGIN IMMEDIATE`, a long wait), readers never
wait: SQLite in WAL mode. A commit is on disk when it returns (`synchronous=FULL`).
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from cdc.errors import LogError, LogUnavailable

NAME: Final = "log.db"
OFFSET_BITS: Final = 40
"""A chunk's id is `partition id << OFFSET_BITS | first offset`, so a partition's records lie side by side."""

_APPLICATION = 0x5441494C
_VERSION = 1
_PAGE = 16384
_CHECKPOINT_BYTES = 16 << 20
_BUSY_S = 60.0

_SCHEMA = """
CREATE TABLE meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE topic(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, config TEXT NOT NULL);
CREATE TABLE partition(
  id INTEGER PRIMARY KEY AUTOINCREMENT, topic INTEGER, number INTEGER NOT NULL, next INTEGER NOT NULL DEFAULT 0,
  bytes INTEGER NOT NULL DEFAULT 0, clean INTEGER NOT NULL DEFAULT 0, kept INTEGER NOT NULL DEFAULT 0,
  tombstone INTEGER, UNIQUE(topic, number));
CREATE TABLE chunk(id INTEGER PRIMARY KEY, newest INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE source_offset(
  seq INTEGER PRIMARY KEY, connector TEXT NOT NULL, identity BLOB NOT NULL, partition BLOB NOT NULL,
  offset BLOB NOT NULL, UNIQUE(connector, identity));
CREATE TABLE appender(
  connector TEXT, task INTEGER, epoch INTEGER NOT NULL, PRIMARY KEY(connector, task)) WITHOUT ROWID;
CREATE TABLE member(
  id INTEGER PRIMARY KEY AUTOINCREMENT, grp TEXT NOT NULL, pid INTEGER NOT NULL, expires INTEGER NOT NULL,
  topics TEXT NOT NULL, pattern TEXT);
CREATE TABLE owner(grp TEXT, partition INTEGER, member INTEGER NOT NULL, PRIMARY KEY(grp, partition)) WITHOUT ROWID;
CREATE TABLE group_offset(
  grp TEXT, partition INTEGER, offset INTEGER NOT NULL, PRIMARY KEY(grp, partition)) WITHOUT ROWID;
CREATE TABLE entry(store TEXT, key TEXT, value BLOB NOT NULL, PRIMARY KEY(store, key)) WITHOUT ROWID;
"""
_BUMP = "UPDATE meta SET value = value + 1 WHERE name = 'epoch'"


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def bump(db: sqlite3.Connection) -> None:
    """Tells every reader that topics or group members changed."""
    db.execute(_BUMP)


def failure(error: sqlite3.Error, path: Path) -> LogError:
    """What a SQLite error means for the log, and what to do about it. Nothing of the failed transaction is stored."""
    code = getattr(error, "sqlite_errorcode", None)
    match None if code is None else code & 0xFF:
        case sqlite3.SQLITE_FULL:
            return LogUnavailable(f"the disk that holds {path} is full; free space there, or lower retention.ms "
                                  "or retention.bytes of its topics")  # fmt: skip
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return LogUnavailable(f"{path} stayed locked by another process for {_BUSY_S:.0f} s; "
                                  f"`fuser {path}` names it")  # fmt: skip
        case sqlite3.SQLITE_NOTADB:
            return LogError(f"{path} is not a Tailrace log; choose another data folder")
        case sqlite3.SQLITE_CORRUPT:
            return LogError(f"{path} is damaged ({error}); restore it from a backup, or move it away to start anew")
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM | sqlite3.SQLITE_AUTH:
            return LogError(f"{path} cannot be written ({error}); give user {os.getuid()} write access to the folder")
        case sqlite3.SQLITE_TOOBIG:
            return LogError(f"a record is larger than {path} can hold (1 GB)")
        case _:
            return LogUnavailable(f"{path} cannot be used: {error}")


class File:
    """One connection to the log's file. Threads take turns on it."""

    def __init__(self, folder: str, *, durable: bool = True) -> None:
        """`durable=False` commits without waiting for the disk: for leases, which need not survive a power cut.

        Raises: LogError: no access, not a Tailrace log, or written by a newer version; LogUnavailable.
        """
        self.path = Path(folder).absolute() / NAME
        self.lock = threading.RLock()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with _flock(self.path.parent / "log.lock"):
                self.db = self._open(durable)
        except sqlite3.Error as error:
            raise failure(error, self.path) from error
        except OSError as error:
            raise LogError(f"{self.path.parent} cannot hold the log ({error.strerror}); give user {os.getuid()} "
                           "write access to it or choose another data folder") from error  # fmt: skip

    def _open(self, durable: bool) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            if db.execute("PRAGMA schema_version").fetchone()[0] == 0:
                _create(db)
            self._check(db)
            for setting in (f"synchronous={'FULL' if durable else 'NORMAL'}", "cache_size=-8000", "temp_store=MEMORY",
                            f"wal_autocheckpoint={_CHECKPOINT_BYTES // _PAGE}",
                            f"journal_size_limit={4 * _CHECKPOINT_BYTES}"):  # fmt: skip
                db.execute(f"PRAGMA {setting}")
        except BaseException:
            db.close()
            raise
        return db

    def _check(self, db: sqlite3.Connection) -> None:
        application = db.execute("PRAGMA application_id").fetchone()[0]
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if application != _APPLICATION:
            raise LogError(f"{self.path} is another program's SQLite file; choose another data folder")
        if version > _VERSION:
            raise LogError(f"{self.path} has schema version {version}, this version of Tailrace knows {_VERSION}; "
                           "start the newer Tailrace that wrote it")  # fmt: skip

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, durable when the block ends. Keep it short: no other process writes meanwhile."""
        with self.lock:
            try:
                self.db.execute("BEGIN IMMEDIATE")
                yield self.db
                self.db.execute("COMMIT")
            except BaseException as error:
                if self.db.in_transaction:
                    with suppress(sqlite3.Error):
                        self.db.execute("ROLLBACK")
                if isinstance(error, sqlite3.Error):
                    raise failure(error, self.path) from error
                raise

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """All rows of a SELECT as tuples."""
        with self.lock:
            try:
                return self.db.execute(sql, parameters).fetchall()
            except sqlite3.Error as error:
                raise failure(error, self.path) from error

    def script(self, sql: str) -> None:
        """Runs a statement to its end; `query` would stop `PRAGMA incremental_vacuum` after one page."""
        with self.lock:
            try:
                self.db.executescript(sql)
            except sqlite3.Error as error:
                raise failure(error, self.path) from error

    def data_version(self) -> int:
        """A number that changes when another connection commits."""
        version: int = self.query("PRAGMA data_version")[0][0]
        return version

    def close(self) -> None:
        with self.lock:
            self.db.close()


def _create(db: sqlite3.Connection) -> None:
    for setting in (f"page_size={_PAGE}", "auto_vacuum=INCREMENTAL", "journal_mode=WAL"):
        db.execute(f"PRAGMA {setting}")
    cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    db.executescript(
        f"BEGIN IMMEDIATE; {_SCHEMA} INSERT INTO meta VALUES ('cluster', '{cluster}'), ('epoch', 0);"
        f"PRAGMA application_id={_APPLICATION}; PRAGMA user_version={_VERSION}; COMMIT;"
    )


@contextmanager
def _flock(path: Path) -> Iterator[None]:
    """Holds the lock file: only one process at a time opens or creates the database."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class FolderLock:
    """A worker's claim on its data folder; the system drops it when the process ends, however it ends."""

    def __init__(self, folder: str) -> None:
        """Raises: LogError: another worker holds the folder, or it cannot be written."""
        path = Path(folder).absolute() / "worker.lock"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a+")
        except OSError as error:
            raise LogError(f"{path.parent} cannot hold the log ({error.strerror}); give user {os.getuid()} "
                           "write access to it or choose another data folder") from error  # fmt: skip
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.seek(0)
            pid = self._file.read().strip() or "unknown"
            self._file.close()
            raise LogError(f"the worker with pid {pid} already uses {path.parent}; stop it (`kill {pid}`) "
                           "or choose another data folder") from None  # fmt: skip
        self._file.truncate(0)
        self._file.write(f"{os.getpid()}\n")
        self._file.flush()

    def release(self) -> None:
        self._file.close()
