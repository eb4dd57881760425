"""What the worker tells a task process when it starts it: plain data, one line of JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from connect_compat.log import LogSettings


@dataclass(frozen=True)
class TaskSpec:
    """Everything a task process needs to know; plain data.

    Attributes:
        config: the task's config with the worker's converters where it has none; references to config providers are
            resolved anew at each start of the process.
        worker: the worker's properties.
        builder: `module:function` that makes TaskPlugins of the resolved config.
    """

    connector: str
    task: int
    config: Mapping[str, str]
    worker: Mapping[str, str] = field(default_factory=dict)
    log: LogSettings = field(default_factory=LogSettings)
    builder: str = "connect_compat.task_plugins:task_plugins"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(raw: Mapping[str, Any]) -> TaskSpec:
        return TaskSpec(**{**raw, "log": LogSettings(**raw["log"])})
