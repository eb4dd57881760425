"""Keys of the group of the server, beyond what every source declares."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial

from cdc.config import Importance, Password, between
from cdc.keys.connector import ServerKeys
from cdc.keys.declare import declared, not_negative, operations, positive

_HIGH, _LOW = Importance.HIGH, Importance.LOW
_server = partial(declared, group="{group}")
_unlisted = partial(declared, group="Advanced", internal=True)


def _slot_name(value: str) -> str | None:
    if re.fullmatch(r"[a-z0-9_]{1,63}", value):
        return None
    return ("Valid replication slot name must contain only digits, lowercase characters and underscores with length "
            "<= 63")  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class PostgresServerKeys(ServerKeys):
    """How to connect, and the slot and publication to read from."""

    port: int = _server("database.port", default=5432, check=between(1, 65535), importance=_HIGH,
                     doc="TCP port of the PostgreSQL server.")  # fmt: skip
    database: str = _server("database.dbname", default=None, needed=True, importance=_HIGH,
                            doc="Database whose tables are captured; a connector reads one.")  # fmt: skip
    query_timeout_ms: int = _server("database.query.timeout.ms", default=600000, check=not_negative, importance=_LOW,
                                 doc="Milliseconds a query may take; 0 is no limit.")  # fmt: skip
    plugin: str = _server(
        "plugin.name", default="decoderbufs", values=["decoderbufs", "pgoutput"],
        doc="Accepted as Debezium has it; pgoutput, which every server has, is what is used.",
    )  # fmt: skip
    slot: str = _server("slot.name", default="debezium", check=_slot_name,
                        doc="Replication slot to read from; created when it is missing.")  # fmt: skip
    mismatch: str = _unlisted(
        "offset.mismatch.strategy", default="no_validation",
        values=["no_validation", "trust_offset", "trust_slot", "trust_greater_lsn"],
        doc="A slot that begins after the stored offset stops the task (the gap is told), or with trust_slot and "
            "trust_greater_lsn is followed. trust_offset and trust_greater_lsn move a slot that is behind at start.",
    )  # fmt: skip
    wal_budget: int = _unlisted(
        "tailrace.slot.wal.budget.bytes", default=0, type="LONG", check=not_negative, importance=_LOW,
        doc="WAL that the server may keep for the slot before the task warns; 0: four fifths of what "
            "max_slot_wal_keep_size allows.",
    )  # fmt: skip
    seek_offset: bool = _unlisted("internal.slot.seek.to.known.offset.on.start", default=False, importance=_LOW,
                                  doc="Older way to say offset.mismatch.strategy=trust_offset.")  # fmt: skip
    publication: str = _server("publication.name", default="dbz_publication",
                               doc="Publication that says which tables are sent.")  # fmt: skip
    publication_mode: str = _server(
        "publication.autocreate.mode", default="all_tables", values=["no_tables", "filtered", "disabled", "all_tables"],
        doc="Whether a missing publication is created: for all tables, for the captured ones (then kept in step with "
            "them), for none, or not at all.",
    )  # fmt: skip
    replica_identity: str | None = _server(
        "replica.identity.autoset.values", default=None,
        doc="Replica identities to set at start: `regex of schema.table:FULL`, `…:DEFAULT`, `…:INDEX name`, commas "
            "between them.",
    )  # fmt: skip
    drop_slot: bool = _server("slot.drop.on.stop", default=False,
                              doc="Drop the slot when the task stops: what happens meanwhile is lost.")  # fmt: skip
    slot_failover: bool = _server("slot.failover", default=False,
                                  doc="Create the slot as a failover slot (PostgreSQL 17 or newer).")  # fmt: skip
    stream_params: str | None = _server("slot.stream.params", default=None, importance=_LOW,
                                        doc="More options of pgoutput: `origin=none;streaming=off`.")  # fmt: skip
    initial_statements: str | None = _server(
        "database.initial.statements", default=None, importance=_LOW,
        doc="SQL run on every connection that reads tables, separated by `;` (`;;` is a semicolon).",
    )  # fmt: skip
    ssl_mode: str = _server(
        "database.sslmode", default="prefer",
        values=["disable", "allow", "prefer", "require", "verify-ca", "verify-full"],
        doc="Whether to encrypt, and whether to check the server's certificate and name.",
    )  # fmt: skip
    ssl_cert: str | None = _server("database.sslcert", default=None,
                                   doc="File with the client's certificate, PEM.")  # fmt: skip
    ssl_password: Password | None = _server(  # noqa: RUF009
        "database.sslpassword", default=None, doc="Password of the client's key."
    )
    ssl_root_cert: str | None = _server("database.sslrootcert", default=None,
                                        doc="File with the authorities to trust, PEM.")  # fmt: skip
    ssl_key: str | None = _server("database.sslkey", default=None, doc="File with the client's key, PEM.")
    slot_retries: int = _server("slot.max.retries", default=6, importance=_LOW,
                                doc="Debezium's number of tries at a slot in use; it is waited for.")  # fmt: skip
    slot_delay_ms: int = _server("slot.retry.delay.ms", default=10000, type="LONG", importance=_LOW,
                                 doc="Debezium's pause between them; accepted, retries back off.")  # fmt: skip
    ssl_factory: str | None = _server("database.sslfactory", default=None,
                                      doc="Java class; accepted, there is no Java here.")  # fmt: skip
    status_ms: int = _server("status.update.interval.ms", default=10000, check=positive,
                             doc="Milliseconds between reports to the server of what is durable.")  # fmt: skip
    flush_timeout_ms: int = _server("lsn.flush.timeout.ms", default=30000, type="LONG",
                                    doc="Debezium's limit for a flush; accepted, reports never wait.")  # fmt: skip
    flush_timeout_action: str = _server("lsn.flush.timeout.action", default="fail", values=["warn", "fail", "ignore"],
                                        doc="What Debezium does past it; accepted.")  # fmt: skip
    keep_alive: bool = _server("database.tcpKeepAlive", default=True,
                               doc="Notice a connection that died silently.")  # fmt: skip
    xmin_ms: int = _server("xmin.fetch.interval.ms", default=0, type="LONG",
                           doc="Milliseconds between looks at xmin for source.xmin; 0: never.")  # fmt: skip
    skipped_operations: tuple[str, ...] = _server(
        "skipped.operations", default=("t",), importance=_LOW, check=operations,
        doc="Operations to leave out: c, u, d, t (truncate), or none.",
    )  # fmt: skip
    flush_mode: str | None = _server(
        "lsn.flush.mode", default=None, importance=_LOW, values=["connector", "manual", "connector_and_driver"],
        doc="Who tells the server what it may forget: the connector, or somebody else (manual).",
    )  # fmt: skip
    flush_source: bool = _server("flush.lsn.source", default=True, importance=_LOW,
                                 doc="Older way to say lsn.flush.mode: false is manual.")  # fmt: skip

    @property
    def seeks(self) -> bool:
        """Whether the slot is moved to the stored offset at start."""
        return self.mismatch in ("trust_offset", "trust_greater_lsn") or self.seek_offset
