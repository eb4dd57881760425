"""Command lines that run a worker or read its log; those that ask a running one are in verbs.py."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from cdc.errors import TailraceError
from connect_compat import console, properties, verbs, worker_config
from connect_compat.worker_config import Mode, WorkerConfig

command = typer.Typer(
    name="tailrace",
    help="Kafka Connect and Debezium without the JVM. Alone it runs a worker on an embedded log.",
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _fail(error: TailraceError) -> NoReturn:
    typer.echo(f"tailrace: {error}", err=True)
    raise typer.Exit(1)


@contextmanager
def _told() -> Iterator[None]:
    """What was raised on purpose ends the command with its sentence, not with a stack."""
    try:
        yield
    except TailraceError as error:
        _fail(error)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tailrace {installed_version('tailrace')}")
        raise typer.Exit


def _level(level: str) -> str:
    if level and level.lower() not in console.LEVELS:
        raise typer.BadParameter(f"{level} is no level; the levels are {', '.join(console.LEVELS)}")
    return level


LogLevel = Annotated[str, typer.Option("--log-level", callback=_level, help="How much to log.")]


@command.callback(invoke_without_command=True)
def embedded(
    context: typer.Context,
    data: Annotated[str, typer.Option("--data", help="Folder of the embedded log.")] = worker_config.DATA,
    host: Annotated[str | None, typer.Option("--host", help="Address REST is served on.")] = None,
    port: Annotated[int | None, typer.Option("--port", help="Port REST is served on.")] = None,
    log_level: LogLevel = "info",
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which.")] = False,
) -> None:
    """Runs a worker on an embedded log when no command is given."""
    console.configure(log_level)
    context.obj = (data, log_level)
    if context.invoked_subcommand is None:
        with _told():
            _serve(worker_config.embedded(data, host, port))


def _serve(config: WorkerConfig, connectors: list[Path] | None = None) -> None:
    from connect_compat.serve import connector_file, serve

    serve(config, [connector_file(path) for path in connectors or []])


@command.command()
def standalone(
    worker: Annotated[Path, typer.Argument(help="Properties of the worker.")],
    connectors: Annotated[list[Path] | None, typer.Argument(help="Connectors, as properties or JSON.")] = None,
    log_level: LogLevel = "",
) -> None:
    """Runs a worker with the connectors of these files; their configs are not kept."""
    with _told():
        _serve(_config(Mode.STANDALONE, worker, log_level), connectors)


@command.command()
def distributed(
    worker: Annotated[Path, typer.Argument(help="Properties of the worker.")], log_level: LogLevel = ""
) -> None:
    """Runs a worker whose configs, offsets and statuses are kept in Kafka."""
    with _told():
        _serve(_config(Mode.DISTRIBUTED, worker, log_level))


def _config(mode: Mode, path: Path, log_level: str) -> WorkerConfig:
    if log_level:
        console.configure(log_level)
    return worker_config.worker_config(mode, properties.load(path))


@command.command()
def tail(
    context: typer.Context,
    topic: Annotated[str, typer.Argument(help="Name of a topic.")],
    worker: Annotated[Path | None, typer.Option("--worker", help="Properties of the worker, when in Kafka.")] = None,
    last: Annotated[int, typer.Option("--last", "-n", help="How many of each partition.", min=0)] = 10,
    beginning: Annotated[bool, typer.Option("--from-beginning", help="All of them.")] = False,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on printing.")] = False,
    data: Annotated[str | None, typer.Option("--data", help="Folder of the embedded log, as before `tail`.")] = None,
) -> None:
    """Prints the records of a topic, a line of JSON each."""
    from connect_compat import tail_command

    with _told():
        config = _worker_of(worker, standalone=False, data=data or context.obj[0])
        for line in tail_command.tail(config.log, topic, None if beginning else last, follow=follow):
            typer.echo(line)


@command.command()
def plan(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(help="Connectors, as properties or JSON.")],
    worker: Annotated[
        Path | None, typer.Option("--worker", help="Properties of the worker that is to run them.")
    ] = None,
    output: verbs.Shown = verbs.Output.TEXT,
) -> None:
    """Looks for everything that could stop connectors, before they are created; changes nothing."""
    from connect_compat.plan_command import lines, preview
    from connect_compat.serve import connector_file

    with _told():
        config = _worker_of(worker, standalone=False, data=context.obj[0])
        found = [preview(config, *connector_file(file)) for file in files]
    if output is verbs.Output.JSON:
        verbs.print_json([each.as_json() for each in found])
    else:
        for each in found:
            for line in lines(each):
                typer.echo(line)
    if any(each.errors for each in found):
        raise typer.Exit(1)


class HistoryAction(StrEnum):
    SHOW = "show"
    REPLAY = "replay"
    REBUILD = "rebuild"
    COMPACT = "compact"


@command.command()
def history(
    context: typer.Context,
    action: Annotated[
        HistoryAction, typer.Argument(help="Print the tables, print every record, record anew, or shorten.")
    ],
    connector: Annotated[str, typer.Argument(help="Name of a MySQL connector.")],
    worker: Annotated[Path | None, typer.Option("--worker", help="Properties of its worker, when in Kafka.")] = None,
    file: Annotated[Path | None, typer.Option("--connector", help="Its config, when the worker keeps none.")] = None,
    at: Annotated[str | None, typer.Option("--at", help="As of binlog.000003:154, or of a GTID set.")] = None,
    data: Annotated[str | None, typer.Option("--data", help="Folder of the embedded log, as before `history`.")] = None,
) -> None:
    """Prints the tables a MySQL connector knows, how it came to know them, or records them anew."""
    from connect_compat import history_command
    from connect_compat.serve import connector_file

    with _told():
        given = connector_file(file)[1] if file is not None else None
        config = _worker_of(worker, standalone=given is not None, data=data or context.obj[0])
        with history_command.history_of(config, connector, given) as found:
            lines = {
                HistoryAction.SHOW: lambda: history_command.show(found, history_command.position(at)),
                HistoryAction.REPLAY: lambda: history_command.replay(found, history_command.position(at)),
                HistoryAction.REBUILD: lambda: history_command.rebuild(found),
                HistoryAction.COMPACT: lambda: history_command.compact(found),
            }
            for line in lines[action]():
                typer.echo(line)


def _worker_of(path: Path | None, *, standalone: bool, data: str) -> WorkerConfig:
    if path is None:
        return worker_config.embedded(data)
    return worker_config.worker_config(Mode.STANDALONE if standalone else Mode.DISTRIBUTED, properties.load(path))


verbs.register(command)
