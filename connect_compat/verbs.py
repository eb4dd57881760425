"""What an operator does with a running worker, as commands: get, describe, apply, diff, delete, pause, …

Exit codes: 0 done; 1 refused, failed or different; 2 wrong usage; 3 no worker answers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from cdc.errors import RequestError, TailraceError
from connect_compat.rest_client import RestClient, WorkerUnreachable

UNREACHABLE = 3
_LOOK_S = 0.2
_FOLLOW_S = 1.0


class Output(StrEnum):
    TEXT = "text"
    JSON = "json"


def _names(incomplete: str) -> list[str]:
    """Names for the shell's completion; none when no worker answers."""
    import os

    client = RestClient(os.environ.get("TAILRACE_URL", _URL), os.environ.get("TAILRACE_USER"),
                        os.environ.get("TAILRACE_CA"))  # fmt: skip
    try:
        return [name for name in client.ask("GET", "/connectors") if name.startswith(incomplete)]
    except TailraceError:
        return []


_URL = "http://127.0.0.1:8083"
Url = Annotated[str, typer.Option("--url", envvar="TAILRACE_URL", help="Where the worker serves REST.")]
User = Annotated[str | None, typer.Option("--user", envvar="TAILRACE_USER", help="name:password for it.")]
Authorities = Annotated[str | None, typer.Option("--ca", envvar="TAILRACE_CA", help="PEM file to check its TLS with.")]
Shown = Annotated[Output, typer.Option("--output", "-o", help="How to print.")]
Name = Annotated[str, typer.Argument(help="Name of a connector.", autocompletion=_names)]
Names = Annotated[list[str], typer.Argument(help="Names of connectors.", autocompletion=_names)]
Files = Annotated[list[Path], typer.Argument(help="Connectors, as properties or JSON.")]


@contextmanager
def _asking(url: str, user: str | None, authorities: str | None) -> Iterator[RestClient]:
    """What the worker refuses ends the command with its sentence and 1; one that does not answer with 3."""
    try:
        yield RestClient(url, user, authorities)
    except WorkerUnreachable as error:
        typer.echo(f"tailrace: {error}", err=True)
        raise typer.Exit(UNREACHABLE) from None
    except TailraceError as error:
        typer.echo(f"tailrace: {error}", err=True)
        raise typer.Exit(1) from None


def register(command: typer.Typer) -> None:
    """Adds every verb to the command line."""
    for verb in (get, describe, apply, diff, delete, pause, resume, stop, restart, offsets, logs):
        command.command()(verb)


# Looking


def get(
    names: Annotated[list[str] | None, typer.Argument(help="Connectors; all when none.", autocompletion=_names)] = None,
    output: Shown = Output.TEXT, url: Url = _URL, user: User = None, ca: Authorities = None,
) -> None:  # fmt: skip
    """Lists connectors with their states."""
    with _asking(url, user, ca) as worker:
        found = worker.ask("GET", "/connectors?expand=status&expand=info")
        for name in names or ():
            if name not in found:
                raise RequestError(
                    404, f"there is no connector {name}; there are: {', '.join(sorted(found)) or 'none'}"
                )
        chosen = {name: found[name] for name in sorted(names or found)}
        if output is Output.JSON:
            print_json(chosen)
            return
        _table([("NAME", "TYPE", "STATE", "TASKS", "WORKERS", "SAYS"),
                *(_row(name, each["status"]) for name, each in chosen.items())])  # fmt: skip


def _row(name: str, status: Mapping[str, Any]) -> tuple[str, ...]:
    tasks = status["tasks"]
    running = sum(task["state"] == "RUNNING" for task in tasks)
    workers = ",".join(sorted({task["worker_id"] for task in tasks}))
    return (name, status["type"], status["connector"]["state"], f"{running}/{len(tasks)}", workers, _says(status))


def _says(status: Mapping[str, Any]) -> str:
    """The first complaint, in one line."""
    for each in (status["connector"], *status["tasks"]):
        for name in ("trace", "waiting_for", "unhealthy"):
            if text := each.get(name):
                return str(text).partition("\n")[0]
    return ""


def describe(
    name: Name, output: Shown = Output.TEXT, url: Url = _URL, user: User = None, ca: Authorities = None
) -> None:
    """Tells all of one connector: config, states, complaints, topics, offsets."""
    with _asking(url, user, ca) as worker:
        found = {
            "name": name,
            "config": worker.ask("GET", worker.connector(name, "config")),
            "status": worker.ask("GET", worker.connector(name, "status?resources=true")),
            "topics": worker.ask("GET", worker.connector(name, "topics"))[name]["topics"],
            "offsets": worker.ask("GET", worker.connector(name, "offsets"))["offsets"],
        }
        if output is Output.JSON:
            print_json(found)
            return
        status = found["status"]
        connector = status["connector"]
        typer.echo(f"{name}: {status['type']}, {connector['state']} on {connector['worker_id']}")
        _complaints(connector)
        for task in status["tasks"]:
            typer.echo(f"  task {task['id']}: {task['state']} on {task['worker_id']}{_uses(task)}")
            _complaints(task)
        _section("config", [f"{key}={text}" for key, text in sorted(found["config"].items())])
        _section("topics", found["topics"])
        _section("offsets", [f"{_line(each['partition'])}: {_line(each['offset'])}" for each in found["offsets"]])


def _uses(task: Mapping[str, Any]) -> str:
    used = task.get("resources") or {}
    if not used.get("memory_bytes"):
        return ""
    return f", pid {used['pid']}, {used['memory_bytes'] >> 20} MB, {used['cpu_seconds']} CPU seconds"


def _complaints(state: Mapping[str, Any]) -> None:
    for name in ("waiting_for", "unhealthy"):
        if text := state.get(name):
            typer.echo(f"    {name}: {text}")
    for text in state.get("warnings", ()):
        typer.echo(f"    warning: {text}")
    for line in state.get("trace", "").splitlines():
        typer.echo(f"    {line}")


def _section(title: str, lines: list[str]) -> None:
    typer.echo(f"{title}:" + ("" if lines else " none"))
    for line in lines:
        typer.echo(f"  {line}")


# Configs


def apply(
    files: Files,
    wait: Annotated[float, typer.Option("--wait", help="Seconds to wait until all of them run.")] = 0,
    url: Url = _URL, user: User = None, ca: Authorities = None,
) -> None:  # fmt: skip
    """Creates or changes connectors so that they are as in the files; what is so already stays untouched."""
    with _asking(url, user, ca) as worker:
        configs = dict(map(_read, files))
        for name, config in configs.items():
            different = _difference(worker, name, config)
            if different is None or different:
                worker.ask("PUT", worker.connector(name, "config"), config)
            typer.echo(f"{name}: {'created' if different is None else 'changed' if different else 'unchanged'}")
        if wait and not _settled(worker, list(configs), wait):
            raise typer.Exit(1)


def diff(files: Files, url: Url = _URL, user: User = None, ca: Authorities = None) -> None:
    """Prints what `apply` would change; the exit code is 1 when that is anything."""
    with _asking(url, user, ca) as worker:
        found = [(name, _difference(worker, name, config)) for name, config in map(_read, files)]
    for name, different in found:
        if different is None:
            typer.echo(f"+ {name}: would be created")
        for key, (old, new) in sorted((different or {}).items()):
            typer.echo(f"{name}: {key}")
            for sign, text in (("-", old), ("+", new)):
                if text is not None:
                    typer.echo(f"  {sign} {text}")
    if any(different is None or different for _, different in found):
        raise typer.Exit(1)


def _read(path: Path) -> tuple[str, dict[str, str]]:
    from connect_compat.serve import connector_file

    name, config = connector_file(path)
    return name, {**config, "name": name}


def _difference(worker: RestClient, name: str, config: Mapping[str, str]) -> Mapping[str, Any] | None:
    """Key -> stored and new text of what differs, secrets masked; None: there is no such connector."""
    try:
        different: Mapping[str, Any] = worker.ask("POST", worker.connector(name, "diff"), config)
    except RequestError as error:
        if error.status == 404:
            return None
        raise
    return different


def _settled(worker: RestClient, names: list[str], seconds: float) -> bool:
    """Whether all of them run within the time; says which do not, and why."""
    end = time.monotonic() + seconds
    left = names
    while left:
        statuses = {}
        for name in left:
            try:
                statuses[name] = worker.ask("GET", worker.connector(name, "status"))
            except RequestError:  # too new to have one
                statuses[name] = None
        left = [name for name, status in statuses.items() if not _runs(status)]
        failed = [name for name in left if statuses[name] and _failed(statuses[name])]
        if failed or (left and time.monotonic() > end):
            for name in failed or left:
                typer.echo(f"{name}: {_says(statuses[name]) if statuses[name] else 'no status'}", err=True)
            return False
        time.sleep(_LOOK_S if left else 0)
    return True


def _states(status: Mapping[str, Any]) -> list[str]:
    return [each["state"] for each in (status["connector"], *status["tasks"])]


def _runs(status: Mapping[str, Any] | None) -> bool:
    return status is not None and bool(status["tasks"]) and set(_states(status)) == {"RUNNING"}


def _failed(status: Mapping[str, Any]) -> bool:
    return "FAILED" in _states(status)


# Orders


def _each(names: list[str], act: Callable[[str], Any], done: str) -> None:
    for name in names:
        act(name)
        typer.echo(f"{name}: {done}")


def delete(names: Names, url: Url = _URL, user: User = None, ca: Authorities = None) -> None:
    """Deletes connectors; their topics and offsets stay."""
    with _asking(url, user, ca) as worker:
        _each(names, lambda name: worker.ask("DELETE", worker.connector(name)), "deleted")


def pause(names: Names, url: Url = _URL, user: User = None, ca: Authorities = None) -> None:
    """Pauses connectors: their tasks stay and carry nothing."""
    with _asking(url, user, ca) as worker:
        _each(names, lambda name: worker.ask("PUT", worker.connector(name, "pause")), "paused")


def resume(names: Names, url: Url = _URL, user: User = None, ca: Authorities = None) -> None:
    """Resumes paused or stopped connectors."""
    with _asking(url, user, ca) as worker:
        _each(names, lambda name: worker.ask("PUT", worker.connector(name, "resume")), "resumed")


def stop(names: Names, url: Url = _URL, user: User = None, ca: Authorities = None) -> None:
    """Stops connectors: no tasks any more; offsets can be changed then."""
    with _asking(url, user, ca) as worker:
        _each(names, lambda name: worker.ask("PUT", worker.connector(name, "stop")), "stopped")


def restart(
    names: Names,
    failed: Annotated[bool, typer.Option("--failed", help="Only what failed.")] = False,
    url: Url = _URL, user: User = None, ca: Authorities = None,
) -> None:  # fmt: skip
    """Restarts connectors and their tasks."""
    how = f"restart?includeTasks=true&onlyFailed={str(failed).lower()}"
    with _asking(url, user, ca) as worker:
        _each(names, lambda name: worker.ask("POST", worker.connector(name, how)), "restarting")


def offsets(
    name: Name,
    reset: Annotated[bool, typer.Option("--reset", help="Forget all of them.")] = False,
    alter: Annotated[Path | None, typer.Option("--set", help="JSON file as `offsets NAME` prints it.")] = None,
    url: Url = _URL, user: User = None, ca: Authorities = None,
) -> None:  # fmt: skip
    """Prints, changes or forgets the offsets of a connector; changed only while it is stopped."""
    with _asking(url, user, ca) as worker:
        path = worker.connector(name, "offsets")
        if reset and alter is not None:
            raise typer.BadParameter("--reset and --set exclude each other")
        if reset:
            typer.echo(worker.ask("DELETE", path)["message"])
        elif alter is not None:
            typer.echo(worker.ask("PATCH", path, _loaded(alter))["message"])
        else:
            print_json(worker.ask("GET", path))


def _loaded(path: Path) -> Any:
    try:
        return orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise RequestError(400, f"cannot read {path}: {error}") from None


def logs(
    name: Annotated[str | None, typer.Argument(help="Only of this connector.", autocompletion=_names)] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on printing.")] = False,
    output: Shown = Output.TEXT, url: Url = _URL, user: User = None, ca: Authorities = None,
) -> None:  # fmt: skip
    """Prints what the worker logged lately."""
    after = 0
    with _asking(url, user, ca) as worker:
        while True:
            found = worker.ask("GET", f"/admin/logs?after={after}")
            for line in found["lines"]:
                if name is None or line.get("connector") == name:
                    typer.echo(orjson.dumps(line).decode() if output is Output.JSON else _spoken(line))
            after = found["last"]
            if not follow:
                return
            time.sleep(_FOLLOW_S)


def _spoken(line: Mapping[str, Any]) -> str:
    known = ("timestamp", "level", "event", "logger")
    rest = " ".join(f"{key}={text}" for key, text in line.items() if key not in known)
    return f"{line['timestamp']} {line['level']:<7} {line['event']} {rest}".rstrip()


# Printing


def print_json(found: Any) -> None:
    """Indented, for people and programs."""
    typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())


def _line(found: Any) -> str:
    return orjson.dumps(found).decode()


def _table(rows: list[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        typer.echo("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
