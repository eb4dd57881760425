"""The socket to MySQL: log in, register as a replica, read the binary log's packets. The only I/O of the log side.

Source: MySQL's source documentation, "Client/Server Protocol": `COM_REGISTER_SLAVE`, `COM_BINLOG_DUMP`,
`COM_BINLOG_DUMP_GTID`; "Replication Protocol".
"""

from __future__ import annotations

import contextlib
import re
import select
import socket
import ssl
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pymysql
from pymysql.connections import Connection
from pymysql.err import Error, MySQLError

from cdc import key_stores
from cdc.config import Password
from cdc.errors import SourceError, SourceUnavailable, TailraceError
from cdc.mysql.binlog import HEADER_SIZE, TRANSACTION_PAYLOAD
from cdc.mysql.domain_gtids import DomainGtids
from cdc.mysql.failures import (
    NO_GRANT,
    WRONG_PASSWORD,
    DamagedEvent,
    LogGone,
    at_login,
    dump_refused,
    numbered,
    without_gtid,
)
from cdc.mysql.failures import failure as failure
from cdc.mysql.flavor import MYSQL, Flavor
from cdc.mysql.mariadb_login import LOGINS
from cdc.mysql.offset import Gtids, GtidSet, Position
from cdc.native import hot
from cdc.spool import Spool

_REGISTER_SLAVE: Final = 0x15
_BINLOG_DUMP: Final = 0x12
_BINLOG_DUMP_GTID: Final = 0x1E
_THROUGH_GTID: Final = 0x04
_ANNOTATE_ROWS: Final = 0x02
"""MariaDB: send the statements that made the rows."""
_MAX_PACKET: Final = 0xFFFFFF
_SIZE: Final = struct.Struct("<I").unpack_from
"""A packet's size, in the lower three bytes, and its number."""
_EVENT_SIZE: Final = struct.Struct("<4xx9xI")
"""The size of an event that begins with a packet; before it the packet's header and a zero."""
_KIND: Final = 5
"""Where the kind of an event stands in its first packet."""
_RECEIVE_BYTES: Final = 1 << 18
"""Much more does not make the reader faster, and everything made of it is in memory at once."""
_GATHER_S: Final = 0.02
_BEHIND_S: Final = 2
"""Of events that are so old many are gathered for so long: a few at a time are more work for all that follow."""
_IDLE_SECONDS: Final = 0.5
_HEARTBEAT_NS: Final = 1_000_000_000
_SILENCE_SECONDS: Final = 30.0
"""A server that promised a heartbeat a second and sends nothing for so long is away."""
_NET_WRITE_TIMEOUT_SECONDS: Final = 600
"""How long the server waits for a reader that takes nothing because the log is away."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to reach a server.

    Attributes:
        ssl_mode: disabled, preferred, required, verify_ca or verify_identity.
        truststore, keystore: PEM or PKCS #12 files; a keystore holds the client's certificate and key.
        net_write_timeout_s, net_read_timeout_s: of the session that reads the log; 0: ours, and the server's.
    """

    host: str
    user: str
    port: int = 3306
    password: Password | None = None
    ssl_mode: str = "preferred"
    truststore: str | None = None
    truststore_password: Password | None = None
    keystore: str | None = None
    keystore_password: Password | None = None
    connect_timeout_ms: int = 30_000
    net_write_timeout_s: int = 0
    net_read_timeout_s: int = 0
    flavor: Flavor = MYSQL

    def __str__(self) -> str:
        return f"{self.user}@{self.host}:{self.port}"


def connect(settings: Settings, **options: Any) -> Connection[Any]:
    """A logged-in connection with autocommit and utf8mb4; `options` go to `pymysql.connect`.

    Raises: SourceUnavailable: no server answers; SourceError: it refuses us, or TLS is not as asked for.
    """
    timeout_s = max(1, settings.connect_timeout_ms // 1000)
    read_timeout = options.pop("read_timeout", timeout_s)
    wanted: dict[str, Any] = {
        "host": settings.host, "port": settings.port, "user": settings.user, "charset": "utf8mb4", "autocommit": True,
        "password": (_revealed(settings.password) or "").encode(),  # the driver would take text as Latin-1
        "connect_timeout": timeout_s, "read_timeout": min(timeout_s, read_timeout), "program_name": "tailrace",
        "auth_plugin_map": LOGINS,
        **options,
    }  # fmt: skip
    context = _tls(settings)
    try:
        connection = _opened(settings, context, wanted)
    except Exception as error:  # a stranger's bytes make the driver fail in any way
        raise at_login(error, settings, wanted["read_timeout"]) from error
    connection._read_timeout = read_timeout  # type: ignore[attr-defined]
    return connection


def _opened(settings: Settings, context: ssl.SSLContext | None, wanted: dict[str, Any]) -> Connection[Any]:
    """Over TLS if need be; the driver's own errors."""
    if context is not None:
        try:
            return pymysql.connect(ssl=context, **wanted)
        except (Error, OSError) as error:
            if settings.ssl_mode != "preferred" or not _without_tls(error):
                raise
    return pymysql.connect(ssl_disabled=True, **wanted)


def _without_tls(error: BaseException) -> bool:
    """The server speaks no TLS, or none that we speak: `preferred` goes on without."""
    cause = getattr(error, "original_exception", error)
    return isinstance(cause, ssl.SSLError) or "SSL is required" in str(error)


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if settings.ssl_mode == "disabled":
        return None
    verified = settings.ssl_mode in ("verify_ca", "verify_identity")
    context = ssl.create_default_context() if verified else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Certificates that MySQL makes for itself do not pass the strict checks of Python 3.13.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.check_hostname = settings.ssl_mode == "verify_identity"
    context.verify_mode = ssl.CERT_REQUIRED if verified else ssl.CERT_NONE
    if settings.truststore:
        with _named("database.ssl.truststore", settings.truststore):
            authorities = key_stores.authorities(settings.truststore, _revealed(settings.truststore_password))
            context.load_verify_locations(cadata=authorities)
    if settings.keystore:
        with _named("database.ssl.keystore", settings.keystore):
            key_stores.load_identity(context, settings.keystore, _revealed(settings.keystore_password))
    return context


@contextlib.contextmanager
def _named(key: str, path: str) -> Iterator[None]:
    """What is wrong with a store, told by its key. Raises: SourceError."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise SourceError(
            f"{key}: {path} cannot be used: {error}; give a PEM or PKCS #12 file, and its password in {key}.password; "
            f"convert a JKS: keytool -importkeystore -srckeystore {path} -destkeystore {path}.p12 -deststoretype PKCS12"
        ) from error


def _revealed(password: Password | None) -> str | None:
    return None if password is None else password.reveal()


class Stream:
    """The packets of a binary log as they arrive, until `close`. Iterating ends only with an error.

    Attributes:
        checksum: events end in a CRC-32 until a FormatDescription says otherwise.
    """

    checksum: bool
    _skew_s = 0.0
    """How much later the server's clock is."""

    def __init__(
        self, settings: Settings, server_id: int, position: Position, gtids: Gtids | None, *, queries: bool = False
    ) -> None:
        """`queries`: MariaDB is to send the statements too (MySQL always does).

        Raises: SourceUnavailable, SourceError.
        """
        self._connection: Connection[Any] | None = connect(settings)
        self._server_id: int | None = server_id
        try:
            with self._connection.cursor() as cursor:
                self._prepare(cursor, settings, gtids)
            self._register(self._connection, server_id)
            command, payload = dump_request(server_id, position, gtids, queries=queries)
            self._connection._execute_command(command, payload)  # type: ignore[attr-defined]
        except (MySQLError, OSError) as error:
            self.close()
            number, text = numbered(error)
            # The password was right: here the server means that REPLICATION SLAVE was not granted.
            raise failure(MySQLError(NO_GRANT, text) if number == WRONG_PASSWORD else error, settings) from error
        except BaseException:
            self.close()
            raise
        self._reset(settings, self._connection._sock, position, gtids)  # type: ignore[attr-defined]
        self._socket.settimeout(_IDLE_SECONDS)

    @property
    def thread(self) -> int:
        """The server's number of this connection, for KILL and SHOW PROCESSLIST; 0 for a bare socket."""
        return int(self._connection.thread_id()) if self._connection is not None else 0  # type: ignore[no-untyped-call]

    @classmethod
    def over(cls, settings: Settings, sock: socket.socket, position: Position, gtids: Gtids | None) -> Stream:
        """A stream on a socket over which the dump was asked for already; the socket's own timeout holds."""
        stream = cls.__new__(cls)
        stream._connection, stream._server_id, stream.checksum = None, None, True
        stream._reset(settings, sock, position, gtids)
        return stream

    def _reset(self, settings: Settings, sock: socket.socket, position: Position, gtids: Gtids | None) -> None:
        self._settings, self._position, self._gtids = settings, position, gtids
        self._socket = sock
        self._waiting = bytearray()
        self._parts: list[bytes] | Spool | None = None
        self._behind = False
        self._heard = time.monotonic()

    def _prepare(self, cursor: Any, settings: Settings, gtids: Gtids | None) -> None:
        cursor.execute("SELECT @@global.binlog_checksum, UNIX_TIMESTAMP()")
        algorithm, now = cursor.fetchone()
        self._skew_s = int(now) - time.time()
        self.checksum = algorithm == "CRC32"
        write_seconds = settings.net_write_timeout_s or _NET_WRITE_TIMEOUT_SECONDS
        read_seconds = settings.net_read_timeout_s
        # Each setting has its name of MySQL 8.0.26 and later and the older one, which MariaDB knows too.
        cursor.execute(
            f"SET @source_binlog_checksum = '{algorithm}', @master_binlog_checksum = '{algorithm}', "
            f"@source_heartbeat_period = {_HEARTBEAT_NS}, @master_heartbeat_period = {_HEARTBEAT_NS}, "
            f"@mariadb_slave_capability = 4, SESSION net_write_timeout = {write_seconds}"
            + (f", SESSION net_read_timeout = {read_seconds}" if read_seconds else "")
        )
        if isinstance(gtids, DomainGtids):
            # Not strict: a master that never saw a number itself still knows what comes after it.
            cursor.execute(
                f"SET @slave_connect_state = '{gtids}', @slave_gtid_strict_mode = 0, @slave_gtid_ignore_duplicates = 0"
            )

    def _register(self, connection: Connection[Any], server_id: int) -> None:
        """Shows this reader in SHOW REPLICAS; needs REPLICATION SLAVE."""
        host = b"tailrace"
        payload = struct.pack("<IB", server_id, len(host)) + host + struct.pack("<BBHII", 0, 0, 0, 0, 0)
        connection._execute_command(_REGISTER_SLAVE, payload)  # type: ignore[attr-defined]
        connection._read_packet()  # type: ignore[no-untyped-call]

    def __iter__(self) -> Iterator[list[bytes]]:
        while True:
            yield self.read()

    def read(self) -> list[bytes]:
        """The events that are here, about 256 KiB at most, waiting up to half a second for the first.

        Raises: SourceUnavailable: the connection is lost; SourceError: the server refuses to go on.
        """
        before = len(self._waiting)
        try:
            if not self._receive():
                raise ConnectionResetError("it closed the connection")
            # TLS gives 16 KiB at a time, a busy server an event at a time; the reader is fast with many.
            until = time.monotonic() + _GATHER_S if self._behind else 0.0
            while len(self._waiting) < before + _RECEIVE_BYTES and self._arrives(until) and self._receive():
                pass
        except TimeoutError:
            if len(self._waiting) == before:
                return self._nothing()
        except (OSError, ValueError) as error:
            raise failure(error, self._settings) from error
        self._heard = time.monotonic()
        events = self.events()
        if events and len(events[-1]) >= HEADER_SIZE and (written := _SIZE(events[-1])[0]):
            self._behind = time.time() + self._skew_s - written > _BEHIND_S
        return events

    def _receive(self) -> bool:
        """Whether there was more before the end."""
        received = self._socket.recv(_RECEIVE_BYTES)
        self.feed(received)
        return bool(received)

    def _arrives(self, until: float) -> bool:
        """Whether there is more, or comes before a moment of the monotonic clock."""
        if isinstance(self._socket, ssl.SSLSocket) and self._socket.pending():
            return True
        return bool(select.select([self._socket], [], [], max(until - time.monotonic(), 0) if until else 0)[0])

    def _nothing(self) -> list[bytes]:
        self._behind = False
        if time.monotonic() - self._heard > _SILENCE_SECONDS:
            raise SourceUnavailable(f"{self._settings} sent nothing for {_SILENCE_SECONDS:.0f} seconds")
        return []

    def feed(self, received: bytes) -> None:
        """Bytes of the server, for `events` to take apart."""
        self._waiting += received

    def more(self) -> bool:
        """Whether more has arrived already, or will: what came last is old."""
        return self._behind or self._arrives(0)

    def events(self) -> list[bytes]:
        """Takes all complete packets from what waits. An event of 16 MiB and more stands in several.

        Raises: DamagedEvent: packets that cannot be told apart.
        """
        events: list[bytes] = []
        have, at = len(self._waiting), 0
        if have < 4 or have < 4 + (_SIZE(self._waiting)[0] & _MAX_PACKET):
            self._require_sane()
            return events  # a large packet comes in many parts: not copied for each
        waiting = bytes(self._waiting)
        if hot is not None and self._parts is None:
            events, at = hot.mysql_packets(waiting)
        try:
            while have - at >= 4:
                size = _SIZE(waiting, at)[0] & _MAX_PACKET
                end = at + 4 + size
                if end > have:
                    break
                start, at = at + 4, end
                if not size or size == _MAX_PACKET or waiting[start] or self._parts is not None:
                    self._unusual(waiting[start:end], events)
                else:
                    events.append(waiting[start + 1 : end])
        finally:
            del self._waiting[:at]
        return events

    def _require_sane(self) -> None:
        """An incomplete packet whose size is wrong would be waited for in vain: heartbeats are no silence."""
        if self._parts is not None or len(self._waiting) < _EVENT_SIZE.size or self._waiting[4]:
            return
        size = _SIZE(self._waiting)[0] & _MAX_PACKET
        event = _EVENT_SIZE.unpack_from(self._waiting)[0]
        if size != min(event + 1, _MAX_PACKET):
            raise DamagedEvent(f"{self._settings} sends a packet of {size} bytes for an event of {event}")

    def _unusual(self, packet: bytes, events: list[bytes]) -> None:
        """A packet that is not one whole event. Raises: the server's error."""
        if self._parts is not None:
            self._parts.append(packet)
        elif packet[:1] != b"\0":
            raise self._ended(packet)
        else:
            is_compressed = len(packet) > _KIND and packet[_KIND] == TRANSACTION_PAYLOAD
            self._parts = Spool() if is_compressed else []
            self._parts.append(packet[1:])
        if len(packet) < _MAX_PACKET:
            events.append(self._parts.whole() if isinstance(self._parts, Spool) else b"".join(self._parts))
            self._parts = None

    def _ended(self, packet: bytes) -> TailraceError:
        """What the packet says that is no event."""
        if packet[:1] == b"\xff" and len(packet) >= 3:
            number = int.from_bytes(packet[1:3], "little")
            text = packet[9:] if packet[3:4] == b"#" else packet[3:]
            return self._explained(number, text.decode("utf-8", "replace"))
        return SourceUnavailable(f"{self._settings} ended the binary log stream")

    def _explained(self, number: int, text: str) -> TailraceError:
        if number != 1236:
            return failure(MySQLError(number, text), self._settings)
        if "anonymous transaction" in text:
            return without_gtid(str(self._settings), text, self._asked("SELECT @@global.gtid_mode"))
        gone = re.search(r"purged|Could not find first log file|position|GTID", text)
        if gone is None or "server_uuid/server_id" in text:
            return dump_refused(str(self._settings), text, self._server_id)
        return LogGone(f"{self._settings} does not send its binary log from {self._asked_for()} on: {text} (1236)")

    def _asked_for(self) -> str:
        if self._gtids is not None:
            return f"GTID set {self._gtids}"
        return f"{self._position.file} position {self._position.pos}"

    def _asked(self, sql: str) -> str:
        """The first value of an answer, by a second connection; empty when it cannot be had."""
        with (
            contextlib.suppress(TailraceError, MySQLError, OSError),
            connect(self._settings) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(sql)
            return str(cursor.fetchone()[0])
        return ""

    def close(self) -> None:
        """Closes the socket at once: the server takes no further command on this connection."""
        if self._connection is not None:
            self._connection._force_close()  # type: ignore[attr-defined]


def dump_request(
    server_id: int, position: Position, gtids: Gtids | None, *, queries: bool = False
) -> tuple[int, bytes]:  # fmt: skip
    """The command and its payload that ask for the log after `gtids`, or from `position` on when those are None.

    MariaDB was told the GTIDs before, and then takes no notice of file and position.
    """
    flags = _ANNOTATE_ROWS if queries else 0
    if isinstance(gtids, DomainGtids):
        return _BINLOG_DUMP, struct.pack("<IHI", 4, flags, server_id)
    if gtids is not None:
        done = encoded(gtids)
        return _BINLOG_DUMP_GTID, struct.pack("<HIIQI", _THROUGH_GTID, server_id, 0, 4, len(done)) + done
    if position.pos > 0xFFFFFFFF:
        raise SourceError(
            f"position {position.pos} of {position.file} is beyond the 4 GiB that MySQL's protocol can name; set "
            "gtid_mode=ON on the server, or take a new snapshot"
        )
    return _BINLOG_DUMP, struct.pack("<IHI", max(4, position.pos), flags, server_id) + position.file.encode()


def encoded(gtids: GtidSet) -> bytes:
    """A GTID set as COM_BINLOG_DUMP_GTID carries it; with tags in the form that MySQL 8.3 brought."""
    tagged = any(tag for _, tag in gtids.intervals)
    count = len(gtids.intervals)
    parts = [struct.pack("<Q", 1 << 56 | count << 8 | 1 if tagged else count)]
    for (uuid, tag), intervals in sorted(gtids.intervals.items()):
        parts.append(bytes.fromhex(uuid.replace("-", "")))
        if tagged:
            parts.append(bytes((len(tag) << 1,)) + tag.encode("ascii"))
        parts.append(struct.pack("<Q", len(intervals)))
        parts.extend(struct.pack("<QQ", first, last + 1) for first, last in intervals)
    return b"".join(parts)
