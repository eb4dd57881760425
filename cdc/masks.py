"""Column masks: `column.mask.*` and `column.truncate.*` of a config -> for a column what its values become.

Source: Debezium 3.5.0.Final, `ColumnMappers`, `MaskStrings`, `TruncateColumn`, and recorded events.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar

from cdc.errors import Problem
from cdc.java.order import in_hash_order
from cdc.java.strings import cut, serialized
from cdc.keys.texts import patterns
from cdc.table import Predicate, any_of

_KINDS: Final = (
    ("truncate", re.compile(r"column\.truncate\.to\.(\d+)\.chars")),
    ("mask", re.compile(r"column\.mask\.with\.(\d+)\.chars")),
    ("hash", re.compile(r"column\.mask\.hash\.(?!v2\.)([^.]+)\.with\.salt\.(.+)", re.DOTALL)),
    ("hash2", re.compile(r"column\.mask\.hash\.v2\.([^.]+)\.with\.salt\.(.+)", re.DOTALL)),
)
"""In the order in which they are asked; the first that names a column holds."""
PREFIXES: Final = ("column.mask.", "column.truncate.")
_TEMPLATES: Final = frozenset((
    "column.mask.hash.([^.]+).with.salt.(.+)", "column.mask.with.(d+).chars", "column.truncate.to.(d+).chars",
))  # fmt: skip
"""Debezium declares the keys by these names; nothing reads their values."""
_TEXT_TYPES: Final = frozenset((1, 12, -1, 2005, -15, -9, -16, 2011, 70))
"""`java.sql.Types` whose values are masked: CHAR, VARCHAR, CLOB and their kin."""
_ALGORITHMS: Final = {
    "MD5": "md5", "SHA": "sha1", "SHA1": "sha1", "SHA-1": "sha1", "SHA-224": "sha224", "SHA224": "sha224",
    "SHA-256": "sha256", "SHA256": "sha256", "SHA-384": "sha384", "SHA384": "sha384", "SHA-512": "sha512",
    "SHA512": "sha512", "SHA-512/224": "sha512_224", "SHA-512/256": "sha512_256", "SHA3-224": "sha3_224",
    "SHA3-256": "sha3_256", "SHA3-384": "sha3_384", "SHA3-512": "sha3_512",
}  # fmt: skip
"""Names of Java's MessageDigest -> hashlib's."""
PARAMETERS: Final = frozenset(("masked", "truncateLength"))
"""What a mask adds to the parameters of a column's schema."""


class Masked(Protocol):
    """A column as masks look at it: its length, None where it has none, and its number of `java.sql.Types`."""

    @property
    def length(self) -> int | None: ...
    @property
    def jdbc_type(self) -> int: ...


C = TypeVar("C", bound=Masked)


@dataclass(frozen=True, eq=False)
class Mask:
    """What becomes of one column.

    Attributes:
        parameters: added to the column's schema in `before` and `after`.
        change: a value that may be None -> the value shown; None: values stay as they are.
    """

    parameters: tuple[tuple[str, str], ...]
    change: Callable[[Any], Any] | None = None


@dataclass(frozen=True)
class _Rule:
    names: Predicate
    make: Callable[[Masked], Mask]


class Masks(Generic[C]):
    """The masks of one connector.

    `propagated` says whether `column.propagate.source.type` or `datatype.propagate.source.type` names a column: it
    then is not hashed, for of Debezium's rules for a column only the first holds, and hashing comes last.
    """

    def __init__(self, raw: Mapping[str, str], propagated: Callable[[str, C], bool] = lambda name, c: False) -> None:
        self._propagated = propagated
        rules: dict[str, list[_Rule]] = {kind: [] for kind, _ in _KINDS}
        for name in in_hash_order(raw):
            for kind, pattern in _KINDS:
                found = pattern.fullmatch(name)
                if found is not None:
                    rules[kind].append(_Rule(any_of(patterns(raw[name])), _MAKERS[kind](*found.groups())))
        self._first = rules["truncate"] + rules["mask"]
        self._last = rules["hash"] + rules["hash2"]

    def __bool__(self) -> bool:
        return bool(self._first or self._last)

    def of(self, name: str, column: C) -> Mask | None:
        """`name` is `db.table.column`."""
        rule = next((rule for rule in self._first if rule.names(name)), None)
        if rule is None and self._last and not self._propagated(name, column):
            rule = next((rule for rule in self._last if rule.names(name)), None)
        return None if rule is None else rule.make(column)


def problems(raw: Mapping[str, str]) -> list[Problem]:
    """Keys of masks that cannot be used."""
    return [Problem(name, problem) for name in raw if (problem := _problem(name, raw[name])) is not None]


def _problem(name: str, value: str) -> str | None:
    found = _matched(name)
    if found is None:
        return None
    if len(found.groups()) == 2 and found[1].upper() not in _ALGORITHMS:
        return f"{name}: there is no algorithm {found[1]}; use SHA-256 or one of {', '.join(sorted(_ALGORITHMS))}"
    for pattern_text in patterns(value):
        try:
            re.compile(pattern_text)
        except re.error as error:
            return f"{name}: {pattern_text!r} is not a regular expression: {error}"
    return None


def unread(raw: Mapping[str, str]) -> list[str]:
    """A sentence for each key that looks like a mask and is none."""
    return [
        f"{name} masks nothing; write column.mask.with.<number>.chars, column.truncate.to.<number>.chars or "
        "column.mask.hash.v2.<algorithm>.with.salt.<salt>"
        for name in raw
        if name.startswith(PREFIXES) and name not in _TEMPLATES and _matched(name) is None
    ]


def _matched(name: str) -> re.Match[str] | None:
    return next((match for _, pattern in _KINDS if (match := pattern.fullmatch(name))), None)


def _truncate(length_text: str) -> Callable[[Masked], Mask]:
    length = int(length_text)

    def make(column: Masked) -> Mask:
        if column.length is not None and 0 <= column.length <= length:
            return Mask(())
        return Mask((("truncateLength", str(length)),), lambda value: _shortened(value, length))

    return make


def _shortened(value: Any, length: int) -> Any:
    if type(value) is str:
        return value if 2 * len(value) <= length else cut(value, length)
    return value[:length] if type(value) is bytes else value


def _mask(length_text: str) -> Callable[[Masked], Mask]:
    stars = "*" * int(length_text)
    return lambda column: Mask((("masked", "true"),), (lambda value: stars) if _is_text(column) else None)


def _hash(data: Callable[[str], bytes]) -> Callable[[str, str], Callable[[Masked], Mask]]:
    def rule(algorithm: str, salt: str) -> Callable[[Masked], Mask]:
        start = hashlib.new(_ALGORITHMS[algorithm.upper()], salt.encode(), usedforsecurity=False)

        def make(column: Masked) -> Mask:
            length = column.length if column.length else None

            def change(value: Any) -> str | None:
                if type(value) is not str:
                    return None
                digest = start.copy()
                digest.update(data(value))
                return digest.hexdigest()[:length]

            return Mask((("masked", "true"),), change if _is_text(column) else None)

        return make

    return rule


def _is_text(column: Masked) -> bool:
    return column.jdbc_type in _TEXT_TYPES


_MAKERS: Final[dict[str, Callable[..., Callable[[Masked], Mask]]]] = {
    "truncate": _truncate,
    "mask": _mask,
    "hash": _hash(serialized),
    "hash2": _hash(lambda text: text.encode("utf-8", "replace")),
}
