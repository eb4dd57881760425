"""Batches of records to documents, by `_bulk` with external versions: writing twice changes nothing.

Equal to Confluent's Elasticsearch sink in ids, versions, index names and documents; docs/differences.md says where not.
Source: Confluent kafka-connect-elasticsearch 15.1; Elasticsearch's bulk and external-version reference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import orjson
import structlog

from cdc.errors import TargetError
from cdc.record import Batch, Rejected, Writing
from sinks.elasticsearch.actions import Action, Actions
from sinks.elasticsearch.bulk import Lane, Request
from sinks.elasticsearch.client import ACCESS, JSON, NDJSON, Busy, Client, reason_of
from sinks.elasticsearch.config import ElasticsearchConfig
from sinks.elasticsearch.resources import Resources
from sinks.elasticsearch.untouched import completed, exact

_MALFORMED: Final = (
    "strict_dynamic_mapping_exception", "mapper_parsing_exception", "illegal_argument_exception",
    "action_request_validation_exception", "document_parsing_exception",
)  # fmt: skip
_BAD, _FORBIDDEN, _NOT_FOUND, _CONFLICT, _TOO_MANY, _SERVERS_FAULT = 400, 403, 404, 409, 429, 500
_REMEDIES: Final = {_FORBIDDEN: ACCESS, _NOT_FOUND: "restart the task, which makes the index again"}
_AT_ONCE: Final = 100
"""Documents that are read in one request; they may be large."""
_Place = tuple[bytes, str | None]
"""An index and the id of a document in it."""
_log = structlog.get_logger(__name__)


class ElasticsearchSink:
    """Writes one task's batches."""

    def __init__(self, config: ElasticsearchConfig) -> None:
        self._config = config
        self._client = Client(config)
        self._resources = Resources(config, self._client)
        self._actions = Actions(config)
        self._lane = Lane(config, self._send)
        alias = "&require_alias=true" if config.external.startswith("alias_") else ""
        self._path = f"/_bulk?filter_path=errors,items.*.status,items.*.error{alias}"

    def put(self, batches: Sequence[Batch]) -> Sequence[Rejected]:
        """Raises: TargetUnavailable: nothing or a part was written, repeat all; TargetError: a human is needed."""
        writing = self.begin(batches)
        self._lane.hurry()
        return writing.wait()

    def begin(self, batches: Sequence[Batch]) -> Writing:
        """Raises as `put`; nothing is on its way then."""
        rejected: list[Rejected] = []
        actions: list[Action] = []
        for batch in batches:
            actions.extend(self._actions.of(batch, self._resources.of(batch), rejected))
        if any(action.marked for action in actions):
            actions = self._completed(actions)
        unversioned = self._config.is_upsert
        return _Begun(self._lane, batches, self._lane.add(actions, ordered=unversioned), rejected)

    def full(self) -> bool:
        return self._lane.full()

    def hurry(self) -> None:
        self._lane.hurry()

    def close(self) -> None:
        self._lane.close()
        self._client.close()

    def _completed(self, actions: Sequence[Action]) -> list[Action]:
        """The same with the fields that a change did not touch taken from the document before it.

        That is the one an earlier record of `actions` makes, else the one in the index when all that was begun is
        there. Should another task write it meanwhile, the versions decide.
        """
        self._lane.finish_all()
        wanted = {(action.where, action.id) for action in actions if action.marked}
        firsts: dict[_Place, bool] = {}
        for action in actions:
            firsts.setdefault((action.where, action.id), action.marked)
        held = self._held([place for place, marked in firsts.items() if marked])
        before: dict[_Place, bytes | None] = {}
        out = []
        for action in actions:
            place = (action.where, action.id)
            if place in wanted:
                if action.marked and action.body is not None:
                    known = before[place] if place in before else held.get(place)
                    body = completed(action.body, None if known is None else exact(known))
                    action = action._replace(body=body, marked=False)
                before[place] = action.body
            out.append(action)
        return out

    def _held(self, places: Sequence[_Place]) -> dict[_Place, bytes]:
        """The documents there are, by index and id."""
        found: dict[_Place, bytes] = {}
        for at in range(0, len(places), _AT_ONCE):
            part = places[at : at + _AT_ONCE]
            docs = [{"_index": orjson.Fragment(index), "_id": identity} for index, identity in part]
            answer = self._client.call("POST", "/_mget", {"docs": docs}, content=JSON)
            if answer.status >= 400:
                raise self._client.refusal(answer)
            for place, doc in zip(part, exact(answer.body)["docs"], strict=True):
                if doc.get("found") and "_source" in doc:
                    found[place] = orjson.dumps(doc["_source"])
        return found

    def _send(self, actions: Sequence[Action]) -> tuple[list[Action], str, list[Rejected]]:
        body = b"".join([action.lines for action in actions])
        try:
            answer = self._client.call("POST", self._path, body, content=NDJSON)
        except Busy as error:
            return list(actions), str(error), []
        told = answer.json()
        if answer.status == _BAD and isinstance(told, dict) and "error" in told:
            if len(actions) > 1:
                return self._halved(actions)
            told = {"errors": True, "items": [{"": told}]}
        elif answer.status >= _BAD:
            raise self._client.refusal(answer)
        if not told["errors"]:
            return [], "", []
        busy: list[Action] = []
        reason = ""
        rejected: list[Rejected] = []
        for action, item in zip(actions, told["items"], strict=True):
            result = next(iter(item.values()))
            if self._is_done(action, result):
                continue
            status = result["status"]
            if status in (_TOO_MANY, _CONFLICT) or status >= _SERVERS_FAULT:
                busy.append(action)
                reason = reason_of(result)
            else:
                rejected.append(self._refused(action, result))
        return busy, reason, rejected

    def _halved(self, actions: Sequence[Action]) -> tuple[list[Action], str, list[Rejected]]:
        """Sends in two what the server refuses as a whole, for one of them: an id that is too long, a broken update."""
        first, second = actions[: len(actions) // 2], actions[len(actions) // 2 :]
        busy, reason, rejected = self._send(first)
        if busy:  # what comes later must not overtake them
            return [*busy, *second], reason, rejected
        busy, reason, more = self._send(second)
        return busy, reason, rejected + more

    def _is_done(self, action: Action, result: Mapping[str, Any]) -> bool:
        """Also when a newer version is there already, or what is created; or the document to delete is not."""
        status = result["status"]
        if status == _CONFLICT:
            return not self._config.is_upsert
        return status < 400 or (status == _NOT_FOUND and action.body is None)

    def _refused(self, action: Action, result: Mapping[str, Any]) -> Rejected:
        """Raises: TargetError: it is not the document that is at fault."""
        index = orjson.loads(action.where)
        reason = f"document {action.id!r} of index {index!r} was refused: {reason_of(result)}"
        if not any(name in reason for name in _MALFORMED):
            remedy = _REMEDIES.get(result["status"])
            raise TargetError(f"{reason}; {remedy}" if remedy else reason)
        if self._config.on_malformed == "warn":
            kind = (result.get("error") or {}).get("type")
            _log.warning("document refused", index=index, id=action.id, error=kind)
        return Rejected(action.batch, action.at, reason, fatal=self._config.on_malformed == "fail")


class _Begun:
    """Batches that are on their way in one or more requests."""

    def __init__(
        self, lane: Lane, batches: Sequence[Batch], requests: Sequence[Request], rejected: Iterable[Rejected]
    ) -> None:
        self._lane, self._requests, self._rejected = lane, requests, list(rejected)
        self._batches = {id(batch): batch for batch in batches}

    def done(self) -> bool:
        return all(request.settled.is_set() for request in self._requests)

    def wait(self) -> Sequence[Rejected]:
        self._lane.finish(self._requests)
        refused = [each for request in self._requests for each in request.rejected if id(each.batch) in self._batches]
        return [*self._rejected, *refused]

    def drop(self, batches: Sequence[Batch]) -> None:
        for request in self._requests:
            request.dropped.update(map(id, batches))
