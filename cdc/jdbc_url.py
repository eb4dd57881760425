"""A JDBC URL in, where the database is and the URL's parameters out. Nothing is connected to.

Source: the URL syntax in the manuals of MySQL Connector/J 9, MariaDB Connector/J 3, pgJDBC 42, Xerial's sqlite-jdbc,
Oracle JDBC 23 and Microsoft's mssql-jdbc 12.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from urllib.parse import unquote

MYSQL, MARIADB, POSTGRES, SQLITE, ORACLE, SQLSERVER = (
    "mysql", "mariadb", "postgresql", "sqlite", "oracle", "sqlserver",
)  # fmt: skip
PORTS: Final = {MYSQL: 3306, MARIADB: 3306, POSTGRES: 5432, ORACLE: 1521, SQLSERVER: 1433}
FORMS: Final = (
    "jdbc:mysql://host:3306/database", "jdbc:mariadb://host:3306/database", "jdbc:postgresql://host:5432/database",
    "jdbc:sqlite:/path/of/file", "jdbc:oracle:thin:@//host:1521/service",
    "jdbc:sqlserver://host:1433;databaseName=database",
)  # fmt: skip
_HOST: Final = re.compile(r"(?P<host>\[[^\]]*\]|[^:,]*)(?::(?P<port>\d+))?")
_PAIRS: Final = re.compile(r"(\w+)\s*=\s*([^(),]*)")
_SQLSERVER: Final = re.compile(r";\s*([^=;]+?)\s*=\s*(\{(?:[^}]|\}\})*\}|[^;]*)")


class BadUrl(ValueError):
    """A text that is no JDBC URL we can use; the message says what would be right, and shows no credentials."""


class Host(NamedTuple):
    name: str
    port: int

    def __str__(self) -> str:
        return f"[{self.name}]:{self.port}" if ":" in self.name else f"{self.name}:{self.port}"


@dataclass(frozen=True)
class JdbcUrl:
    """What a JDBC URL names.

    Attributes:
        dialect: one of the names above.
        hosts: tried in this order; none for SQLite, and for Oracle's connect descriptors.
        database: database, path of SQLite's file, Oracle's service name or connect descriptor; None: the user's own.
        parameters: as written, names in the case they have in the URL.
        sid: Oracle only: `database` is a SID, not a service.
    """

    dialect: str
    hosts: tuple[Host, ...] = ()
    database: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    sid: bool = False

    def __str__(self) -> str:
        """Where it is, without credentials and parameters."""
        where = ",".join(map(str, self.hosts))
        return f"{where}/{self.database}" if where and self.database else where or self.database or self.dialect


def parse_jdbc_url(text: str) -> JdbcUrl:
    """Raises: BadUrl."""
    kind, _, rest = text.strip().removeprefix("jdbc:").partition(":")
    if not text.strip().startswith("jdbc:") or (not rest and kind != "sqlite"):
        raise BadUrl(f"it is no JDBC URL; expected one like {', '.join(FORMS)}")
    match kind.lower():
        case "mysql" | "mariadb":
            return _mysql(kind.lower(), rest)
        case "postgresql":
            return _postgres(rest)
        case "sqlite":
            return _sqlite(rest)
        case "oracle":
            return _oracle(rest)
        case "sqlserver":
            return _sqlserver(rest)
        case "jtds":
            return _jtds(rest)
        case _:
            raise BadUrl(f"databases of the kind {kind!r} are not supported; expected one like {', '.join(FORMS)}")


def _query(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.split("&") if part)
    return {unquote(name): unquote(value) for name, _, value in pairs}


def _hosts(text: str, dialect: str) -> tuple[Host, ...]:
    return tuple(_host(part.strip(), dialect) for part in text.split(","))


def _host(text: str, dialect: str) -> Host:
    found = _HOST.fullmatch(text)
    if found is None:
        raise BadUrl(f"{text!r} is no host; expected host:port")
    return Host(found["host"].strip("[]") or "localhost", int(found["port"] or PORTS[dialect]))


def _mysql(dialect: str, rest: str) -> JdbcUrl:
    """Also `jdbc:mysql:loadbalance://…` and the like: their hosts are tried in turn."""
    _, slashes, place = rest.partition("//")
    if not slashes:
        raise BadUrl(f"// is missing; expected jdbc:{dialect}://host:3306/database")
    place, _, query = place.partition("?")
    authority, _, database = place.rpartition("/") if "/" in place else (place, "", "")
    login, at, authority = authority.rpartition("@")
    user, _, password = login.partition(":")
    return JdbcUrl(
        dialect, _mysql_hosts(authority, dialect), unquote(database) or None, _query(query),
        unquote(user) if at and user else None, unquote(password) if at and password else None,
    )  # fmt: skip


def _mysql_hosts(text: str, dialect: str) -> tuple[Host, ...]:
    """Plain, or as `address=(host=a)(port=1)`, or as `(host=a,port=1)`."""
    if "(" not in text:
        return _hosts(text.strip("[]") if text.startswith("[") and "," in text else text, dialect)
    hosts = []
    for group in re.split(r"\)\s*,\s*(?=\(|address)", text):
        found = {name.lower(): value.strip() for name, value in _PAIRS.findall(group.replace("address=", ""))}
        hosts.append(Host(found.get("host") or "localhost", int(found.get("port") or PORTS[dialect])))
    return tuple(hosts)


def _postgres(rest: str) -> JdbcUrl:
    place, _, query = rest.partition("?")
    if not place.startswith("//"):
        return JdbcUrl(POSTGRES, (_host("", POSTGRES),), unquote(place.strip("/")) or None, _query(query))
    authority, _, database = place[2:].partition("/")
    return JdbcUrl(POSTGRES, _hosts(authority, POSTGRES), unquote(database) or None, _query(query))


def _sqlite(rest: str) -> JdbcUrl:
    path, _, query = rest.partition("?")
    if path in ("", ":memory:"):
        raise BadUrl("a database in memory holds nothing that was there before; name a file: jdbc:sqlite:/path/of/file")
    return JdbcUrl(SQLITE, (), path.removeprefix("file:"), _query(query))


def _oracle(rest: str) -> JdbcUrl:
    driver, _, place = rest.partition(":")
    if driver.lower() not in ("thin", "oci", "oci8") or "@" not in place:
        raise BadUrl("expected jdbc:oracle:thin:@//host:1521/service or jdbc:oracle:thin:@host:1521:SID")
    login, _, place = place.rpartition("@") if "(" not in place else place.partition("@")
    user, _, password = login.partition("/")
    if place.startswith("("):
        return JdbcUrl(ORACLE, (), place, {}, user or None, password or None)
    place, _, query = place.partition("?")
    parameters = _query(query)
    if place.lower().startswith(("tcps://", "tcp://")):
        protocol, _, place = place.partition("://")
        parameters["protocol"] = protocol.lower()
    place = place.removeprefix("//")
    if "/" in place:
        hosts, _, service = place.partition("/")
        return JdbcUrl(ORACLE, _hosts(hosts, ORACLE), service or None, parameters, user or None, password or None)
    parts = place.split(":")
    if len(parts) == 1:
        return JdbcUrl(ORACLE, (), place, parameters, user or None, password or None)  # a name of tnsnames.ora
    sid = parts[2] if len(parts) > 2 else None
    host = _host(":".join(parts[:2]), ORACLE)
    return JdbcUrl(ORACLE, (host,), sid, parameters, user or None, password or None, sid=sid is not None)


def _sqlserver(rest: str) -> JdbcUrl:
    if not rest.startswith("//"):
        raise BadUrl("// is missing; expected jdbc:sqlserver://host:1433;databaseName=database")
    place, semicolon, properties = rest[2:].partition(";")
    given = {}
    for name, value in _SQLSERVER.findall(semicolon + properties):
        braced = value.startswith("{") and value.endswith("}")
        given[name] = value[1:-1].replace("}}", "}") if braced else value.strip()
    place, _, instance = place.partition("\\")
    if instance:
        name, colon, port = instance.partition(":")
        given.setdefault("instanceName", name)
        place += colon + port
    return _of_sqlserver(place, given, "databasename", "database")


def _jtds(rest: str) -> JdbcUrl:
    """jTDS's own form, `jdbc:jtds:sqlserver://host:port/database;name=value`."""
    place, semicolon, properties = rest.removeprefix("sqlserver:").removeprefix("//").partition(";")
    given = dict(_SQLSERVER.findall(semicolon + properties))
    place, _, database = place.partition("/")
    if database:
        given["databaseName"] = database
    if "instance" in given:
        given["instanceName"] = given.pop("instance")
    return _of_sqlserver(place, given, "databasename")


def _of_sqlserver(place: str, given: dict[str, str], *database_keys: str) -> JdbcUrl:
    def take(*names: str) -> str | None:
        found = [name for name in given if name.lower() in names]
        taken = [given.pop(name) for name in found]
        return taken[-1] if taken else None

    server, port = take("servername", "server"), take("portnumber", "port")
    host = _host(place, SQLSERVER)
    if server or port:
        host = Host(server or host.name, int(port or host.port))
    return JdbcUrl(
        SQLSERVER, (host,), take(*database_keys), given, take("user", "username"), take("password"),
    )  # fmt: skip
