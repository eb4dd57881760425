"""What a log that no longer has what follows a stored position means, and how that is mended in one step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cdc.table import TableId

_NAMED_AT_MOST: Final = 20


@dataclass(frozen=True)
class Gap:
    """Why a server cannot send what follows a position.

    Attributes:
        what: one sentence or two: which transactions or bytes, and since when.
        passes: waiting mends it: a replica has not got yet what was read elsewhere.
    """

    what: str
    passes: bool = False


def moment(seconds: float) -> str:
    """Seconds since 1970 as people read them."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def remedy(connector: str, tables: Sequence[TableId]) -> str:
    """What a gap means, and how it is closed in one step."""
    named = ", ".join(map(str, sorted(tables)[:_NAMED_AT_MOST]))
    more = f" and {len(tables) - _NAMED_AT_MOST} more" if len(tables) > _NAMED_AT_MOST else ""
    return (
        f"Any of the captured tables may have changed in between: {named}{more}. A new snapshot mends it, and nothing "
        f'needs to be dropped: PATCH /connectors/{connector}/config with {{"snapshot.mode": "when_needed"}} takes it '
        "at once. It sends every row there is; rows that were deleted in the gap are in no log any more and stay in "
        "the targets until they are deleted there"
    )
