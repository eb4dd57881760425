"""Where signals come from beside the signal table: a file, a topic, and the REST interface, whose are always taken."""

from __future__ import annotations

from typing import Final, Protocol

from cdc.connector import Raw
from cdc.record import SourceContext
from cdc.signal_file import SignalFile
from cdc.signals import FILE, KAFKA, Channel, Messages

CLIENT: Final = "signal.consumer."
"""What settings of the topic's Kafka client begin with."""


class Keys(Protocol):
    """The config's part in it."""

    @property
    def topic_prefix(self) -> str: ...

    @property
    def signal_channels(self) -> tuple[str, ...]: ...

    @property
    def signal_file(self) -> str: ...

    @property
    def signal_topic(self) -> str | None: ...

    @property
    def signal_group(self) -> str: ...

    @property
    def signal_servers(self) -> str | None: ...


def channels(config: Keys, raw: Raw, context: SourceContext) -> list[Channel]:
    """Where signals come from beside the signal table; those of REST are always taken."""
    found: list[Channel] = []
    if FILE in config.signal_channels:
        found.append(SignalFile(config.signal_file))
    if KAFKA in config.signal_channels and context.subscribe is not None:
        topic = config.signal_topic or f"{config.topic_prefix}-signal"
        client = {
            name.removeprefix(CLIENT): text for name, text in raw.items() if name.startswith(CLIENT)
        }  # fmt: skip
        if config.signal_servers:
            client["bootstrap.servers"] = config.signal_servers
        found.append(Messages(context.subscribe(topic, config.signal_group, client), config.topic_prefix))
    if context.orders is not None:
        found.append(Messages(context.orders))
    return found
