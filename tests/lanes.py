"""Which tests stay together when several lanes run them: a file's, for it sets up once what its tests share."""

from __future__ import annotations

from pathlib import PurePath
from typing import Final

from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

_SINGLE: Final = ("test_golden", "test_golden_postgres")
"""Files of many tests that share little: each test is given to a lane by itself, when no whole file is left."""
_BY_LOG: Final = ("test_crashes",)
"""Long files whose tests on the one log share nothing with those on the other."""


def is_single(file: str) -> bool:
    return PurePath(file).stem in _SINGLE


class Lanes(LoadScopeScheduling):  # type: ignore[misc]
    def _split_scope(self, nodeid: str) -> str:
        file, _, test = nodeid.partition("::")
        if is_single(file):
            return nodeid
        if PurePath(file).stem in _BY_LOG:
            return f"{file} {'kafka' in test}"
        return file
