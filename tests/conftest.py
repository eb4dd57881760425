"""How many examples property tests try; how several lanes share the tests.

The same few examples at each check; `HYPOTHESIS_PROFILE=thorough` for many new ones.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import settings

from tests.lanes import Lanes, is_single

settings.register_profile("check", deadline=None, derandomize=True, max_examples=50)
settings.register_profile("thorough", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "check"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: is_single(item.nodeid.partition("::")[0]))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Lanes:
    return Lanes(config, log)
