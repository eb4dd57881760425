"""`tailrace plan`: what could stop a connector, found before it is created, with the statements that mend it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from cdc.connector import SourceConnector
from cdc.errors import RequestError, TailraceError
from cdc.outlook import Outlook
from connect_compat.plugins import Plugins
from connect_compat.providers import providers
from connect_compat.validate import Validator
from connect_compat.worker_config import WorkerConfig

_SHOWN_TABLES = 10


@dataclass(frozen=True)
class Preview:
    """What would become of a connector. `outlook` is missing when the source cannot be looked at, or there is none."""

    name: str
    connector: str
    errors: list[str]
    warnings: list[str] = field(default_factory=list)
    outlook: Outlook | None = None

    def as_json(self) -> dict[str, Any]:
        found = asdict(self)
        if self.outlook is not None:
            found["outlook"] |= {name: getattr(self.outlook, name) for name in ("rows", "bytes", "seconds")}
        return found


def preview(worker: WorkerConfig, name: str, config: Mapping[str, str]) -> Preview:
    """Looks at the source or target as creating the connector would."""
    plugins, found = Plugins(), providers(worker.raw)
    once = worker.log.path is not None or worker.log.exactly_once
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)  # what a check warns of is part of the answer
    try:
        report = Validator(plugins, found, worker.raw, exactly_once=once).check({**config, "name": name})
        connector = report.plugin.load()
        looked: Outlook | None = None
        if not report.errors and isinstance(connector, SourceConnector) and connector.outlook is not None:
            looked = connector.outlook(found.resolve(config))
    except RequestError as error:
        return Preview(name, config.get("connector.class", ""), [str(error)])
    except TailraceError as error:
        return Preview(name, report.plugin.class_name, [str(error)], list(report.warnings))
    finally:
        logging.disable(before)
    warnings = [*report.warnings, *(looked.warnings if looked else ())]
    return Preview(name, report.plugin.class_name, list(report.errors), list(dict.fromkeys(warnings)), looked)


def lines(found: Preview) -> Iterator[str]:
    """For people."""
    yield f"{found.name}: {found.connector}"
    for title, texts in (("error", found.errors), ("warning", found.warnings)):
        for text in texts:
            first, *more = text.splitlines()
            yield f"  {title}: {first}"
            yield from (f"    {line}" for line in more)
    if not found.errors:
        yield "  nothing stops it"
    if found.outlook is None:
        return
    outlook = found.outlook
    if outlook.tables:
        yield (
            f"  snapshot: {len(outlook.tables)} tables, about {outlook.rows:,} rows, {_size(outlook.bytes)}, "
            f"about {_time(outlook.seconds)}"
        )
    else:
        yield "  snapshot: reads no rows"
    for table in outlook.tables[:_SHOWN_TABLES]:
        yield f"    {table.name}: about {table.rows:,} rows, {_size(table.bytes)}"
    if len(outlook.tables) > _SHOWN_TABLES:
        yield f"    and {len(outlook.tables) - _SHOWN_TABLES} smaller ones"
    yield "  server: " + ", ".join(f"{name}={text}" for name, text in outlook.facts)


def _size(count: float) -> str:
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:,.0f} {unit}"
        count /= 1024
    return f"{count:,.1f} TiB"


def _time(seconds: int) -> str:
    if seconds < 60:
        return f"{max(1, seconds)} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
