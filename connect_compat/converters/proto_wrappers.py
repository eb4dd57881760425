"""The .proto text under which a value that is no struct is registered: Google's messages of one field."""

from __future__ import annotations

from typing import Final

_KINDS: Final = ("double", "float", "int64", "uint64", "int32", "uint32", "bool", "string", "bytes")
_HEAD: Final = """syntax = "proto3";
package google.protobuf;

option java_package = "com.google.protobuf";
option java_outer_classname = "WrappersProto";
option java_multiple_files = true;
option go_package = "google.golang.org/protobuf/types/known/wrapperspb";
option cc_enable_arenas = true;
option objc_class_prefix = "GPB";
option csharp_namespace = "Google.Protobuf.WellKnownTypes";

"""


def _message(kind: str) -> str:
    name = kind.replace("uint", "UInt") if kind.startswith("uint") else kind.capitalize()
    return f'message {name}Value {{\n  {kind} value = 1 [json_name = "value"];\n}}\n'


WRAPPERS_TEXT: Final = _HEAD + "".join(map(_message, _KINDS))
