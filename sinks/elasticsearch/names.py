"""A topic to where its documents go: an index, a data stream, or what the config names for it.

Source: Confluent kafka-connect-elasticsearch 15.1, `ElasticsearchSinkTask`.
"""

from __future__ import annotations

from cdc.errors import TargetError
from sinks.elasticsearch.config import ElasticsearchConfig

_MOST = 255
_MOST_OF_NAMESPACE = 100


def index_name(topic: str) -> str:
    """Lower case, 255 characters, no leading `-` or `_`."""
    name = topic.lower()[:_MOST]
    if name.startswith(("-", "_")):
        name = name[1:]
    return {".": "dot", "..": "dotdot"}.get(name, name)


def data_stream_name(config: ElasticsearchConfig, topic: str) -> str:
    namespace = config.namespace.replace("${topic}", topic.lower())[:_MOST_OF_NAMESPACE]
    return f"{config.stream_type.lower()}-{config.dataset}-{namespace}"


def resource_name(config: ElasticsearchConfig, topic: str) -> str:
    """Raises: TargetError: the config says where every topic goes, and leaves this one out."""
    if not config.uses_external:
        return data_stream_name(config, topic) if config.is_stream else index_name(topic)
    found = config.resources().get(topic)
    if found is None:
        raise TargetError(
            f"topic {topic!r} is not mapped to any resource: add {topic}:NAME to topic.to.external.resource.mapping "
            f"(now {','.join(config.mapping)})"
        )
    return found
