"""Request bodies as Kafka Connect reads them: which JSON becomes a config map, and what a wrong one is answered.

Kafka Connect answers every body it cannot read with 500 and the sentence of its JSON reader (Jackson); so do we, and
say on the same line what should stand there.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NoReturn

from cdc.errors import RequestError

_ENTITIES = "org.apache.kafka.connect.runtime.rest.entities."
_SETTINGS = 'the body must be one JSON object of settings, such as {"connector.class": "…"}'
_CREATE = 'the body must be a JSON object with the members "name" and "config"'
_OFFSETS = 'the body must be a JSON object with the member "offsets"'
_BLANK = " \t\r\n"


class _Number(str):
    """A number as it stands in the text: Jackson makes a string of it digit for digit."""

    __slots__ = ()


def _not_json(name: str) -> NoReturn:
    raise ValueError(f"Non-standard token '{name}' in the body: JSON has no such number; write it as a string")


_CONFIG = json.JSONDecoder(parse_int=_Number, parse_float=_Number, parse_constant=_not_json)
_PLAIN = json.JSONDecoder(parse_constant=_not_json)


def _decoded(raw: bytes, decoder: json.JSONDecoder) -> Any:
    """The JSON value of the body. Raises: RequestError: 500, also when something follows it."""
    try:
        text = raw.decode("utf-8-sig")
        value = decoder.decode(text)
    except json.JSONDecodeError as error:
        ends = error.pos >= len(error.doc.rstrip(_BLANK))
        what = "end-of-input: the JSON text is not complete" if ends else f"input: the body is not JSON: {error.msg}"
        raise RequestError(500, f"Unexpected {what} at line {error.lineno}, column {error.colno}") from None
    except UnicodeDecodeError as error:
        raise RequestError(500, f"The body is not UTF-8: {error.reason} at byte {error.start}") from None
    except RecursionError:
        raise RequestError(500, "The body is nested too deep: a config is one flat JSON object") from None
    except ValueError as error:
        raise RequestError(500, str(error)) from None
    return value


def _kind(value: Any) -> str:
    match value:
        case dict():
            return "Object value (token `JsonToken.START_OBJECT`)"
        case list():
            return "Array value (token `JsonToken.START_ARRAY`)"
        case bool():
            return f"Boolean value (token `JsonToken.VALUE_{str(value).upper()}`)"
        case _Number():
            return "Number value (token `JsonToken.VALUE_NUMBER_INT`)"
        case _:
            return "String value (token `JsonToken.VALUE_STRING`)"


def _cannot(type_name: str, value: Any, remedy: str) -> RequestError:
    return RequestError(500, f"Cannot deserialize value of type `{type_name}` from {_kind(value)}: {remedy}")


def _text(value: Any, member: str) -> str | None:
    """What Jackson makes of a value where a string is wanted."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        remedy = f'the value of "{member}" must be a string, number or boolean'
        if member == "config":
            remedy += "; settings stand in this body directly, without name and config around them"
        raise _cannot("java.lang.String", value, remedy)
    return None if value is None else str(value)


def _map(value: Any, remedy: str = _SETTINGS) -> dict[str, str | None]:
    if not isinstance(value, dict):
        raise _cannot("java.util.LinkedHashMap<java.lang.String,java.lang.String>", value, remedy)
    return {key: _text(item, key) for key, item in value.items()}


def config_map(raw: bytes, parameter: str = "connectorConfig") -> dict[str, str | None]:
    """A flat map of strings; numbers and booleans become strings. Raises: RequestError: 500."""
    value = _decoded(raw, _CONFIG) if raw.strip() else None
    if value is None:
        raise RequestError(500, f'Cannot invoke "java.util.Map.get(Object)" because "{parameter}" is null: {_SETTINGS}')
    return _map(value)


def _known_members(value: Any, entity: str, members: Sequence[str], remedy: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _cannot(_ENTITIES + entity, value, remedy)
    for name in value:
        if name not in members:
            known = ", ".join(f'"{member}"' for member in members)
            count = "one known property" if len(members) == 1 else f"{len(members)} known properties"
            raise RequestError(
                500,
                f'Unrecognized field "{name}" (class {_ENTITIES}{entity}), not marked as ignorable ({count}: {known}): '
                "remove it",
            )
    return value


INITIAL_STATES = ("RUNNING", "PAUSED", "STOPPED")


def create_request(raw: bytes) -> tuple[str | None, dict[str, str | None], str | None]:
    """Name, config and initial state of a POST /connectors. Raises: RequestError: 500."""
    value = _decoded(raw, _CONFIG) if raw.strip() else None
    if value is None:
        raise RequestError(
            500, f'Cannot invoke "{_ENTITIES}CreateConnectorRequest.name()" because "createRequest" is null: {_CREATE}'
        )
    body = _known_members(value, "CreateConnectorRequest", ("config", "name", "initial_state"), _CREATE)
    name, state = _text(body.get("name"), "name"), body.get("initial_state")
    if state is not None and (not isinstance(state, str) or state.upper() not in INITIAL_STATES):
        raise RequestError(
            500,
            f"Cannot construct instance of `{_ENTITIES}CreateConnectorRequest$InitialState`, problem: "
            f"No enum constant {_ENTITIES}CreateConnectorRequest.InitialState.{str(state).upper()}; "
            f"use one of {', '.join(INITIAL_STATES)}",
        )
    if body.get("config") is None:
        raise RequestError(
            500, f'Cannot invoke "java.util.Map.get(Object)" because "connectorConfig" is null: {_CREATE}'
        )
    return name, _map(body["config"], _CREATE), state.upper() if state else None


def signal_request(raw: bytes) -> dict[str, Any]:
    """The body of a POST …/signal. Raises: RequestError: 400, 500."""
    value = _decoded(raw, _PLAIN) if raw.strip() else None
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        raise RequestError(
            400,
            'a signal is a JSON object with the member "type", such as {"id": "1", "type": "execute-snapshot", "data": '
            '{"data-collections": ["shop.orders"]}}',
        )
    return value


def offsets_request(raw: bytes) -> dict[str, Any]:
    """The body of a PATCH …/offsets. Raises: RequestError: 500."""
    value = _decoded(raw, _PLAIN) if raw.strip() else None
    if value is None:
        raise RequestError(
            500, f'Cannot invoke "{_ENTITIES}ConnectorOffsets.offsets()" because "offsets" is null: {_OFFSETS}'
        )
    body = _known_members(value, "ConnectorOffsets", ("offsets",), _OFFSETS)
    items = body.get("offsets")
    if items is None:
        return {}
    if not isinstance(items, list):
        raise _cannot(f"java.util.ArrayList<{_ENTITIES}ConnectorOffset>", items, '"offsets" must be an array')
    for item in items:
        each = 'each of "offsets" must be an object with the objects "partition" and "offset"'
        for member in _known_members(item, "ConnectorOffset", ("partition", "offset"), each).values():
            if member is not None and not isinstance(member, dict):
                raise _cannot("java.util.LinkedHashMap<java.lang.String,java.lang.Object>", member, each)
    return body


def level_request(raw: bytes) -> str | None:
    """The `level` of a PUT /admin/loggers; None when it is not there. Raises: RequestError: 500."""
    value = _decoded(raw, _CONFIG) if raw.strip() else None
    remedy = 'the body must be a JSON object with the member "level"'
    if value is None:
        raise RequestError(500, f'Cannot invoke "java.util.Map.get(Object)" because "levelMap" is null: {remedy}')
    return _map(value, remedy).get("level")
