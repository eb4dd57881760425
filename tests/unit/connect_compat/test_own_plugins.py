"""Plugins of another package: the example package, found by its entry points."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cdc.record import Batch, SourceContext, SourceOffset
from cdc.schema import INT64, struct
from connect_compat.config_warnings import warnings
from connect_compat.connector_config import ConnectorKeys, ErrorKeys
from connect_compat.plugins import GROUPS, Kind, Plugins, installed
from connect_compat.task_plugins import task_plugins
from tests.example_package import EXAMPLE, put_metadata

CONFIG = {
    "name": "c", "connector.class": "com.example.CountSourceConnector", "topic": "numbers", "last": "3",
    "key.converter": "JsonConverter", "value.converter": "com.example.ReprConverter",
    "header.converter": "SimpleHeaderConverter", "transforms": "m", "transforms.m.type": "Mirror",
    "transforms.m.field": "n", "transforms.m.predicate": "odd", "predicates": "odd", "predicates.odd.type": "IsOdd",
}  # fmt: skip


@pytest.fixture(autouse=True)
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    put_metadata(tmp_path)
    monkeypatch.syspath_prepend(EXAMPLE)
    monkeypatch.syspath_prepend(tmp_path)
    installed.cache_clear()
    yield
    installed.cache_clear()


def test_each_kind_is_found_by_its_full_name_and_by_its_short_one() -> None:
    plugins = Plugins()
    for name, kind in (("CountSource", Kind.SOURCE), ("JsonLinesSink", Kind.SINK), ("Mirror", Kind.TRANSFORM),
                       ("IsOdd", Kind.PREDICATE), ("Repr", Kind.CONVERTER)):  # fmt: skip
        found = plugins.find(name, kind)
        assert found is not None and (found.version, found.kind) == ("1.0", kind)
        assert plugins.find(found.class_name, kind) == found
        assert found in plugins.all(kind)
        assert all(key.doc for key in found.settings())
    assert set(GROUPS.values()) == set(Kind)


def test_what_the_table_has_is_not_replaced() -> None:
    (mirror,) = [plugin for plugin in installed() if plugin.simple_name == "Mirror"]
    other = mirror.__class__(Kind.CONVERTER, "org.apache.kafka.connect.json.JsonConverter", "9", mirror.where)
    found = Plugins(others=lambda: (other,)).get("JsonConverter", Kind.CONVERTER)
    assert found.where == "connect_compat.converters.json:JsonConverter"


def test_a_config_is_built_of_them_and_its_misspelt_keys_are_told() -> None:
    built: Any = task_plugins(CONFIG)
    source = built.connector.build(CONFIG, SourceContext("c", 0, None))  # type: ignore[arg-type]
    poll = next(source.polls([SourceOffset({"counter": "only"}, {"n": 1})]))
    (batch,) = poll.batches
    assert (batch.values, poll.offsets[0].offset) == ([(2,), (3,)], {"n": 3})
    (step,) = built.steps
    out = [each for part in step.apply(batch) for each in built.value.encode("t", part.value_schema, part.values)]
    assert out == [b"(2,)", b"(3, -3)"]
    assert built.value.decode("t", out) == [(None, (2,)), (None, (3, -3))]
    told = warnings({**CONFIG, "lats": "4"}, built.connector, (ConnectorKeys, ErrorKeys), Plugins())
    assert told == ["lats is not a setting of this connector; did you mean last?"]


def test_the_sink_writes_what_json_can_hold_and_refuses_the_rest(tmp_path: Path) -> None:
    connector = Plugins().connector("JsonLinesSink").load()
    sink = connector.build({"file": str(tmp_path / "out")})
    good = Batch("t", None, struct(("n", INT64)), [None], [(7,)], [()])
    bad = Batch("t", None, None, [None], [b"x"], [()])
    (refused,) = sink.put([good, bad])
    assert "cannot be written as JSON" in refused.reason
    assert (tmp_path / "out").read_text() == '{"n": 7}\n'
