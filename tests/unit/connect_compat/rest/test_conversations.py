"""What Kafka Connect 4.3.1 answered, call by call, against our REST over HTTP.

Not run here: what only data in files and topics shows (`read_file`, `consume`), which the connectors' own tests do.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conversations import Conversation
from tests.rest_service import RestService

GOLDEN = Path(__file__).parents[4] / "tests" / "golden" / "rest"
SCRIPTS = ("root", "create", "lifecycle", "offsets", "loggers", "plugins", "validate", "odd")
NOT_HERE = frozenset({"odd-077", "odd-374"})
"""Calls that ask for exactly-once delivery, which the embedded log always gives."""


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_recorded_conversation_goes_the_same_here(script: str, service: RestService, tmp_path: Path) -> None:
    conversation = Conversation(GOLDEN, script, tmp_path, settle=service.settle, skip=NOT_HERE)
    assert list(conversation.differences(service.url)) == []
