"""`replica.identity.autoset.values`: what tables tell of a row before its change, set at start.

Source: Debezium 3.5.0.Final, `ReplicaIdentityMapper`; PostgreSQL's manual, "ALTER TABLE".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import structlog

from cdc.errors import SourceError, SourceUnavailable
from cdc.postgres.wire import Session, quoted
from cdc.table import Predicate, TableId, any_of

_log = structlog.get_logger(__name__)
_PATTERN: Final = (
    r"(?i)^\s*(?<tablepredicate>[^\s:]+):(?<replicaidentity>DEFAULT|(INDEX) (?<indexname>.\w*)|FULL|NOTHING)\s*$"
)
"""As Debezium's message has it."""
_ITEM: Final = re.compile(_PATTERN.replace("(?<", "(?P<"))
_NOW: Final = """SELECT CASE relreplident WHEN 'd' THEN 'DEFAULT' WHEN 'f' THEN 'FULL' WHEN 'n' THEN 'NOTHING'
  ELSE 'USING INDEX ' || quote_ident((SELECT x.relname FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
    WHERE i.indrelid = c.oid AND i.indisreplident)) END
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relname = %s"""


class Wish(NamedTuple):
    """`identity` as it stands in ALTER TABLE."""

    tables: Predicate
    identity: str
    index_name: str | None


def misformed(text: str | None) -> str | None:
    """What is wrong with the value, in Debezium's words."""
    for part in (text or "").split(",") if text is not None else ():
        if not _ITEM.search(part):
            return f"{part} has an invalid format (expecting '{_PATTERN}')" if part else "Must not be empty"
    return None


def wishes(text: str | None) -> list[Wish]:
    found = []
    for part in (text or "").split(","):
        if (item := _ITEM.search(part)) is not None:
            index = item["indexname"]
            identity = f"USING INDEX {quoted(index)}" if index else item["replicaidentity"].upper()
            found.append(Wish(any_of([item["tablepredicate"]]), identity, index))
    return found


def set_all(session: Session, text: str | None, captured: Sequence[TableId]) -> None:
    """Each captured table's, as the one expression that fits its name says; what cannot be set is told.

    Raises: SourceUnavailable.
    """
    for table, wish in _wanted(wishes(text), captured):
        ((now,),) = session.rows(_NOW, (table.database, table.name)) or [(None,)]
        if now in (wish.identity, wish.index_name and f"USING INDEX {wish.index_name}"):
            continue
        statement = f"ALTER TABLE {quoted(table.database)}.{quoted(table.name)} REPLICA IDENTITY {wish.identity}"
        try:
            session.rows(statement)
        except SourceUnavailable:
            raise
        except SourceError as error:
            _log.warning(f"the replica identity of {table} stays {now}; run as its owner: {statement}",
                         reason=str(error))  # fmt: skip
        else:
            _log.info("replica identity set", table=str(table), identity=wish.identity, before=now)


def _wanted(found: Sequence[Wish], captured: Sequence[TableId]) -> Iterator[tuple[TableId, Wish]]:
    for table in captured:
        fitting = [wish for wish in found if wish.tables(str(table))]
        if len(fitting) > 1:
            _log.warning(
                f"replica.identity.autoset.values: more than one expression fits {table}, which stays as it is"
            )
        elif fitting:
            yield table, fitting[0]
