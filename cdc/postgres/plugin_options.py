"""The options pgoutput is started with: what the reader needs, and what `slot.stream.params` adds.

Source: PostgreSQL's manual, "Logical Streaming Replication Parameters".
"""

from __future__ import annotations

from typing import Final

from cdc.errors import Problem
from cdc.keys.declare import INVALID
from cdc.postgres.config import PostgresConfig
from cdc.postgres.wire import quoted

_OWN: Final = {
    "proto_version": "the newest that the server has is used",
    "publication_names": "set publication.name",
    "binary": "values are read as text",
}


def parameters(text: str | None) -> dict[str, str]:
    """`name=value;name=value`. Raises: ValueError: a part of another form."""
    found: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in (text or "").split(";"))):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not name or not equals:
            raise ValueError(f"{part!r} is not name=value")
        found[name] = value
    return found


def problems(config: PostgresConfig) -> list[Problem]:
    """Parameters that are not a user's to set. What pgoutput does not know, the server says when reading begins."""
    name = "slot.stream.params"
    try:
        given = parameters(config.stream_params)
    except ValueError as error:
        return [Problem(name, INVALID.format(name=name, problem=error))]
    return [
        Problem(name, INVALID.format(name=name, problem=f"{each}={given[each]}: {why}; remove it"))
        for each, why in _OWN.items()
        if each in given
    ]


def options(config: PostgresConfig, version: int) -> dict[str, str]:
    """Large transactions come while they are open, and are kept until they are decided.

    Not with transaction metadata: there a transaction's id holds the LSN of its beginning, which only the transactions
    that come whole tell.
    """
    protocol = 4 if version >= 160_000 else 3 if version >= 150_000 else 2
    return {
        "proto_version": str(protocol), "publication_names": quoted(config.publication), "messages": "true",
        "streaming": "off" if config.transaction_metadata else "on", **parameters(config.stream_params),
    }  # fmt: skip
