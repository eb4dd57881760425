"""Records to the topic that an expression over them gives: `value.op == 'u' ? 'updates' : null`; null: as it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cdc.config import Importance, key
from cdc.record import Batch
from connect_compat.transforms.scripted import Scripted, TopicConfig, null_handling_key, picked
from connect_compat.transforms.side import runs


@dataclass(frozen=True, kw_only=True)
class ContentBasedRouterConfig(TopicConfig):
    """Which records are looked at, and the topic they go to."""

    expression: str = key(
        "topic.expression", default=None, needed=True, importance=Importance.HIGH, label="Topic name expression",
        doc="An expression determining the new name of the topic the record should use. When null the record is "
            "delivered to the original topic.")  # fmt: skip
    nulls: str = null_handling_key()


class ContentBasedRouter:
    CLASS_NAME = "io.debezium.transforms.ContentBasedRouter"
    CONFIG = ContentBasedRouterConfig

    def __init__(self, config: ContentBasedRouterConfig) -> None:
        self._scripted = Scripted(config, "topic.expression", config.expression)

    def apply(self, batch: Batch) -> Sequence[Batch]:
        if not self._scripted.concerns(batch.topic):
            return [batch]
        kept, topics = [], []
        for at, (asked, answer) in enumerate(self._scripted.asked(batch)):
            if asked and answer is not None and not isinstance(answer, str):
                raise self._scripted.mistyped("String")
            if asked or answer:
                kept.append(at)
                topics.append(answer if asked and answer is not None else batch.topic)
        parts = [part for whole in picked(batch, kept) for part in runs(whole, topics)] if kept else []
        out, at = [], 0
        for part in parts:
            out.append(replace(part, topic=topics[at]))
            at += len(part)
        return out
