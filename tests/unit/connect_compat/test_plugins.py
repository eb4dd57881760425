from __future__ import annotations

import subprocess
import sys

import pytest

from cdc.connector import SinkConnector, SourceConnector
from connect_compat.plugins import CONNECTORS, TABLE, Kind, Plugin, Plugins, UnknownPlugin


@pytest.mark.parametrize("plugin", TABLE, ids=lambda plugin: f"{plugin.kind.value}:{plugin.simple_name}")
def test_every_line_of_the_table_leads_to_what_it_says(plugin: Plugin) -> None:
    loaded = plugin.load()
    if plugin.kind in CONNECTORS:
        assert isinstance(loaded, SourceConnector if plugin.kind is Kind.SOURCE else SinkConnector)
        assert (loaded.class_name, loaded.version) == (plugin.class_name, plugin.version)
    else:
        assert plugin.class_name == loaded.CLASS_NAME
    assert all(key.doc for key in plugin.settings())


@pytest.mark.parametrize("name", ["io.debezium.connector.mysql.MySqlConnector", "MySqlConnector", "MySql", " MySql "])
def test_a_connector_goes_by_its_full_name_its_simple_name_and_its_alias(name: str) -> None:
    assert Plugins().connector(name).where == "cdc.mysql.connector:MYSQL"


def test_an_unknown_connector_is_refused_with_all_there_are_and_the_nearest() -> None:
    with pytest.raises(UnknownPlugin) as refused:
        Plugins().connector("io.debezium.connector.MySQLConnecter")
    text = str(refused.value)
    assert text.startswith(
        "Failed to find any class that implements Connector and which name matches "
        "io.debezium.connector.MySQLConnecter, available connectors are: PluginDesc{klass=class "
    )
    assert all(plugin.class_name in text for plugin in Plugins().all(*CONNECTORS))
    assert text.endswith("; did you mean io.debezium.connector.mysql.MySqlConnector?")


def test_a_converter_is_not_a_connector() -> None:
    with pytest.raises(UnknownPlugin, match=r"did you mean org\.apache\.kafka\.connect\.json\.JsonConverter\?"):
        Plugins().get("JsonConvertor", Kind.CONVERTER)
    assert Plugins().find("JsonConverter", *CONNECTORS) is None


@pytest.mark.parametrize("name", ["io.confluent.connect.thrift.ThriftEncoder", "com.example.Nope", ""])
def test_nothing_is_proposed_where_nothing_is_like_it(name: str) -> None:
    with pytest.raises(UnknownPlugin) as refused:
        Plugins().get(name, Kind.CONVERTER)
    assert "did you mean" not in str(refused.value)


def test_a_plugin_that_is_known_and_not_here_is_answered_with_what_to_do() -> None:
    with pytest.raises(UnknownPlugin, match=r"ActivateTracingSpan is not supported: .* leave it out of transforms"):
        Plugins().get("io.debezium.transforms.tracing.ActivateTracingSpan", Kind.TRANSFORM)


def test_listing_plugins_imports_none_of_them() -> None:
    code = (
        "import sys; from connect_compat.plugins import Plugins; Plugins().all(); "
        "print([m for m in sys.modules if m.startswith(('cdc.mysql', 'sinks', 'pymysql', 'confluent'))])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
