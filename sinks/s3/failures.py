"""What boto3 raises, as what it means: an outage to wait for, or a sentence on what to change."""

from __future__ import annotations

from typing import Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
)

from cdc.errors import TargetError, TargetUnavailable
from sinks.s3.keys import S3Config

_AWAY: Final = {
    "SlowDown", "Throttling", "ThrottlingException", "RequestLimitExceeded", "RequestTimeout", "InternalError",
    "ServiceUnavailable", "ExpiredToken", "ExpiredTokenException", "RequestTimeTooSkewed", "NoSuchUpload",
    "ConditionalRequestConflict", "OperationAborted",
}  # fmt: skip
_WRONG_REGION: Final = {
    "PermanentRedirect",
    "AuthorizationHeaderMalformed",
    "301",
    "IllegalLocationConstraintException",
}
_WRONG_KEYS: Final = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "UnrecognizedClientException"}


def code_of(error: Exception) -> str:
    """S3's own name of what is wrong, or the HTTP status as text where it gives none."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def status_of(error: Exception) -> int:
    if not isinstance(error, ClientError):
        return 0
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def failure(error: Exception, doing: str, config: S3Config) -> TargetError:
    """`doing` completes "S3 cannot": `write s3://bucket/key`."""
    where = config.store_url or f"S3 in {config.region}"
    if isinstance(error, ClientError):
        return _refusal(error, doing, where, config)
    if isinstance(error, NoCredentialsError | PartialCredentialsError | ProfileNotFound):
        return TargetError(f"{where} cannot {doing}: {error}; set aws.access.key.id and aws.secret.access.key, or give "
                           "the worker credentials by AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile or a "
                           "role")  # fmt: skip
    if isinstance(error, BotoCoreError) and not isinstance(error, ParamValidationError):
        return TargetUnavailable(f"{where} does not answer, cannot {doing}: {error}")
    return TargetError(f"{where} cannot {doing}: {error}")


def _refusal(error: ClientError, doing: str, where: str, config: S3Config) -> TargetError:
    code, status = code_of(error), status_of(error)
    said = f"{where} cannot {doing}: {code} ({status})"
    if code in _AWAY or (status >= 500 and status != 501) or status == 429:
        return TargetUnavailable(said)
    return TargetError(f"{said}; {remedy(error, config)}")


def field_of(error: Exception, config: S3Config) -> str:
    """The config key that is most likely wrong."""
    code = code_of(error)
    if code in _WRONG_KEYS or isinstance(error, NoCredentialsError | PartialCredentialsError):
        return "aws.access.key.id"
    if code in _WRONG_REGION:
        return "s3.region"
    if isinstance(error, ClientError | ParamValidationError):
        return "s3.bucket.name"
    return "store.url" if config.store_url else "s3.region"


def remedy(error: ClientError, config: S3Config) -> str:
    code, bucket = code_of(error), config.bucket
    if code == "NoSuchBucket" or (status_of(error) == 404 and code == "404"):
        return f"correct s3.bucket.name={bucket}, or create it: `aws s3 mb s3://{bucket} --region {config.region}`"
    if code in _WRONG_KEYS:
        return "correct aws.access.key.id and aws.secret.access.key"
    if code in _WRONG_REGION:
        region = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("x-amz-bucket-region")
        return f"set s3.region={region}" if region else f"correct s3.region={config.region}"
    if status_of(error) == 501:
        return "set enable.conditional.writes=false if it is the header If-None-Match that the server does not know"
    if status_of(error) == 403:
        return ("allow s3:PutObject, s3:GetObject and s3:AbortMultipartUpload on "
                f"arn:aws:s3:::{bucket}/* and s3:ListBucket on arn:aws:s3:::{bucket}")  # fmt: skip
    return str(error.response.get("Error", {}).get("Message", "")) or "see the server's log"
