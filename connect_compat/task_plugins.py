"""A task's config to what it names, built: connector, transforms with their predicates, converters."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from cdc.config import parse
from cdc.connector import SinkConnector
from connect_compat.connector_config import ConnectorKeys, with_prefix
from connect_compat.pipeline import Step, TaskPlugins
from connect_compat.plugins import Kind, Plugin, Plugins
from connect_compat.transforms import Predicate

_TABLE = Plugins()


def task_plugins(config: Mapping[str, str]) -> TaskPlugins:
    """`config` names its converters: the worker's stand in it where the connector has none.

    Raises: UnknownPlugin; ConfigError with every problem of the first plugin that has one.
    """
    keys = parse(ConnectorKeys, config)
    predicates = {alias: _predicate(alias, config) for alias in keys.predicates}
    connector = _TABLE.connector(keys.connector_class).load()
    value = _converter("value.converter", Kind.CONVERTER, config, is_key=False)
    if not keys.transforms and isinstance(connector, SinkConnector) and connector.takes_json(config):
        value = value.texts() or value if hasattr(value, "texts") else value
    return TaskPlugins(
        connector,
        tuple(_step(alias, config, predicates) for alias in keys.transforms),
        _converter("key.converter", Kind.CONVERTER, config, is_key=True),
        value,
        _converter("header.converter", Kind.HEADER_CONVERTER, config, is_key=False),
    )


def _step(alias: str, config: Mapping[str, str], predicates: Mapping[str, Predicate]) -> Step:
    settings = with_prefix(config, f"transforms.{alias}.")
    plugin = _TABLE.get(settings["type"], Kind.TRANSFORM)
    asked = settings.get("predicate")
    negate = settings.get("negate", "false").strip().lower() == "true"
    return Step(_built(plugin, settings), plugin.class_name, predicates[asked] if asked else None, negate)


def _predicate(alias: str, config: Mapping[str, str]) -> Predicate:
    settings = with_prefix(config, f"predicates.{alias}.")
    predicate: Predicate = _built(_TABLE.get(settings["type"], Kind.PREDICATE), settings)
    return predicate


def _converter(name: str, kind: Kind, config: Mapping[str, str], *, is_key: bool) -> Any:
    return _built(_TABLE.get(config[name], kind), with_prefix(config, f"{name}."), is_key=is_key)


def _built(plugin: Plugin, settings: Mapping[str, str], *, is_key: bool = False) -> Any:
    """A plugin takes its config, and what else it names: `is_key` of a converter, `settings` with those that it passes
    on, `build` for converters that it passes them to."""
    declared = plugin.config_class()
    made = plugin.load()
    arguments: list[Any] = [] if declared is None else [parse(declared, settings)]
    offered = {"is_key": is_key, "settings": settings, "build": _delegate}
    asked = inspect.signature(made).parameters
    return made(*arguments, **{name: value for name, value in offered.items() if name in asked})


def _delegate(name: str, settings: Mapping[str, str], is_key: bool) -> Any:
    return _built(_TABLE.get(name, Kind.CONVERTER), settings, is_key=is_key)
