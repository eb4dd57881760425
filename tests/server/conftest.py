"""Where the real servers are. A server that does not answer fails the test: it is never skipped."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pymysql
import pytest

from tests.server.lane import address


@pytest.fixture(scope="session")
def elasticsearch_url() -> str:
    return os.environ.get("TAILRACE_ES", "http://127.0.0.1:9200")


@pytest.fixture(scope="session")
def s3_url() -> str:
    """An S3 server for keys test / testtest; a test makes a bucket of its own."""
    return os.environ.get("TAILRACE_S3", "http://127.0.0.1:8333")


@pytest.fixture(scope="session")
def kafka() -> str:
    """The broker's host:port."""
    return os.environ.get("TAILRACE_KAFKA", "127.0.0.1:9092")


@pytest.fixture(scope="session")
def mysql_address() -> tuple[str, int]:
    """Host and port; app/apppw may do all, cdc/cdcpw may replicate, root/rootpw is root."""
    return address("TAILRACE_MYSQL", "127.0.0.1:3306")


@pytest.fixture(scope="session")
def mariadb_address() -> tuple[str, int]:
    """Host and port; the accounts are those of MySQL."""
    return address("TAILRACE_MARIADB", "127.0.0.1:3307")


@pytest.fixture(scope="session")
def postgres_address() -> tuple[str, int]:
    """Host and port; app/apppw is a superuser, cdc/cdcpw may replicate and read all, the database is `app`."""
    return address("TAILRACE_POSTGRES", "127.0.0.1:5432")


@pytest.fixture
def mariadb(mariadb_address: tuple[str, int]) -> Iterator[Any]:
    """A connection of the user `app`, autocommit on."""
    host, port = mariadb_address
    connection = pymysql.connect(host=host, port=port, user="app", password="apppw", autocommit=True, charset="utf8mb4")
    yield connection
    connection.close()


@pytest.fixture
def mysql(mysql_address: tuple[str, int]) -> Iterator[Any]:
    """A connection of the user `app`, autocommit on."""
    host, port = mysql_address
    connection = pymysql.connect(host=host, port=port, user="app", password="apppw", autocommit=True, charset="utf8mb4")
    yield connection
    connection.close()
