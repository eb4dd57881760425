"""Retry, skip, dead letter, or fail: a failed step and the connector's `errors.*` settings in, the decision out.

    an outage (retriable error of source, target or log)   repeated for ever with back-off, shown as waiting;
                                                            never skipped, never dead-lettered
    a retriable error of one record                        repeated for `errors.retry.timeout`, then as the next line
    any other error of one record in a transform,          `errors.tolerance=all`: only that record is skipped (sinks:
    converter, or refused by the target                    dead-lettered); `none`: the task fails
    everything else                                        the task fails

Source: Kafka Connect's `RetryWithToleranceOperator` for the settings' meaning.
"""

from __future__ import annotations

import logging
import random
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Generic, ParamSpec, TypeVar

from cdc.errors import BeginAgain, DataError, LogFenced, TailraceError, TargetError
from connect_compat.connector_config import ErrorKeys
from connect_compat.progress import Control

W = TypeVar("W")
T = TypeVar("T")
P = ParamSpec("P")

FIRST_DELAY_S: Final = 0.3
LONGEST_DELAY_S: Final = 10.0
_NUMBER: Final = re.compile(r"\d+")

log = logging.getLogger(__name__)


class Stage(Enum):
    """The steps a record passes, as Kafka Connect names them."""

    TRANSFORMATION = "TRANSFORMATION"
    KEY_CONVERTER = "KEY_CONVERTER"
    VALUE_CONVERTER = "VALUE_CONVERTER"
    HEADER_CONVERTER = "HEADER_CONVERTER"
    TASK_PUT = "TASK_PUT"


class StepFailed(Exception):
    """A step of the pipeline failed on a batch: which step, which class, and the error."""

    def __init__(self, stage: Stage, class_name: str, error: Exception) -> None:
        super().__init__(stage, class_name, error)
        self.stage, self.class_name, self.error = stage, class_name, error


class ToleranceExceeded(TailraceError):
    """One record could not be carried and `errors.tolerance` is none: the task fails.

    Nothing is lost: the offset stays before the record, and a restart meets it again.
    """


@dataclass(frozen=True)
class Refusal(Generic[W]):
    """One record that will not be carried: `record` as it came, the step that refused it, and why."""

    record: W
    stage: Stage
    class_name: str
    error: Exception


def is_outage(error: BaseException) -> bool:
    """Source, target or log is away: waiting helps, and nothing of the data is to blame."""
    return isinstance(error, TailraceError) and error.retriable and not isinstance(error, DataError)


def may_help_to_restart(error: BaseException) -> bool:
    """Whether a task that ended with `error` is worth starting again by itself."""
    return isinstance(error, BeginAgain | LogFenced) or (isinstance(error, TailraceError) and error.retriable)


def java_class(error: Exception) -> str:
    """The class name Kafka Connect would have put into `__connect.errors.exception.class.name`."""
    if isinstance(error, DataError):
        return "org.apache.kafka.connect.errors.DataException"
    if isinstance(error, TargetError):
        return "org.apache.kafka.connect.errors.ConnectException"
    return f"{type(error).__module__}.{type(error).__qualname__}"


class Patience:
    """Repeats what fails because something is away, for ever: 0.3 s, doubling to 10 s, each ±20 %.

    `sleep` gets the seconds to wait and raises Stopped when the task shall end; a sink's keeps its group alive.
    """

    def __init__(self, control: Control, sleep: Callable[[float], None] | None = None) -> None:
        self._progress = control.progress
        self._sleep = sleep or control.sleep
        self._failures = 0
        self._said = ""
        """The reason that was logged last, without its numbers: one that only counts on is not logged again."""

    def failed(self, error: Exception) -> None:
        """Waits before the next try. Raises: `error` itself when waiting cannot help; Stopped."""
        if not is_outage(error):
            raise error
        text = str(error)
        said = _NUMBER.sub("", text)
        if said != self._said:
            log.warning("Waiting, will go on by itself: %s", text)
        self._said = said
        self._progress.waits_for(text)
        self._progress.count("total-retries")
        delay: float = min(FIRST_DELAY_S * 2.0 ** min(self._failures, 20), LONGEST_DELAY_S)
        self._failures += 1
        self._sleep(delay * random.uniform(0.8, 1.2))

    def succeeded(self) -> None:
        if self._failures:
            self._failures, self._said = 0, ""
            self._progress.waits_no_more()
            log.warning("What was waited for is back")

    def through(self, operation: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of `operation`, called again after each outage. Raises: everything else it raises; Stopped."""
        while True:
            try:
                result = operation(*args, **kwargs)
            except TailraceError as error:
                self.failed(error)
            else:
                self.succeeded()
                return result


class Tolerance(Generic[W]):
    """Carries records through steps that can fail for one of them.

    W is a run of records: `halves` splits it in two and gives nothing for a single record, which `describe` names.
    """

    def __init__(
        self, config: ErrorKeys, control: Control, halves: Callable[[W], Sequence[W]], describe: Callable[[W], str]
    ) -> None:
        self._config = config
        self._control = control
        self._halves = halves
        self._describe = describe

    def carry(self, operation: Callable[[W], list[T]], records: W) -> tuple[list[T], list[Refusal[W]]]:
        """What `operation` makes of the records, and the single records it failed on.

        The operation is repeated on halves until the record at fault stands alone, so it must be free to run twice.
        Raises: ToleranceExceeded; outages and errors that are nobody's data, as they came.
        """
        try:
            return operation(records), []
        except StepFailed as failure:
            return self._apart(operation, records, failure)

    def _apart(
        self, operation: Callable[[W], list[T]], records: W, failure: StepFailed
    ) -> tuple[list[T], list[Refusal[W]]]:
        error = failure.error
        if isinstance(error, TailraceError) and not isinstance(error, DataError):
            raise error
        halves = self._halves(records)
        if not halves:
            return self._alone(operation, records, failure)
        done: list[T] = []
        refused: list[Refusal[W]] = []
        for half in halves:
            results, refusals = self.carry(operation, half)
            done += results
            refused += refusals
        return done, refused

    def _alone(
        self, operation: Callable[[W], list[T]], record: W, failure: StepFailed
    ) -> tuple[list[T], list[Refusal[W]]]:
        """One record: repeated while that may help, then refused."""
        timeout_s = self._config.retry_timeout_ms / 1000
        deadline = time.monotonic() + (timeout_s if timeout_s >= 0 else float("inf"))
        attempt = 0
        while getattr(failure.error, "retriable", False) and (left := deadline - time.monotonic()) > 0:
            self._control.progress.count("total-record-failures")
            self._control.progress.count("total-retries")
            self._control.sleep(min(self._delay_s(attempt), left))
            attempt += 1
            try:
                return operation(record), []
            except StepFailed as again:
                failure = again
                if is_outage(failure.error):
                    raise failure.error from None
        refusal = Refusal(record, failure.stage, failure.class_name, failure.error)
        self.refuse(refusal)
        return [], [refusal]

    def _delay_s(self, attempt: int) -> float:
        longest = self._config.retry_delay_max_ms / 1000
        delay: float = FIRST_DELAY_S * 2.0 ** min(attempt, 40)
        return delay if delay <= longest else random.uniform(0, longest)

    def refuse(self, refusal: Refusal[W], *, fatal: bool = True) -> None:
        """Counts and logs a record that cannot be carried; `fatal` False: the sink's own config lets it be left out.

        Raises: ToleranceExceeded when that must stop the task.
        """
        progress = self._control.progress
        progress.count("total-record-failures")
        progress.count("total-record-errors")
        progress.counters["last-error-timestamp"] = time.time_ns() // 1_000_000
        where = self._describe(refusal.record)
        if self._config.log:
            self._log(refusal, where)
        if fatal and self._config.tolerance == "none":
            raise ToleranceExceeded(
                f"{refusal.stage.value} failed in {refusal.class_name} for {where}: {refusal.error}. "
                "errors.tolerance=none stops the task here: mend the record or the config and restart the task, "
                "or set errors.tolerance=all to skip such records (sinks: with errors.deadletterqueue.topic.name "
                "to keep them)"
            ) from refusal.error
        progress.count("total-records-skipped")

    def _log(self, refusal: Refusal[Any], where: str) -> None:
        shown = f" for {where}" if self._config.log_records else ""
        log.error("%s failed in %s%s: %s", refusal.stage.value, refusal.class_name, shown, type(refusal.error).__name__)
        self._control.progress.count("total-errors-logged")
