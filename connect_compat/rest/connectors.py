"""`/`, `/health` and `/connectors`: requests to herder calls, results to answers."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import Response

from cdc.errors import RequestError
from connect_compat.plugins import KAFKA
from connect_compat.rest import body
from connect_compat.rest.answer import empty, error_answer, json_answer
from connect_compat.rest.app import Body, TheHerder, flag
from connect_compat.rest.others import complete
from connect_compat.state import Target

router = APIRouter()
COMMIT = "26b251a451ce941d"
"""The commit that Kafka Connect 4.3.1 names, the release whose answers ours are equal to."""
_TARGETS = {"RUNNING": Target.STARTED, "PAUSED": Target.PAUSED, "STOPPED": Target.STOPPED}
_ONE = "/connectors/{name:segment}"
_IN_A_PATH = "!$&'()*+,;=:@~"
"""What else may stand in a segment of a path as it is. A `%` or `/` in a name is encoded, so that the address works."""
_LARGEST_INT = 2**31 - 1


@router.get("/")
def root(herder: TheHerder) -> Response:
    """Versions and the id of the cluster."""
    return json_answer({"version": KAFKA, "commit": COMMIT, "kafka_cluster_id": herder.cluster_id()})


@router.get("/health")
def health(herder: TheHerder) -> Response:
    """200 `healthy`; 503 `starting` until the log has answered; 500 `unhealthy` naming every task that says
    RUNNING, waits for no outage and makes no progress for 30 s.
    """
    if not herder.ready:
        return json_answer({"status": "starting", "message": "Worker is still starting up."}, 503)
    stalled = herder.stalled()
    if stalled:
        message = "; ".join(f"task {view.id}: {view.reason}" for view in stalled)
        return json_answer({"status": "unhealthy", "message": message}, 500)
    message = "Worker has completed startup and is ready to handle requests."
    return json_answer({"status": "healthy", "message": message})


@router.get("/connectors")
def names(request: Request, herder: TheHerder) -> Response:
    """Names; with `?expand=info`, `?expand=status` or both: more of each."""
    expand = request.query_params.getlist("expand")
    if not expand:
        return json_answer(herder.names())
    found: dict[str, dict[str, Any]] = {}
    for name in herder.names():
        try:
            found[name] = {
                **({"info": herder.info(name)} if "info" in expand else {}),
                **({"status": herder.status(name)} if "status" in expand else {}),
            }
        except RequestError:  # deleted meanwhile, or too new to have a status: left out
            continue
    if "status" in expand:
        complete(request, herder, {name: each["status"] for name, each in found.items()})
    return json_answer(found)


@router.post("/connectors")
def create(request: Request, raw: Body, herder: TheHerder) -> Response:
    """201: created from `{"name": …, "config": {…}, "initial_state": "RUNNING"}`; 409: the name is taken."""
    given, config, state = body.create_request(raw)
    name = (given or "").strip()
    info = herder.create(name, _named(name, config), _TARGETS[state] if state else None)
    return json_answer(info, 201, _location(request, name))


def _named(name: str, config: dict[str, str | None]) -> dict[str, str | None]:
    """The config with its name in it. Raises: RequestError: 400: another name stands there."""
    included = config.get("name")
    if included is not None and included != name:
        raise RequestError(
            400, f"Connector name configuration ({included}) doesn't match connector name in the URL ({name})"
        )
    return {**config, "name": name}


def _location(request: Request, name: str) -> str:
    host = request.headers.get("host", "")
    return f"{request.url.scheme}://{host}/connectors/{quote(name, safe=_IN_A_PATH)}"


@router.get(_ONE)
def info(name: str, herder: TheHerder) -> Response:
    """Config, tasks, type."""
    return json_answer(herder.info(name))


@router.delete(_ONE)
def delete(name: str, herder: TheHerder) -> Response:
    """204; its offsets stay, as in Kafka Connect."""
    herder.delete(name)
    return empty(204)


@router.get(_ONE + "/config")
def config(name: str, herder: TheHerder) -> Response:
    """The config, secrets masked."""
    return json_answer(herder.config(name))


@router.put(_ONE + "/config")
def put_config(request: Request, name: str, raw: Body, herder: TheHerder) -> Response:
    """201 created or 200 changed; a mask stands for the stored secret."""
    new, info = herder.put_config(name, _named(name, body.config_map(raw)))
    return json_answer(info, 201, _location(request, name)) if new else json_answer(info)


@router.patch(_ONE + "/config")
def patch_config(name: str, raw: Body, herder: TheHerder) -> Response:
    """The config with these keys changed; null removes a key."""
    return json_answer(herder.patch_config(name, body.config_map(raw, "connectorConfigPatch")))


@router.post(_ONE + "/diff")
def diff(name: str, raw: Body, herder: TheHerder) -> Response:
    """Tailrace's own: what a config, sent as for `PUT …/config`, would change: `{"key": ["stored", "new"]}`, null
    for what one of them lacks, secrets masked.
    """
    return json_answer(herder.diff(name, _named(name, body.config_map(raw))))


@router.get(_ONE + "/status")
def status(request: Request, name: str, herder: TheHerder) -> Response:
    """States of connector and tasks; with `?resources=true`, Tailrace's own, also what each task uses."""
    found = herder.status(name, resources=flag(request, "resources"))
    complete(request, herder, {name: found})
    return json_answer(found)


@router.post(_ONE + "/restart")
def restart(request: Request, name: str, herder: TheHerder) -> Response:
    """204; with `?includeTasks=true` or `?onlyFailed=true` 202 and what is restarted."""
    include_tasks = flag(request, "includeTasks")
    only_failed = flag(request, "onlyFailed")
    if not include_tasks and not only_failed:
        herder.restart_connector(name)
        return empty(204)
    return json_answer(herder.restart(name, include_tasks=include_tasks, only_failed=only_failed), 202)


@router.put(_ONE + "/pause")
def pause(name: str, herder: TheHerder) -> Response:
    """202: tasks stay and do nothing."""
    herder.set_target(name, Target.PAUSED)
    return empty(202)


@router.put(_ONE + "/resume")
def resume(name: str, herder: TheHerder) -> Response:
    """202: goes on after a pause or a stop."""
    herder.set_target(name, Target.STARTED)
    return empty(202)


@router.put(_ONE + "/stop")
def stop(name: str, herder: TheHerder) -> Response:
    """204: no tasks, until `resume`."""
    herder.set_target(name, Target.STOPPED)
    return empty(204)


@router.get(_ONE + "/tasks")
def tasks(name: str, herder: TheHerder) -> Response:
    """Ids and configs of the tasks."""
    return json_answer(herder.task_configs(name))


@router.post(_ONE + "/tasks")
@router.put(_ONE + "/fence")
def internal(name: str) -> Response:
    """400: for workers among themselves."""
    return error_answer(400, "Internal request missing required signature")


def _task(text: str) -> int:
    """Raises: RequestError: 404 for what is no number."""
    if not text.lstrip("+-").isdecimal() or abs(int(text)) > _LARGEST_INT:
        raise RequestError(404, "HTTP 404 Not Found")
    return int(text)


@router.get(_ONE + "/tasks/{task}/status")
def task_status(request: Request, name: str, task: str, herder: TheHerder) -> Response:
    """One task's state."""
    found = herder.task_status(name, _task(task))
    complete(request, herder, {name: {"tasks": [found]}})
    return json_answer(found)


@router.post(_ONE + "/tasks/{task}/restart")
def restart_task(name: str, task: str, herder: TheHerder) -> Response:
    """204: the task has been started anew."""
    herder.restart_task(name, _task(task))
    return empty(204)


@router.post(_ONE + "/signal")
def signal(name: str, raw: Body, herder: TheHerder) -> Response:
    """Tailrace's own: a signal to a MySQL, MariaDB or PostgreSQL source,
    `{"id": "1", "type": "execute-snapshot", "data": {…}}`. 204: carried out, and what it changed is saved; 400: no
    signal; 409: no task of the connector runs, or it takes none; 504: handed over but not done within 15 s.
    """
    herder.signal(name, body.signal_request(raw))
    return empty(204)


@router.get(_ONE + "/topics")
def topics(name: str, herder: TheHerder) -> Response:
    """Topics it has used."""
    return json_answer({name: {"topics": herder.topics(name)}})


@router.put(_ONE + "/topics/reset")
def reset_topics(name: str, herder: TheHerder) -> Response:
    """202: forgets them."""
    herder.reset_topics(name)
    return empty(202)


@router.get(_ONE + "/offsets")
def offsets(name: str, herder: TheHerder) -> Response:
    """Where a source is in its log, or a sink in each partition."""
    return json_answer({"offsets": herder.offsets(name)})


@router.patch(_ONE + "/offsets")
def alter_offsets(name: str, raw: Body, herder: TheHerder) -> Response:
    """Sets them; the connector must be stopped."""
    return json_answer({"message": herder.alter_offsets(name, body.offsets_request(raw))})


@router.delete(_ONE + "/offsets")
def reset_offsets(name: str, herder: TheHerder) -> Response:
    """Resets them; the connector must be stopped."""
    return json_answer({"message": herder.reset_offsets(name)})
