from __future__ import annotations

import logging
from typing import Any

import pytest

from cdc.errors import (
    BeginAgain,
    ConversionError,
    LogFenced,
    LogUnavailable,
    SourceError,
    SourceUnavailable,
    TargetError,
    TargetUnavailable,
)
from connect_compat.connector_config import ErrorKeys
from connect_compat.progress import Control, Stopped
from connect_compat.retry import (
    Patience,
    Refusal,
    Stage,
    Tolerance,
    ToleranceExceeded,
    is_outage,
    java_class,
    may_help_to_restart,
)


class Failing:
    """Raises the errors in turn, then answers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)

    def __call__(self, answer: str) -> str:
        if self.errors:
            raise self.errors.pop(0)
        return answer


def test_an_outage_is_repeated_with_delays_that_double_up_to_ten_seconds() -> None:
    waits: list[float] = []
    patience = Patience(Control(), waits.append)
    assert patience.through(Failing(*[SourceUnavailable("away")] * 12), "here") == "here"
    assert len(waits) == 12
    assert all(0.8 * 0.3 * 2**i <= wait <= 1.2 * 0.3 * 2**i for i, wait in enumerate(waits[:6]))
    assert all(8 <= wait <= 12 for wait in waits[6:])


def test_after_a_success_the_delays_begin_anew() -> None:
    waits: list[float] = []
    patience = Patience(Control(), waits.append)
    for _ in range(2):
        patience.through(Failing(LogUnavailable("away"), LogUnavailable("away")), "here")
    assert waits[2] < 0.4


def test_what_is_waited_for_is_shown_with_the_time_the_wait_began_and_then_no_more() -> None:
    control = Control()
    seen: list[Any] = []
    patience = Patience(control, lambda _: seen.append(control.progress.waiting))
    patience.through(Failing(TargetUnavailable("es away"), TargetUnavailable("es busy")), "")
    assert [each.what for each in seen] == ["es away", "es busy"]
    assert seen[0].since_ms == seen[1].since_ms
    assert control.progress.waiting is None


def test_each_new_reason_to_wait_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    patience = Patience(Control(), lambda _: None)
    for text in ("no leader for 3 s", "no leader for 4 s", "fenced", "fenced", "no leader for 5 s"):
        patience.failed(LogUnavailable(text))
    patience.succeeded()
    patience.failed(LogUnavailable("no leader for 9 s"))
    told = [record.getMessage().rpartition(": ")[2] for record in caplog.records if "Waiting" in record.getMessage()]
    assert told == ["no leader for 3 s", "fenced", "no leader for 5 s", "no leader for 9 s"]


@pytest.mark.parametrize("error", [SourceError("x"), ConversionError("x")])
def test_what_waiting_cannot_mend_is_raised_at_once(error: Exception) -> None:
    with pytest.raises(type(error)):
        Patience(Control(), lambda _: pytest.fail("waited")).through(Failing(error), "")


def test_a_stop_ends_the_wait() -> None:
    control = Control()
    control.stop.set()
    with pytest.raises(Stopped):
        Patience(control).through(Failing(SourceUnavailable("away")), "")


def test_only_what_is_away_is_an_outage_and_only_that_restarts_a_task_by_itself() -> None:
    class Flaky(ConversionError):
        retriable = True

    assert all(map(is_outage, (SourceUnavailable(""), TargetUnavailable(""), LogUnavailable(""))))
    assert not any(map(is_outage, (SourceError(""), Flaky(""), ValueError(""))))
    assert all(map(may_help_to_restart, (LogUnavailable(""), BeginAgain(""), LogFenced(""))))
    assert not any(map(may_help_to_restart, (TargetError(""), OSError(""))))
    assert not is_outage(LogFenced(""))


def test_errors_go_by_the_java_classes_that_kafka_connect_would_name() -> None:
    assert java_class(ConversionError("")) == "org.apache.kafka.connect.errors.DataException"
    assert java_class(TargetError("")) == "org.apache.kafka.connect.errors.ConnectException"
    assert java_class(ZeroDivisionError()) == "builtins.ZeroDivisionError"


def tolerance(control: Control, **changes: Any) -> Tolerance[str]:
    keys = {"retry_timeout_ms": 0, "retry_delay_max_ms": 1, "tolerance": "all", "log": True, "log_records": False}
    return Tolerance(ErrorKeys(**{**keys, **changes}), control, lambda _: (), lambda record: f"record {record}")


REFUSAL = Refusal("7", Stage.TASK_PUT, "test.Sink", TargetError("value 4711 is too long"))


def test_a_refusal_is_counted_and_logged_without_any_value(caplog: pytest.LogCaptureFixture) -> None:
    control = Control()
    with caplog.at_level(logging.ERROR):
        tolerance(control).refuse(REFUSAL)
        tolerance(control, log_records=True).refuse(REFUSAL)
        tolerance(control, log=False).refuse(REFUSAL)
    assert [record.getMessage() for record in caplog.records] == [
        "TASK_PUT failed in test.Sink: TargetError",
        "TASK_PUT failed in test.Sink for record 7: TargetError",
    ]
    counters = control.progress.counters
    assert (counters["total-record-errors"], counters["total-records-skipped"], counters["total-errors-logged"]) == (
        3,
        3,
        2,
    )
    assert counters["last-error-timestamp"] > 0


def test_without_tolerance_a_refusal_names_record_reason_and_remedy() -> None:
    with pytest.raises(ToleranceExceeded, match=r"for record 7: value 4711 is too long\. errors\.tolerance=none stops"):
        tolerance(Control(), tolerance="none").refuse(REFUSAL)
