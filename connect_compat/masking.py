"""Secrets out of configs and texts: what a REST answer, a log line or an error message may show."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from connect_compat.providers import REFERENCE

MASK = "********"
"""What a REST answer shows in place of a secret. Sent back in a PUT or PATCH it means: keep the stored one."""

_NAMES = (
    r"passw(?:or)?d|secret|credential|token|jaas\.config|keystore\.key|"
    r"api[._-]?key|access[._-]?key|private[._-]?key"
)
_SECRET_NAME = re.compile(_NAMES + r"|basic\.auth\.user\.info", re.IGNORECASE)
_NOT_SECRET = re.compile(
    r"(?:\.(?:class|name|type|location|alias|source|id|enabled?|url|uri|ms|path|file)|key\.id)$", re.IGNORECASE
)
_IN_TEXT = re.compile(
    rf"(?<![\w.-])(?<!configuration )((?:[\w.-]*(?:{_NAMES}))[\"']?\s*[=:]\s*)"
    r"(?!(?:YES|NO)\))(\"[^\"]*\"|'[^']*'|[^\s,;&}]+)", re.IGNORECASE
)  # fmt: skip
"""`using password: YES)`, as databases say it, is no secret, and neither is what is wrong with `configuration x:`."""
_IN_URL = re.compile(r"([a-z][a-z0-9+.-]*://[^\s/:@]*:)[^\s/@]+@", re.IGNORECASE)
_PASSWORD_IN_URL = re.compile(r"://[^\s/:@]*:([^\s/@]+)@")
_SHORTEST = 4


def looks_secret(key: str) -> bool:
    """Whether a key nobody declared holds a secret, by its name."""
    return bool(_SECRET_NAME.search(key)) and not _NOT_SECRET.search(key)


def masked(config: Mapping[str, str], declared: Collection[str] = ()) -> dict[str, str]:
    """The config with every secret replaced by `MASK`.

    Args:
        declared: names of the PASSWORD keys of its connector; others are found by `looks_secret`.
    Returns: references to config providers stay: they are no secrets. So do empty values.
    """
    return {
        key: MASK if text and (key in declared or looks_secret(key)) and not _only_references(text) else _url(text)
        for key, text in config.items()
    }


def unmasked(sent: Mapping[str, str | None], stored: Mapping[str, str]) -> dict[str, str | None]:
    """What a client sent, with each masked value replaced by the stored one it stands for."""
    return {
        key: stored[key] if text is not None and MASK in text and key in stored and _shown(key, text, stored) else text
        for key, text in sent.items()
    }


def text_without_secrets(text: str) -> str:
    """A message or log line with `password=…`, `"secret": "…"` and `scheme://user:…@` masked."""
    return _IN_URL.sub(rf"\1{MASK}@", _IN_TEXT.sub(rf"\1{MASK}", text))


def secrets_of(config: Mapping[str, str], declared: Collection[str] = ()) -> list[str]:
    """The secret values of a config, longest first; those too short to tell from other text are left out."""
    found = {text for key, text in config.items() if key in declared or looks_secret(key)}
    found |= {match[1] for text in config.values() for match in _PASSWORD_IN_URL.finditer(text)}
    return sorted((text for text in found if len(text) >= _SHORTEST), key=lambda text: (-len(text), text))


def text_without(text: str, secrets: Iterable[str]) -> str:
    """The text without these values, wherever they stand in it, and as `text_without_secrets`."""
    for value in secrets:
        text = text.replace(value, MASK)
    return text_without_secrets(text)


def _shown(key: str, text: str, stored: Mapping[str, str]) -> bool:
    return text in (MASK, _url(stored[key]))


def _url(text: str) -> str:
    return _IN_URL.sub(rf"\1{MASK}@", text) if "://" in text and "${" not in text else text


def _only_references(text: str) -> bool:
    return REFERENCE.sub("", text) == "" if "${" in text else False
