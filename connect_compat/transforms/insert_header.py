"""A fixed header on every record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from cdc.config import PLAIN, Importance, key
from cdc.java.values import parse_text
from cdc.record import Batch, Header, Headers


@dataclass(frozen=True, kw_only=True)
class InsertHeaderConfig:
    """Name and value."""

    LAYOUT = PLAIN
    header: str = key("header", importance=Importance.HIGH, doc="The name of the header.",
                      unset="Invalid value null for configuration header: entry must be non null")  # fmt: skip
    literal: str = key("value.literal", importance=Importance.HIGH,
                       unset="Invalid value null for configuration value.literal: entry must be non null",
                       doc="The literal value that is to be set as the header value on all records.")  # fmt: skip


class InsertHeader:
    CLASS_NAME = "org.apache.kafka.connect.transforms.InsertHeader"
    CONFIG = InsertHeaderConfig

    def __init__(self, config: InsertHeaderConfig) -> None:
        self._header = Header(config.header, *parse_text(config.literal))

    def apply(self, batch: Batch) -> Sequence[Batch]:
        return [with_each_headers(batch, lambda headers: (*headers, self._header))]


def with_each_headers(batch: Batch, change: Callable[[Headers], Headers]) -> Batch:
    """The batch with its headers changed; those that were one object stay one."""
    known: dict[int, Headers] = {}
    for headers in batch.headers:
        if id(headers) not in known:
            known[id(headers)] = change(headers)
    return replace(batch, headers=[known[id(headers)] for headers in batch.headers])
