"""Drops every record it applies to; meant for use with a predicate."""

from __future__ import annotations

from collections.abc import Sequence

from cdc.record import Batch
from connect_compat.no_settings import NoSettings


class Filter:
    CLASS_NAME = "org.apache.kafka.connect.transforms.Filter"
    CONFIG = NoSettings

    def __init__(self, config: NoSettings) -> None:
        pass

    def apply(self, batch: Batch) -> Sequence[Batch]:
        return []
