"""Settings named as Java's clients name them become librdkafka's, or a sentence that says what to do."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from confluent_kafka import Producer
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from structlog.testing import LogCapture

from cdc.errors import ConfigError
from connect_compat.log.kafka_settings import (
    build,
    consumer_settings,
    jaas,
    producer_settings,
    transaction_settings,
    translate,
)

BOOT = {"bootstrap.servers": "127.0.0.1:1"}


@pytest.fixture
def logged() -> Iterator[LogCapture]:
    capture = LogCapture()
    before = structlog.get_config()
    structlog.configure(processors=[capture])
    yield capture
    structlog.configure(**before)


@pytest.mark.parametrize(
    ("java", "ours"),
    [
        ({"buffer.memory": "33554432"}, {"queue.buffering.max.kbytes": "32768"}),
        ({"max.request.size": "5000000"}, {"message.max.bytes": "5000000"}),
        ({"send.buffer.bytes": "-1"}, {"socket.send.buffer.bytes": "0"}),
        ({"fetch.max.wait.ms": "7"}, {"fetch.wait.max.ms": "7"}),
        ({"metadata.max.age.ms": "9000"}, {"topic.metadata.refresh.interval.ms": "9000"}),
        ({"ssl.endpoint.identification.algorithm": ""}, {"ssl.endpoint.identification.algorithm": "none"}),
        ({"ssl.endpoint.identification.algorithm": "https"}, {"ssl.endpoint.identification.algorithm": "https"}),
        ({"ssl.truststore.certificates": "PEM"}, {"ssl.ca.pem": "PEM"}),
        ({"key.serializer": "x", "value.deserializer": "y", "max.poll.records": "5"}, {}),
        ({"metric.reporters": "", "metrics.num.samples": "2", "max.block.ms": "1"}, {}),
        ({"security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN"},
         {"security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN"}),
        ({"linger.ms": "50", "queue.buffering.max.messages": "10"},
         {"linger.ms": "50", "queue.buffering.max.messages": "10"}),
        ({"partition.assignment.strategy": "org.apache.kafka.clients.consumer.RangeAssignor"},
         {"partition.assignment.strategy": "range"}),
        ({"partition.assignment.strategy": "org.apache.kafka.clients.consumer.RangeAssignor, "
                                           "org.apache.kafka.clients.consumer.CooperativeStickyAssignor"},
         {"partition.assignment.strategy": "cooperative-sticky"}),
    ],
)  # fmt: skip
def test_java_names_become_librdkafka_s(java: dict[str, str], ours: dict[str, str]) -> None:
    assert translate(java) == ours


def test_a_number_that_is_none_is_named() -> None:
    with pytest.raises(ConfigError, match=r"Invalid value lots for configuration buffer\.memory: it is not a number"):
        translate({"buffer.memory": "lots"})


def test_a_setting_made_for_java_is_warned_of(logged: LogCapture) -> None:
    assert translate({"interceptor.classes": "com.example.Spy"}) == {}
    assert [(e["log_level"], e["setting"]) for e in logged.entries] == [("warning", "interceptor.classes")]


def test_a_setting_that_nobody_knows_is_warned_of_and_left_out(logged: LogCapture) -> None:
    producer = build(Producer, {**BOOT, "no.such.setting": "1", "linger.ms": "5"})
    producer.close()
    assert [(e["log_level"], e["setting"]) for e in logged.entries] == [("warning", "no.such.setting")]


def test_a_value_that_librdkafka_refuses_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match="Kafka client settings: Invalid value for configuration property"):
        build(Producer, {**BOOT, "linger.ms": "soon"})


# SASL


def test_user_and_password_come_out_of_a_jaas_config() -> None:
    text = 'org.apache.kafka.common.security.scram.ScramLoginModule required username="me" password="p;\\"=w d";'
    assert jaas(text) == {"sasl.username": "me", "sasl.password": 'p;"=w d'}


def test_a_jaas_config_may_span_lines_and_use_single_quotes() -> None:
    text = "org.apache.kafka.common.security.plain.PlainLoginModule required\n  username='me'\n  password=secret ;\n"
    assert translate({"sasl.jaas.config": text}) == {"sasl.username": "me", "sasl.password": "secret"}


def test_an_oauth_client_comes_out_of_a_jaas_config() -> None:
    text = 'x.OAuthBearerLoginModule required clientId="id" clientSecret="s" scope="a b";'
    assert translate({"sasl.jaas.config": text, "sasl.oauthbearer.token.endpoint.url": "https://idp.example"}) == {
        "sasl.oauthbearer.client.id": "id",
        "sasl.oauthbearer.client.secret": "s",
        "sasl.oauthbearer.scope": "a b",
        "sasl.oauthbearer.token.endpoint.url": "https://idp.example",
        "sasl.oauthbearer.method": "oidc",
    }


def test_a_broken_jaas_config_is_refused_without_showing_it() -> None:
    with pytest.raises(ConfigError, match="is not `<login module> required") as refused:
        jaas("hunter2")
    assert "hunter2" not in str(refused.value)
    with pytest.raises(ConfigError, match=r"login module com\.example\.Mine cannot be used here"):
        jaas('com.example.Mine required password="hunter2";')


# TLS


@pytest.fixture(scope="module")
def certificate() -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now,
                                   now + datetime.timedelta(days=1)).sign(key, hashes.SHA256())  # fmt: skip
    return key, made


def test_a_pem_truststore_is_used_as_it_is(
    tmp_path: Path, certificate: tuple[ec.EllipticCurvePrivateKey, x509.Certificate]
) -> None:
    path = tmp_path / "ca.pem"
    path.write_bytes(certificate[1].public_bytes(Encoding.PEM))
    settings = {"ssl.truststore.location": str(path), "ssl.truststore.type": "PEM"}
    assert translate(settings) == {"ssl.ca.location": str(path)}


def test_a_pkcs12_truststore_becomes_pem(
    tmp_path: Path, certificate: tuple[ec.EllipticCurvePrivateKey, x509.Certificate]
) -> None:
    path = tmp_path / "trust.p12"
    path.write_bytes(pkcs12.serialize_key_and_certificates(None, None, None, [certificate[1]],
                                                           BestAvailableEncryption(b"changeit")))  # fmt: skip
    translated = translate({"ssl.truststore.location": str(path), "ssl.truststore.password": "changeit"})
    assert translated == {"ssl.ca.pem": certificate[1].public_bytes(Encoding.PEM).decode()}
    with pytest.raises(ConfigError, match=r"trust\.p12 is neither PEM nor a PKCS#12 file that"):
        translate({"ssl.truststore.location": str(path), "ssl.truststore.password": "wrong"})


@pytest.mark.parametrize("name", ["ssl.truststore.location", "ssl.keystore.location"])
def test_a_jks_file_is_refused_with_the_command_that_converts_it(tmp_path: Path, name: str) -> None:
    path = tmp_path / "store.jks"
    path.write_bytes(b"\xfe\xed\xfe\xed" + bytes(40))
    with pytest.raises(ConfigError, match=f"keytool -importkeystore -srckeystore {path} -destkeystore {path}.p12"):
        translate({name: str(path)})


def test_a_store_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"ssl\.keystore\.location: .*none\.p12 cannot be read: No such file"):
        translate({"ssl.keystore.location": str(tmp_path / "none.p12")})


def test_a_pem_keystore_holds_key_and_chain(
    tmp_path: Path, certificate: tuple[ec.EllipticCurvePrivateKey, x509.Certificate]
) -> None:
    path = tmp_path / "client.pem"
    key = certificate[0].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(key + certificate[1].public_bytes(Encoding.PEM))
    translated = translate({"ssl.keystore.location": str(path), "ssl.keystore.type": "PEM"})
    assert translated == {"ssl.certificate.location": str(path), "ssl.key.location": str(path)}
    build(Producer, {**BOOT, "security.protocol": "ssl", **translated}).close()


# Whole clients


def test_the_user_s_producer_settings_win_over_ours() -> None:
    settings = producer_settings(BOOT, {"compression.type": "zstd", "linger.ms": "1"}, {"linger.ms": "9"})
    assert (settings["compression.type"], settings["linger.ms"]) == ("zstd", "9")
    assert (settings["enable.idempotence"], settings["acks"], settings["partitioner"]) == (
        "true", "all", "murmur2_random")  # fmt: skip


@pytest.mark.parametrize("given", [{"acks": "1"}, {"max.in.flight.requests.per.connection": "9"}, {"retries": "0"}])
def test_settings_that_idempotence_excludes_switch_it_off(given: dict[str, str]) -> None:
    assert producer_settings(BOOT, given)["enable.idempotence"] == "false"
    build(Producer, producer_settings(BOOT, given)).close()


def test_delivery_timeout_takes_the_place_of_ours() -> None:
    settings = producer_settings(BOOT, {"delivery.timeout.ms": "2147483647"})
    assert "message.timeout.ms" not in settings
    build(Producer, settings).close()


def test_a_sink_s_consumer_never_commits_by_itself() -> None:
    settings = consumer_settings("connect-x", BOOT, {"enable.auto.commit": "true", "auto.offset.reset": "latest"})
    assert (settings["enable.auto.commit"], settings["group.id"]) == ("false", "connect-x")
    assert settings["auto.offset.reset"] == "latest"
    assert settings["partition.assignment.strategy"] == "cooperative-sticky"


def test_in_transactions_a_record_waits_no_longer_than_its_transaction() -> None:
    settings = transaction_settings("g-c-0", {"delivery.timeout.ms": "2147483647"})
    assert (settings["transactional.id"], settings["delivery.timeout.ms"]) == ("g-c-0", "60000")
    assert transaction_settings("i", {"transaction.timeout.ms": "90000"})["message.timeout.ms"] == "90000"
