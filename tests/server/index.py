"""What an Elasticsearch index holds now, for tests."""

from __future__ import annotations

from typing import Any

from elasticsearch import ApiError, Elasticsearch

_NO_SHARD_YET = 503


def documents(client: Elasticsearch, index: str, **options: Any) -> dict[str, dict[str, Any]]:
    """By id, at most 10,000; none of an index that is not there, or was made this moment and has no shard yet."""
    try:
        client.indices.refresh(index=index, ignore_unavailable=True)
        found = client.search(index=index, size=10_000, ignore_unavailable=True, **options)
    except ApiError as error:
        if error.status_code != _NO_SHARD_YET:
            raise
        return {}
    return {hit["_id"]: hit["_source"] for hit in found["hits"]["hits"]}
