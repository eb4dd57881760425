"""`python -m scripts.docs`: the tables of settings in docs/, from the declarations in the code.

A page begins with words of its own; what stands below the line `MARK` is made here. A page that is missing is begun
with its title.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from cdc.config import Key, keys, wire_text
from cdc.mysql import unsupported as mysql
from cdc.mysql.config import MySqlConfig
from cdc.postgres import unsupported as postgres
from cdc.postgres.config import PostgresConfig
from connect_compat.connector_config import ConnectorKeys, ErrorKeys, SinkKeys, SourceKeys
from connect_compat.plugins import CONNECTORS, Kind, Plugin, Plugins
from connect_compat.rest import admin, connectors, documentation, metrics, plugins
from connect_compat.worker_config import WorkerKeys


class Limit(Protocol):
    """A key that is known and does nothing, and what that means."""

    @property
    def field(self) -> str: ...

    @property
    def words(self) -> str: ...


Limits = Sequence[Limit]
OURS = Plugins(others=tuple)
"""Without those of other packages that happen to be installed."""
DOCS = Path(__file__).parent.parent / "docs"
MARK = "<!-- What follows is made from the code by `python -m scripts.docs`: change it there. -->"
TABLE = ("| Key | Type | Default | Meaning |", "|---|---|---|---|")


def text(doc: str) -> str:
    """A key's documentation, in which Kafka Connect writes some HTML, as one cell of a Markdown table."""
    for tag, mark in (("<code>", "`"), ("</code>", "`"), ("<br/>", " ")):
        doc = doc.replace(tag, mark)
    return " ".join(doc.replace("<", "\\<").replace("|", "\\|").split())


def _default(declared: Key) -> str:
    if declared.required or declared.needed:
        return "**required**"
    shown = wire_text(declared.default)
    return f"`{shown}`" if shown else ""


def _row(declared: Key) -> str:
    doc = text(declared.doc)
    if declared.values:
        doc += f" One of {', '.join(f'`{value}`' for value in declared.values)}."
    if declared.aliases:
        doc += f" Older name: {', '.join(f'`{name}`' for name in declared.aliases)}."
    return f"| `{declared.name}` | {declared.type} | {_default(declared)} | {doc} |"


def table(declared: Iterable[Key]) -> list[str]:
    rows = [_row(each) for each in declared]
    return [*TABLE, *rows, ""] if rows else ["No settings.", ""]


def by_group(config: type) -> Iterator[str]:
    groups: dict[str, list[Key]] = {}
    for declared in keys(config).values():
        groups.setdefault(declared.group or "Settings", []).append(declared)
    for group, members in groups.items():
        yield from (f"### {group}", "", *table(members))


def connector_page(plugin: Plugin) -> Path:
    """`cdc.mysql.connector` and `sinks.files` are documented in mysql.md and files.md.

    What has a source and a sink of one name has two pages: `sinks.jdbc.connector` jdbc-sink.md.
    """
    module = plugin.where.partition(":")[0].removesuffix(".connector")
    name = module.rpartition(".")[2]
    return DOCS / "connectors" / (f"jdbc-{plugin.kind.value}.md" if name == "jdbc" else f"{name}.md")


def _connector(plugin: Plugin) -> Iterator[str]:
    yield from ("## Settings", "", f"`connector.class`: `{plugin.class_name}`", "")
    yield from by_group(plugin.config_class() or type(None))


def _not_available(config: type, refused: Limits, warned: Limits) -> Iterator[str]:
    """The keys of a source that are known and do nothing."""
    declared = keys(config)
    for title, limits in (("Refused", refused), ("Taken with a warning", warned)):
        yield from (f"### {title}", "")
        yield from (f"- `{declared[limit.field].name}`: {text(limit.words)}" for limit in limits)
        yield ""


def _every_connector() -> Iterator[str]:
    parts = (("Source or sink", ConnectorKeys), ("Error handling", ErrorKeys), ("Sources only", SourceKeys),
             ("Sinks only", SinkKeys))  # fmt: skip
    for title, config in parts:
        yield from (f"## {title}", "", *table(keys(config).values()))


def _plugins(found: Iterable[Plugin]) -> Iterator[str]:
    """Those with the same purpose and settings (`Cast$Key`, `Cast$Value`) stand together."""
    together: dict[tuple[str, type | None], list[Plugin]] = {}
    for plugin in found:
        together.setdefault((_purpose(plugin), plugin.config_class()), []).append(plugin)
    for (purpose, config), members in together.items():
        yield from (f"### {', '.join(each.simple_name for each in members)}", "", text(purpose), "")
        yield from (f"`{each.class_name}`  " for each in members)
        yield from ("", *table(keys(config).values() if config else ()))
        yield from _idle(getattr(config, "IDLE", {}))


def _idle(settings: Mapping[str, str]) -> Iterator[str]:
    """Settings that are known and need not be heeded, by the reason."""
    reasons: dict[str, list[str]] = {}
    for name, words in settings.items():
        reasons.setdefault(words, []).append(f"`{name}`")
    if reasons:
        yield from ("Known and without effect; setting one is warned of:", "")
        yield from (f"- {', '.join(names)}: {text(words)}" for words, names in reasons.items())
        yield ""


def _purpose(plugin: Plugin) -> str:
    """The sentence that a predicate's class, else the plugin's module, begins with."""
    loaded = plugin.load()
    described = loaded if plugin.kind is Kind.PREDICATE else sys.modules[plugin.where.partition(":")[0]]
    return (inspect.getdoc(described) or "").partition("\n\n")[0]


def _transforms() -> Iterator[str]:
    converters = {plugin.class_name for plugin in OURS.all(Kind.CONVERTER)}
    for title, kind in (("Transforms", Kind.TRANSFORM), ("Predicates", Kind.PREDICATE), ("Converters", Kind.CONVERTER)):
        yield from (f"## {title}", "", *_plugins(OURS.all(kind)))
    only_headers = [each for each in OURS.all(Kind.HEADER_CONVERTER) if each.class_name not in converters]
    yield from ("## Header converters", "", "Every converter above, and:", "", *_plugins(only_headers))


def routes() -> list[object]:
    """Every route that a worker serves."""
    routers = (connectors.router, plugins.router, admin.router, metrics.router, documentation.router)
    return [route for router in routers for route in router.routes]


def _requests() -> Iterator[str]:
    yield from ("## Requests", "", "| Request | Answer |", "|---|---|")
    for method, path, answer in documentation.described(routes()):
        yield f"| `{method} {path}` | {answer.replace('|', chr(92) + '|')} |"
    yield ""


def generated() -> dict[Path, Sequence[str]]:
    """Page -> the lines below its mark."""
    made: dict[Path, list[str]] = {}
    for plugin in OURS.all(*CONNECTORS):
        made.setdefault(connector_page(plugin), []).extend(_connector(plugin))
        config = plugin.config_class() or type(None)
        for base, limits in ((MySqlConfig, mysql), (PostgresConfig, postgres)):
            if issubclass(config, base):
                lines = _not_available(base, limits.REFUSED, limits.WARNED)
                made[connector_page(plugin)] += ["## Not available yet", "", *lines]
    return {
        **made,
        DOCS / "connectors" / "every-connector.md": list(_every_connector()),
        DOCS / "transforms.md": list(_transforms()),
        DOCS / "rest.md": list(_requests()),
        DOCS / "worker.md": ["## Settings", "", *table(keys(WorkerKeys).values())],
    }


def page(path: Path, lines: Sequence[str]) -> str:
    """The whole page: its own words as they are, and the lines."""
    own = path.read_text().partition(MARK)[0].rstrip() if path.exists() else f"# {path.stem}"
    return "\n".join([own, "", MARK, "", *lines]).rstrip() + "\n"


def main() -> int:
    for path, lines in generated().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page(path, lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
