"""The compiled producer by itself: what it refuses, and that it never ends the process or loses an error."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time
from typing import Any
from weakref import ref

import pytest
from confluent_kafka import KafkaError, cimpl

from tests.twins import native

NOBODY = "127.0.0.1:1"


@pytest.mark.parametrize("library", ["/no/such/library.so", ""], ids=["none", "another"])
def test_compiled_code_says_that_librdkafka_is_not_found(library: str) -> None:
    library = library or native().__file__ or ""
    code = f"from cdc.native import _hot; _hot.KafkaProducer({library!r}, None, {{}})"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60).stderr
    assert told.splitlines()[-1] in (
        f"ImportError: {library} is not loaded", f"ImportError: {library} shows no librdkafka",
    )  # fmt: skip


class Listener:
    """As little as a compiled producer needs to be told."""

    def exception(self, code: int, reason: str, *more: Any) -> Exception:
        return RuntimeError(f"{code} {reason}")

    def logged(self, *line: Any) -> None: ...

    def complained(self, *error: Any) -> None: ...

    def undelivered(self, *record: Any) -> None:
        raise ZeroDivisionError


@pytest.fixture
def compiled() -> Any:
    return native().KafkaProducer(cimpl.__file__, Listener(), {
        "bootstrap.servers": NOBODY, "queue.buffering.max.messages": "1",
    })  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        ("t", ["k"], [b"v"], [()], 0, None, 0),
        ("t", [b"k"], [1], [()], 0, None, 0),
        ("t", [b"k"], [b"v"], [[("a",)]], 0, None, 0),
        ("t", [b"k"], [b"v"], [[("a", "b")]], 0, None, 0),
        ("t", [b"k"], [b"v"], [["ab"]], 0, None, 0),
        ("t", [b"k"], [b"v"], [7], 0, None, 0),
        ("t", [b"k"], [b"v"], [()], 0, ["1"], 0),
        ("t", [b"k"], [b"v"], [()], "0", None, 0),
        ("t", 5, [b"v"], [()], 0, None, 0),
        (b"t", [b"k"], [b"v"], [()], 0, None, 0),
        ("t", [b"k"] * 2, [b"v"], [()], 0, None, 0),
        ("t", [b"k"], [b"v"], [()] * 2, 0, None, 0),
        ("t", [b"k"], [b"v"], [()], 0, [], 0),
        ("t", [b"k"], [b"v"], [()], 0, [1 << 70], 0),
        ("t", [b"k"], [b"v"], [()], 0, None, 2),
        ("t", [b"k"], [b"v"], [()], 0, None, -1),
        ("t\0", [b"k"], [b"v"], [()], 0, None, 0),
        ("\ud800", [b"k"], [b"v"], [()], 0, None, 0),
        ("t", [b"k"], [b"v"], [[("\ud800", b"b")]], 0, None, 0),
    ],
    ids=str,
)
def test_wrong_records_are_refused_whole(compiled: Any, wrong: tuple[Any, ...]) -> None:
    with pytest.raises((TypeError, ValueError, OverflowError)):
        compiled.produce(*wrong)
    right = ("t", [b"k"], [b"v"], [()], 0, None, 0)
    assert [compiled.produce(*right) for _ in range(2)] == [(1, 0), (0, KafkaError._QUEUE_FULL)]
    compiled.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_loss_that_could_not_be_told_fails_every_later_call(compiled: Any) -> None:
    compiled.produce("t", [b"k"], [b"v"], [()], 0, None, 0)
    compiled.purge()
    for call in (lambda: compiled.flush(1), lambda: compiled.poll(0), compiled.purge):
        with pytest.raises(RuntimeError, match="an error of the client was lost"):
            call()
    compiled.close()


def test_closing_while_a_call_is_under_way_lets_it_return(compiled: Any) -> None:
    waiting = threading.Thread(target=compiled.poll, args=(0.3,))
    waiting.start()
    time.sleep(0.05)
    compiled.close()
    waiting.join(10)
    assert not waiting.is_alive()
    for call in (lambda: compiled.poll(0), compiled.purge, lambda: compiled.produce("t", [], [], [], 0, None, 0)):
        with pytest.raises(RuntimeError, match="-197 the producer is closed"):
            call()
    compiled.close()
    assert len(compiled) == 0


def test_a_producer_that_nobody_closes_goes_with_its_listener() -> None:
    listener: Any = Listener()
    listener.producer = native().KafkaProducer(cimpl.__file__, listener, {"bootstrap.servers": NOBODY})
    listener.producer.produce("t", [b"k"], [b"v"], [[("a", b"1")]], 0, None, 0)
    there = ref(listener)
    del listener
    gc.collect()
    assert there() is None
