"""A bucket of one test's own on an S3 server, and the records in its objects."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import boto3
import fastavro
import orjson
import pyarrow.parquet as pq

from services.seaweedfs import ACCESS_KEY, SECRET_KEY


@dataclass(frozen=True)
class Bucket:
    name: str
    url: str
    client: Any

    def settings(self, **changes: str) -> dict[str, str]:
        """Of a connector that writes here; keys have underscores."""
        return {
            "connector.class": "io.confluent.connect.s3.S3SinkConnector",
            "store.url": self.url,
            "s3.bucket.name": self.name,
            "s3.region": "us-east-1",
            "aws.access.key.id": ACCESS_KEY,
            "aws.secret.access.key": SECRET_KEY,
            "format.class": "io.confluent.connect.s3.format.json.JsonFormat",
            "flush.size": "1000",
            **{name.replace("_", "."): value for name, value in changes.items()},
        }

    def names(self, prefix: str = "") -> list[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        return [each["Key"] for page in pages for each in page.get("Contents", ())]

    def content(self, name: str) -> bytes:
        return bytes(self.client.get_object(Bucket=self.name, Key=name)["Body"].read())

    def records(self, prefix: str = "") -> Iterator[Any]:
        """Of all objects, by the format their names tell."""
        for name in self.names(prefix):
            yield from _records(name, self.content(name))


def _records(name: str, content: bytes) -> list[Any]:
    if name.endswith(".parquet"):
        return list(pq.read_table(io.BytesIO(content)).to_pylist())
    if name.endswith(".avro"):
        return list(fastavro.reader(io.BytesIO(content)))
    text = gzip.decompress(content) if name.endswith(".gz") else content
    return [orjson.loads(line) for line in text.splitlines()]


@contextmanager
def own_bucket(url: str) -> Iterator[Bucket]:
    client = boto3.client(
        "s3", endpoint_url=url, aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY, region_name="us-east-1"
    )
    bucket = Bucket("b" + uuid4().hex[:10], url, client)
    client.create_bucket(Bucket=bucket.name)
    yield bucket
    client.close()
