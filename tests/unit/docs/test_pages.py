"""What a user can write or ask for stands in docs/: settings, plugins, routes, column types. Links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cdc.config import keys
from cdc.mysql.type_family import FAMILIES, TypeOptions
from cdc.mysql.types import field_schema
from cdc.schema import DECIMAL
from cdc.table import Column
from connect_compat.connector_config import ConnectorKeys, ErrorKeys, SinkKeys, SourceKeys
from connect_compat.plugins import CONNECTORS, Plugin
from connect_compat.rest import documentation
from connect_compat.worker_config import WorkerKeys
from scripts import docs

ROOT = Path(__file__).parents[3]
GENERATED = docs.generated()
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("path", GENERATED, ids=lambda path: path.name)
def test_a_page_of_settings_is_what_the_code_declares(path: Path) -> None:
    assert path.read_text() == docs.page(path, GENERATED[path]), "run: python -m scripts.docs"


@pytest.mark.parametrize("plugin", docs.OURS.all(), ids=lambda plugin: plugin.class_name)
def test_every_plugin_and_each_of_its_settings_stand_on_a_page(plugin: Plugin) -> None:
    path = docs.connector_page(plugin) if plugin.kind in CONNECTORS else docs.DOCS / "transforms.md"
    page = path.read_text()
    config = plugin.config_class()
    wanted = [plugin.class_name, *(each.name for each in keys(config).values())] if config else [plugin.class_name]
    assert [name for name in wanted if f"`{name}`" not in page] == []


@pytest.mark.parametrize("config", [WorkerKeys, ConnectorKeys, ErrorKeys, SourceKeys, SinkKeys])
def test_every_setting_of_worker_and_runtime_stands_on_its_page(config: type) -> None:
    path = docs.DOCS / ("worker.md" if config is WorkerKeys else "connectors/every-connector.md")
    page = path.read_text()
    assert [each.name for each in keys(config).values() if f"`{each.name}`" not in page] == []


def test_every_route_says_what_it_answers() -> None:
    described = list(documentation.described(docs.routes()))
    assert len(described) > 35
    assert all(answer.endswith(".") and len(answer) > 10 for _, _, answer in described)


TYPES = (docs.DOCS / "types.md").read_text()


@pytest.mark.parametrize("name", FAMILIES)
def test_every_column_type_stands_in_types_md(name: str) -> None:
    assert re.search(rf"`{name}(?:\([^`]*\))?(?: UNSIGNED)?`", TYPES)


@pytest.mark.parametrize("mode", ["adaptive_time_microseconds", "connect", "isostring", "microseconds", "nanoseconds"])
def test_every_schema_a_column_can_have_stands_in_types_md(mode: str) -> None:
    options = TypeOptions(time_precision=mode)
    columns = [
        Column(name="c", type_name=name, type_expression=name, jdbc_type=0, position=1, length=length)
        for name in FAMILIES
        for length in (None, 6)
    ]
    named = {schema.name or schema.type.name for schema in (field_schema(column, options) for column in columns)}
    assert {name for name in named - {DECIMAL} if name not in TYPES} == set()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]*)(?:#[^)]*)?\)", path.read_text()):
        assert (path.parent / target).exists(), target


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_to_a_heading_find_it(path: Path) -> None:
    for target, heading in re.findall(r"\]\((?!https?:)([^)#]*)#([^)]*)\)", path.read_text()):
        page = (path.parent / target).read_text() if target else path.read_text()
        titles = re.findall(r"^#+ (.*)$", page, re.MULTILINE)
        assert heading in {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}
