"""Objects through boto3, on moto: conditions, parts, marks, and what S3's answers mean."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError
from moto import mock_aws

from cdc.errors import ConfigError, TargetError, TargetUnavailable
from sinks.s3.bucket import BucketStore
from sinks.s3.client import client
from sinks.s3.content import Content
from sinks.s3.failures import failure, field_of
from sinks.s3.keys import parsed
from sinks.s3.store import UNKNOWN, Exists, Mark, Series, Upload
from tests.unit.sinks.s3.files import config

ROLE = {"s3_credentials_provider_class": "io.confluent.connect.s3.auth.AwsAssumeRoleCredentialsProvider"}


def raw(**changes: str) -> Any:
    named = {
        "aws_access_key_id": "a",
        "aws_secret_access_key": "b",
        "s3_region": "us-east-1",
        "s3_bucket_name": "bucket",
    }
    return config(**{**named, **changes})


@pytest.fixture
def s3() -> Iterator[Any]:
    with mock_aws():
        made = boto3.client("s3", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
        made.create_bucket(Bucket="bucket")
        yield made


def store(**changes: str) -> BucketStore:
    given = raw(**changes)
    return BucketStore(parsed(given), client(parsed(given), given))


def upload(*pieces: bytes, name: str = "t/x.json", last: int = 7, form: str = "", size: int = 0, **more: Any) -> Upload:
    content = Content()
    for piece in pieces:
        content.append(piece)
    return Upload(name, content, "application/json", Mark(last, "w", 2, form, size=size), **{"replace": False, **more})


def test_an_object_is_whole_and_marked_and_never_replaced(s3: Any) -> None:
    store_ = store()
    assert store_.look("t/x.json") is None
    store_.put(upload(b"one\n", b"two\n"))
    assert store_.look("t/x.json") == Mark(7, "w", 2)
    with pytest.raises(Exists):
        store_.put(upload(b"other", last=9))
    found = s3.get_object(Bucket="bucket", Key="t/x.json")
    assert (found["Body"].read(), found["ContentType"]) == (b"one\ntwo\n", "application/json")


def test_one_is_replaced_where_that_is_meant(s3: Any) -> None:
    s3.put_object(Bucket="bucket", Key="t/x.json", Body=b"of another program")
    store_ = store()
    assert store_.look("t/x.json") == Mark(UNKNOWN, "")
    store_.put(upload(b"new", replace=True))
    store(enable_conditional_writes="false").put(upload(b"newer", last=8))
    assert s3.get_object(Bucket="bucket", Key="t/x.json")["Body"].read() == b"newer"


def test_a_version_is_replaced_read_and_sealed_only_while_it_is_the_one_that_is_there(s3: Any) -> None:
    store_ = store(s3_object_tagging="true", s3_ssea_name="AES256")
    first = store_.put(upload(b"one\n", form="lines"))
    second = store_.put(upload(b"one\ntwo\n", last=8, over=first.version, form="lines"))
    assert store_.newest(Series("t/", 0, ".json"), 9) is None
    assert (second.size, store_.look("t/x.json")) == (8, Mark(8, "w", 2, "lines"))
    sealed = store_.reseal(upload(last=8, over=second.version, size=second.size, tags=(("a", "b"),)))
    assert (sealed.size, store_.look("t/x.json")) == (8, Mark(8, "w", 2))
    assert sealed.version not in (first.version, second.version)
    read = store_.read("t/x.json", sealed.version)
    assert b"".join(read.parts(100)) == b"one\ntwo\n"
    for version in (first.version, second.version):
        with pytest.raises(Exists):
            store_.put(upload(b"other", over=version))
        with pytest.raises(Exists):
            store_.read("t/x.json", version)
    assert s3.get_object_tagging(Bucket="bucket", Key="t/x.json")["TagSet"] == [{"Key": "a", "Value": "b"}]


def test_the_last_object_before_an_offset_is_found_by_its_number(s3: Any) -> None:
    store_ = store()
    for number in (0, 7, 1500):
        store_.put(upload(b"x", name=f"t/t+0+{number:010d}.json", last=number + 3))
    found = store_.newest(Series("t/t+0+", 10, ".json"), 1499)
    assert found is not None
    assert (found.first, found.mark) == (7, Mark(10, "w", 2))
    assert store_.newest(Series("t/t+1+", 10, ".json"), 1499) is None


@pytest.mark.parametrize("spilled", [False, True])
def test_large_objects_go_in_parts_that_together_are_the_whole(s3: Any, spilled: bool) -> None:
    wanted = upload(b"a" * (4 << 20), b"b" * (3 << 20), tags=(("x", "1"),))
    if spilled:
        wanted.content.spill()
        wanted.content.append(b"c" * 10)
    store(s3_part_size=str(5 << 20)).put(wanted)
    wanted.content.close()
    found = s3.get_object(Bucket="bucket", Key="t/x.json")
    assert found["Body"].read() == b"a" * (4 << 20) + b"b" * (3 << 20) + (b"c" * 10 if spilled else b"")
    assert found["ETag"].endswith('-2"')
    assert s3.get_object_tagging(Bucket="bucket", Key="t/x.json")["TagSet"] == [{"Key": "x", "Value": "1"}]
    assert s3.list_multipart_uploads(Bucket="bucket").get("Uploads", []) == []


def test_encryption_and_acl_stand_in_the_request(s3: Any) -> None:
    store(s3_ssea_name="aws:kms", s3_sse_kms_key_id="my-key", s3_acl_canned="private").put(upload(b"x"))
    found = s3.head_object(Bucket="bucket", Key="t/x.json")
    assert (found["ServerSideEncryption"], found["SSEKMSKeyId"]) == ("aws:kms", "my-key")


def test_a_check_finds_a_bucket_and_leaves_nothing_there(s3: Any) -> None:
    assert store().check() == []
    assert s3.list_objects_v2(Bucket="bucket")["KeyCount"] == 0
    (problem,) = store(s3_bucket_name="other").check()
    assert problem.key == "s3.bucket.name"
    assert "aws s3 mb s3://other --region us-east-1" in problem.message


def answer(code: str, status: int, **headers: str) -> ClientError:
    details: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": headers}}
    return ClientError(details, "PutObject")


@pytest.mark.parametrize(
    "error",
    [answer("SlowDown", 503), answer("InternalError", 500), answer("TooManyRequests", 429),
     answer("NoSuchUpload", 404), answer("ExpiredToken", 400), EndpointConnectionError(endpoint_url="http://x")],
)  # fmt: skip
def test_what_passes_is_an_outage(error: Exception) -> None:
    assert isinstance(failure(error, "write x", parsed(config())), TargetUnavailable)


@pytest.mark.parametrize(
    ("error", "field", "remedy"),
    [
        (answer("NoSuchBucket", 404), "s3.bucket.name", "aws s3 mb s3://b"),
        (answer("AccessDenied", 403), "s3.bucket.name", "allow s3:PutObject"),
        (answer("SignatureDoesNotMatch", 403), "aws.access.key.id", "correct aws.access.key.id"),
        (answer("PermanentRedirect", 301, **{"x-amz-bucket-region": "eu-west-1"}), "s3.region", "s3.region=eu-west-1"),
        (answer("NotImplemented", 501), "s3.bucket.name", "enable.conditional.writes=false"),
        (NoCredentialsError(), "aws.access.key.id", "AWS_ACCESS_KEY_ID"),
    ],
)  # fmt: skip
def test_what_does_not_pass_says_what_to_change(error: Exception, field: str, remedy: str) -> None:
    told = failure(error, "write x", parsed(config()))
    assert not isinstance(told, TargetUnavailable)
    assert remedy in str(told)
    assert field_of(error, parsed(config())) == field


class Forbidding:
    """A client that may write but not look."""

    def head_object(self, **_: Any) -> Any:
        raise answer("403", 403)

    def put_object(self, **_: Any) -> Any:
        raise answer("PreconditionFailed", 412)


def test_who_may_not_look_is_warned_and_told_what_to_allow(caplog: pytest.LogCaptureFixture) -> None:
    store_ = BucketStore(parsed(config()), Forbidding())
    with caplog.at_level(logging.WARNING):
        assert store_.look("t/x.json") is None
    with pytest.raises(TargetError, match="s3:ListBucket on arn:aws:s3:::b"):
        store_.put(upload(b"x"))


def test_proxies_roles_and_anonymous_access_are_settings_of_the_client() -> None:
    given = raw(s3_proxy_url="http://proxy:3128", s3_proxy_user="u", s3_path_style_access_enabled="false")
    made = client(parsed({**given, "s3.proxy.password": "p@"}), given)
    assert made.meta.config.proxies["https"] == "http://u:p%40@proxy:3128"
    assert made.meta.config.s3["addressing_style"] == "virtual"
    anonymous = raw(
        s3_credentials_provider_class="software.amazon.awssdk.auth.credentials.AnonymousCredentialsProvider"
    )
    assert client(parsed(anonymous), anonymous).meta.config.signature_version is not None
    with pytest.raises(ConfigError, match=r"s3\.credentials\.provider\.sts\.role\.arn is not set"):
        client(parsed(raw(**ROLE)), raw(**ROLE))


def test_a_role_is_taken_with_the_keys_that_are_given(s3: Any) -> None:
    given = {**raw(**ROLE), "s3.credentials.provider.sts.role.arn": "arn:aws:iam::123456789012:role/writer"}
    made = client(parsed(given), given)
    BucketStore(parsed(given), made).put(upload(b"x"))
    assert made._request_signer._credentials.access_key != "a"
    assert s3.get_object(Bucket="bucket", Key="t/x.json")["Body"].read() == b"x"
