"""Indices and data streams: made when their first record comes, with the mapping of the record's schema.

An index that has a mapping keeps it. One whose mapping was made here gets the new fields of a later schema; a data
stream gets those that it lacks, and its `@timestamp` stays its template's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from cdc.errors import TargetError
from cdc.record import Batch
from cdc.schema import Schema, Type
from sinks.elasticsearch.client import Client, path_of, reason_of
from sinks.elasticsearch.config import ElasticsearchConfig
from sinks.elasticsearch.mapping import mapping
from sinks.elasticsearch.names import resource_name

_OURS: Final = {"_meta": {"mapping_made_by": "tailrace"}}
_EXISTS: Final = "resource_already_exists_exception"


class Resources:
    """What one task knows to be there."""

    def __init__(self, config: ElasticsearchConfig, client: Client) -> None:
        self._config, self._client = config, client
        self._names: dict[str, str] = {}
        self._ready: set[tuple[str, Schema | None]] = set()

    def of(self, batch: Batch) -> str:
        """Where the batch's documents go; it is there, with a mapping. Raises: TargetUnavailable, TargetError."""
        name = self._names.get(batch.topic)
        if name is None:
            name = self._names[batch.topic] = resource_name(self._config, batch.topic)
        schema = None if self._config.ignores_schema(batch.topic) else batch.value_schema
        if schema is not None and schema.type not in (Type.STRUCT, Type.MAP):
            schema = None
        if (name, schema) not in self._ready:
            self._prepare(name, schema)
            self._ready.add((name, schema))
        return name

    def _prepare(self, name: str, schema: Schema | None) -> None:
        wanted = {} if schema is None else mapping(schema, self._config.compact_maps)["properties"]
        if self._config.is_stream:
            wanted.pop("@timestamp", None)
        if self._config.uses_external or not self._missing(name, wanted):
            self._complete(name, wanted)

    def _missing(self, name: str, wanted: Mapping[str, Any]) -> bool:
        """Whether it was not there, and is now, mapping and all."""
        if self._client.call("HEAD", path_of(name)).status == 200:
            return False
        if self._config.is_stream:
            self._create(f"/_data_stream{path_of(name)}", None, name)
            return False
        body = {"mappings": {**_OURS, "properties": wanted}} if wanted else {}
        # Its shards are not waited for: the bulk request does that for all.
        return self._create(path_of(name, "?wait_for_active_shards=0"), body, name)

    def _create(self, path: str, body: Any, name: str) -> bool:
        """False when another task was faster."""
        answer = self._client.call("PUT", path, body)
        if answer.status < 400:
            return True
        told = answer.json() or {}
        if _EXISTS in reason_of(told):
            return False
        if self._config.is_stream:
            raise TargetError(f"data stream {name!r} cannot be made: {reason_of(told)}; make an index template for its "
                              'name that has "data_stream": {}')  # fmt: skip
        raise TargetError(f"index {name!r} cannot be made: {reason_of(told)}; make it by hand, or rename the topic by "
                          "the transform org.apache.kafka.connect.transforms.RegexRouter")  # fmt: skip

    def _complete(self, name: str, wanted: Mapping[str, Any]) -> None:
        if not wanted:
            return
        answer = self._client.call("GET", path_of(name, "/_mapping"))
        if answer.status >= 400:
            raise self._client.refusal(answer)
        held = [found["mappings"] for found in (answer.json() or {}).values()]
        known = _fields(held)
        if not known:
            new = {**_OURS, "properties": wanted}
        elif self._config.is_stream or any(each.get("_meta") == _OURS["_meta"] for each in held):
            new = {"properties": {field: made for field, made in wanted.items() if field not in known}}
        else:
            return
        if new["properties"]:
            self._put(name, new)

    def _put(self, name: str, body: Mapping[str, Any]) -> None:
        answer = self._client.call("PUT", path_of(name, "/_mapping"), body)
        if answer.status >= 400:
            raise TargetError(f"the mapping of {name!r} cannot be made from the record's schema: "
                              f"{reason_of(answer.json() or {})}; map it by hand, or set "
                              "schema.ignore=true")  # fmt: skip


def _fields(held: Iterable[Mapping[str, Any]]) -> set[str]:
    return {field for each in held for field in each.get("properties", {})}
