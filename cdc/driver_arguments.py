"""The parameters of a JDBC URL in, the arguments of the Python driver for that database out.

Parameters that only steer a Java driver's inside are taken in silence, those that nobody knows are named.
Source: the manuals of the JDBC drivers, as in `cdc.jdbc_url`, and those of PyMySQL, psycopg, oracledb and pymssql.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cdc import key_stores
from cdc.java_parameters import JAVA_ONLY
from cdc.jdbc_url import MARIADB, MYSQL, ORACLE, POSTGRES, SQLITE, SQLSERVER, BadUrl, JdbcUrl

_MYSQL_MODES: Final = {
    "disabled": "disabled", "preferred": "preferred", "required": "required", "verify_ca": "verify_ca",
    "verify_identity": "verify_identity",
    "disable": "disabled", "trust": "required", "verify-ca": "verify_ca", "verify-full": "verify_identity",
}  # fmt: skip
"""Of `sslMode`: Connector/J's names, then MariaDB's."""
_JAVA_ONLY_PREFIXES: Final = ("oracle.jdbc.", "oracle.net.", "useUnbuffered", "clobber")
_TARGETS: Final = {
    "any": "any", "primary": "primary", "master": "primary", "secondary": "standby", "slave": "standby",
    "prefersecondary": "prefer-standby", "preferslave": "prefer-standby", "preferprimary": "any",
}  # fmt: skip
_LIBPQ: Final = {
    "sslmode": "sslmode", "sslrootcert": "sslrootcert", "sslcert": "sslcert", "sslkey": "sslkey",
    "sslpassword": "sslpassword", "ApplicationName": "application_name", "gssEncMode": "gssencmode",
    "channelBinding": "channel_binding", "kerberosServerName": "krbsrvname", "requireAuth": "require_auth",
}  # fmt: skip


@dataclass
class Arguments:
    """What to open a connection with.

    Attributes:
        attempts: the driver's arguments, one set a host; the first that answers is taken.
        statements: run in each new session.
        schema: where tables without a schema are.
        ssl_mode: MySQL and MariaDB: disabled, preferred, required, verify_ca, verify_identity.
        warnings: one sentence for each parameter that nobody knows.
    """

    attempts: list[dict[str, Any]]
    statements: list[str] = field(default_factory=list)
    schema: str | None = None
    ssl_mode: str = "preferred"
    warnings: list[str] = field(default_factory=list)


class _Parameters:
    """Parameters, each taken once, without regard to case; what is left is known to nobody."""

    def __init__(self, given: Mapping[str, str]) -> None:
        self._left = {name.lower(): (name, value) for name, value in given.items()}

    def take(self, *names: str) -> str | None:
        found = [self._left.pop(name.lower()) for name in names if name.lower() in self._left]
        return found[0][1] if found else None

    def number(self, name: str) -> int | None:
        """Raises: BadUrl."""
        text = self.take(name)
        if text is None:
            return None
        if not text.strip().isdecimal():
            raise BadUrl(f"its parameter {name}={text} is no number")
        return int(text)

    def flag(self, name: str) -> bool | None:
        text = self.take(name)
        return None if text is None else text.strip().lower() in ("true", "yes", "1", "")

    def left(self) -> list[str]:
        return [name for name, _ in self._left.values()]


def arguments(url: JdbcUrl, user: str | None, password: str | None, given: Mapping[str, str]) -> Arguments:
    """`given`: parameters in the driver's own names; login and parameters of their own go before those of the URL.

    Raises: BadUrl: a parameter that cannot be what it is.
    """
    taken = _Parameters({**url.parameters, **given})
    user = user or taken.take("user", "username") or url.user
    password = password if password is not None else taken.take("password") or url.password
    taken.take("user", "username")
    taken.take("password")
    made = _MAKERS[url.dialect](url, taken, user, password)
    silent = JAVA_ONLY[MYSQL if url.dialect == MARIADB else url.dialect]
    made.warnings += [
        f"connection.url: the parameter {name} is not known for {url.dialect} and has no effect; remove it"
        for name in taken.left()
        if name.lower() not in silent and not name.startswith(_JAVA_ONLY_PREFIXES)
    ]
    return made


def _without_none(**found: Any) -> dict[str, Any]:
    return {name: value for name, value in found.items() if value is not None}


def _mysql(url: JdbcUrl, taken: _Parameters, user: str | None, password: str | None) -> Arguments:
    mode, context = _mysql_tls(url, taken)
    session = taken.take("sessionVariables")
    connect_ms, read_ms = taken.number("connectTimeout"), taken.number("socketTimeout")
    fixed = _without_none(
        user=user or "", password=(password or "").encode(), database=url.database, charset="utf8mb4",
        connect_timeout=max(1, connect_ms // 1000) if connect_ms else 10,
        read_timeout=max(1, read_ms // 1000) if read_ms else None, program_name="tailrace", client_flag=2,
        unix_socket=taken.take("localSocket"), ssl=context,
    )  # fmt: skip
    statements = [f"SET SESSION {session.replace(';', ',')}"] if session else []
    zone = taken.take("connectionTimeZone", "serverTimezone")
    if taken.flag("forceConnectionTimeZoneToSession") and zone and zone.upper() not in ("LOCAL", "SERVER"):
        statements.append(f"SET SESSION time_zone = '{zone.replace(chr(39), '')}'")
    return Arguments([{**fixed, "host": host.name, "port": host.port} for host in url.hosts], statements, None, mode)


def _mysql_tls(url: JdbcUrl, taken: _Parameters) -> tuple[str, ssl.SSLContext | None]:
    """The mode by `sslMode`, or by the older `useSSL` and its companions; without any as the Java drivers have it."""
    asked, use, require = taken.take("sslMode"), taken.flag("useSSL"), taken.flag("requireSSL")
    verify, trust = taken.flag("verifyServerCertificate"), taken.flag("trustServerCertificate")
    if asked is not None:
        mode = _MYSQL_MODES.get(asked.lower())
        if mode is None:
            raise BadUrl(f"its parameter sslMode={asked} is not one of {', '.join(_MYSQL_MODES)}")
    elif use is False or (use is None and url.dialect == MARIADB):
        mode = "disabled"
    elif use and url.dialect == MARIADB:
        mode = "required" if trust else "verify_identity"
    else:
        mode = "verify_ca" if verify else "required" if require else "preferred"
    stores = _Stores(
        taken.take("trustCertificateKeyStoreUrl", "trustStore", "serverSslCert"),
        taken.take("trustCertificateKeyStorePassword", "trustStorePassword"),
        taken.take("clientCertificateKeyStoreUrl", "keyStore"),
        taken.take("clientCertificateKeyStorePassword", "keyStorePassword"),
    )
    return mode, None if mode == "disabled" else _context(mode, stores)


@dataclass(frozen=True)
class _Stores:
    trust: str | None
    trust_password: str | None
    identity: str | None
    identity_password: str | None


def _context(mode: str, stores: _Stores) -> ssl.SSLContext:
    """Raises: BadUrl: a store that cannot be used."""
    verified = mode.startswith("verify_")
    context = ssl.create_default_context() if verified else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Certificates that MySQL makes for itself do not pass the strict checks of Python 3.13.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.check_hostname = mode == "verify_identity"
    context.verify_mode = ssl.CERT_REQUIRED if verified else ssl.CERT_NONE
    path: str | None = None
    try:
        if path := _path(stores.trust):
            context.load_verify_locations(cadata=key_stores.authorities(path, stores.trust_password))
        if path := _path(stores.identity):
            key_stores.load_identity(context, path, stores.identity_password)
    except (OSError, ValueError) as error:
        raise BadUrl(f"its key store {path} cannot be used: {error}; give a PEM or PKCS #12 file") from error
    return context


def _path(location: str | None) -> str | None:
    return location.removeprefix("file:") if location else None


def _postgres(url: JdbcUrl, taken: _Parameters, user: str | None, password: str | None) -> Arguments:
    found: dict[str, Any] = {}
    ssl_asked, options, schema = taken.flag("ssl"), taken.take("options"), taken.take("currentSchema")
    for name, theirs in _LIBPQ.items():
        if (value := taken.take(name)) is not None:
            found[theirs] = value
    if ssl_asked:
        found.setdefault("sslmode", "verify-full")
    target = taken.take("targetServerType")
    if target is not None:
        if target.lower() not in _TARGETS:
            raise BadUrl(f"its parameter targetServerType={target} is not one of {', '.join(_TARGETS)}")
        found["target_session_attrs"] = _TARGETS[target.lower()]
    if taken.flag("loadBalanceHosts"):
        found["load_balance_hosts"] = "random"
    seconds = taken.number("connectTimeout"), taken.number("loginTimeout")
    alive, socket_s = taken.flag("tcpKeepAlive"), taken.number("socketTimeout")
    if schema:
        options = f"{options or ''} -c search_path={schema.replace(' ', '')}".strip()
    fixed = _without_none(
        host=",".join(host.name for host in url.hosts), port=",".join(str(host.port) for host in url.hosts),
        dbname=url.database or user, user=user, password=password, options=options,
        connect_timeout=next((each for each in seconds if each), 10), keepalives=int(alive is not False),
        keepalives_idle=30, keepalives_interval=10, keepalives_count=3,
        tcp_user_timeout=socket_s * 1000 if socket_s else None, client_encoding="UTF8",
    )  # fmt: skip
    return Arguments([{"application_name": "tailrace", **fixed, **found}], [], schema.split(",")[0] if schema else None)


def _sqlite(url: JdbcUrl, taken: _Parameters, user: str | None, password: str | None) -> Arguments:
    """Parameters are pragmas, as in Xerial's driver."""
    timeout_ms = taken.number("busy_timeout")
    pragmas = ("journal_mode", "synchronous", "foreign_keys", "cache_size", "temp_store", "locking_mode", "mmap_size",
               "recursive_triggers", "case_sensitive_like", "auto_vacuum", "page_size", "encoding")  # fmt: skip
    statements = [f"PRAGMA {name} = {value}" for name in pragmas if (value := taken.take(name)) and value.isalnum()]
    fixed = {"database": url.database, "timeout": (timeout_ms or 3000) / 1000, "check_same_thread": False}
    if taken.take("mode") == "ro":
        fixed |= {"database": f"file:{url.database}?mode=ro", "uri": True}
    return Arguments([fixed], statements)


def _oracle(url: JdbcUrl, taken: _Parameters, user: str | None, password: str | None) -> Arguments:
    fixed = _without_none(
        user=user, password=password, protocol=taken.take("protocol"), wallet_location=taken.take("wallet_location"),
        config_dir=taken.take("TNS_ADMIN"),
    )  # fmt: skip
    if not url.hosts:
        return Arguments([{**fixed, "dsn": url.database}])
    service = {"sid" if url.sid else "service_name": url.database} if url.database else {}
    return Arguments([{**fixed, **service, "host": host.name, "port": host.port} for host in url.hosts])


def _sqlserver(url: JdbcUrl, taken: _Parameters, user: str | None, password: str | None) -> Arguments:
    (host,), instance, failover = url.hosts, taken.take("instanceName"), taken.take("failoverPartner")
    encrypt = (taken.take("encrypt") or "true").lower()
    fixed = _without_none(
        user=user, password=password, database=url.database, appname=taken.take("applicationName") or "tailrace",
        login_timeout=taken.number("loginTimeout"), charset="UTF-8",
        encryption={"false": "off", "no": "off", "optional": "request"}.get(encrypt, "require"),
    )  # fmt: skip
    server = f"{host.name}\\{instance}" if instance else host.name
    attempts = [{**fixed, "server": server, "port": str(host.port)}]
    if failover:
        attempts.append({**fixed, "server": failover, "port": str(host.port)})
    return Arguments(attempts)


_MAKERS: Final[Mapping[str, Callable[[JdbcUrl, _Parameters, str | None, str | None], Arguments]]] = {
    MYSQL: _mysql, MARIADB: _mysql, POSTGRES: _postgres, SQLITE: _sqlite, ORACLE: _oracle, SQLSERVER: _sqlserver,
}  # fmt: skip
