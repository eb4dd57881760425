from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rest_service import RestService, serving


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RestService]:
    """Loggers as a worker has them; levels set through REST are put back."""
    root, before = logging.getLogger(), logging.getLogger().level
    root.setLevel(logging.INFO)
    folder: Path = tmp_path_factory.mktemp("data")
    with serving(folder) as running:
        yield running
    root.setLevel(before)
