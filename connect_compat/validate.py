"""A connector config to Kafka Connect's ConfigInfos: every key with its declaration, its value and its errors.

Everything is checked at once: the runtime's keys, the connector's, transforms, predicates, converters; then, when all
that is well, what only a look at the source or target can tell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from cdc.config import MISSING, Importance, Key, Value, keys, type_problem, values, wire_text
from cdc.connector import SinkConnector, SourceConnector
from cdc.errors import ConfigError, Problem, RequestError
from connect_compat import config_rules, override_policies
from connect_compat.client_keys import client_keys
from connect_compat.config_warnings import CONVERTER_KINDS, warnings
from connect_compat.connector_config import (
    ORDER_IN_GROUP,
    ConnectorKeys,
    ErrorKeys,
    SinkKeys,
    SourceKeys,
    aliases,
    java_map,
    with_prefix,
)
from connect_compat.masking import masked, secrets_of, text_without
from connect_compat.plugins import CONNECTORS, Kind, Plugin, Plugins, UnknownPlugin
from connect_compat.providers import Providers

Raw = Mapping[str, "str | None"]
_CONFIG_DEF = "Invalid value "
_NUMBERS = ("INT", "SHORT", "LONG", "DOUBLE")


@dataclass
class Info:
    """One key of the answer: how it is declared, the value as it is shown, and the errors of it.

    Attributes:
        unsaid: the value at fault, where the sentences of `errors` are Debezium's, which do not name it.
    """

    key: Key
    value: str | None
    recommended: Sequence[str] = ()
    errors: list[str] = field(default_factory=list)
    declared: bool = True
    dependents: Sequence[str] = ()
    required: bool | None = None
    unsaid: str | None = None

    @property
    def told(self) -> list[str]:
        """The errors for a text in which no value stands beside them."""
        if not self.unsaid:
            return self.errors
        return [error if self.unsaid in error else f"{error} (it is {self.unsaid!r})" for error in self.errors]

    def as_json(self) -> dict[str, Any]:
        return {
            "definition": definition(self.key, self.dependents, required=self.required) if self.declared else None,
            "value": {
                "name": self.key.name,
                "value": self.value,
                "recommended_values": list(self.recommended),
                "errors": list(self.errors),
                "visible": True,
            },
        }


@dataclass
class Report:
    """What a config turned out to be.

    Attributes:
        infos: the runtime's keys, the transforms', the predicates', the connector's, in the order they are answered.
        converters: the keys of the converters that the connector names itself.
    """

    name: str
    plugin: Plugin
    infos: list[Info]
    converters: list[Info] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def error_count(self) -> int:
        """Messages of the connector's own section, and erroneous values of the converters', as Kafka Connect counts."""
        return sum(len(info.errors) for info in self.infos) + sum(bool(info.errors) for info in self.converters)

    @property
    def errors(self) -> list[str]:
        return [error for info in (*self.infos, *self.converters) for error in info.told]

    def as_json(self) -> dict[str, Any]:
        declared = [info.key.group for info in (*self.infos, *self.converters) if info.declared]
        groups = dict.fromkeys(group for group in declared if group is not None)
        return {
            "name": self.name,
            "error_count": self.error_count,
            "groups": list(groups),
            "configs": [info.as_json() for info in (*self.infos, *self.converters)],
        }


def definition(key: Key, dependents: Sequence[str] = (), *, required: bool | None = None) -> dict[str, Any]:
    """Kafka Connect's ConfigKeyInfo."""
    return {
        "name": key.name,
        "type": key.type,
        "required": key.required if required is None else required,
        "default_value": None if key.type == "PASSWORD" and key.required else wire_text(key.default),
        "importance": key.importance.value,
        "documentation": key.doc,
        "group": key.group,
        "order_in_group": key.order,
        "width": key.width,
        "display_name": key.label,
        "dependents": list(dependents),
    }


def runtime_keys(kind: Kind) -> list[Key]:
    """The keys the runtime itself reads of a source's or a sink's config."""
    return [
        replace(key, order=ORDER_IN_GROUP.get(key.name, key.order))
        for config in _runtime_configs(kind)
        for key in keys(config).values()
    ]


def _runtime_configs(kind: Kind) -> tuple[type, ...]:
    return (ConnectorKeys, ErrorKeys, SinkKeys if kind is Kind.SINK else SourceKeys)


def plugin_definitions(plugin: Plugin) -> list[dict[str, Any]]:
    """What `GET /connector-plugins/{plugin}/config` answers: its own keys, then the runtime's."""
    if plugin.kind in (Kind.CONVERTER, Kind.HEADER_CONVERTER):
        return [definition(key) for key in _converter_keys(plugin)]
    own = [definition(key, key.dependents) for key in plugin.settings()]
    if plugin.kind not in (Kind.SINK, Kind.SOURCE):
        return own
    names = {key["name"] for key in own}
    shared = [key for key in runtime_keys(plugin.kind) if key.name not in names]
    return own + [
        definition(replace(key, default=plugin.version) if key.name == "connector.plugin.version" else key)
        for key in shared
    ]


class Validator:
    """Checks configs against one table of plugins."""

    def __init__(
        self, plugins: Plugins, providers: Providers, worker: Mapping[str, str], *, exactly_once: bool = True
    ) -> None:
        """`worker`: the worker's properties; its converters are the defaults of the connectors'.

        `exactly_once`: whether the log takes a source's records and offsets together.
        """
        self._plugins, self._providers, self._worker = plugins, providers, worker
        self._exactly_once = exactly_once

    def plugin(self, raw: Raw) -> Plugin:
        """The connector a config asks for. Raises: RequestError: 400 in the words of Kafka Connect."""
        name = (raw.get("connector.class") or "").strip()
        if not name:
            shown = masked({key: "null" if text is None else text for key, text in raw.items()})
            sources = ", ".join(known.class_name for known in self._plugins.all(*CONNECTORS))
            raise RequestError(
                400, f"Connector config {java_map(shown)} contains no connector type; set connector.class to: {sources}"
            )
        try:
            return self._plugins.connector(name)
        except UnknownPlugin as error:
            raise RequestError(400, str(error)) from None

    def check(self, raw: Raw, problems: Sequence[Problem] = ()) -> Report:
        """Every key of the config; when it has no error by itself, the connector connects and looks.

        Args:
            problems: what is known to be wrong already.
        Raises: RequestError: no connector class, or one that there is not.
        """
        plugin = self.plugin(raw)
        try:
            given = self._providers.resolve({key: text for key, text in raw.items() if text is not None})
        except ConfigError as error:
            given = {key: text for key, text in raw.items() if text is not None}
            problems = [*problems, *error.problems]
        connector = plugin.load()
        infos = [*self._runtime(plugin, given), *self._chains(given)]
        infos += _overrides(plugin.kind, given, self._worker)
        taken = {info.key.name for info in infos}
        infos += [info for info in _section(plugin.config_class(), given, plugin) if info.key.name not in taken]
        report = Report(raw.get("connector.class") or "", plugin, infos, self._converters(given))
        _add(report, config_rules.problems(plugin.kind, given, exactly_once=self._exactly_once))
        _add(report, [Problem(key, _NULL.format(key)) for key, text in raw.items() if text is None])
        _add(report, problems)
        if not report.error_count:
            _add(report, _live(connector, given))
        report.warnings += warnings(given, connector, _runtime_configs(plugin.kind), self._plugins)
        _show_as_given(report, raw, given)
        _hide_secrets(report, given)
        return report

    def _runtime(self, plugin: Plugin, given: Mapping[str, str]) -> list[Info]:
        """The runtime's keys; the defaults of converters are the worker's, those of versions the only there are."""
        infos = []
        for config in _runtime_configs(plugin.kind):
            for value in values(config, given):
                key = replace(value.key, order=ORDER_IN_GROUP.get(value.key.name, value.key.order))
                infos.append(self._runtime_info(plugin, replace(value, key=key), given))
        return infos

    def _runtime_info(self, plugin: Plugin, value: Value, given: Mapping[str, str]) -> Info:
        name = value.key.name
        if name in CONVERTER_KINDS:
            kind = CONVERTER_KINDS[name]
            value = replace(value, key=replace(value.key, default=self._worker.get(name)))
            info = _info(replace(value, parsed=value.parsed or self._worker.get(name)))
            info.recommended = [known.class_name for known in self._plugins.all(kind)]
            info.errors += self._class_errors(name, given.get(name), kind)
            if info.errors and self._plugins.find(given.get(name, "")) is None:  # no class at all
                info.value = None
            return info
        if name.endswith(".plugin.version"):
            version = plugin.version
            if name != "connector.plugin.version":
                of = name.removesuffix(".plugin.version")
                used = self._plugins.find(given.get(of, self._worker.get(of, "")), CONVERTER_KINDS[of])
                version = used.version if used else ""
            key = replace(value.key, default=version or None)
            info = _info(replace(value, key=key, parsed=value.parsed or version or None))
            info.recommended = [version] if version else []
            return info
        info = _info(value)
        if name in ("transforms", "predicates"):
            listed = aliases(given.get(name))
            if len(set(listed)) < len(listed):
                shown = ", ".join(listed)
                info.errors.append(f"Invalid value [{shown}] for configuration {name}: Duplicate alias provided.")
        return info

    def _class_errors(self, name: str, class_name: str | None, kind: Kind) -> list[str]:
        if class_name is None:
            return []
        try:
            self._plugins.get(class_name, kind)
        except UnknownPlugin as error:
            return [f"Invalid value {class_name} for configuration {name}: {error}"]
        return []

    def _chains(self, given: Mapping[str, str]) -> list[Info]:
        """The keys of every transform and predicate that is listed."""
        infos: list[Info] = []
        predicates = _listed(given.get("predicates"))
        for alias in dict.fromkeys(_listed(given.get("transforms"))):
            step = self._step(f"transforms.{alias}", f"Transforms: {alias}", f"Transformation type for {alias}",
                              Kind.TRANSFORM, given)  # fmt: skip
            asked, negate = given.get(f"transforms.{alias}.predicate"), f"transforms.{alias}.negate"
            if asked is None and negate in given:
                step[0].errors.append(f"Config '{negate}' was provided but there is no config 'transforms.{alias}."
                                      "predicate' defining a predicate to be negated.")  # fmt: skip
            if asked is not None and asked not in predicates:
                named = next(info for info in step if info.key.name.endswith(".predicate"))
                named.errors.append(f"Invalid value {asked} for configuration transforms.{alias}.predicate: predicates "
                                    f"lists no {asked!r}; it lists {', '.join(predicates) or 'nothing'}")  # fmt: skip
            infos += step
        for alias in dict.fromkeys(predicates):
            infos += self._step(f"predicates.{alias}", f"Predicates: {alias}", f"Predicate type for {alias}",
                                Kind.PREDICATE, given)  # fmt: skip
        return infos

    def _step(self, prefix: str, group: str, label: str, kind: Kind, given: Mapping[str, str]) -> list[Info]:
        """The keys of one transform or predicate under their full names."""
        what = "transformation" if kind is Kind.TRANSFORM else "predicate"
        alias = prefix.partition(".")[2]
        type_key = _key(f"{prefix}.type", "CLASS", f"Class for the {alias!r} {what}.", label=label,
                        importance=Importance.HIGH, width="LONG", required=True)  # fmt: skip
        class_name = given.get(type_key.name)
        known = [plugin.class_name for plugin in self._plugins.all(kind)]
        missing = f'Missing required configuration "{type_key.name}" which has no default value.'
        errors = [missing] if class_name is None else self._class_errors(type_key.name, class_name, kind)
        infos = [Info(type_key, class_name, known, errors, required=True)]
        plugin = None if errors or class_name is None else self._plugins.get(class_name, kind)
        version = plugin.version if plugin else None
        version_key = _key(f"{prefix}.plugin.version", "STRING", f"Version of the {alias!r} {what}.",
                           label=label.replace("type", "version"), importance=Importance.HIGH, width="LONG",
                           default=version)  # fmt: skip
        infos.append(Info(version_key, given.get(version_key.name, version), [version] if version else []))
        own = _section(plugin.config_class(), given, plugin, prefix + ".") if plugin else []
        if kind is Kind.TRANSFORM and plugin:
            own += _own_of_transforms(prefix, given)
        infos += _in_order(own)
        return [_grouped(info, group, order) for order, info in enumerate(infos)]

    def _converters(self, given: Mapping[str, str]) -> list[Info]:
        """The keys of the converters that the connector's config names."""
        infos: list[Info] = []
        for name, kind in CONVERTER_KINDS.items():
            plugin = self._plugins.find(given.get(name, ""), kind)
            if plugin is None:
                continue
            if _has_converter_type(plugin):
                infos.append(Info(replace(_CONVERTER_TYPE, name=f"{name}.converter.type"), name.partition(".")[0],
                                  required=True))  # fmt: skip
            own = _section(plugin.config_class(), given, plugin, name + ".")
            infos += own
            if not any(info.errors for info in own):
                _add_to(infos, config_rules.of_several(plugin.config_class(), given, name + "."))
        return infos


_NULL = "Null value can not be supplied as the configuration value. Give {} a value or leave it out."


def _key(
    name: str,
    kind: str,
    doc: str,
    *,
    label: str,
    importance: Importance = Importance.MEDIUM,
    width: str = "NONE",
    default: Any = None,
    required: bool = False,
) -> Key:
    """A key that no dataclass declares because its name is the user's."""
    return Key(name=name, type=kind, default=MISSING if required else default, doc=doc, importance=importance,
               group=None, order=-1, width=width, label=label, aliases=(), values=(), check=None, dependents=(),
               old_values={}, needed=False, invalid=_CONFIG_DEF, mistyped={}, internal=False)  # fmt: skip


_CONVERTER_TYPE = _key("converter.type", "STRING", "How this converter will be used.",
                       label="converter.type", importance=Importance.LOW, required=True)  # fmt: skip


def _has_converter_type(plugin: Plugin) -> bool:
    return plugin.simple_name != "SimpleHeaderConverter"


def _converter_keys(plugin: Plugin) -> list[Key]:
    own = [key for key in plugin.settings() if key.name != "converter.type"]
    return [_CONVERTER_TYPE, *own] if _has_converter_type(plugin) else own


def _listed(text: str | None) -> list[str]:
    """The names in a list as Kafka Connect splits it: nothing between two commas is a name, too."""
    return [name.strip() for name in text.split(",")] if text and text.strip() else []


def _own_of_transforms(prefix: str, given: Mapping[str, str]) -> Iterable[Info]:
    """`predicate` and `negate`, which every transform has."""
    predicate = _key(f"{prefix}.predicate", "STRING",
                     "The alias of a predicate used to determine whether to apply this transformation.",
                     label="predicate")  # fmt: skip
    negate = _key(f"{prefix}.negate", "BOOLEAN", "Whether the configured predicate should be negated.",
                  label="negate", default=False)  # fmt: skip
    yield Info(predicate, given.get(predicate.name))
    text = given.get(negate.name, "false").strip().lower()
    info = Info(negate, text if text in ("true", "false") else None)
    if info.value is None:
        info.errors.append(f"Invalid value {given[negate.name]} for configuration {negate.name}: "
                           "Expected value to be either true or false")  # fmt: skip
    yield info


def _in_order(infos: Sequence[Info]) -> list[Info]:
    """As ConfigDef sorts the keys of a transform: by group, place, whether they are required, importance, name."""
    groups = list(dict.fromkeys(info.key.group for info in infos if info.key.group is not None))
    weights = list(Importance)

    def place(info: Info) -> tuple[int, int, bool, int, str]:
        key = info.key
        at = -1 if key.group is None else groups.index(key.group)
        return at, key.order, not key.required, weights.index(key.importance), key.name

    return sorted(infos, key=place)


def _grouped(info: Info, group: str, order: int) -> Info:
    """The key in the group of its transform; a group of its own stands below that."""
    own = info.key.group
    info.key = replace(info.key, group=group if own is None else f"{group}: {own}", order=order)
    return info


def _section(config: type | None, given: Mapping[str, str], plugin: Plugin, prefix: str = "") -> list[Info]:
    """The keys of one dataclass, read below `prefix` and shown with it."""
    if config is None:
        return []
    below = with_prefix(given, prefix) if prefix else given
    found = [value for value in values(config, below) if not value.key.internal and value.key.name != "converter.type"]
    return [_renamed(_info(value), value, prefix) for value in found]


def _renamed(info: Info, value: Value, prefix: str) -> Info:
    """Below its prefix; as in Kafka Connect, what a check of the value says still has the short name."""
    short = info.key.name
    info.dependents = [prefix + name for name in value.key.dependents]
    info.errors = [error.replace(f'configuration "{short}"', f'configuration "{prefix}{short}"')
                   for error in info.errors]  # fmt: skip
    if value.mistyped:
        info.errors = [error.replace(f"configuration {short}:", f"configuration {prefix}{short}:")
                       for error in info.errors]  # fmt: skip
    info.key = replace(info.key, name=prefix + short)
    return info


def _info(value: Value) -> Info:
    """A value of the wrong type is null. One that is refused is shown by ConfigDef's keys, and null by Debezium's."""
    key, errors = value.key, list(value.errors)
    own_words = not key.invalid.startswith(_CONFIG_DEF)
    if value.mistyped and key.check is not None and key.type in _NUMBERS:
        # Both run the range check too, on the null that the text became.
        null = f"Invalid value null for configuration {key.name}: Value must be non-null"
        errors.append(errors[0] if own_words else null)
    shown = (None if value.mistyped or own_words else value.given) if errors else wire_text(value.parsed)
    unsaid = value.given if errors and own_words and key.type != "PASSWORD" else None
    return Info(key, _hidden(key, value.given, shown), key.values, errors, required=key.required, unsaid=unsaid)


def _hidden(key: Key, given: str | None, shown: str | None) -> str | None:
    return shown if key.type != "PASSWORD" else ("[hidden]" if given else None)


def _overrides(kind: Kind, given: Mapping[str, str], worker: Mapping[str, str]) -> Iterable[Info]:
    """Settings of the Kafka clients that a connector of this kind has; those that nobody knows have no definition.

    Raises: RequestError: 500 in the words of Kafka Connect: one is not of its type.
    """
    dead = kind is Kind.SINK and bool(given.get("errors.deadletterqueue.topic.name", "").strip())
    clients = ["consumer", *(["producer", "admin"] if dead else [])] if kind is Kind.SINK else ["producer"]
    if kind is Kind.SOURCE and any(name.startswith("topic.creation.") for name in given):
        clients.append("admin")
    for client in clients:
        prefix = f"{client}.override."
        for name, text in with_prefix(given, prefix).items():
            key = client_keys(client).get(name)
            refused = override_policies.refusal(worker, name)
            errors = [] if refused is None else [refused]
            if key is None:
                yield Info(_key(prefix + name, "STRING", "", label=name), text, errors=errors, declared=False)
            elif (problem := type_problem(key.type, text)) is not None:
                raise RequestError(500, f"Invalid value {text} for configuration {name}: {problem}")
            else:
                yield Info(replace(key, name=prefix + name), _hidden(key, text, text), errors=errors)


def _add(report: Report, problems: Iterable[Problem]) -> None:
    _add_to(report.infos, problems, report.converters)


def _add_to(infos: list[Info], problems: Iterable[Problem], others: Sequence[Info] = ()) -> None:
    """Each problem at its key; a key that nobody declared gets an entry without a definition."""
    known = {info.key.name: info for info in (*infos, *others)}
    for problem in problems:
        info = known.get(problem.key)
        if info is None:
            info = Info(_key(problem.key, "STRING", "", label=problem.key), None, declared=False)
            infos.append(info)
            known[problem.key] = info
        if problem.message not in info.errors:
            info.errors.append(problem.message)


def _live(connector: SourceConnector | SinkConnector, given: Mapping[str, str]) -> list[Problem]:
    """What the connector finds when it looks at the real source or target."""
    check: Callable[[Mapping[str, str]], list[Problem]] = connector.check
    try:
        return check(given)
    except ConfigError as error:
        return list(error.problems)


def _show_as_given(report: Report, raw: Raw, given: Mapping[str, str]) -> None:
    """What a config provider gave is shown as the reference that stands in the config, in errors too."""
    for info in (*report.infos, *report.converters):
        reference, text = raw.get(info.key.name), given.get(info.key.name)
        if reference is None or text is None or reference == text:
            continue
        if info.value is not None and info.key.type != "PASSWORD":
            info.value = reference
        info.errors = [error.replace(text, reference) if text else error for error in info.errors]


def _hide_secrets(report: Report, given: Mapping[str, str]) -> None:
    """No secret is shown, whatever a library puts into its messages."""
    infos = (*report.infos, *report.converters)
    secrets = secrets_of(given, {info.key.name for info in infos if info.key.type == "PASSWORD"})
    for info in infos:
        info.errors = [text_without(error, secrets) for error in info.errors]
        info.unsaid = None if info.unsaid is None else text_without(info.unsaid, secrets)
        if info.value is not None and info.key.type != "PASSWORD":
            info.value = masked({"": info.value})[""]
