"""MariaDB's global transaction ids, `domain-server-number`: the last one of each domain tells what is done.

Source: MariaDB's Knowledge Base, "Global Transaction ID"; Debezium 3.5.0.Final's recorded offsets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from cdc.errors import SourceError

_GTID: Final = re.compile(r"(\d{1,10})-(\d{1,10})-(\d{1,20})")


class Last(NamedTuple):
    """The last transaction of a domain: the server that made it, and its number, which only grows in a domain."""

    server: int
    number: int


def is_domain_gtids(text: str) -> bool:
    """Whether a text is a list of MariaDB's GTIDs, and not a GTID set of MySQL."""
    return _GTID.match(text.strip()) is not None and ":" not in text


@dataclass(frozen=True, slots=True)
class DomainGtids:
    """Everything up to the last transaction of each domain; operations give new ones."""

    last: Mapping[int, Last] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> DomainGtids:
        """From `0-1-100,1-2-5`; the later of two of one domain counts. Raises: SourceError: `text` is no such list."""
        found: dict[int, Last] = {}
        for part in filter(None, (part.strip() for part in text.split(","))):
            match = _GTID.fullmatch(part)
            if match is None:
                raise SourceError(f"{part!r} is not a MariaDB GTID: expected domain-server-number")
            domain, server, number = map(int, match.groups())
            found[domain] = Last(server, number)
        return cls(found)

    def __str__(self) -> str:
        """In the order in which Debezium writes the domains."""
        return ",".join(f"{domain}-{last.server}-{last.number}" for domain, last in _as_java_has_it(self.last))

    def __bool__(self) -> bool:
        return bool(self.last)

    def contains(self, other: DomainGtids) -> bool:
        """Whether everything that `other` has done is done here. Which server did it does not count: a number has
        its one place in a domain.
        """
        return not other.minus(self)

    def minus(self, other: DomainGtids) -> DomainGtids:
        """The domains in which `other` has not done everything that is done here, as they are here."""
        return DomainGtids({
            domain: last
            for domain, last in self.last.items()
            if (theirs := other.last.get(domain)) is None or theirs.number < last.number
        })  # fmt: skip

    def only(self, wanted: Callable[[str], bool]) -> DomainGtids:
        """The domains that a filter of `gtid.source.includes` or `.excludes` wants."""
        return DomainGtids({
            domain: last for domain, last in self.last.items() if wanted(origin(domain, last.server))
        })  # fmt: skip

    def tally(self) -> DomainTally:
        return DomainTally(self)


def origin(domain: int, server: int) -> str:
    """What the filters of GTID sources are asked with."""
    return f"{domain}-{server}"


class DomainTally:
    """GTIDs that grow by one transaction after the other."""

    __slots__ = ("_last",)

    def __init__(self, done: DomainGtids) -> None:
        self._last = dict(done.last)

    def add(self, gtid: str, count: int = 1) -> None:
        """`domain-server-number`: the last of `count` in a row."""
        domain, server, number = map(int, gtid.split("-"))
        self._last[domain] = Last(server, number)

    def done(self) -> DomainGtids:
        return DomainGtids(dict(self._last))


def _as_java_has_it(last: Mapping[int, Last]) -> Iterable[tuple[int, Last]]:
    """The order of a Java `HashMap<Long, …>`: by its buckets, of which there are 16 or twice as many, and so on."""
    buckets = 16
    while len(last) * 4 > buckets * 3:
        buckets *= 2
    return sorted(last.items(), key=lambda item: (item[0] ^ item[0] >> 16) & (buckets - 1))
