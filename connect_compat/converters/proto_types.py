"""The words that Protobuf, its well-known types and Confluent's Connect converter share."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from cdc.schema import Type

NAMESPACE: Final = "io.confluent.connect.protobuf"
ENUM: Final = f"{NAMESPACE}.Enum"
UNION: Final = f"{NAMESPACE}.Union"
TAG: Final = f"{NAMESPACE}.Tag"
TYPE: Final = f"{NAMESPACE}.Type"
GENERAL_ENUM: Final = "org.apache.kafka.connect.data.Enum"
GENERAL_UNION: Final = "org.apache.kafka.connect.data.Union"
DEFAULT_NAME: Final = "ConnectDefault"
PRECISION: Final = "connect.decimal.precision"
CONNECT_TYPE: Final = "connect.type"

DECIMAL_MESSAGE: Final = "confluent.type.Decimal"
DATE_MESSAGE: Final = "google.type.Date"
TIME_MESSAGE: Final = "google.type.TimeOfDay"
TIMESTAMP_MESSAGE: Final = "google.protobuf.Timestamp"
WRAPPERS: Final = "google/protobuf/wrappers.proto"
FILES: Final = {
    DECIMAL_MESSAGE: "confluent/type/decimal.proto",
    DATE_MESSAGE: "google/type/date.proto",
    TIME_MESSAGE: "google/type/timeofday.proto",
    TIMESTAMP_MESSAGE: "google/protobuf/timestamp.proto",
}


class Scalar(NamedTuple):
    """A scalar type: its number in descriptors, how it stands on the wire, and what it is in Connect."""

    number: int
    wire: int
    connect: Type


SCALARS: Final = {
    "double": Scalar(1, 1, Type.FLOAT64), "float": Scalar(2, 5, Type.FLOAT32), "int64": Scalar(3, 0, Type.INT64),
    "uint64": Scalar(4, 0, Type.INT64), "int32": Scalar(5, 0, Type.INT32), "fixed64": Scalar(6, 1, Type.INT64),
    "fixed32": Scalar(7, 5, Type.INT64), "bool": Scalar(8, 0, Type.BOOLEAN), "string": Scalar(9, 2, Type.STRING),
    "bytes": Scalar(12, 2, Type.BYTES), "uint32": Scalar(13, 0, Type.INT64), "sfixed32": Scalar(15, 5, Type.INT32),
    "sfixed64": Scalar(16, 1, Type.INT64), "sint32": Scalar(17, 0, Type.INT32), "sint64": Scalar(18, 0, Type.INT64),
}  # fmt: skip
KINDS: Final = {scalar.number: name for name, scalar in SCALARS.items()}
"""The number of a scalar type in descriptors -> its name."""
WRAPPED: Final = {
    "google.protobuf.DoubleValue": Type.FLOAT64, "google.protobuf.FloatValue": Type.FLOAT32,
    "google.protobuf.Int64Value": Type.INT64, "google.protobuf.UInt64Value": Type.INT64,
    "google.protobuf.Int32Value": Type.INT32, "google.protobuf.UInt32Value": Type.INT64,
    "google.protobuf.BoolValue": Type.BOOLEAN, "google.protobuf.StringValue": Type.STRING,
    "google.protobuf.BytesValue": Type.BYTES,
}  # fmt: skip
"""Messages that hold one scalar, so that it may be missing."""
WRAPPER: Final = {
    Type.FLOAT64: "google.protobuf.DoubleValue", Type.FLOAT32: "google.protobuf.FloatValue",
    Type.INT64: "google.protobuf.Int64Value", Type.INT32: "google.protobuf.Int32Value",
    Type.INT16: "google.protobuf.Int32Value", Type.INT8: "google.protobuf.Int32Value",
    Type.BOOLEAN: "google.protobuf.BoolValue", Type.STRING: "google.protobuf.StringValue",
    Type.BYTES: "google.protobuf.BytesValue",
}  # fmt: skip


def entry_name(name: str) -> str:
    """The message that holds one entry of a map: `by_name` has `ByNameEntry`."""
    return ("".join(map(_capitalized, name.split("_"))) if "_" in name else name) + "Entry"


def map_name(entry: str) -> str:
    """The name that a map has for Connect, back from that of its entries."""
    before, dot, last = entry.rpartition(".")
    if last.endswith("Entry"):
        last = re.sub(r"(?<!^)(?=[A-Z])", "_", last[: -len("Entry")]).lower()
    return before + dot + last


def _capitalized(word: str) -> str:
    return word[:1].upper() + word[1:].lower()
