"""What a connector declares to the runtime: names, config, how tasks are made, what can be checked beforehand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from cdc.errors import Problem
from cdc.outlook import Outlook
from cdc.record import Sink, Source, SourceContext, SourceOffset

Raw = Mapping[str, str]


def same_for_each_task(config: Raw, max_tasks: int) -> list[Raw]:
    """Every task gets the whole config: right for sinks, whose tasks share a consumer group."""
    return [config] * max_tasks


def one_task(config: Raw, max_tasks: int) -> list[Raw]:
    """One task whatever `tasks.max` says: right for log readers."""
    return [config]


def nothing_to_check(config: Raw) -> list[Problem]:
    return []


def any_offset(config: Raw, offsets: Sequence[SourceOffset]) -> None:
    return None


@dataclass(frozen=True, kw_only=True)
class SourceConnector:
    """A source connector.

    Attributes:
        class_name: Kafka Connect's full class name.
        config: the config dataclass, fields declared with `cdc.config.key`.
        prefixes: keys that begin with these are passed through undeclared (`schema.history.internal.producer.`).
        chains: keys whose listed names begin further keys: with `post.processors=a`, `a.` is passed through too.
        build: one task's reader. Raises ConfigError; connects to nothing yet.
        task_configs: the tasks' configs from the connector's and `tasks.max`.
        check: live checks for `validate` and for create: connects, looks, and says every problem with its remedy;
            called only when the config alone has no problem.
        check_offsets: refuses (RequestError) offsets that a user wants to set and this source could not read; a None
            offset is one to forget.
        knows_offsets: whether it vouches that offsets changed through REST are all there are; the answer of REST
            tells the user to look elsewhere too when not.
        takes_signals: whether its tasks read `SourceContext.orders`.
        outlook: what starting it would mean, from another look at the source; called when `check` found nothing.
            Raises SourceError.
    """

    class_name: str
    version: str
    config: type
    build: Callable[[Raw, SourceContext], Source]
    prefixes: tuple[str, ...] = ()
    chains: tuple[str, ...] = ()
    task_configs: Callable[[Raw, int], list[Raw]] = one_task
    check: Callable[[Raw], list[Problem]] = nothing_to_check
    check_offsets: Callable[[Raw, Sequence[SourceOffset]], None] = any_offset
    knows_offsets: bool = False
    takes_signals: bool = False
    outlook: Callable[[Raw], Outlook] | None = None


@dataclass(frozen=True, kw_only=True)
class SinkConnector:
    """A sink connector; the attributes are those of `SourceConnector`, and:

    Attributes:
        takes_json: whether this config lets schemaless objects come as `orjson.Fragment`, their JSON text unseen.
        retired: settings of older releases that do nothing any more -> what is used now; each is warned of once.
    """

    class_name: str
    version: str
    config: type
    build: Callable[[Raw], Sink]
    prefixes: tuple[str, ...] = ()
    task_configs: Callable[[Raw, int], list[Raw]] = same_for_each_task
    check: Callable[[Raw], list[Problem]] = nothing_to_check
    knows_offsets: bool = False
    takes_json: Callable[[Raw], bool] = lambda config: False
    retired: Mapping[str, str] = field(default_factory=dict)
