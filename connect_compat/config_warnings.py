"""A config in, one sentence out for each key that is set and read by nobody, and for each old name.

To warn of, never to refuse: Kafka Connect accepts such keys in silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from cdc.config import keys, unknown
from cdc.connector import SinkConnector, SourceConnector
from connect_compat.connector_config import PREFIXES, aliases, with_prefix
from connect_compat.plugins import Kind, Plugin, Plugins

Given = Mapping[str, str]
_CHAINS = {"transforms": Kind.TRANSFORM, "predicates": Kind.PREDICATE}
_OF_EVERY_STEP = ("type", "plugin.version", "predicate", "negate")
CONVERTER_KINDS = {
    "key.converter": Kind.CONVERTER, "value.converter": Kind.CONVERTER, "header.converter": Kind.HEADER_CONVERTER,
}  # fmt: skip


def warnings(
    given: Given, connector: SourceConnector | SinkConnector, runtime: Iterable[type], plugins: Plugins
) -> list[str]:
    """`runtime`: the dataclasses of the keys that every connector of this kind has."""
    return [*_own(given, connector, runtime), *_chains(given, plugins), *_converters(given, plugins)]


def _own(given: Given, connector: SourceConnector | SinkConnector, runtime: Iterable[type]) -> Iterator[str]:
    declared = [key for config in (connector.config, *runtime) for key in keys(config).values()]
    known = {name for key in declared for name in (key.name, *key.aliases)}
    retired = connector.retired if isinstance(connector, SinkConnector) else {}
    yield from (f"{name} has no effect: {words}" for name, words in retired.items() if name in given)
    chains = connector.chains if isinstance(connector, SourceConnector) else ()
    named = tuple(f"{name}." for chain in chains for name in aliases(given.get(chain)))
    for problem in unknown(given, known | retired.keys(), (*PREFIXES, *connector.prefixes, *named)):
        yield problem.message
    for key in declared:
        for old in key.aliases:
            if old in given:
                yield f"{old} is the old name of {key.name}; use {key.name}"


def _chains(given: Given, plugins: Plugins) -> Iterator[str]:
    """Keys of transforms and predicates: of those that are not listed, and those that the listed do not know."""
    for chain, kind in _CHAINS.items():
        listed = aliases(given.get(chain))
        below = tuple(f"{chain}.{alias}." for alias in listed)
        for name in given:
            if name.startswith(chain + ".") and not name.startswith(below):
                shown = ", ".join(listed) or "nothing"
                yield f"{name} has no effect: {chain} lists {shown}; add the name before the next dot to {chain}"
        for alias in listed:
            plugin = plugins.find(given.get(f"{chain}.{alias}.type", ""), kind)
            if plugin is not None:
                yield from _unknown(given, f"{chain}.{alias}.", plugin, _OF_EVERY_STEP)


def _converters(given: Given, plugins: Plugins) -> Iterator[str]:
    """Keys of converters: without their class they are not read, for the worker's converter has its own."""
    for name, kind in CONVERTER_KINDS.items():
        if name not in given:
            for key in given:
                if key.startswith(name + ".") and not key.endswith(".plugin.version"):
                    yield (
                        f"{key} has no effect: {name} is not set, so the worker's converter and its own settings are "
                        f"used; set {name} too"
                    )
        elif (plugin := plugins.find(given[name], kind)) is not None:
            yield from _unknown(given, name + ".", plugin, ("plugin.version", "converter.type"))


def _unknown(given: Given, prefix: str, plugin: Plugin, more: Iterable[str]) -> Iterator[str]:
    """Keys below `prefix` that the plugin does not know."""
    config = plugin.config_class()
    declared = keys(config).values() if config is not None else ()
    known = {prefix + name for key in declared for name in (key.name, *key.aliases)}
    known |= {prefix + name for name in more}
    idle: Mapping[str, str] = getattr(config, "IDLE", {})
    below = with_prefix(given, prefix)
    yield from (f"{prefix}{name} has no effect: {words}" for name, words in idle.items() if name in below)
    passed = tuple(prefix + name for name in getattr(config, "PASSES", ()))
    others = (prefix + name for name in below if name not in idle)
    for problem in unknown(others, known, passed, of=plugin.simple_name):
        yield problem.message
