"""Values of every type as Debezium recorded them, through the JDBC sink and back: equal, or told in types.md.

The records are those of the golden cases `types_*`, which the log readers write equal to them (test_golden.py). Each
record has its place in the log for a key, so a row that comes back is compared with the record that it was.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cdc.config import parse
from cdc.record import Batch
from cdc.schema import Field, Schema, Type, decimal_text, to_single
from connect_compat.converters.json import JsonConverter, JsonConverterConfig
from sinks.jdbc import values
from sinks.jdbc.connector import CONFLUENT
from sinks.jdbc.kinds import kind
from tests.server.golden_case import Case
from tests.server.jdbc_target import JdbcTarget

GOLDEN = Path(__file__).parents[1] / "golden"
CASES = [case for server in ("mysql", "postgres") for case in sorted((GOLDEN / server).glob("types_*"))]
ALIKE = ("types_micros", "types_iso", "types_map", "types_charsets", "types_members", "types_numbers")
"""Cases whose types are in others too: for SQLite, where tables cost nothing."""
TARGETS = ("mysql", "postgresql", "sqlite")
TOLD: dict[str, tuple[str, ...]] = {
    "mysql": (
        "Data too long for column",  # BYTES are VARBINARY(1024)
        "Incorrect (date|time|datetime) value", "Incorrect DATETIME value", "Invalid default value",
        "Out of range value", "Data truncated for column", "Row size too large", "Cannot get geometry object",
        "Incorrect string value", "Incorrect decimal value", "Incorrect (FLOAT|DOUBLE) value", "year .* out of range",
    ),
    "postgresql": ("out of range", "invalid byte sequence", "invalid input syntax for type time"),
    "sqlite": (),
}  # fmt: skip
"""What a row may be refused for: all of it stands in docs/types.md."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def batches(case: Path) -> Iterator[Batch]:
    """The rows of the case's tables, flat; one batch a schema."""
    converter = JsonConverter(parse(JsonConverterConfig, {"replace.null.with.default": "false"}), is_key=False)
    for topic, events in Case(case).expected().items():
        told = [event["value"] for event in events if event["value"] and "schema" in event["value"]]
        texts = [json.dumps(value).encode() for value in told]
        by_schema: dict[Schema, list[Any]] = {}
        for schema, value in converter.decode(topic, texts):
            if schema is not None and (schema.name or "").endswith(".Envelope"):
                at = schema.index("after") or 0
                if value[at] is not None:
                    by_schema.setdefault(schema.fields[at].schema, []).append(value[at])
        for number, (schema, rows) in enumerate(by_schema.items()):
            name = re.sub(r"\W", "_", f"{topic}_{number}")[-50:]
            nothing = [None] * len(rows)
            yield Batch(name, None, schema, nothing, rows, [()] * len(rows), 0, None, list(range(len(rows))))


def narrow(batch: Batch, number: int, rows: Sequence[int]) -> Batch:
    """One field of some records."""
    assert batch.value_schema is not None
    schema = Schema(Type.STRUCT, fields=(batch.value_schema.fields[number],))
    name, nothing = f"{batch.topic}_{number}"[-60:], [None] * len(rows)
    cells = [(batch.values[row][number],) for row in rows]
    return Batch(name, None, schema, nothing, cells, [()] * len(rows), 0, None, list(rows))


@pytest.fixture(params=TARGETS)
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[JdbcTarget]:
    address = None
    if request.param != "sqlite":
        fixture = "postgres" if request.param == "postgresql" else request.param
        address = request.getfixturevalue(f"{fixture}_address")
    made = JdbcTarget(request.param, address, tmp_path)
    yield made
    made.close()


@pytest.mark.timeout(300)
def test_values_come_back_as_they_were(target: JdbcTarget) -> None:
    if target.kind == "postgresql":
        target.sql("SET intervalstyle TO iso_8601")
    sink = CONFLUENT.build(target.config(
        insert_mode="upsert", pk_mode="kafka", auto_create="true", replace_null_with_default="false"
    ))  # fmt: skip
    compared, wrong = 0, []
    for case in CASES:
        if case.name in ALIKE and target.kind != "sqlite":
            continue
        for batch in batches(case):
            refused = {each.index: each.reason for each in sink.put([batch])}
            every = list(compare(target, batch, [i for i in range(len(batch)) if i not in refused]))
            fields = batch.value_schema.fields if batch.value_schema and refused else ()
            for number, field in enumerate(fields):
                cells = narrow(batch, number, sorted(refused))
                bad = {each.index: each.reason for each in sink.put([cells])}
                wrong += [
                    f"{case.name} {field.name} {cells.values[i]!r:.60}: {reason}"
                    for i, reason in bad.items()
                    if not any(re.search(told, reason) for told in TOLD[target.kind])
                ]
                every += compare(target, cells, [i for i in range(len(cells)) if i not in bad])
            compared += len(every)
            wrong += [f"{case.name} {difference}" for difference in every if difference]
    sink.close()
    assert not wrong, f"{len(wrong)} of {compared}:\n" + "\n".join(wrong[:40])
    assert compared > 3000


def compare(target: JdbcTarget, batch: Batch, wanted: Sequence[int]) -> Iterator[str]:
    """An empty text for each value that is as it was, else the difference."""
    assert batch.value_schema is not None
    fields = batch.value_schema.fields
    shown = ", ".join(_selected(target, field) for field in fields)
    place = target.quoted("__connect_offset")
    rows = target.sql(f"SELECT {place}, {shown} FROM {target.quoted(batch.topic)}")
    found = {row[0]: row[1:] for row in rows}
    for i in wanted:
        assert batch.offsets is not None
        for field, was, came in zip(fields, batch.values[i], found[batch.offsets[i]], strict=True):
            expected, there = _was(target, field.schema, was), _came(target, field.schema, came)
            same = expected == there or (expected != expected and there != there)
            yield "" if same else f"{field.name} ({kind(field.schema)}): was {expected!r:.80}, is {there!r:.80}"


_TEMPORAL = ("date", "debezium date", "time", "time 3", "time 6", "time 9", "timestamp", "moment 3", "moment 6",
             "moment 9", "zoned moment", "zoned time")  # fmt: skip
_ZERO = "P0Y0M0DT0H0M0S"


def _selected(target: JdbcTarget, field: Field) -> str:
    name, means = target.quoted(field.name), kind(field.schema)
    if target.kind == "postgresql":
        if means in ("array", "vector"):
            return f"to_json({name})::text"
        if means == "duration":
            return f"(EXTRACT(EPOCH FROM {name}) * 1000000)::bigint"
        return f"{name}::text" if means in (*_TEMPORAL, "bits", "interval", "point", "json", "map") else name
    if target.kind == "mysql":
        if means == "float":
            return f"{name} + 0e0"
        if means == "bits" and 0 < int(field.schema.parameter("length") or 0) <= 64:
            return f"{name} + 0"
        return f"CAST({name} AS CHAR)" if means in _TEMPORAL else name
    return name


def _was(target: JdbcTarget, schema: Schema, value: Any) -> Any:
    """A value of a record in a form that `_came` gives too."""
    if value is None:
        return None
    sqlite = target.kind == "sqlite"
    match kind(schema):
        case "decimal":
            return _decimal(decimal_text(value, schema.scale), target)
        case "variable scale":
            return _decimal(values.variable_scale(value), target)
        case "date":
            return str(value * 86_400_000) if sqlite else values.date_text(value)
        case "debezium date":
            return values.date_text(value)
        case "time" | "timestamp" if sqlite:
            return str(value)
        case "time":
            return _fraction(values.times(1000)(value))
        case "timestamp":
            return _fraction(values.moments(1000, True)(value))
        case "time 3" | "time 6" | "time 9" as named:
            return _fraction(values.times(10 ** int(named[-1]))(value))
        case "moment 3" | "moment 6" | "moment 9" as named:
            return _fraction(values.moments(10 ** int(named[-1]), not sqlite)(value))
        case "zoned moment" if target.kind == "mysql" and "infinity" in value:
            return 1.0 if value[0] == "-" else 2.0**31 - 1
        case "zoned moment":
            return _instant(value)
        case "zoned time":
            return _fraction(value if target.kind != "mysql" else values.time_at_utc(value))
        case "interval" if target.kind == "postgresql":
            return (
                re.sub(r"(?<![\d.])-?0[YMDHS]", "", value)
                .removesuffix("T")
                .replace("P", "PT0S" if value == _ZERO else "P")
            )
        case "bits":
            return int.from_bytes(value, "little")
        case "boolean":
            return int(value)
        case "float" | "double" if target.kind == "sqlite" and value != value:
            return None
        case "float":
            return to_single(value)
        case "json":
            return json.loads(value)
        case "point" if target.kind == "postgresql":
            return f"({value[0]:g},{value[1]:g})"
        case "geometry" | "geography" | "point":
            shape = dict(zip([field.name for field in schema.fields], value, strict=True))
            return values.stored(shape["wkb"], shape["srid"]) if target.kind == "mysql" else shape["wkb"]
        case "array" | "vector":
            return [_element(target, schema.items or Schema(Type.STRING), each) for each in value]
    return value


def _came(target: JdbcTarget, schema: Schema, value: Any) -> Any:
    if value is None:
        return None
    match kind(schema):
        case "decimal" | "variable scale":
            return _decimal(str(value), target)
        case "zoned moment":
            return _instant(str(value).replace(" ", "T"))
        case (
            "zoned time" | "time" | "time 3" | "time 6" | "time 9" | "timestamp" | "moment 3" | "moment 6" | "moment 9"
        ):
            return _fraction(str(value))
        case "date" | "debezium date":
            return str(value)
        case "bits":
            return _bits(value)
        case "boolean":
            return int(value)
        case "float":
            return to_single(value)
        case "json" | "map" | "array" | "vector" | "sparse vector":
            read = json.loads(value)
            return [_listed(each) for each in read] if kind(schema) in ("array", "vector") else read
        case "uuid":
            return str(value)
        case "bytes" | "geometry" | "geography":
            return bytes(value)
        case "point" if target.kind == "postgresql":
            x, y = map(float, value.strip("()").split(","))
            return f"({x:g},{y:g})"
        case "point":
            return bytes(value)
    return value


_IN_JSON: dict[str, Callable[[Any], str]] = {
    "json": str, "zoned moment": str, "zoned time": str, "date": values.date_text, "time": values.times(1000),
    "timestamp": values.moments(1000, infinity=False),
}  # fmt: skip
"""What stands in a JSON array of a database that has no other."""


def _element(target: JdbcTarget, schema: Schema, value: Any) -> Any:
    """As `_listed` makes it of JSON."""
    if isinstance(value, list):
        return [_element(target, schema.items or schema, each) for each in value]
    if value is None or isinstance(value, bool):
        return value
    if target.kind != "postgresql" and kind(schema) in _IN_JSON:
        return _listed(_IN_JSON[kind(schema)](value))
    if schema.type in (Type.FLOAT32, Type.FLOAT64):
        return _listed(float(value)) if math.isfinite(value) or target.kind == "postgresql" else None
    if isinstance(value, bytes):
        return _listed(("\\x" if target.kind == "postgresql" else "") + value.hex())
    if kind(schema) == "zoned moment":
        return _listed(value)
    said = _was(target, schema, value)
    return said if isinstance(said, dict | list) else _listed(str(said))


def _listed(value: Any) -> Any:
    if isinstance(value, list):
        return list(map(_listed, value))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(f"{value:.6g}") if math.isfinite(value) else str(value)
    if isinstance(value, str):
        text = value.replace("T", " ") if re.match(r"\d{4}-", value) else value
        text = _fraction(text) if re.match(r"(\d{4}-\d\d-\d\d )?\d\d:", text) else text
        try:
            number = float(f"{float(text):.6g}")
            return number if math.isfinite(number) else str(number)
        except ValueError:
            return text
    return value


def _bits(value: Any) -> int:
    if isinstance(value, str):
        return int(value or "0", 2)
    return int.from_bytes(value, "little") if isinstance(value, bytes) else int(value)


def _decimal(text: str, target: JdbcTarget) -> Any:
    if target.kind == "sqlite":
        return float(text)
    return Decimal(text)


def _fraction(text: str) -> str:
    """Without zeros at the fraction's end, and an offset of whole hours written short."""
    short = re.sub(r"(\.\d*?)0+(?=$|[+Z -])", r"\1", text).replace(". ", " ")
    return re.sub(r"\.(?=$|[+Z-])", "", short).replace("Z", "+00").removesuffix(":00") if "+" in short or "Z" in short \
        else re.sub(r"\.$", "", short)  # fmt: skip


def _instant(text: str) -> Any:
    if "infinity" in text:
        return text
    whole = re.sub(r"\.(\d+)", lambda found: "." + found[1][:6].ljust(6, "0"), text)
    if re.search(r"[+-]\d\d$", whole):
        whole += ":00"
    zoned = whole if re.search(r"(Z|[+-]\d\d:\d\d(:\d\d)?)$", whole) else whole + "Z"
    try:
        return (datetime.fromisoformat(zoned.replace("Z", "+00:00")) - _EPOCH).total_seconds()
    except ValueError:
        return text[:10]
