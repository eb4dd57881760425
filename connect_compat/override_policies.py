"""A worker's properties to which settings of Kafka's clients its connectors may override."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

POLICY: Final = "connector.client.config.override.policy"
ALLOWLIST: Final = "connector.client.config.override.allowlist"
NAMES: Final = ("All", "None", "Principal", "Allowlist")
_PRINCIPAL: Final = frozenset({"sasl.jaas.config", "sasl.mechanism", "security.protocol"})
_PREFIX: Final = "org.apache.kafka.connect.connector.policy."
_SUFFIX: Final = "ConnectorClientConfigOverridePolicy"


def short(policy: str) -> str:
    """The short name of a policy that may be given as the name of its class."""
    return policy.strip().removeprefix(_PREFIX).removesuffix(_SUFFIX)


def refusal(worker: Mapping[str, str], setting: str) -> str | None:
    """Why a connector may not override the setting (without its prefix), in Kafka Connect's words; None when it may."""
    policy = short(worker.get(POLICY, "All"))
    match policy:
        case "All":
            return None
        case "Principal" if setting in _PRINCIPAL:
            return None
        case "Allowlist" if setting in {each.strip() for each in worker.get(ALLOWLIST, "").split(",")}:
            return None
    return (f"The '{policy}' policy does not allow '{setting}' to be overridden in the connector "
            "configuration.")  # fmt: skip
