"""Records kept when an expression over them is true: `value.op == 'u' && value.before.id == 2`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cdc.config import Importance, key
from cdc.record import Batch
from connect_compat.transforms.scripted import Scripted, TopicConfig, null_handling_key, picked


@dataclass(frozen=True, kw_only=True)
class ScriptedFilterConfig(TopicConfig):
    """Which records are looked at, and the condition they must meet."""

    condition: str = key(
        "condition", default=None, needed=True, importance=Importance.HIGH, label="Filtering condition",
        doc="An expression determining whether the record should be filtered out. When evaluated to true the record is "
            "removed.")  # fmt: skip
    nulls: str = null_handling_key()


class ScriptedFilter:
    CLASS_NAME = "io.debezium.transforms.Filter"
    CONFIG = ScriptedFilterConfig

    def __init__(self, config: ScriptedFilterConfig) -> None:
        self._scripted = Scripted(config, "condition", config.condition)

    def apply(self, batch: Batch) -> Sequence[Batch]:
        if not self._scripted.concerns(batch.topic):
            return [batch]
        kept = []
        for at, (_, answer) in enumerate(self._scripted.asked(batch)):
            if not isinstance(answer, bool):
                raise self._scripted.mistyped("Boolean")
            if answer:
                kept.append(at)
        return picked(batch, kept)
