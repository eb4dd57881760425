"""Tests over both twins of a hot loop: the Python functions, and the compiled ones, which must be there."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from cdc.native import hot

KINDS = ("python", "native")


def native() -> ModuleType:
    """The compiled twin. Where it is missing the test fails, or is skipped if nothing here could build it."""
    if hot is None:
        assert not any(map(shutil.which, ("cc", "gcc", "clang"))), "build the compiled twin: scripts/native"
        pytest.skip("no C compiler is here")
    return hot


def twin(kind: str) -> ModuleType | None:
    """What the tests of a kind hand over as the compiled module."""
    return native() if kind == "native" else None


class Watched(ModuleType):
    """A twin whose type `name` tells how often it was asked and how often it refused."""

    def __init__(self, name: str) -> None:
        super().__init__("watched")
        self.asked = self.refused = 0
        made = getattr(native(), name)

        def make(*given: Any) -> Callable[..., Any]:
            call = made(*given)

            def asked(*arguments: Any) -> Any:
                self.asked += 1
                try:
                    return call(*arguments)
                except Exception:
                    self.refused += 1
                    raise

            asked.singles = getattr(call, "singles", None)  # type: ignore[attr-defined]
            return asked

        setattr(self, name, make)


def both(place: ModuleType, *caches: Callable[..., Any]) -> Any:
    """A fixture under which a module's tests run twice. `place`: the module that asks `hot`; `caches` are emptied."""

    @pytest.fixture(scope="module", autouse=True, params=KINDS)
    def twin(request: pytest.FixtureRequest) -> Iterator[str]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(place, "hot", native() if request.param == "native" else None)
            for cache in caches:
                cache.cache_clear()  # type: ignore[attr-defined]
            yield request.param

    return twin
