"""How a client proves to a schema registry who it is: TLS stores to a context, and tokens of an identity provider."""

from __future__ import annotations

import base64
import ssl
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from cdc import key_stores
from cdc.errors import ConfigError, Problem

_TRUST: Final = "schema.registry.ssl.truststore.location"
_KEY: Final = "schema.registry.ssl.keystore.location"
_PEM_TRUST: Final = "schema.registry.ssl.truststore.certificates"
_PEM_KEY: Final = "schema.registry.ssl.keystore.key"


class Stores(NamedTuple):
    """Files with their passwords, and PEM as it stands in a config."""

    trust: str | None = None
    trust_password: str | None = None
    authorities: str | None = None
    identity: str | None = None
    identity_password: str | None = None
    chain: str | None = None
    private_key: str | None = None
    check_hostname: bool = True


def tls_context(stores: Stores) -> ssl.SSLContext | None:
    """None for the machine's own authorities and nothing to show. Raises: ConfigError: a store that cannot be used."""
    if stores == Stores():
        return None
    context = ssl.create_default_context(cadata=_authorities(stores))
    if stores.identity:
        _identify(context, stores.identity, stores.identity_password)
    elif stores.chain and stores.private_key:
        with tempfile.NamedTemporaryFile(suffix=".pem") as file:  # `ssl` takes a key from files alone
            file.write(f"{stores.private_key}\n{stores.chain}\n".encode())
            file.flush()
            _load(context, _PEM_KEY, file.name, stores.identity_password, "it holds")
    context.check_hostname = stores.check_hostname
    return context


def _authorities(stores: Stores) -> str | None:
    if stores.trust is None:
        return stores.authorities
    _check_form(_TRUST, stores.trust)
    try:
        return key_stores.authorities(stores.trust, stores.trust_password)
    except (ValueError, OSError) as error:
        raise _wrong(_TRUST, f"{stores.trust} is neither PEM nor a PKCS #12 file that "
                             f"schema.registry.ssl.truststore.password opens ({error})") from None  # fmt: skip


def _identify(context: ssl.SSLContext, path: str, password: str | None) -> None:
    _check_form(_KEY, path)
    _load(context, _KEY, path, password, f"{path} holds")


def _load(context: ssl.SSLContext, name: str, path: str, password: str | None, holds: str) -> None:
    try:
        key_stores.load_identity(context, path, password)
    except (ValueError, OSError) as error:
        raise _wrong(name, f"{holds} no certificate with a key that schema.registry.ssl.keystore.password or "
                           f"schema.registry.ssl.key.password opens ({error})") from None  # fmt: skip


def _check_form(name: str, path: str) -> None:
    try:
        store = Path(path).read_bytes()
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}; correct the path, or the file's rights"
        raise _wrong(name, message) from None
    if remedy := key_stores.for_java_only(store, path):
        raise _wrong(name, f"{path} cannot be used: {remedy}, then set {name}={path}.p12")


def _wrong(name: str, words: str) -> ConfigError:
    return ConfigError([Problem(name, f"{name}: {words}")])


@dataclass
class OAuth:
    """Tokens by OAuth's client credentials, each kept until shortly before its end. Source: RFC 6749, section 4.4."""

    issuer: str
    client: str
    secret: str = field(repr=False)
    scope: str | None = None
    buffer_s: int = 300
    _token: str = field(default="", repr=False)
    _until: float = 0.0

    def known(self, now: float) -> str | None:
        """The token that still holds."""
        return self._token if self._token and now < self._until else None

    def request(self) -> tuple[bytes, dict[str, str]]:
        """Body and headers of the POST that asks for a token."""
        asked = {"grant_type": "client_credentials"} | ({"scope": self.scope} if self.scope else {})
        login = base64.b64encode(f"{self.client}:{self.secret}".encode()).decode()
        return urlencode(asked).encode(), {
            "Authorization": f"Basic {login}",
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
        }

    def keep(self, answer: Any, now: float) -> str:
        """The token of the provider's answer, which is JSON. Raises: ConfigError: there is none in it."""
        token = answer.get("access_token") if isinstance(answer, dict) else None
        if not token:
            raise _wrong("bearer.auth.issuer.endpoint.url", f"{self.issuer} answers without an access_token; is it the "
                                                            "address where tokens are given?")  # fmt: skip
        lasts = float(answer.get("expires_in") or 0)
        self._token = str(token)
        self._until = now + (lasts - self.buffer_s if lasts > self.buffer_s else lasts)
        return self._token
