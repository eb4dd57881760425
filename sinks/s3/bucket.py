"""Files as objects of an S3 bucket: whole or not at all, in parts when they are large, never over another's."""

from __future__ import annotations

import contextlib
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from hashlib import md5
from typing import Any, Final
from uuid import uuid4

import structlog
from botocore.exceptions import BotoCoreError, ClientError

from cdc.errors import Problem, TargetError
from sinks.s3.content import SPILL_BYTES, Content
from sinks.s3.failures import code_of, failure, field_of, status_of
from sinks.s3.keys import S3Config
from sinks.s3.listing import newest
from sinks.s3.store import UNKNOWN, Exists, Mark, Numbered, Series, Upload

_log = structlog.get_logger(__name__)
_LAST: Final = "tailrace-last-offset"
_WRITER: Final = "tailrace-writer"
_RECORDS: Final = "tailrace-records"
_FORM: Final = "tailrace-form"
_NEVER: Final = '"00000000000000000000000000000000"'
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
        return _mark(found)

    def _warn(self, name: str) -> None:
        if self._can_look:
            _log.warning(
                f"s3.bucket.name: S3 does not let this connector look for s3://{self._bucket}/{name}; allow "
                f"s3:GetObject on arn:aws:s3:::{self._bucket}/* and s3:ListBucket on arn:aws:s3:::{self._bucket}, so "
                "that files an earlier run wrote are found after a crash"
            )
        self._can_look = False

    def put(self, upload: Upload) -> Mark:
        in_parts = upload.content.size > self._config.part_bytes
        return self._written(upload, self._put_in_parts if in_parts else self._put_whole, upload.content.size)

    def _written(self, upload: Upload, write: Callable[[Upload], str], size: int) -> Mark:
        try:
            version = write(upload)
        except _FAILURES as error:
            if self._is_another(error, upload):
                self._refuse_blind(upload.name)
                raise Exists(upload.name) from None
            raise failure(error, f"write s3://{self._bucket}/{upload.name}", self._config) from error
        if upload.tags:
            self._tag(upload)
        return replace(upload.mark, version=version, size=size)

    def _is_another(self, error: Exception, upload: Upload) -> bool:
        gone = bool(upload.over) and code_of(error) in ("NoSuchKey", "404")
        return gone or code_of(error) in ("PreconditionFailed", "412") or status_of(error) == 412

    def _put_whole(self, upload: Upload) -> str:
        (body,) = upload.content.parts(max(upload.content.size, 1))
        return str(self._client.put_object(Body=body, **self._created(upload), **self._condition(upload))["ETag"])

    def _refuse_blind(self, name: str) -> None:
        if not self._can_look:
            raise TargetError(
                f"s3://{self._bucket}/{name} is there already, and S3 does not say how far it reaches; allow "
                f"s3:GetObject on arn:aws:s3:::{self._bucket}/* and s3:ListBucket on arn:aws:s3:::{self._bucket}, then "
                "restart the task"
            )

    def _created(self, upload: Upload) -> dict[str, Any]:
        mark = upload.mark
        marks = {_LAST: str(mark.last), _WRITER: mark.writer}
        if mark.records:
            marks[_RECORDS] = str(mark.records)
        if mark.form:
            marks[_FORM] = mark.form
        named = {"Bucket": self._bucket, "Key": upload.name, "ContentType": upload.content_type, "Metadata": marks}
        return {**named, **self._options}

    def _condition(self, upload: Upload) -> dict[str, str]:
        if upload.over:
            return {"IfMatch": upload.over}
        return {} if upload.replace or not self._config.conditional else {"IfNoneMatch": "*"}

    def _put_in_parts(self, upload: Upload) -> str:
        def tags(part: dict[str, Any]) -> Iterator[str]:
            for number, body in enumerate(upload.content.parts(self._config.part_bytes), 1):
                yield self._client.upload_part(PartNumber=number, Body=body, **part, **self._customer)["ETag"]

        return self._of_parts(upload, tags)

    def _of_parts(self, upload: Upload, send: Callable[[dict[str, Any]], Iterator[str]]) -> str:
        """`send` sends the parts of what it is given the names of, and tells their ETags."""
        named = {"Bucket": self._bucket, "Key": upload.name}
        begun = self._client.create_multipart_upload(**self._created(upload))["UploadId"]
        try:
            sent = send({**named, "UploadId": begun})
            parts = {"Parts": [{"PartNumber": number, "ETag": tag} for number, tag in enumerate(sent, 1)]}
            return str(self._client.complete_multipart_upload(
                **named, UploadId=begun, MultipartUpload=parts, **self._condition(upload), **self._customer
            )["ETag"])  # fmt: skip
        except BaseException:
            with contextlib.suppress(*_FAILURES):  # S3's lifecycle rule takes it away otherwise
                self._client.abort_multipart_upload(**named, UploadId=begun)
            raise

    def newest(self, series: Series, offset: int) -> Numbered | None:
        def page(after: str) -> tuple[list[str], bool]:
            start = {"StartAfter": after} if after else {}
            found = self._client.list_objects_v2(Bucket=self._bucket, Prefix=series.prefix, **start)
            return [each["Key"] for each in found.get("Contents", ())], bool(found.get("IsTruncated"))

        try:
            found = newest(page, series, offset)
        except _FAILURES as error:
            raise failure(error, f"list s3://{self._bucket}/{series.prefix}", self._config) from error
        if found is None:
            return None
        first, name = found
        mark = self.look(name)
        if mark is None:
            self._refuse_blind(name)
        return None if mark is None else Numbered(name, first, mark)

    def read(self, name: str, version: str) -> Content:
        content = Content()
        try:
            found = self._client.get_object(Bucket=self._bucket, Key=name, IfMatch=version, **self._customer)
            for piece in found["Body"].iter_chunks(SPILL_BYTES):
                content.append(piece)
                if content.in_memory >= SPILL_BYTES:
                    content.spill()
        except BaseException as error:
            content.close()
            if not isinstance(error, _FAILURES):
                raise
            if status_of(error) == 412 or code_of(error) in ("PreconditionFailed", "412", "NoSuchKey", "404"):
                raise Exists(name) from None
            raise failure(error, f"read s3://{self._bucket}/{name}", self._config) from error
        return content

    def reseal(self, upload: Upload) -> Mark:
        """A copy of itself in one part: the ETag tells that, and `put` never makes a single part."""
        source = {"Bucket": self._bucket, "Key": upload.name}
        keys = {f"CopySource{name}": value for name, value in self._customer.items()}

        def tags(part: dict[str, Any]) -> Iterator[str]:
            copied = self._client.upload_part_copy(
                PartNumber=1, CopySource=source, CopySourceIfMatch=upload.over, **part, **self._customer, **keys
            )
            yield copied["CopyPartResult"]["ETag"]

        return self._written(upload, lambda each: self._of_parts(each, tags), upload.mark.size)

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
                    name = field_of(error, self._config)
                    return [Problem(name, f"{name}: {told}")]
            return self._check_conditions(probe) if self._config.merge_bytes >= 0 else []
        finally:
            with contextlib.suppress(*_FAILURES):
                self._client.delete_object(Bucket=self._bucket, Key=probe)

    def _check_conditions(self, probe: str) -> list[Problem]:
        """Whether only the version that is there can be replaced and sealed."""
        content = Content()
        content.append(b"{}")
        wanted = Upload(probe, content, "application/json", Mark(0, "check", size=content.size), replace=True)
        try:
            there = self.put(wanted)
            with contextlib.suppress(Exists):
                self.put(replace(wanted, over=_NEVER))
                return [_no_conditions(self._config, "replaces an object whatever it is told in If-Match")]
            self.reseal(replace(wanted, over=there.version))
        except (Exists, TargetError) as error:
            return [_no_conditions(self._config, f"cannot do that: {error}")]
        return []

    def close(self) -> None:
        self._client.close()


def _no_conditions(config: S3Config, said: str) -> Problem:
    return Problem(
        "compaction.target.bytes",
        f"compaction.target.bytes={config.merge_bytes} replaces objects on conditions and copies them onto themselves, "
        f"and the server {said}; set compaction.target.bytes=-1",
    )


def _mark(found: Mapping[str, Any]) -> Mark:
    """Of the answer to a question for an object."""
    kept, version, size = found.get("Metadata", {}), found.get("ETag", ""), found.get("ContentLength", 0)
    try:
        return Mark(
            int(kept[_LAST]), kept.get(_WRITER, ""), int(kept.get(_RECORDS, 0)), kept.get(_FORM, ""), version, size
        )
    except (KeyError, ValueError):
        return Mark(UNKNOWN, "", version=version, size=size)


def _options(config: S3Config) -> dict[str, str]:
    """What each object is created with."""
    options: dict[str, str] = {}
    if config.acl:
        options["ACL"] = config.acl
    if config.encryption and not config.customer_secret:
        options["ServerSideEncryption"] = config.encryption
    if config.kms_key and config.encryption.startswith("aws:kms"):
        options["SSEKMSKeyId"] = config.kms_key
    return options


def _customer(config: S3Config) -> dict[str, str]:
    """What every request for an object of a customer's key carries."""
    secret = config.customer_secret
    if secret is None:
        return {}
    return {
        "SSECustomerAlgorithm": "AES256",
        "SSECustomerKey": b64encode(secret).decode(),
        "SSECustomerKeyMD5": b64encode(md5(secret, usedforsecurity=False).digest()).decode(),
    }
