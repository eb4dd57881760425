"""What a reader of the WAL is given: what the config says, the watch for signals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from cdc.heartbeat import Heartbeat
from cdc.native import hot
from cdc.postgres.capture import Shape
from cdc.postgres.messages import LogicalMessages
from cdc.table import Predicate
from cdc.transactions import Transactions


@dataclass(frozen=True, kw_only=True)
class ReaderOptions:
    """What the config says of streaming.

    Attributes:
        prefix, database: `topic.prefix`, `database.dbname`.
        skipped: `skipped.operations`, letters of c, u, d, t.
        messages: None leaves logical messages out; `message_prefix` is asked with a message's prefix.
        status_s: seconds between reports to the server.
        reports: whether the server is told what is durable (`lsn.flush.mode`), not only that somebody is there.
        transactions: writes transaction metadata; None writes none.
        refill: fills in what changed rows lack (`post.processors`); None: nothing does.
        max_records: a Poll ends with the message that reaches so many.
        xmin: `source.xmin` of a transaction.
        on_failure: `event.processing.failure.handling.mode`: what becomes of a change whose values cannot be read.
        twin: the compiled module; None: everything is done in Python.
    """

    prefix: str
    database: str
    skipped: frozenset[str] = frozenset("t")
    messages: LogicalMessages | None = None
    message_prefix: Predicate = lambda prefix: True
    heartbeat: Heartbeat | None = None
    transactions: Transactions | None = None
    refill: Callable[[Shape, str, Sequence[Any]], list[Any]] | None = None
    status_s: float = 10.0
    reports: bool = True
    max_records: int = 4096
    xmin: Callable[[], int | None] = lambda: None
    on_failure: str = "fail"
    twin: ModuleType | None = hot
