"""`/connector-plugins`: what there is to configure, its keys, and a config checked against them."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from cdc.errors import RequestError
from connect_compat.plugins import CONNECTORS
from connect_compat.rest import body
from connect_compat.rest.answer import json_answer
from connect_compat.rest.app import Body, TheHerder, flag
from connect_compat.validate import plugin_definitions

router = APIRouter()
_ONE = "/connector-plugins/{plugin:segment}"
_BAD_REQUEST = "org.apache.kafka.connect.runtime.rest.errors.BadRequestException"
_CONFIG_EXCEPTION = "org.apache.kafka.common.config.ConfigException"
_CLASSES_OF_JAVA = frozenset(
    f"java.{name}"
    for name in ("lang.Boolean", "lang.Byte", "lang.Character", "lang.Class", "lang.Double", "lang.Exception",
                 "lang.Float", "lang.Integer", "lang.Long", "lang.Math", "lang.Number", "lang.Object", "lang.Runnable",
                 "lang.Short", "lang.String", "lang.System", "lang.Thread", "lang.Throwable", "util.ArrayList",
                 "util.Collection", "util.HashMap", "util.HashSet", "util.List", "util.Map", "util.Set")
)  # fmt: skip
"""Classes that Kafka Connect finds and that are no plugins: it fails over them, where another name is unknown."""


@router.get("/connector-plugins")
def plugins(request: Request, herder: TheHerder) -> Response:
    """Connectors; with `?connectorsOnly=false` transforms, predicates and converters too."""
    connectors_only = flag(request, "connectorsOnly", default=True)
    found = herder.plugins.all(*(CONNECTORS if connectors_only else ()))
    return json_answer([
        {"class": plugin.class_name, "type": plugin.kind.value, "version": plugin.version} for plugin in found
    ])  # fmt: skip


@router.get(_ONE + "/config")
def keys(plugin: str, herder: TheHerder) -> Response:
    """The keys it knows, in the order of Kafka Connect."""
    found = herder.plugins.known_as(plugin)
    if found is None and plugin in _CLASSES_OF_JAVA:
        raise RequestError(500, "Instantiation error")
    if found is None:
        raise RequestError(404, f"Unknown plugin {plugin}.")
    return json_answer(plugin_definitions(found))


@router.put(_ONE + "/config/validate")
def validate(plugin: str, raw: Body, herder: TheHerder) -> Response:
    """Every key with its value and errors; a source looks at its server too."""
    config = body.config_map(raw)
    included = config.get("connector.class")
    if included is not None and not included.removesuffix("Connector").endswith(plugin.removesuffix("Connector")):
        raise RequestError(400, f"Included connector type {included} does not match request type {plugin}")
    try:
        return json_answer(herder.validate(config).as_json())
    except RequestError as error:
        wrapped = _BAD_REQUEST if error.status == 400 else _CONFIG_EXCEPTION
        raise RequestError(500, f"{wrapped}: {error}") from None
