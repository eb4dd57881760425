"""JSON schemas as text to objects whose references are resolved. Source: JSON Schema, draft 7."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final
from urllib.parse import unquote, urljoin

from cdc.errors import ConversionError
from cdc.java.order import in_hash_order

_OBJECT_WORDS: Final = ("properties", "required", "additionalProperties", "minProperties", "maxProperties",
                        "dependencies", "patternProperties", "propertyNames")  # fmt: skip
_ARRAY_WORDS: Final = ("items", "additionalItems", "minItems", "maxItems", "uniqueItems", "contains")
_STRING_WORDS: Final = ("minLength", "maxLength", "pattern", "format")
_NUMBER_WORDS: Final = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
_CRITERIA: Final = ("allOf", "anyOf", "oneOf")


@dataclass(eq=False)
class Draft:
    """One schema. It may hold itself, so objects are told apart by identity.

    Attributes:
        kind: boolean integer number string null array object enum const allOf anyOf oneOf ref empty.
        said: all its members, `title`, `default` and `connect.type` among them.
        parts: of an allOf, anyOf, oneOf; what a ref leads to.
        values: of an enum, a const.
    """

    kind: str
    said: Mapping[str, Any] = field(default_factory=dict)
    parts: list[Draft] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)
    items: Draft | None = None
    additional: Draft | None = None
    properties: dict[str, Draft] = field(default_factory=dict)
    required: frozenset[str] = frozenset()


def parse_draft(text: str, referred: Callable[[str], str | None]) -> Draft:
    """`referred`: the text of a schema by the name under which this one refers to it. Raises: ConversionError."""
    try:
        whole = _parsed(text)
    except ValueError as error:
        raise ConversionError(f"the JSON schema in the registry is not JSON: {error}") from None
    return _Loader(referred).document(whole, "")


def _parsed(text: str) -> Any:
    return json.loads(text, parse_float=Decimal)


class _Loader:
    def __init__(self, referred: Callable[[str], str | None]) -> None:
        self._referred = referred
        self._documents: dict[str, Any] = {}
        self._known: dict[tuple[str, str], Draft] = {}
        self._ids: dict[str, tuple[str, Any]] = {}

    def document(self, whole: Any, name: str) -> Draft:
        self._documents[name] = whole
        self._note_ids(whole, name, str(whole.get("$id", "")) if isinstance(whole, dict) else "")
        return self._at(name, "")

    def _note_ids(self, node: Any, name: str, base: str) -> None:
        """Where each `$id` stands."""
        if isinstance(node, dict):
            own = node.get("$id", node.get("id"))
            if isinstance(own, str):
                base = urljoin(base, own)
                self._ids.setdefault(base, (name, node))
                self._ids.setdefault(own, (name, node))
            for each in node.values():
                self._note_ids(each, name, base)
        elif isinstance(node, list):
            for each in node:
                self._note_ids(each, name, base)

    def _at(self, name: str, pointer: str) -> Draft:
        known = self._known.get((name, pointer))
        if known is not None:
            return known
        node = self._documents[name]
        for part in pointer.strip("/").split("/") if pointer.strip("/") else ():
            key = unquote(part).replace("~1", "/").replace("~0", "~")
            try:
                node = node[int(key)] if isinstance(node, list) else node[key]
            except (KeyError, IndexError, ValueError, TypeError):
                raise ConversionError(f"the JSON schema refers to {pointer!r}, where nothing stands") from None
        made = self._known[name, pointer] = Draft("")
        self._fill(made, node, name)
        return made

    def _refer(self, reference: str, name: str) -> Draft:
        document, _, pointer = reference.partition("#")
        if (not document and pointer.startswith("/")) or not reference.strip("#"):
            return self._at(name, pointer)
        if reference in self._ids:
            where, node = self._ids[reference]
            known = self._known.get((where, reference))
            if known is None:
                known = self._known[where, reference] = Draft("")
                self._fill(known, node, where)
            return known
        if document not in self._documents:
            text = self._referred(document)
            if text is None:
                raise ConversionError(f"the JSON schema refers to {reference!r}, which is no reference of it in the "
                                      "registry")  # fmt: skip
            self._documents[document] = _parsed(text)
            self._note_ids(self._documents[document], document, document)
        return self._at(document, pointer)

    def _made(self, node: Any, name: str) -> Draft:
        made = Draft("")
        self._fill(made, node, name)
        return made

    def _fill(self, made: Draft, node: Any, name: str) -> None:
        """What several words say together is an allOf of what each says."""
        if not isinstance(node, dict):
            made.kind = "empty"
            return
        parts = list(self._extracted(node, name))
        if len(parts) == 1:
            only = parts[0]
            made.__dict__.update(only.__dict__)
        elif parts:
            made.kind, made.parts = "allOf", combined_first(parts)
        else:
            made.kind = "empty"
        made.said = node

    def _extracted(self, node: Mapping[str, Any], name: str) -> list[Draft]:
        if "$ref" in node:
            return [Draft("ref", parts=[self._refer(str(node["$ref"]), name)])]
        out = []
        if "enum" in node:
            out.append(Draft("enum", values=list(node["enum"])))
        for word in _CRITERIA:
            if word in node:
                out.append(Draft(word, parts=combined_first([self._made(each, name) for each in node[word]])))
        if "const" in node:
            out.append(Draft("const", values=[node["const"]]))
        kind = node.get("type")
        if isinstance(kind, list):
            out.append(Draft("anyOf", parts=[self._typed(each, node, name) for each in kind]))
        elif kind is not None:
            out.append(self._typed(str(kind), node, name))
        else:
            out += [
                self._typed(sniffed, node, name)
                for sniffed, words in (
                    ("array", _ARRAY_WORDS),
                    ("number", _NUMBER_WORDS),
                    ("object", _OBJECT_WORDS),
                    ("string", _STRING_WORDS),
                )
                if any(word in node for word in words)
            ]
        return out

    def _typed(self, kind: str, node: Mapping[str, Any], name: str) -> Draft:
        made = Draft(kind, node)
        if kind == "array":
            items = node.get("items")
            made.items = self._made(items, name) if isinstance(items, dict) else None
        elif kind == "object":
            properties = node.get("properties", {})
            made.properties = {each: self._made(properties[each], name) for each in in_hash_order(properties)}
            made.required = frozenset(node.get("required", ()))
            additional = node.get("additionalProperties")
            made.additional = self._made(additional, name) if isinstance(additional, dict) else None
        return made


def combined_first(parts: list[Draft]) -> list[Draft]:
    """Those that combine others stand before the rest."""
    return sorted(parts, key=lambda part: part.kind not in _CRITERIA)
