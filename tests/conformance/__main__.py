"""Runs the scripts of calls in tests/golden/rest against live workers and prints every answer that is not as recorded.

`python -m tests.conformance [--without-peer]` starts a worker of ours, and a real Kafka Connect with which the recorded
answers are compared too, on the Kafka of TAILRACE_KAFKA. `… URL…` takes workers that run. `… --record SCRIPT URL`
writes the answers of one script anew.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from services import connect
from tests.conversations import Conversation
from tests.server.lane import free_port
from tests.server.worker_process import WorkerProcess

GOLDEN = Path(__file__).parents[1] / "golden" / "rest"
SCRIPTS = ("root", "create", "lifecycle", "offsets", "loggers", "plugins", "validate", "odd")
_SETTLED_S = 1.5
_PATIENCE_S = 60.0


@contextmanager
def conversation(script: str) -> Iterator[Conversation]:
    with tempfile.TemporaryDirectory() as folder:
        yield Conversation(GOLDEN, script, Path(folder), lambda: time.sleep(_SETTLED_S), patience_s=_PATIENCE_S)


def compare(base: str) -> int:
    """The number of answers of the worker at `base` that differ, each printed."""
    calls, differ = 0, set()
    for script in SCRIPTS:
        with conversation(script) as talk:
            for each in talk.differences(base):
                differ.add(each.call)
                sys.stdout.write(f"{base} {each.call}: {each.what}\n")
            talk.forget(base)
            calls += talk.calls
    sys.stdout.write(f"{base}: {calls} calls, {len(differ)} differ\n")
    return len(differ)


def record(script: str, base: str) -> None:
    with conversation(script) as talk:
        lines = [json.dumps(answer, ensure_ascii=False) for answer in talk.answers(base)]
        talk.forget(base)
    (GOLDEN / f"{script}.answers.jsonl").write_text("\n".join(lines) + "\n")


@contextmanager
def workers(kafka: str, *, peer: bool) -> Iterator[list[str]]:
    """Addresses of a worker of ours, and of a real one before it."""
    name = f"conformance{time.time_ns()}"
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        bases = []
        if peer:
            port = free_port()
            opened.callback(connect.stop, folder / "peer")
            settings = connect.distributed(f"{name}-peer")
            connect.start(folder / "peer", port, kafka, settings, jvm=connect.SMALL_JVM, level="INFO")  # as recorded
            bases.append(f"http://127.0.0.1:{port}")
        ours = WorkerProcess(folder / "ours", name, kafka)
        opened.callback(ours.close)
        ours.start()
        yield [*bases, ours.url]


def main(arguments: Sequence[str]) -> int:
    if arguments[:1] == ["--record"]:
        record(arguments[1], arguments[2])
        return 0
    if arguments and arguments != ["--without-peer"]:
        return sum(map(compare, arguments))
    with workers(os.environ["TAILRACE_KAFKA"], peer=not arguments) as bases:
        return sum(map(compare, bases))


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1:]) else 0)
