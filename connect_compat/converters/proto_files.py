"""A .proto text and those it imports to one descriptor: the well-known files are at hand, others are its references."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cdc.errors import ConversionError
from connect_compat.converters.proto_runtime import add_file, new_pool, shipped
from connect_compat.converters.proto_text import Params, ProtoFile, parse_proto
from connect_compat.converters.proto_types import WRAPPERS
from connect_compat.converters.proto_wrappers import WRAPPERS_TEXT

ROOT: Final = "default"
_WORDS: Final = {
    "confluent/meta.proto": 'syntax = "proto3";\npackage confluent;\nmessage Meta {\n  string doc = 1;\n'
    "  map<string, string> params = 2;\n  repeated string tags = 3;\n}\n",
    "confluent/type/decimal.proto": 'syntax = "proto3";\npackage confluent.type;\nmessage Decimal {\n'
    "  bytes value = 1;\n  uint32 precision = 2;\n  int32 scale = 3;\n}\n",
    "google/type/date.proto": 'syntax = "proto3";\npackage google.type;\nmessage Date {\n  int32 year = 1;\n'
    "  int32 month = 2;\n  int32 day = 3;\n}\n",
    "google/type/timeofday.proto": 'syntax = "proto3";\npackage google.type;\nmessage TimeOfDay {\n  int32 hours = 1;\n'
    "  int32 minutes = 2;\n  int32 seconds = 3;\n  int32 nanos = 4;\n}\n",
}
"""Files that Google's runtime does not bring."""


@dataclass(frozen=True)
class Parsed:
    """A file with all it imports. `params`: see `ProtoFile`."""

    file: Any
    params: Mapping[str, Params]

    def at(self, indexes: tuple[int, ...]) -> Any:
        """The descriptor of a message by its places. Raises: ConversionError: there is none."""
        found: Any = None
        messages = list(self.file.message_types_by_name.values())
        for index in indexes:
            if not 0 <= index < len(messages):
                raise ConversionError(f"the Protobuf schema has no message at {list(indexes)}")
            found = messages[index]
            messages = list(found.nested_types)
        return found

    def indexes(self, full_name: str) -> tuple[int, ...]:
        """The places of a message. Raises: ConversionError: the schema has none of that name."""
        package = self.file.package
        inner = full_name.removeprefix(f"{package}.") if package else full_name
        out = []
        messages = list(self.file.message_types_by_name.values())
        for part in inner.split("."):
            place = next((at for at, message in enumerate(messages) if message.name == part), None)
            if place is None:
                raise ConversionError(f"the Protobuf schema in the registry has no message {full_name!r}")
            out.append(place)
            messages = list(messages[place].nested_types)
        return tuple(out)


def parse_file(text: str, imported: Callable[[str], str | None]) -> Parsed:
    """`imported`: the text of a file by the name under which it is imported. Raises: ConversionError."""
    pool, params = new_pool(), {}
    known: dict[str, Any] = {}

    def add(made: ProtoFile) -> Any:
        if made.descriptor.name in known:
            return known[made.descriptor.name]
        known[made.descriptor.name] = None  # one that imports itself is told by the pool
        for name in made.descriptor.dependency:
            if name not in known:
                add(_file(name, imported))
        file = known[made.descriptor.name] = add_file(pool, made.descriptor)
        params.update(made.params)
        return file

    return Parsed(add(parse_proto(text, WRAPPERS if text == WRAPPERS_TEXT else ROOT)), params)


def _file(name: str, imported: Callable[[str], str | None]) -> ProtoFile:
    text = imported(name) or _WORDS.get(name)
    if text is not None:
        return parse_proto(text, name)
    ready = shipped(name)
    if ready is None:
        raise ConversionError(f"the Protobuf schema imports {name!r}, which is no reference of it in the registry")
    return ProtoFile(ready)
