"""Topics renamed by style, with a prefix and a suffix, so that a sink's tables have other names.

Source: Debezium 3.5.0.Final, `CollectionNameTransformation`, by what it gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cdc.config import PLAIN, Importance, key
from cdc.record import Batch
from connect_compat.transforms.naming_style import STYLES, known_style


@dataclass(frozen=True, kw_only=True)
class CollectionNameTransformationConfig:
    """What becomes of a name."""

    LAYOUT = PLAIN
    prefix: str = key("collection.naming.prefix", default="", importance=Importance.LOW,
                      doc="Optional prefix to add to collection names.")  # fmt: skip
    suffix: str = key("collection.naming.suffix", default="", importance=Importance.LOW,
                      doc="Optional suffix to add to collection names.")  # fmt: skip
    style: str = key("collection.naming.style", default="default", importance=Importance.LOW, check=known_style,
                     doc="The style of collection naming: UPPER_CASE, lower_case, snake_case, camelCase, "
                         "kebab-case.")  # fmt: skip


class CollectionNameTransformation:
    CLASS_NAME = "io.debezium.connector.jdbc.transforms.CollectionNameTransformation"
    CONFIG = CollectionNameTransformationConfig

    def __init__(self, config: CollectionNameTransformationConfig) -> None:
        self._prefix, self._suffix, self._style = config.prefix, config.suffix, STYLES[config.style.lower()]

    def apply(self, batch: Batch) -> Sequence[Batch]:
        return [replace(batch, topic=f"{self._prefix}{self._style(batch.topic)}{self._suffix}")]
