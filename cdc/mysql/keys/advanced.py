"""Keys that work but that Debezium's own definitions (and so `validate`) do not list, of MySQL and MariaDB alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from cdc.config import Importance
from cdc.keys.declare import declared, not_negative

_LOW = Importance.LOW
_unlisted = partial(declared, group="Advanced", internal=True)


@dataclass(frozen=True, kw_only=True)
class MySqlAdvancedKeys:
    """GTIDs, types, and what older releases had."""

    binary_mode: str = _unlisted("binary.handling.mode", default="bytes",
                                 values=["bytes", "base64", "base64-url-safe", "hex"],
                                 doc="BINARY and BLOB as bytes or as text.")  # fmt: skip
    unavailable_placeholder: str = _unlisted("unavailable.value.placeholder", default="__debezium_unavailable_value",
                                             doc="Stands for a value the binlog does not hold.")  # fmt: skip
    gtid_ignore_on_recovery: bool = _unlisted("gtid.ignore.on.recovery", default=False, importance=_LOW,
                                              doc="Go on by file and position although there are GTIDs.")  # fmt: skip
    locking_custom: str | None = _unlisted("snapshot.locking.mode.custom.name", default=None,
                                           doc="Java class of snapshot.locking.mode=custom.")  # fmt: skip
    resolve_like: bool = _unlisted("resolve.create.table.like.schema", default=False, importance=_LOW,
                                   doc="Accepted; CREATE TABLE … LIKE is always resolved.")  # fmt: skip
    resume_from_rows: int = _unlisted(
        "tailrace.snapshot.resume.min.rows", default=1000, check=not_negative, importance=_LOW,
        doc="Tables of at least so many rows are read along their primary key, so that a snapshot that was stopped "
            "goes on inside them; smaller ones are read anew.",
    )  # fmt: skip
    ddl_parser: str = _unlisted("ddl.parser.type", default="default", values=["default", "legacy"], importance=_LOW,
                                doc="Accepted; there is one DDL parser here.")  # fmt: skip
    new_tables: str = _unlisted("snapshot.new.tables", default="off", values=["off", "parallel"], importance=_LOW,
                                doc="Debezium 1.x: snapshot tables added to the include list.")  # fmt: skip
    source_struct: str = _unlisted("source.struct.version", default="v2", values=["v2"], importance=_LOW,
                                   doc="Debezium 1.x: layout of the source block.")  # fmt: skip
    gtid_new_channel: str = _unlisted("gtid.new.channel.position", default="earliest", values=["earliest", "latest"],
                                      importance=_LOW, doc="Debezium 1.x: where new GTID channels begin.")  # fmt: skip
