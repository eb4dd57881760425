"""What the driver, the network and the server say when something fails -> our errors, each with its remedy.

Source: MySQL's manual, "Server Error Message Reference" and "Client Error Message Reference".
"""

from __future__ import annotations

import ssl
from typing import Final, Protocol

from cdc.errors import DecodeError, SourceError, SourceUnavailable, TailraceError

NO_GRANT: Final = 1227
WRONG_PASSWORD: Final = 1045
LOST: Final = 2013
_DUMP_REFUSED: Final = 1236
_OUT_OF_TIME: Final = (9, 10)
_OTHER_HOST: Final = (62, 64)
"""OpenSSL's X509_V_ERR_CERT_NOT_YET_VALID, ..._HAS_EXPIRED; ..._HOSTNAME_MISMATCH, ..._IP_ADDRESS_MISMATCH."""
_FULL: Final = (1040, 1203, 1226)
"""Too many connections: of the server, of the user, in an hour."""
_GIVEN_UP: Final = (1042, 1043, 1053, 1158, 1159, 1160, 1161, 2003, 2006, LOST, 2055, 3169, 4031)
"""Shutdown, lost connection, network errors."""
_GRANTS: Final = "SELECT, RELOAD, SHOW DATABASES, LOCK TABLES, REPLICATION SLAVE, REPLICATION CLIENT"
_REMEDIES: Final = {
    WRONG_PASSWORD: "check database.user and database.password; an account with REQUIRE SSL or X509 needs "
    "database.ssl.mode=required too, and X509 a certificate in database.ssl.keystore",
    NO_GRANT: f"run: GRANT {_GRANTS} ON *.* TO '{{user}}'@'%'",
    1044: f"run: GRANT {_GRANTS} ON *.* TO '{{user}}'@'%'",
    1142: f"run: GRANT {_GRANTS} ON *.* TO '{{user}}'@'%'",
    1130: f"run: CREATE USER '{{user}}'@'%' IDENTIFIED BY '<password>'; GRANT {_GRANTS} ON *.* TO '{{user}}'@'%'",
    1129: "run on the server: TRUNCATE TABLE performance_schema.host_cache",
    1820: "run: ALTER USER '{user}'@'%' IDENTIFIED BY '<new password>'; and set database.password to it",
    1862: "run: ALTER USER '{user}'@'%' IDENTIFIED BY '<new password>'; and set database.password to it",
    1698: "run: ALTER USER '{user}'@'%' IDENTIFIED BY '<password>'; for it has no password to log in with",
    2059: "this client logs in by mysql_native_password, caching_sha2_password, sha256_password, ed25519 and parsec; "
    "run: ALTER USER '{user}'@'%' IDENTIFIED BY '<password>'",
    3118: "run: ALTER USER '{user}'@'%' ACCOUNT UNLOCK",
}
"""By error number, for what no waiting mends."""


class DamagedEvent(DecodeError):
    """Bytes that came otherwise than they were written: on the way, or in the server's file. Nothing of it is used.

    `mark` tells two damages apart.
    """

    def __init__(self, message: str, mark: int = 0) -> None:
        super().__init__(message)
        self.mark = mark


class LogGone(SourceError):
    """The server refuses to send the log from where it was asked to. Changes may be lost; see `cdc.mysql.log_gap`."""


class Login(Protocol):
    """Who logs in where; its text is `user@host:port`."""

    @property
    def user(self) -> str: ...

    @property
    def host(self) -> str: ...


def failure(error: BaseException, login: Login | None = None) -> TailraceError:
    """A driver's or the network's error, or an error packet's, as one of ours that says what to do."""
    if isinstance(error, TailraceError):
        return error
    where = str(login) if login is not None else "MySQL"
    user = login.user if login is not None else "user"
    cause = getattr(error, "original_exception", error)
    number, text = numbered(error)
    shown = f"{text} ({number})" if number else text
    if isinstance(cause, ssl.SSLError):
        return SourceError(f"{where}: TLS failed: {cause}; {_tls_remedy(cause)}")
    if "SSL is required" in text:
        return SourceError(f"{where}: the server offers no TLS; set database.ssl.mode=preferred or enable TLS there")
    if number in _REMEDIES:
        return SourceError(f"{where}: {shown}; {_REMEDIES[number].format(user=user)}")
    if number == _DUMP_REFUSED:
        return dump_refused(where, text)
    if number in _FULL:
        return SourceUnavailable(f"{where} lets nobody in now: {shown}; close connections or raise max_connections")
    if number in _GIVEN_UP or isinstance(cause, OSError):
        return SourceUnavailable(
            f"{where} does not answer: {shown}; check that the server runs, that it can be reached from here, and "
            "database.hostname and database.port"
        )
    return SourceError(f"{where}: {shown}")


def _tls_remedy(error: ssl.SSLError) -> str:
    if not isinstance(error, ssl.SSLCertVerificationError):
        return "check database.ssl.mode, and the TLS versions and certificates of the server"
    if error.verify_code in _OUT_OF_TIME:
        return "renew the server's certificate, and check the clocks; database.ssl.mode=required does not look at it"
    if error.verify_code in _OTHER_HOST:
        return (
            "the server's certificate is of another host: give its name in database.hostname, or set "
            "database.ssl.mode=verify_ca, which does not look at the name"
        )
    return "database.ssl.truststore must hold the certificate of the CA that issued the server's"


def at_login(error: BaseException, login: Login, within_s: int) -> TailraceError:
    """The same for what goes wrong before the login is done, where anything may be at the other end."""
    number, text = numbered(error)
    if isinstance(error, UnicodeError):
        return SourceError(f"{login}: {login.host!r} is no host name or address; correct database.hostname")
    if "_ALERT_" in text:
        return SourceError(
            f"{login} refuses TLS with us ({text}): check database.ssl.mode, and the certificate in "
            "database.ssl.keystore, whose CA must be in the server's ssl_ca"
        )
    if "EOF occurred in violation of protocol" in text:
        return SourceUnavailable(
            f"{login} ended the connection while TLS was set up ({text}): it goes away, or it does not take the "
            "certificate in database.ssl.keystore, whose CA must be in the server's ssl_ca"
        )
    if number == LOST and "timed out" in text:
        return SourceUnavailable(
            f"{login} does not answer: the connection was taken, but no MySQL server greeted and let us in within "
            f"{within_s} s (connect.timeout.ms); check that database.port is MySQL's"
        )
    if not number and not isinstance(error, OSError | TailraceError) and "SSL is required" not in text:
        return SourceError(f"{login}: what answers there does not speak MySQL's protocol ({text}); check database.port")
    return failure(error, login)


def numbered(error: BaseException) -> tuple[int, str]:
    """The MySQL error number, 0 when there is none, and the text."""
    if len(error.args) >= 2 and isinstance(error.args[0], int):
        return error.args[0], str(error.args[1])
    return 0, str(error) or type(error).__name__


def dump_refused(where: str, text: str, server_id: int | None = None) -> TailraceError:
    """Why the server does not send its binary log (error 1236), where it is not that the log is gone."""
    if "server_uuid/server_id" in text:
        number = "" if server_id is None else f" {server_id}"
        return SourceError(
            f"{where}: another replica reads with the same server id{number}: {text} (1236); give this connector a "
            "database.server.id that no other replica of this server has"
        )
    return SourceError(f"{where}: {text} (1236)")


def without_gtid(where: str, text: str, gtid_mode: str) -> TailraceError:
    """The log holds transactions without GTID: they can be read by position, and not while `gtid_mode` is ON."""
    told = f"{where} logged transactions without GTID after gtid_mode was turned off: {text} (1236)"
    if gtid_mode == "ON":
        return SourceError(
            f"{told}. Now that it is on again they are not sent; run: SET GLOBAL gtid_mode = ON_PERMISSIVE, restart "
            "the task, and set it to ON when the connector has read them"
        )
    return SourceUnavailable(f"{told}. Reading goes on by file and position")
