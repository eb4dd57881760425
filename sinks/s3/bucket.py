"""Files as objects of an S3 bucket: whole or not at all, in parts when they are large, never over another's."""

from __future__ import annotations

import contextlib
from base64 import b64encode
from collections.abc import Callable
from hashlib import md5
from typing import Any, Final
from uuid import uuid4

import structlog
from botocore.exceptions import BotoCoreError, ClientError

from cdc.errors import Problem, TargetError
from sinks.s3.failures import code_of, failure, field_of, status_of
from sinks.s3.keys import S3Config
from sinks.s3.store import UNKNOWN, Exists, Mark, Upload

_log = structlog.get_logger(__name__)
_LAST: Final = "tailrace-last-offset"
_WRITER: Final = "tailrace-writer"
_FAILURES: Final = (ClientError, BotoCoreError)


class BucketStore:
    """One bucket, through a boto3 client."""

    def __init__(self, config: S3Config, client: Any) -> None:
        self._config, self._client, self._bucket = config, client, config.bucket
        self._customer = _customer(config)
        self._options = {**_options(config), **self._customer}
        self._can_look = True

    def look(self, name: str) -> Mark | None:
        """Without the right to read or to list, all that S3 says of a missing object is "forbidden": none is there."""
        try:
            found = self._client.head_object(Bucket=self._bucket, Key=name, **self._customer)
        except _FAILURES as error:
            if status_of(error) == 404 and code_of(error) != "NoSuchBucket":
                return None
            if status_of(error) == 403:
                self._warn(name)
                return None
            raise failure(error, f"tell whether s3://{self._bucket}/{name} is there", self._config) from error
        kept = found.get("Metadata", {})
        try:
            return Mark(int(kept[_LAST]), kept.get(_WRITER, ""))
        except (KeyError, ValueError):
            return Mark(UNKNOWN, "")

    def _warn(self, name: str) -> None:
        if self._can_look:
            _log.warning(
                f"s3.bucket.name: S3 does not let this connector look for s3://{self._bucket}/{name}; allow "
                f"s3:GetObject on arn:aws:s3:::{self._bucket}/* and s3:ListBucket on arn:aws:s3:::{self._bucket}, so "
                "that files an earlier run wrote are found after a crash"
            )
        self._can_look = False

    def put(self, upload: Upload) -> None:
        size = upload.content.size
        try:
            if size <= self._config.part_bytes:
                (body,) = upload.content.parts(max(size, 1))
                self._client.put_object(Body=body, **self._created(upload), **self._condition(upload))
            else:
                self._put_in_parts(upload)
        except _FAILURES as error:
            if code_of(error) in ("PreconditionFailed", "412") or status_of(error) == 412:
                self._refuse_blind(upload)
                raise Exists(upload.name) from None
            raise failure(error, f"write s3://{self._bucket}/{upload.name}", self._config) from error
        if upload.tags:
            self._tag(upload)

    def _refuse_blind(self, upload: Upload) -> None:
        if not self._can_look:
            raise TargetError(
                f"s3://{self._bucket}/{upload.name} is there already, and S3 does not say how far it reaches; allow "
                f"s3:GetObject on arn:aws:s3:::{self._bucket}/* and s3:ListBucket on arn:aws:s3:::{self._bucket}, then "
                "restart the task"
            )

    def _created(self, upload: Upload) -> dict[str, Any]:
        marks = {_LAST: str(upload.mark.last), _WRITER: upload.mark.writer}
        named = {"Bucket": self._bucket, "Key": upload.name, "ContentType": upload.content_type, "Metadata": marks}
        return {**named, **self._options}

    def _condition(self, upload: Upload) -> dict[str, str]:
        return {} if upload.replace or not self._config.conditional else {"IfNoneMatch": "*"}

    def _put_in_parts(self, upload: Upload) -> None:
        named = {"Bucket": self._bucket, "Key": upload.name}
        begun = self._client.create_multipart_upload(**self._created(upload))["UploadId"]
        try:
            parts = []
            for number, part in enumerate(upload.content.parts(self._config.part_bytes), 1):
                done = self._client.upload_part(**named, UploadId=begun, PartNumber=number, Body=part, **self._customer)
                parts.append({"PartNumber": number, "ETag": done["ETag"]})
            self._client.complete_multipart_upload(
                **named, UploadId=begun, MultipartUpload={"Parts": parts}, **self._condition(upload), **self._customer
            )
        except BaseException:
            with contextlib.suppress(*_FAILURES):  # S3's lifecycle rule takes it away otherwise
                self._client.abort_multipart_upload(**named, UploadId=begun)
            raise

    def _tag(self, upload: Upload) -> None:
        tags = {"TagSet": [{"Key": name, "Value": value} for name, value in upload.tags]}
        try:
            self._client.put_object_tagging(Bucket=self._bucket, Key=upload.name, Tagging=tags)
        except _FAILURES as error:
            told = failure(error, f"tag s3://{self._bucket}/{upload.name}", self._config)
            if self._config.on_tagging_error == "fail":
                raise told from error
            _log.warning(f"s3.object.tagging: {told}")

    def check(self) -> list[Problem]:
        """Writes a small object, looks for it and deletes it."""
        probe = f"{self._config.topics_dir}/.tailrace-check-{uuid4().hex}".lstrip("/")
        steps: list[tuple[str, Callable[[], Any]]] = [
            (f"find bucket {self._bucket}", lambda: self._client.head_bucket(Bucket=self._bucket)),
            (f"write s3://{self._bucket}/{probe}",
             lambda: self._client.put_object(Bucket=self._bucket, Key=probe, Body=b"", **self._options)),
            (f"read s3://{self._bucket}/{probe}",
             lambda: self._client.head_object(Bucket=self._bucket, Key=probe, **self._customer)),
        ]  # fmt: skip
        try:
            for doing, step in steps:
                try:
                    step()
                except _FAILURES as error:
                    if doing.startswith("find") and status_of(error) == 403:
                        continue  # who may not list may still write
                    told = failure(error, doing, self._config)
                    return [Problem(field_of(error), f"{field_of(error)}: {told}")]
        finally:
            with contextlib.suppress(*_FAILURES):
                self._client.delete_object(Bucket=self._bucket, Key=probe)
        return []

    def close(self) -> None:
        self._client.close()


def _options(config: S3Config) -> dict[str, str]:
    """What each object is created with."""
    options: dict[str, str] = {}
    if config.acl:
        options["ACL"] = config.acl
    if config.encryption and not config.customer_key:
        options["ServerSideEncryption"] = config.encryption
    if config.kms_key and config.encryption.startswith("aws:kms"):
        options["SSEKMSKeyId"] = config.kms_key
    return options


def _customer(config: S3Config) -> dict[str, str]:
    """What every request for an object of a customer's key carries."""
    if not config.customer_key:
        return {}
    secret = config.customer_key.reveal().encode()
    return {
        "SSECustomerAlgorithm": "AES256",
        "SSECustomerKey": b64encode(secret).decode(),
        "SSECustomerKeyMD5": b64encode(md5(secret, usedforsecurity=False).digest()).decode(),
    }
