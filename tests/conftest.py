"""How many examples property tests try, and which tests stay together when several lanes run them.

The same few examples at each check; `HYPOTHESIS_PROFILE=thorough` for many new ones.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

settings.register_profile("check", deadline=None, derandomize=True, max_examples=50)
settings.register_profile("thorough", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "check"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A file's tests run on one lane, which sets up once what they share; those marked `single` fill up the lanes."""
    for item in items:
        if item.get_closest_marker("single") is None and item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
    items.sort(key=lambda item: item.get_closest_marker("single") is not None)
