"""Every error we raise on purpose: what broke, what it means, what to do.

    TailraceError
    ├── ConfigError            the config is wrong; lists every problem at once
    ├── DataError              one record cannot be carried; tolerance decides
    │   ├── DecodeError        bytes that are not what the protocol says
    │   ├── ConversionError    a converter cannot read or write this record
    │   └── TransformError     a transform refused this record
    ├── SourceError            the source cannot go on; needs a human
    │   └── SourceUnavailable  the source is away; retried for ever
    ├── TargetError            the target refuses for good; needs a human
    │   ├── TargetUnavailable  the target is away or busy; retried for ever
    │   └── BeginAgain         another task wrote to the same place; this one starts anew at the committed offset
    ├── LogError               the log refuses for good; needs a human
    │   ├── LogUnavailable     the log is away; retried for ever
    │   └── LogFenced          another process has this task by now; the process ends
    └── RequestError           a REST request that cannot be served; carries its HTTP status

`retriable` is read by retry.py only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple


class TailraceError(Exception):
    """Root of all errors raised on purpose. Its text alone must tell what to do."""

    retriable: ClassVar[bool] = False


class Problem(NamedTuple):
    """One thing wrong with a config: the key, and a sentence with the value and the remedy."""

    key: str
    message: str


class ConfigError(TailraceError):
    """The config cannot be used. Nothing was started and nothing stored."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(problem.message for problem in problems))
        self.problems = tuple(problems)


class DataError(TailraceError):
    """One record cannot be carried. `errors.tolerance` decides whether the task stops."""


class DecodeError(DataError):
    """Bytes that are not what the protocol says; the record is not lost in the source."""


class ConversionError(DataError):
    """A converter cannot read or write this record."""


class TransformError(DataError):
    """A transform refused this record."""


class SourceError(TailraceError):
    """The source cannot go on without a human. Nothing is lost: the offset stays where it is."""


class SourceUnavailable(SourceError):
    """The source does not answer or dropped the connection. Nothing is lost."""

    retriable = True


class TargetError(TailraceError):
    """The target refuses for good (access, mapping, missing index). The batch is not committed."""


class TargetUnavailable(TargetError):
    """The target does not answer or is busy. The batch is repeated until it is taken."""

    retriable = True


class BeginAgain(TargetError):
    """Another task has written what this one was about to. Nothing is lost: the task starts anew by itself."""


class LogError(TailraceError):
    """The log refuses for good (authorisation, record too large). Offsets were not advanced."""


class LogUnavailable(LogError):
    """The log does not answer. Offsets were not advanced."""

    retriable = True


class LogFenced(LogError):
    """Another process has begun to write as this task, so the log takes nothing more from this one. Nothing is lost.

    Repeating would shut out the other in turn: this process ends. Its worker starts another after a while, if the task
    is still its own by then.
    """


class RequestError(TailraceError):
    """A REST request that cannot be served. `status` is the HTTP status of the answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
