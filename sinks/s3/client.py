"""A boto3 client by the connector's config: address, credentials, proxies, retries."""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import boto3
import botocore
from botocore.config import Config
from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials

from cdc.connector import Raw
from cdc.errors import ConfigError, Problem
from sinks.s3.keys import ANONYMOUS, ASSUME_ROLE, PROVIDER_PREFIX, S3Config

_CONNECT_S, _READ_S = 5, 60


def client(config: S3Config, raw: Raw) -> Any:
    """Connects to nothing yet. Raises: ConfigError."""
    session = boto3.Session(**_keys(config), region_name=config.region)
    if config.provider == ASSUME_ROLE:
        _take_role(session, config, raw)
    return session.client("s3", endpoint_url=config.store_url or None, config=_config(config))


def _keys(config: S3Config) -> dict[str, str]:
    if not config.access_key or config.secret_key is None:
        return {}
    return {"aws_access_key_id": config.access_key, "aws_secret_access_key": config.secret_key.reveal()}


def _config(config: S3Config) -> Any:
    checksums = "when_supported" if config.digest or not config.store_url else "when_required"
    style = {"addressing_style": "path" if config.path_style else "virtual"}
    return Config(
        connect_timeout=_CONNECT_S,
        read_timeout=_READ_S,
        retries={"total_max_attempts": config.part_retries + 1, "mode": "standard"},
        proxies=_proxies(config),
        request_checksum_calculation=checksums,
        response_checksum_validation=checksums,
        s3={"use_accelerate_endpoint": True} if config.wan_mode else style,
        **({"signature_version": botocore.UNSIGNED} if config.provider == ANONYMOUS else {}),
    )


def _proxies(config: S3Config) -> dict[str, str] | None:
    if not config.proxy_url:
        return None
    parts = urlsplit(config.proxy_url)
    if config.proxy_user:
        password = quote(config.proxy_password.reveal(), safe="") if config.proxy_password else ""
        host = parts.netloc.rpartition("@")[2]
        parts = parts._replace(netloc=f"{quote(config.proxy_user, safe='')}:{password}@{host}")
    return dict.fromkeys(("http", "https"), urlunsplit(parts))


def _take_role(session: Any, config: S3Config, raw: Raw) -> None:
    """From now on the session's credentials are those of the role, taken again before they end."""
    prefix = f"{PROVIDER_PREFIX}sts."
    role = raw.get(f"{prefix}role.arn", "").strip()
    if not role:
        name = f"{prefix}role.arn"
        raise ConfigError([Problem(name, f"{name} is not set, and AwsAssumeRoleCredentialsProvider takes the role that "
                                   "it names; set it to arn:aws:iam::ACCOUNT:role/NAME")])  # fmt: skip
    more = {"RoleSessionName": raw.get(f"{prefix}role.session.name", "tailrace"),
            "ExternalId": raw.get(f"{prefix}role.external.id", "")}  # fmt: skip
    region = raw.get(f"{prefix}region", "").strip()
    place = {"region_name": region} if region else {}
    inner = session._session
    fetcher = AssumeRoleCredentialFetcher(
        partial(inner.create_client, **place), session.get_credentials(), role,
        extra_args={name: value for name, value in more.items() if value},
    )  # fmt: skip
    inner._credentials = DeferredRefreshableCredentials(method="assume-role", refresh_using=fetcher.fetch_credentials)
