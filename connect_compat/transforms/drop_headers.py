"""Headers of some names taken off every record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cdc.config import PLAIN, Importance, key
from cdc.record import Batch
from connect_compat.transforms.insert_header import with_each_headers


@dataclass(frozen=True, kw_only=True)
class DropHeadersConfig:
    """Which headers."""

    LAYOUT = PLAIN
    headers: tuple[str, ...] = key("headers", importance=Importance.HIGH,
                                   unset="Configuration 'headers' values must not be null.",
                                   doc="The name of the headers to be removed.")  # fmt: skip


class DropHeaders:
    CLASS_NAME = "org.apache.kafka.connect.transforms.DropHeaders"
    CONFIG = DropHeadersConfig

    def __init__(self, config: DropHeadersConfig) -> None:
        self._names = frozenset(config.headers)

    def apply(self, batch: Batch) -> Sequence[Batch]:
        return [with_each_headers(batch, lambda headers: tuple(h for h in headers if h.name not in self._names))]
