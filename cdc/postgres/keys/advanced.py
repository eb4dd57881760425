"""Keys of a PostgreSQL source that work but that Debezium's own definition (and so `validate`) does not list."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from cdc.config import between
from cdc.keys.declare import declared

_unlisted = partial(declared, group="Advanced", internal=True)


@dataclass(frozen=True, kw_only=True)
class PostgresAdvancedKeys:
    """Those that no other source has."""

    money_digits: int = _unlisted("money.fraction.digits", default=2, check=between(0, 100),
                                  doc="Digits after the point of MONEY; rounded half up.")  # fmt: skip
