"""Google's Protobuf runtime, from the extra `protobuf`: parsed .proto files in, descriptors and messages out.

It is imported when it is first used, so that what a converter needs to be described is there without it.
"""

from __future__ import annotations

import importlib
from functools import lru_cache
from typing import Any

from cdc.errors import ConversionError


@lru_cache
def _google(name: str) -> Any:
    try:
        return importlib.import_module(f"google.protobuf.{name}")
    except ImportError as error:
        message = "ProtobufConverter needs Google's Protobuf runtime: pip install 'tailrace[protobuf]'"
        raise ImportError(message) from error


def must_be_installed() -> None:
    """Raises: ImportError naming the extra."""
    _google("descriptor_pool")


def new_file(**members: Any) -> Any:
    return _google("descriptor_pb2").FileDescriptorProto(**members)


def new_field(**members: Any) -> Any:
    return _google("descriptor_pb2").FieldDescriptorProto(**members)


def edition(name: str) -> int:
    """Raises: ConversionError: an edition that this runtime does not read."""
    numbers = dict(_google("descriptor_pb2").Edition.items())
    known = {word.removeprefix("EDITION_"): number for word, number in numbers.items() if word[8:].isdigit()}
    if name not in known:
        raise ConversionError(f"the Protobuf schema is of edition {name!r}, and those that can be read are "
                              f"{', '.join(known)}; use one of them, or a newer protobuf: "
                              "pip install -U protobuf")  # fmt: skip
    return int(known[name])


def set_feature(features: Any, name: str, value: str) -> None:
    """A feature of an edition by its words; those of languages shape no message and are passed over.

    Raises: ConversionError: there is no such value.
    """
    known = features.DESCRIPTOR.fields_by_name.get(name)
    if known is None or known.enum_type is None:
        return
    found = known.enum_type.values_by_name.get(value)
    if found is None:
        raise ConversionError(f"the Protobuf schema sets the feature {name} to {value!r}; its values are "
                              f"{', '.join(known.enum_type.values_by_name)}")  # fmt: skip
    setattr(features, name, found.number)


def new_pool() -> Any:
    return _google("descriptor_pool").DescriptorPool()


def message_class(descriptor: Any) -> Any:
    return _google("message_factory").GetMessageClass(descriptor)


def decode_error() -> type[Exception]:
    """What a message class raises for bytes that are none of it."""
    error: type[Exception] = _google("message").DecodeError
    return error


def add_file(pool: Any, file: Any) -> Any:
    """The descriptor of the file. Raises: ConversionError: names that are not there, numbers twice."""
    try:
        pool.Add(file)
        return pool.FindFileByName(file.name)
    except (TypeError, KeyError, ValueError) as error:
        raise ConversionError(f"the Protobuf schema is not valid: {error}") from None


def shipped(name: str) -> Any | None:
    """A file of the runtime's own by its import name, such as `google/protobuf/timestamp.proto`; None: none such."""
    if not name.startswith(("google/protobuf/", "google/type/")):
        return None
    try:
        module: Any = importlib.import_module(name.removesuffix(".proto").replace("/", ".") + "_pb2")
    except ImportError:
        return None
    return _google("descriptor_pb2").FileDescriptorProto.FromString(module.DESCRIPTOR.serialized_pb)
