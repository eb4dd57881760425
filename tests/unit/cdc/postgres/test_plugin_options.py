"""The options pgoutput is started with, by server and config."""

from __future__ import annotations

from typing import Any

import pytest

from cdc.config import parse
from cdc.postgres.config import PostgresConfig
from cdc.postgres.plugin_options import options, problems


def config(**given: str) -> PostgresConfig:
    raw: dict[str, Any] = {"topic.prefix": "p", "database.hostname": "h", "database.user": "u", "database.dbname": "d"}
    return parse(PostgresConfig, raw | {name.replace("__", "."): value for name, value in given.items()})


@pytest.mark.parametrize(("version", "protocol"), [(140_012, "2"), (150_000, "3"), (160_004, "4"), (180_000, "4")])
def test_the_newest_protocol_of_the_server_is_used(version: int, protocol: str) -> None:
    found = options(config(), version)
    assert found["proto_version"] == protocol and found["streaming"] == "on"


def test_parameters_of_the_user_are_added() -> None:
    found = options(config(slot__stream__params="origin=none; streaming = off;"), 170_000)
    assert found["origin"] == "none" and found["streaming"] == "off" and found["messages"] == "true"


def test_transactions_come_whole_where_their_beginning_is_told() -> None:
    assert options(config(provide__transaction__metadata="true"), 170_000)["streaming"] == "off"


@pytest.mark.parametrize(("given", "said"), [("proto_version=1", "the newest that the server has is used"),
                                             ("binary=true", "values are read as text"),
                                             ("nonsense", "'nonsense' is not name=value")])  # fmt: skip
def test_what_is_not_a_users_to_set_is_refused(given: str, said: str) -> None:
    [problem] = problems(config(slot__stream__params=given))
    assert problem.key == "slot.stream.params" and said in problem.message
