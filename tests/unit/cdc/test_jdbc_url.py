"""JDBC URLs as users write them, and the arguments that the Python drivers get of them."""

from __future__ import annotations

import pytest

from cdc.config import Password
from cdc.database import Database, database
from cdc.dialect import DIALECTS, NEVER, TableName, dialect_named
from cdc.driver_arguments import arguments
from cdc.errors import ConfigError
from cdc.jdbc_url import BadUrl, Host, JdbcUrl, parse_jdbc_url


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("jdbc:mysql://localhost:3306/mydb", JdbcUrl("mysql", (Host("localhost", 3306),), "mydb")),
        ("jdbc:mysql://db", JdbcUrl("mysql", (Host("db", 3306),))),
        ("jdbc:mysql:///shop", JdbcUrl("mysql", (Host("localhost", 3306),), "shop")),
        (
            "jdbc:mysql:loadbalance://a:1,b:2,c/shop?useSSL=false&serverTimezone=Europe%2FBerlin",
            JdbcUrl("mysql", (Host("a", 1), Host("b", 2), Host("c", 3306)), "shop",
                    {"useSSL": "false", "serverTimezone": "Europe/Berlin"}),
        ),
        (
            "jdbc:mysql://address=(host=a)(port=1),address=(host=b)(port=2)/shop",
            JdbcUrl("mysql", (Host("a", 1), Host("b", 2)), "shop"),
        ),
        (
            "jdbc:mysql://(host=a,port=1),(host=b,port=2)/shop",
            JdbcUrl("mysql", (Host("a", 1), Host("b", 2)), "shop"),
        ),
        ("jdbc:mysql://[::1]:3307/shop", JdbcUrl("mysql", (Host("::1", 3307),), "shop")),
        (
            "jdbc:mysql://me:p%40ss@db/shop",
            JdbcUrl("mysql", (Host("db", 3306),), "shop", user="me", password="p@ss"),
        ),
        ("jdbc:mariadb://db:3309/shop", JdbcUrl("mariadb", (Host("db", 3309),), "shop")),
        (
            "jdbc:postgresql://a,b:5433/shop?currentSchema=inventory&ssl=true",
            JdbcUrl("postgresql", (Host("a", 5432), Host("b", 5433)), "shop",
                    {"currentSchema": "inventory", "ssl": "true"}),
        ),
        ("jdbc:postgresql:shop", JdbcUrl("postgresql", (Host("localhost", 5432),), "shop")),
        ("jdbc:sqlite:/tmp/a.db", JdbcUrl("sqlite", (), "/tmp/a.db")),
        ("jdbc:sqlite:file:a.db?busy_timeout=5", JdbcUrl("sqlite", (), "a.db", {"busy_timeout": "5"})),
        ("jdbc:oracle:thin:@//db:1522/shop", JdbcUrl("oracle", (Host("db", 1522),), "shop")),
        ("jdbc:oracle:thin:@db/shop", JdbcUrl("oracle", (Host("db", 1521),), "shop")),
        ("jdbc:oracle:thin:@db:1521:XE", JdbcUrl("oracle", (Host("db", 1521),), "XE", sid=True)),
        (
            "jdbc:oracle:thin:me/secret@tcps://db:2484/shop",
            JdbcUrl("oracle", (Host("db", 2484),), "shop", {"protocol": "tcps"}, "me", "secret"),
        ),
        (
            "jdbc:oracle:thin:@(DESCRIPTION=(ADDRESS=(HOST=db)(PORT=1521)))",
            JdbcUrl("oracle", (), "(DESCRIPTION=(ADDRESS=(HOST=db)(PORT=1521)))"),
        ),
        ("jdbc:oracle:thin:@shop_high", JdbcUrl("oracle", (), "shop_high")),
        (
            "jdbc:sqlserver://db\\SQLEXPRESS:1444;databaseName=shop;user=me;password={a;b}};c};encrypt=false",
            JdbcUrl("sqlserver", (Host("db", 1444),), "shop", {"encrypt": "false", "instanceName": "SQLEXPRESS"},
                    "me", "a;b};c"),
        ),
        (
            "jdbc:sqlserver://;serverName=db;portNumber=1444;database=shop",
            JdbcUrl("sqlserver", (Host("db", 1444),), "shop"),
        ),
        (
            "jdbc:jtds:sqlserver://db:1433/shop;instance=X",
            JdbcUrl("sqlserver", (Host("db", 1433),), "shop", {"instanceName": "X"}),
        ),
    ],
)  # fmt: skip
def test_a_url_names_hosts_database_and_parameters(text: str, expected: JdbcUrl) -> None:
    assert parse_jdbc_url(text) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mysql://localhost/db", "it is no JDBC URL"),
        ("", "it is no JDBC URL"),
        ("jdbc:db2://localhost/db", "kind 'db2'"),
        ("jdbc:mysql:localhost/db", "// is missing"),
        ("jdbc:mysql://host:port/db", "'host:port' is no host"),
        ("jdbc:sqlite::memory:", "in memory"),
        ("jdbc:oracle:db", "jdbc:oracle:thin:@//host"),
    ],
)
def test_what_is_no_url_is_refused_with_what_is_expected(text: str, said: str) -> None:
    with pytest.raises(BadUrl, match=said):
        parse_jdbc_url(text)


def _arguments(text: str, user: str | None = None, password: str | None = None, **given: str) -> dict[str, object]:
    made = arguments(parse_jdbc_url(text), user, password, given)
    return {**made.attempts[0], "hosts": len(made.attempts), "mode": made.ssl_mode, "statements": made.statements,
            "schema": made.schema, "warnings": made.warnings}  # fmt: skip


def test_mysql_parameters_become_pymysql_arguments() -> None:
    found = _arguments(
        "jdbc:mysql://a,b:3307/shop?useSSL=false&connectTimeout=2500&socketTimeout=60000&sessionVariables=sql_mode=''"
        "&rewriteBatchedStatements=true&tinyInt1isBit=false&forceConnectionTimeZoneToSession=true"
        "&connectionTimeZone=UTC&shoeSize=9",
        "me", "secret",
    )  # fmt: skip
    assert found["hosts"] == 2
    assert (found["host"], found["port"], found["user"], found["password"]) == ("a", 3306, "me", b"secret")
    assert (found["connect_timeout"], found["read_timeout"], found["database"]) == (2, 60, "shop")
    assert found["mode"] == "disabled"
    assert found["statements"] == ["SET SESSION sql_mode=''", "SET SESSION time_zone = 'UTC'"]
    assert "shoeSize is not known for mysql" in str(found["warnings"])


@pytest.mark.parametrize(
    ("parameters", "mode"),
    [
        ("", "preferred"), ("?sslMode=VERIFY_CA", "verify_ca"), ("?useSSL=true", "preferred"),
        ("?useSSL=true&requireSSL=true", "required"), ("?verifyServerCertificate=true&useSSL=true", "verify_ca"),
    ],
)  # fmt: skip
def test_the_tls_mode_of_mysql_is_that_of_connector_j(parameters: str, mode: str) -> None:
    assert _arguments("jdbc:mysql://a/b" + parameters)["mode"] == mode


@pytest.mark.parametrize(
    ("parameters", "mode"), [("", "disabled"), ("?sslMode=trust", "required"), ("?useSsl=true", "verify_identity")]
)
def test_the_tls_mode_of_mariadb_is_that_of_its_driver(parameters: str, mode: str) -> None:
    assert _arguments("jdbc:mariadb://a/b" + parameters)["mode"] == mode


def test_postgres_parameters_become_libpq_settings() -> None:
    found = _arguments(
        "jdbc:postgresql://a,b:5433/shop?currentSchema=inventory,public&ssl=true&sslrootcert=/ca.pem"
        "&targetServerType=preferSecondary&ApplicationName=mine&tcpKeepAlive=true&prepareThreshold=0",
        "me", connectTimeout="3", nonsense="1",
    )  # fmt: skip
    assert (found["host"], found["port"], found["dbname"]) == ("a,b", "5432,5433", "shop")
    assert (found["sslmode"], found["sslrootcert"]) == ("verify-full", "/ca.pem")
    assert found["target_session_attrs"] == "prefer-standby"
    assert (found["options"], found["schema"]) == ("-c search_path=inventory,public", "inventory")
    assert (found["application_name"], found["keepalives"], found["connect_timeout"]) == ("mine", 1, 3)
    assert len(found["warnings"]) == 1  # type: ignore[arg-type]


def test_oracle_and_sql_server_get_their_drivers_arguments() -> None:
    oracle = _arguments("jdbc:oracle:thin:@db:1521:XE", "me", "secret")
    assert (oracle["host"], oracle["port"], oracle["sid"], oracle["user"]) == ("db", 1521, "XE", "me")
    server = _arguments("jdbc:sqlserver://db;databaseName=shop;encrypt=false;trustServerCertificate=true", "me", "x")
    assert (server["server"], server["port"], server["database"]) == ("db", "1433", "shop")
    assert (server["encryption"], server["warnings"]) == ("off", [])


def test_settings_of_the_connector_go_before_those_of_the_url() -> None:
    found = _arguments("jdbc:mysql://a/b?user=url&password=url&useSSL=false", "config", "secret")
    assert (found["user"], found["password"], found["warnings"]) == ("config", b"secret", [])
    assert _arguments("jdbc:mysql://a/b?user=url&password=url")["user"] == "url"


def _database(**given: str) -> Database:
    return database({name.replace("_", "."): text for name, text in given.items()})


def test_an_engine_speaks_the_dialect_of_its_url() -> None:
    made = _database(connection_url="jdbc:sqlite:/tmp/none/a.db")
    assert (made.kind, made.engine.dialect.name, str(made)) == ("sqlite", "sqlite", "sqlite at /tmp/none/a.db")
    made = database({"connection.url": "jdbc:postgresql://db/shop", "connection.password": Password("s"),
                     "connection.sslmode": "require", "connection.attempts": "3"})  # fmt: skip
    assert (made.engine.dialect.driver, made.warnings) == ("psycopg", ())


def test_a_wrong_url_or_dialect_is_a_problem_of_its_key() -> None:
    with pytest.raises(ConfigError) as refused:
        _database(connection_url="jdbc:mysql:nothing")
    assert refused.value.problems[0].key == "connection.url"
    with pytest.raises(ConfigError) as refused:
        database({"connection.url": "jdbc:mysql://a/b"}, known_as="OracleDatabaseDialect")
    assert refused.value.problems[0].key == "dialect.name"
    assert dialect_named("MySqlDatabaseDialect", "mariadb").name == "mariadb"


def test_identifiers_are_quoted_as_their_database_does() -> None:
    table = TableName(None, "shop", 'a"b`c]d')
    assert DIALECTS["mysql"].table(table) == '`shop`.`a"b``c]d`'
    assert DIALECTS["postgresql"].table(table) == '"shop"."a""b`c]d"'
    assert DIALECTS["sqlserver"].table(table) == '[shop].[a"b`c]]d]'
    assert DIALECTS["oracle"].quoting(NEVER).table(TableName(None, "shop", "t")) == "shop.t"


def test_a_table_name_in_text_has_up_to_three_parts() -> None:
    mysql, postgres = DIALECTS["mysql"], DIALECTS["postgresql"]
    assert mysql.parse_table("shop.orders") == TableName("shop", None, "orders")
    assert mysql.parse_table("`a.b`.`c``d`") == TableName("a.b", None, "c`d")
    assert postgres.parse_table("orders") == TableName(None, None, "orders")
    assert postgres.parse_table('shop."Public"."Or ders"') == TableName("shop", "Public", "Or ders")
    assert str(TableName("shop", "public", "orders")) == "shop.public.orders"
    for wrong in ("a.b.c.d", '"a', '"a"b', ""):
        with pytest.raises(ValueError, match="no table name"):
            postgres.parse_table(wrong)
