"""One transaction of many rows within a bounded memory, whole or in parts while it is open, killed in its middle.

`TAILRACE_LARGE_TRANSACTION_MB=1000` makes it 500,000 rows and 1 GB.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.server.memory import watched
from tests.server.postgres_place import Place
from tests.server.worker_process import wait_until

MB = int(os.environ.get("TAILRACE_LARGE_TRANSACTION_MB", "60"))
ROWS = MB * 500
PATIENCE_S = 60 + MB
PSS_MB = 300 if MB > 200 else 150
pytestmark = pytest.mark.timeout(240 + 4 * MB)


@pytest.mark.parametrize(("log", "streaming"), [("embedded", "on"), ("kafka", "off")])
def test_a_large_transaction_is_carried_in_little_memory_and_once(
    tmp_path: Path, postgres_address: tuple[str, int], kafka: str, log: str, streaming: str
) -> None:
    place = Place(tmp_path, postgres_address, kafka if log == "kafka" else None)
    worker = place.worker
    try:
        place.start(snapshot_mode="no_data", slot_stream_params=f"streaming={streaming}",
                    value_converter="org.apache.kafka.connect.json.JsonConverter",
                    value_converter_schemas_enable="false")  # fmt: skip
        place.database.execute("ALTER TABLE t ALTER note SET STORAGE EXTERNAL")
        with watched(worker) as highest:
            began = time.monotonic()
            place.database.execute(
                "INSERT INTO t SELECT i, -i, repeat(md5(i::text), 62) FROM generate_series(0, %s) i", (ROWS - 1,)
            )
            filled = time.monotonic()
            wait_until(lambda: place.sent() > ROWS // 3, "the middle", PATIENCE_S, every=0.1, told=worker.said)
            os.kill(worker.tasks()[f"{place.name}-0"], signal.SIGKILL)
            place.database.execute("INSERT INTO t VALUES (%s, 0)", (ROWS,))
            wait_until(lambda: _last(place) == ROWS, "the end", PATIENCE_S, every=0.5, told=worker.said)
        seconds = f"filled in {filled - began:.0f} s, read in {time.monotonic() - filled:.0f} s"
        sys.stderr.write(f"{MB} MB {log} streaming={streaming}: {seconds}, {highest[0]} MB\n")
        numbers = _numbers(place)
        if log == "embedded":
            assert numbers == list(range(ROWS + 1))
        else:  # what came after the saved offset comes again, in order
            back = [at for at in range(1, len(numbers)) if numbers[at] != numbers[at - 1] + 1]
            assert len(back) <= 1 and set(numbers) == set(range(ROWS + 1))
        assert highest[0] < PSS_MB
    finally:
        place.close()


def _numbers(place: Place) -> list[int]:
    with place.worker.log() as log:
        return [int(json.loads(key)["payload"]["id"]) for key, _ in log.topic(place.topic, {}).read() if key]


def _last(place: Place) -> int:
    return _numbers(place)[-1] if place.sent() > ROWS else -1
