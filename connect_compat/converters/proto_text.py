"""The text of a .proto file to a file descriptor, and what stands in it for Connect.

Source: "Protocol Buffers Version 2 / 3 / Edition 2023 Language Specification". What shapes no message (services,
ranges, most options) is read over.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

from cdc.errors import ConversionError
from connect_compat.converters.proto_runtime import edition, new_field, new_file, set_feature
from connect_compat.converters.proto_types import SCALARS, entry_name

_TOKEN: Final = re.compile(
    r"""\s+|//[^\n]*|/\*.*?\*/"""
    r"""|(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')"""
    r"""|(?P<word>\.?[A-Za-z_][\w]*(?:\.[A-Za-z_]\w*)*|[-+]?\.?\d[\w.]*(?:(?<=[eE])[-+]\d+)?|-inf|-nan)"""
    r"""|(?P<mark>[{}\[\]()<>=;,:|/-]|\.(?=\())""",
    re.DOTALL,
)
_LABELS: Final = {"optional": 1, "required": 2, "repeated": 3}
_GROUP: Final = 10
_OPENING: Final = {"{": "}", "[": "]", "(": ")"}
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
Params = dict[str, str]


@dataclass
class ProtoFile:
    """`params`: what a field's `confluent.field_meta` says, by the field's full name."""

    descriptor: Any
    params: dict[str, Params] = field(default_factory=dict)


def parse_proto(text: str, name: str) -> ProtoFile:
    """`name`: under which others import it. Raises: ConversionError saying in which line it is no .proto text."""
    return _Parser(text, name).file()


def unquoted(token: str) -> str:
    """A string literal's text; bytes above 127 stand as characters of their code."""

    def one(found: re.Match[str]) -> str:
        code = found[1]
        if code[0] in "01234567":
            return chr(int(code, 8))
        return chr(int(code[1:], 16)) if code[0] in "xuU" and len(code) > 1 else _ESCAPES.get(code, code)

    return re.sub(r"\\([0-7]{1,3}|[xX][0-9a-fA-F]{1,2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", one, token[1:-1])


class _Parser:
    def __init__(self, text: str, name: str) -> None:
        self._text = text
        self._tokens: list[tuple[str, int]] = []
        at = 0
        while at < len(text):
            found = _TOKEN.match(text, at)
            if found is None:
                raise ConversionError(f"the Protobuf schema cannot be read at {text[at : at + 20]!r}")
            if found.lastgroup:
                self._tokens.append((found[0], at))
            at = found.end()
        self._at = 0
        self._made = ProtoFile(new_file(name=name, syntax="proto2"))

    # --- tokens ---

    def _peek(self) -> str:
        return self._tokens[self._at][0] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        self._at += 1
        return token

    def _take(self, token: str) -> bool:
        if self._peek() == token:
            self._at += 1
            return True
        return False

    def _expect(self, token: str) -> None:
        if not self._take(token):
            raise self._wrong(token)

    def _wrong(self, wanted: str) -> ConversionError:
        place = self._tokens[min(self._at, len(self._tokens) - 1)][1] if self._tokens else 0
        line = self._text.count("\n", 0, place) + 1
        return ConversionError(f"line {line} of the Protobuf schema has {self._peek()!r} where {wanted!r} must stand")

    def _strings(self) -> str:
        """Adjacent literals are one text."""
        out = ""
        while self._peek()[:1] in ("'", '"') and self._peek():
            out += unquoted(self._next())
        return out

    def _number(self) -> int:
        token = self._next()
        try:
            return int(token, 0) if not re.fullmatch(r"-?0\d+", token) else int(token, 8)
        except ValueError:
            self._at -= 1
            raise self._wrong("a number") from None

    def _skip(self) -> None:
        """Over a statement: up to its semicolon, or its block."""
        while (token := self._next()) != ";":
            if not token:
                raise self._wrong(";")
            if token in _OPENING:
                self._balanced(_OPENING[token])
                if token == "{":
                    self._take(";")
                    return

    def _balanced(self, closing: str) -> None:
        while (token := self._next()) != closing:
            if not token:
                raise self._wrong(closing)
            if token in _OPENING:
                self._balanced(_OPENING[token])

    # --- statements ---

    def file(self) -> ProtoFile:
        file = self._made.descriptor
        while token := self._next():
            match token:
                case "syntax":
                    self._expect("=")
                    file.syntax = self._strings()
                    self._expect(";")
                case "edition":
                    self._expect("=")
                    file.syntax, file.edition = "editions", edition(self._strings())
                    self._expect(";")
                case "package":
                    file.package = self._next()
                    self._expect(";")
                case "import":
                    public = self._take("public") or not self._take("weak")
                    if public and self._tokens[self._at - 1][0] == "public":
                        file.public_dependency.append(len(file.dependency))
                    file.dependency.append(self._strings())
                    self._expect(";")
                case "message":
                    self._message(file.message_type.add(), file.package)
                case "enum":
                    self._enum(file.enum_type.add())
                case ";":
                    pass
                case "option":
                    self._option(file)
                case "service" | "extend":
                    self._skip()
                case _:
                    self._at -= 1
                    raise self._wrong("message")
        return self._made

    def _message(self, message: Any, scope: str) -> None:
        message.name = self._next()
        self._body(message, f"{scope}.{message.name}".lstrip("."))

    def _body(self, message: Any, full: str) -> None:
        self._expect("{")
        while not self._take("}"):
            match self._peek():
                case "message":
                    self._next()
                    self._message(message.nested_type.add(), full)
                case "enum":
                    self._next()
                    self._enum(message.enum_type.add())
                case "oneof":
                    self._next()
                    self._oneof(message, full)
                case ";":
                    self._next()
                case "option":
                    self._next()
                    self._option(message)
                case "reserved" | "extensions" | "extend":
                    self._skip()
                case "":
                    raise self._wrong("}")
                case _:
                    self._field(message, full)
        self._synthesize(message)

    def _synthesize(self, message: Any) -> None:
        """An optional field of proto3 is a oneof of its own, behind the others."""
        for each in message.field:
            if each.proto3_optional:
                each.oneof_index = len(message.oneof_decl)
                message.oneof_decl.add().name = f"_{each.name}"

    def _oneof(self, message: Any, full: str) -> None:
        index = len(message.oneof_decl)
        message.oneof_decl.add().name = self._next()
        self._expect("{")
        while not self._take("}"):
            if self._take("option"):
                self._option(message.oneof_decl[index])
            elif not self._take(";"):
                self._field(message, full).oneof_index = index

    def _field(self, message: Any, full: str) -> Any:
        label = _LABELS.get(self._peek(), 0)
        self._at += bool(label)
        kind = self._next()
        each = new_field(label=label or 1)
        if kind == "map" and self._take("<"):
            key = self._next()
            self._expect(",")
            value = self._next()
            self._expect(">")
            each.name = self._next()
            self._entry(message, each, key, value)
        elif kind == "group":
            each.name = self._next()
            self._typed(each, each.name)
            each.type = _GROUP
        else:
            each.name = self._next()
            self._typed(each, kind)
        self._expect("=")
        each.number = self._number()
        if self._take("["):
            self._options(each, f"{full}.{each.name}")
        if kind == "group":
            nested = message.nested_type.add(name=each.name)
            self._body(nested, f"{full}.{each.name}")
            each.name = each.name.lower()
        else:
            self._expect(";")
        each.proto3_optional = label == 1 and self._made.descriptor.syntax == "proto3"
        message.field.append(each)
        return message.field[-1]

    def _typed(self, each: Any, kind: str) -> None:
        if kind in SCALARS:
            each.type = SCALARS[kind].number
        else:
            each.type_name = kind

    def _entry(self, message: Any, each: Any, key: str, value: str) -> None:
        """A map is a repeated message of two fields."""
        entry = message.nested_type.add(name=entry_name(each.name))
        for number, name, kind in ((1, "key", key), (2, "value", value)):
            self._typed(made := entry.field.add(name=name, number=number, label=1), kind)
            assert made.name == name
        each.label, each.type_name = 3, entry.name

    def _options(self, each: Any, full: str) -> None:
        while not self._take("]"):
            name = self._name_of_option()
            self._expect("=")
            value = self._value()
            if name == "default":
                each.default_value = value if isinstance(value, str) else str(value)
            elif name == "packed":
                each.options.packed = value == "true"
            elif name.startswith("features"):
                self._feature(each, name, value)
            elif name == "confluent.field_meta" and isinstance(value, dict):
                self._made.params.setdefault(full, {}).update(_params(value.get("params")))
            elif name.startswith("confluent.field_meta.params"):
                self._made.params.setdefault(full, {}).update(_params(value))
            self._take(",")

    def _option(self, owner: Any) -> None:
        """An option of a file, message, enum or oneof; only the features of an edition shape anything."""
        start = self._at
        name = self._name_of_option()
        if not name.startswith("features"):
            self._at = start
            self._skip()
            return
        self._expect("=")
        self._feature(owner, name, self._value())
        self._expect(";")

    def _feature(self, owner: Any, name: str, value: Any) -> None:
        """`features.field_presence = IMPLICIT`, or `features = { field_presence: IMPLICIT }`."""
        given = value if isinstance(value, dict) else {name.partition(".")[2]: value}
        for feature, chosen in given.items():
            set_feature(owner.options.features, feature, chosen)

    def _name_of_option(self) -> str:
        """Its parts without the parentheses that stand around an extension's name."""
        name = ""
        while self._peek() not in ("=", ""):
            part = self._next()
            name += "" if part in "()" else part
        return name.lstrip(".")

    def _value(self) -> Any:
        """A constant, or an aggregate in text format: a dict, a list."""
        token = self._peek()
        if token[:1] in ("'", '"'):
            return self._strings()
        if token == "{":
            return self._aggregate()
        if token == "[":
            return self._list()
        sign = "-" if self._take("-") else ""
        return sign + self._next()

    def _list(self) -> list[Any]:
        out: list[Any] = []
        self._expect("[")
        while not self._take("]"):
            out.append(self._value())
            self._take(",")
        return out

    def _aggregate(self) -> dict[str, Any]:
        out: dict[str, Any] = {}
        self._expect("{")
        while not self._take("}"):
            name = self._next()
            if name == "[":
                name = self._next()
                self._balanced("]")
            self._take(":")
            value = self._value()
            if name in out:
                known = out[name] if isinstance(out[name], list) else [out[name]]
                value = known + (value if isinstance(value, list) else [value])
            out[name] = value
            self._take(",") or self._take(";")
        return out

    def _enum(self, enum: Any) -> None:
        enum.name = self._next()
        self._expect("{")
        while not self._take("}"):
            token = self._next()
            if token == "option" and self._peek() == "allow_alias":
                self._next()
                self._expect("=")
                enum.options.allow_alias = self._next() == "true"
                self._expect(";")
            elif token == "option":
                self._option(enum)
            elif token == "reserved":
                self._skip()
            elif token != ";":
                self._expect("=")
                sign = -1 if self._take("-") else 1
                enum.value.add(name=token, number=sign * self._number())
                if self._take("["):
                    self._balanced("]")
                self._expect(";")


def _params(value: Any) -> Params:
    """`[{key: "a", value: "b"}]`, or one of them."""
    listed = value if isinstance(value, list) else [value]
    return {each["key"]: each.get("value", "") for each in listed if isinstance(each, dict) and "key" in each}
