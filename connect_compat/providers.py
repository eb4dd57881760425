"""Config providers: `${file:/path:key}`, `${dir:/path:name}`, `${env:NAME}` in a config to the values they stand for.

Resolved when a task starts or a config is checked, never stored resolved; a task notices when a value changes.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cdc.errors import ConfigError, Problem
from connect_compat import properties
from connect_compat.connector_config import with_prefix

REFERENCE = re.compile(r"\$\{([^}]*?):(([^}]*?):)?([^}]*?)\}")
"""Provider, (path with its colon), path, key: as `ConfigTransformer` of Kafka has it."""

_PACKAGE = "org.apache.kafka.common.config.provider."
Lookup = Callable[[str, str], "str | None"]
"""Path and key -> value; None when there is no such key, and the reference stays as it is."""


@dataclass(frozen=True)
class Providers:
    """The providers of a worker by the name its config gives them."""

    lookups: Mapping[str, Lookup]

    def resolve(self, config: Mapping[str, str]) -> dict[str, str]:
        """The config with every reference replaced that a provider knows.

        Raises: ConfigError: a file or folder that cannot be read or is not allowed; names key and path, not the value.
        """
        problems: list[Problem] = []
        resolved = {key: self._value(key, text, problems) for key, text in config.items()}
        if problems:
            raise ConfigError(problems)
        return resolved

    def _value(self, key: str, text: str, problems: list[Problem]) -> str:
        if "${" not in text:
            return text

        def replace(match: re.Match[str]) -> str:
            lookup = self.lookups.get(match[1])
            if lookup is None:
                return match[0]
            try:
                found = lookup(match[3] or "", match[4])
            except ConfigError as error:
                problems.extend(Problem(key, f"{key}: {problem.message}") for problem in error.problems)
                return match[0]
            return match[0] if found is None else found

        return REFERENCE.sub(replace, text)


def await_change(resolve: Callable[[], Mapping[str, str]], known: Mapping[str, str], every_s: float) -> list[str]:
    """The keys whose values are others than `known`, as soon as they are, and have stayed so from one look to the next.

    What cannot be read is being written.
    """
    seen: Mapping[str, str] = known
    while True:
        time.sleep(every_s)
        try:
            now = resolve()
        except ConfigError:
            continue
        if now == seen and now != known:
            return sorted(key for key in now if now[key] != known[key])
        seen = now


def providers(worker: Mapping[str, str]) -> Providers:
    """What `config.providers` of a worker config declares. Raises: ConfigError: a class we do not have."""
    names = [name.strip() for name in worker.get("config.providers", "").split(",") if name.strip()]
    lookups: dict[str, Lookup] = {}
    for name in names:
        declared = f"config.providers.{name}.class"
        class_name = worker.get(declared, "").strip()
        build = _CLASSES.get(class_name.removeprefix(_PACKAGE))
        if build is None:
            known = ", ".join(_PACKAGE + simple for simple in _CLASSES)
            raise ConfigError([Problem(declared, f"{declared} is {class_name!r}; the providers there are: {known}")])
        lookups[name] = build(with_prefix(worker, f"config.providers.{name}.param."))
    return Providers(lookups)


def _allowed(params: Mapping[str, str]) -> Callable[[str], Path]:
    """A check that a path lies in one of `allowed.paths`, when that is set."""
    roots = [Path(part.strip()).resolve() for part in params.get("allowed.paths", "").split(",") if part.strip()]

    def check(path: str) -> Path:
        real = Path(path).resolve()
        if roots and not any(real.is_relative_to(root) for root in roots):
            raise ConfigError([Problem(path, f"{path} is outside allowed.paths of its config provider")])
        return real

    return check


def _file(params: Mapping[str, str]) -> Lookup:
    allowed = _allowed(params)
    return lambda path, key: properties.load(allowed(path)).get(key) if path else None


def _directory(params: Mapping[str, str]) -> Lookup:
    allowed = _allowed(params)

    def lookup(path: str, key: str) -> str | None:
        if not path or Path(key).name != key:
            return None
        file = allowed(f"{path}/{key}")  # a mounted secret is a link to where its version stands
        try:
            return file.read_text(encoding="utf-8") if file.is_file() else None
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError([Problem(key, f"cannot read {file}: {error}")]) from None

    return lookup


def _environment(params: Mapping[str, str]) -> Lookup:
    allowed = re.compile(params.get("allowlist.pattern", ".*"))
    return lambda path, key: os.environ.get(key) if not path and allowed.fullmatch(key) else None


_CLASSES: dict[str, Callable[[Mapping[str, str]], Lookup]] = {
    "FileConfigProvider": _file,
    "DirectoryConfigProvider": _directory,
    "EnvVarConfigProvider": _environment,
}
