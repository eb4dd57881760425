"""What the recorded conversations do not show of validation: chains, providers, live checks, dead-letter topics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from cdc.config import Password, key
from cdc.errors import ConfigError, Problem, RequestError
from connect_compat.plugins import KAFKA, TABLE, Kind, Plugin, Plugins
from connect_compat.providers import providers
from connect_compat.validate import Validator, plugin_definitions
from sinks.files import FILE_STREAM
from tests import rest_worker

WORKER = {
    "key.converter": "org.apache.kafka.connect.json.JsonConverter",
    "value.converter": "org.apache.kafka.connect.json.JsonConverter",
    "header.converter": "org.apache.kafka.connect.storage.SimpleHeaderConverter",
    "config.providers": "file",
    "config.providers.file.class": "org.apache.kafka.common.config.provider.FileConfigProvider",
}
TRANSFORMS = "org.apache.kafka.connect.transforms."
PLUGINS = Plugins()
SOURCE = {"name": "c", "connector.class": "FileStreamSource", "topic": "t"}
SINK = {"name": "c", "connector.class": "FileStreamSink", "topics": "a,b"}


def check(config: Mapping[str, str | None], plugins: Plugins = PLUGINS) -> dict[str, Any]:
    """The values of the answer by key."""
    report = Validator(plugins, providers(WORKER), WORKER).check(config)
    values = {item["value"]["name"]: item["value"] for item in report.as_json()["configs"]}
    assert report.error_count == sum(len(value["errors"]) for value in values.values())
    return values


def errors(config: Mapping[str, str | None], plugins: Plugins = PLUGINS) -> dict[str, list[str]]:
    return {name: value["errors"] for name, value in check(config, plugins).items() if value["errors"]}


@pytest.mark.parametrize(("policy", "refused"), [
    ("All", set()),
    ("None", {"linger.ms", "sasl.mechanism", "nosuch"}),
    ("Principal", {"linger.ms", "nosuch"}),
    ("org.apache.kafka.connect.connector.policy.AllowlistConnectorClientConfigOverridePolicy",
     {"sasl.mechanism", "nosuch"}),
])  # fmt: skip
def test_what_a_connector_may_override_is_the_workers_policy(policy: str, refused: set[str]) -> None:
    worker = {"connector.client.config.override.policy": policy,
              "connector.client.config.override.allowlist": "acks, linger.ms"}  # fmt: skip
    overrides = {"producer.override.linger.ms": "1", "producer.override.sasl.mechanism": "PLAIN",
                 "producer.override.nosuch": "1"}  # fmt: skip
    report = Validator(PLUGINS, providers({}), worker).check({**SOURCE, **overrides})
    name = policy.rpartition(".")[2].removesuffix("ConnectorClientConfigOverridePolicy")
    assert {error for info in report.infos for error in info.errors} == {
        f"The '{name}' policy does not allow '{each}' to be overridden in the connector configuration."
        for each in refused
    }


def test_a_chain_is_checked_step_by_step_under_its_own_names() -> None:
    found = errors({
        **SOURCE, "transforms": "r,gone,none", "predicates": "p",
        "transforms.r.type": TRANSFORMS + "RegexRouter", "transforms.r.regex": "x", "transforms.r.predicate": "q",
        "transforms.r.negate": "maybe", "transforms.gone.type": "com.example.RegexRoutr",
        "predicates.p.type": TRANSFORMS + "predicates.TopicNameMatches",
    })  # fmt: skip
    assert found.keys() == {
        "transforms.r.replacement", "transforms.r.predicate", "transforms.r.negate", "transforms.gone.type",
        "transforms.none.type", "predicates.p.pattern",
    }  # fmt: skip
    assert found["transforms.r.replacement"] == [
        'Missing required configuration "transforms.r.replacement" which has no default value.'
    ]
    assert "it lists p" in found["transforms.r.predicate"][0]
    assert f"could not be found; did you mean {TRANSFORMS}RegexRouter?; there are: " in found["transforms.gone.type"][0]


def test_an_alias_given_twice_is_refused() -> None:
    config = {**SOURCE, "transforms": "f,f", "transforms.f.type": TRANSFORMS + "Filter"}
    assert errors(config) == {"transforms": ["Invalid value [f, f] for configuration transforms: "
                                             "Duplicate alias provided."]}  # fmt: skip


def test_settings_of_a_converter_are_checked_where_it_is_named() -> None:
    config = {**SOURCE, "value.converter": "JsonConverter", "value.converter.schemas.enable": "perhaps"}
    assert list(errors(config)) == ["value.converter.schemas.enable"]
    assert check({**SOURCE, "value.converter": "JsonConverter"})["value.converter.converter.type"]["value"] == "value"
    assert not any(name.startswith("value.converter.schemas") for name in check(SOURCE))


def test_settings_of_a_converter_that_are_wrong_together_are_told_too() -> None:
    config = {**SOURCE, "value.converter": "AvroConverter", "value.converter.schema.registry.url": "http://r",
              "value.converter.basic.auth.credentials.source": "USER_INFO"}  # fmt: skip
    found = errors(config)
    assert list(found) == ["value.converter.basic.auth.user.info"]
    assert "USER_INFO needs user:password" in found["value.converter.basic.auth.user.info"][0]
    assert list(errors(config | {"value.converter.normalize.schemas": "x"})) == ["value.converter.normalize.schemas"]


def test_an_unknown_converter_is_refused_with_those_there_are() -> None:
    found = errors({**SOURCE, "key.converter": "io.confluent.connect.avro.AvroConvertr"})
    assert "could not be found" in found["key.converter"][0] and "JsonConverter" in found["key.converter"][0]


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ({"errors.deadletterqueue.topic.name": "b"}, "topics"),
        ({"topics": None, "topics.regex": "dlq.*", "errors.deadletterqueue.topic.name": "dlq-1"}, "topics.regex"),
    ],
)
def test_a_sink_may_not_read_its_own_dead_letters(more: dict[str, str | None], where: str) -> None:
    config = {name: text for name, text in {**SINK, **more}.items() if text is not None}
    assert list(errors(config)) == [where]


def test_what_a_provider_gave_is_shown_as_its_reference_also_in_errors(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("batch=s3cret\n")
    reference = f"${{file:{tmp_path}/s:batch}}"
    values = check({**SOURCE, "topic": reference, "batch.size": reference})
    assert values["topic"]["value"] == reference
    assert values["batch.size"]["errors"] == [
        f"Invalid value {reference} for configuration batch.size: Not a number of type INT"
    ]


def test_a_provider_that_cannot_read_its_file_is_an_error_of_the_key(tmp_path: Path) -> None:
    assert "cannot read" in errors({**SOURCE, "file": f"${{file:{tmp_path}/gone:a}}"})["file"][0]


@dataclass(frozen=True, kw_only=True)
class LoginKeys:
    user: str = key("user", doc="Who.", aliases=["old.user"], dependents=["pass"])
    password: Password = key("pass", doc="What.")


def no_entry(raw: Mapping[str, str]) -> list[Problem]:
    return [Problem("user", f"access denied for {raw.get('user')}"), Problem("grants", "run GRANT SELECT")]


def refuse(raw: Mapping[str, str]) -> list[Problem]:
    raise ConfigError([Problem("pass", "too short")])


LOGIN = replace(FILE_STREAM, config=LoginKeys, check=no_entry)
REFUSING = replace(LOGIN, check=refuse)


@pytest.fixture
def login(monkeypatch: pytest.MonkeyPatch) -> Plugins:
    monkeypatch.setattr(rest_worker, "LOGIN", LOGIN, raising=False)
    return Plugins([Plugin(Kind.SINK, "a.LoginConnector", KAFKA, "tests.rest_worker:LOGIN"), *TABLE])


def test_the_live_check_speaks_only_when_the_config_is_well(login: Plugins) -> None:
    config = {"name": "c", "connector.class": "Login", "topics": "t", "pass": "s3cret"}
    assert list(errors(config, login)) == ["user"]
    found = errors({**config, "user": "me"}, login)
    assert found == {"user": ["access denied for me"], "grants": ["run GRANT SELECT"]}


def test_a_live_check_that_raises_is_an_error_of_its_key(login: Plugins, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest_worker, "LOGIN", REFUSING)
    config = {"name": "c", "connector.class": "Login", "topics": "t", "user": "me", "pass": "x"}
    assert errors(config, login) == {"pass": ["too short"]}


def test_a_password_is_never_shown(login: Plugins) -> None:
    values = check({"name": "c", "connector.class": "Login", "topics": "t", "user": "me", "pass": "s3cret"}, login)
    assert values["pass"]["value"] == "[hidden]" and "s3cret" not in str(values)


def test_no_message_of_a_library_shows_a_secret(login: Plugins, monkeypatch: pytest.MonkeyPatch) -> None:
    def leaking(raw: Mapping[str, str]) -> list[Problem]:
        return [Problem("user", f"tried {raw['pass']} at http://me:gamma@there")]

    monkeypatch.setattr(rest_worker, "LOGIN", replace(LOGIN, check=leaking))
    config = {"name": "c", "connector.class": "Login", "topics": "t", "user": "http://me:gamma@there", "pass": "s3cret"}
    shown = str(check(config, login))
    assert "s3cret" not in shown and "gamma" not in shown
    assert errors(config, login) == {"user": ["tried ******** at http://me:********@there"]}


def test_a_null_names_its_key() -> None:
    assert errors({**SOURCE, "file": None})["file"] == [
        "Null value can not be supplied as the configuration value. Give file a value or leave it out."
    ]


def test_a_refusal_names_the_value_that_debeziums_sentence_leaves_out() -> None:
    config = {"name": "c", "connector.class": "MySqlConnector", "max.batch.size": "0", "snapshot.mode": "inital"}
    report = Validator(Plugins(), providers({}), WORKER).check(config)
    found = {info.key.name: (info.errors, info.told) for info in report.infos if info.errors}
    sentence = "The 'max.batch.size' value is invalid: A positive, non-zero integer value is expected"
    assert found["max.batch.size"] == ([sentence], [sentence + " (it is '0')"])
    assert found["snapshot.mode"][1][0].endswith("did you mean initial? (it is 'inital')")
    assert found["topic.prefix"][1] == ["The 'topic.prefix' value is invalid: A value is required"]


def test_old_names_and_unknown_names_are_warned_of(login: Plugins) -> None:
    config = {"name": "c", "connector.class": "Login", "topics": "t", "old.user": "me", "pass": "x", "topicz": "t",
              "consumer.override.max.poll.records": "5"}  # fmt: skip
    warnings = Validator(login, providers({}), WORKER).check(config).warnings
    assert warnings == ["topicz is not a setting of this connector; did you mean topics?",
                        "old.user is the old name of user; use user"]  # fmt: skip


def test_a_key_names_those_that_depend_on_it(login: Plugins) -> None:
    found = {item["name"]: item for item in plugin_definitions(login.connector("Login"))}
    assert found["user"]["dependents"] == ["pass"] and found["pass"]["dependents"] == []
    assert found["connector.plugin.version"]["default_value"] == KAFKA


@pytest.mark.parametrize(("exactly_once", "found"), [(True, 0), (False, 1)])
def test_a_guarantee_the_log_cannot_give_is_refused(exactly_once: bool, found: int) -> None:
    validator = Validator(PLUGINS, providers(WORKER), WORKER, exactly_once=exactly_once)
    assert len(validator.check({**SOURCE, "file": "/f", "exactly.once.support": "required"}).errors) == found


def test_no_class_is_refused_without_showing_secrets() -> None:
    with pytest.raises(RequestError) as refused:
        check({"name": "c", "db.password": "s3cret"})
    text = str(refused.value)
    assert text.startswith("Connector config {name=c, db.password=********} contains no connector type; set ")
    assert "connector.class to: " in text
