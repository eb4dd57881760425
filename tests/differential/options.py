"""Random settings of the connector, the same for both sides."""

from __future__ import annotations

import re
from random import Random

CHOICES: dict[str, tuple[str, ...]] = {
    "decimal.handling.mode": ("precise", "string", "double"),
    "bigint.unsigned.handling.mode": ("long", "precise"),
    "binary.handling.mode": ("bytes", "base64", "base64-url-safe", "hex"),
    "time.precision.mode": ("adaptive_time_microseconds", "connect", "isostring", "microseconds", "nanoseconds"),
    "tombstones.on.delete": ("true", "false"),
    "skipped.operations": ("t", "none", "u", "c,d", "d", "t,u"),
    "schema.name.adjustment.mode": ("none", "avro", "avro_unicode"),
    "include.schema.changes": ("true", "false"),
    "include.schema.comments": ("true", "false"),
    "include.query": ("true", "false"),
    "enable.time.adjuster": ("true", "false"),
    "extended.headers.enabled": ("true", "false"),
    "snapshot.mode": ("initial", "initial", "no_data"),
    "column.propagate.source.type": (".*", r".*\.b"),
    "datatype.propagate.source.type": (r".*\.VARCHAR", r".+\.DECIMAL,.+\.INT UNSIGNED"),
    "schema.history.internal.store.only.captured.tables.ddl": ("true", "false"),
    "schema.history.internal.store.only.captured.databases.ddl": ("true", "false"),
    "snapshot.locking.mode": ("minimal", "extended", "none"),
    "snapshot.tables.order.by.row.count": ("ascending", "descending"),
    "topic.delimiter": ("_", "-"),
    "provide.transaction.metadata": ("true",),
    "skip.messages.without.change": ("true",),
    "event.converting.failure.handling.mode": ("warn", "skip"),
    "column.mask.with.5.chars": (r".*\.(Name|value)",),
    "column.mask.with.0.chars": (r".*\.b",),
    "column.mask.hash.SHA-256.with.salt.pepper": (r".*\.(id|a|two words)",),
    "column.mask.hash.v2.MD5.with.salt.salt": (r".*\.(UPPER|c_1)",),
    "column.truncate.to.3.chars": (r".*\.(d|e|key)",),
    "topic.transaction": ("tx",),
}
RARE = re.compile(r"column\.(mask|truncate)")
"""These change much of what else would be seen."""
HIDDEN = ("f", "g", "h", "dot.ted", "gen")
"""Columns that the column filters leave out, and no keys: of a key that is left out Debezium snapshots its default."""


def options(random: Random, databases: tuple[str, ...]) -> dict[str, str]:
    """The first of the databases is captured, and its table `done` in any case."""
    own = databases[0]
    found = {"database.include.list": own}
    for name, values in CHOICES.items():
        if random.random() < (0.06 if RARE.match(name) else 0.25):
            found[name] = random.choice(values)
    schemas = random.choice(("true", "true", "false"))
    found |= {"key.converter.schemas.enable": schemas, "value.converter.schemas.enable": schemas}
    chosen = random.random()
    if chosen < 0.1:
        found["table.include.list"] = rf"{own}\.t.*,{own}\.done,{own}\.[Mm]ixed"
    elif chosen < 0.2:
        found["table.exclude.list"] = rf"{own}\.orders,{own}\.two words"
    chosen = random.random()
    if chosen < 0.1:
        found["column.exclude.list"] = rf"{own}\..*\.{HIDDEN[0]},.*\.({'|'.join(HIDDEN[1:])})"
    elif chosen < 0.15:
        found["column.include.list"] = rf"{own}\..*\.(?!({'|'.join(HIDDEN)})$).*"
    if random.random() < 0.15:
        found["message.key.columns"] = random.choice((rf"{own}\.t:a", rf"{own}.orders:id,b;{own}.(t|Mixed):a"))
    return found
