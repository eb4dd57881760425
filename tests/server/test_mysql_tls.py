"""TLS and logins of a real MySQL server: every mode against every certificate, and what is said when one is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, pkcs12

from cdc.config import Password
from cdc.errors import SourceError, SourceUnavailable
from cdc.mariadb.connector import MARIADB
from cdc.mysql import wire
from cdc.mysql.offset import Position
from tests.certificates import Authority, pem_of
from tests.server.private_mysql import PrivateMySql

OURS, OTHER = Authority("our CA"), Authority("another CA")
APP = {"user": "app", "password": "apppw"}
MODES = ("disabled", "preferred", "required", "verify_ca", "verify_identity")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[PrivateMySql]:
    for name, authority, host, expired in (
        ("good", OURS, "localhost", False), ("expired", OURS, "localhost", True), ("client", OURS, "cdc", False),
        ("strange", OTHER, "cdc", False),
    ):  # fmt: skip
        key, certificate = authority.issues(host, expired=expired)
        (folder / f"{name}.crt").write_bytes(certificate.public_bytes(Encoding.PEM))
        (folder / f"{name}.key").write_bytes(pem_of(key))
        (folder / f"{name}.pem").write_bytes(pem_of(key) + certificate.public_bytes(Encoding.PEM))
        store = pkcs12.serialize_key_and_certificates(
            b"me", key, certificate, [OURS.certificate], BestAvailableEncryption(b"storepw")
        )
        (folder / f"{name}.p12").write_bytes(store)
    (folder / "ca.pem").write_bytes(OURS.pem())
    (folder / "other.pem").write_bytes(OTHER.pem())
    (folder / "old.jks").write_bytes(b"\xfe\xed\xfe\xed" + bytes(40))
    server = PrivateMySql(folder / "mysql")
    server.start(*files(folder, "expired"))  # the other way round a running server would refuse to load it
    yield server
    server.close()


def files(folder: Path, name: str) -> list[str]:
    return [f"--ssl-ca={folder}/ca.pem", f"--ssl-cert={folder}/{name}.crt", f"--ssl-key={folder}/{name}.key"]


@pytest.fixture
def settings(server: PrivateMySql) -> Iterator[wire.Settings]:
    yield wire.Settings(host="localhost", port=server.port, user="cdc", password=Password("cdcpw"))


def serves(server: PrivateMySql, folder: Path, name: str = "good", versions: str = "TLSv1.2,TLSv1.3") -> None:
    server.run(f"SET GLOBAL ssl_cert = '{folder}/{name}.crt'", f"SET GLOBAL ssl_key = '{folder}/{name}.key'",
               f"SET GLOBAL tls_version = '{versions}'", "ALTER INSTANCE RELOAD TLS")  # fmt: skip


def used(settings: wire.Settings) -> str:
    """The TLS version of a connection, empty without; the log can be read over such a one too."""
    with wire.connect(settings) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW SESSION STATUS LIKE 'Ssl_version'")
        version: Any = cursor.fetchone()
    stream = wire.Stream(settings, 18_470, Position(file="binlog.000001", pos=4), None)
    assert stream.read()
    stream.close()
    return str(version[1])


def refusal(settings: wire.Settings) -> str:
    with pytest.raises(SourceError) as caught:
        wire.connect(settings)
    assert not isinstance(caught.value, SourceUnavailable)
    return str(caught.value)


def test_a_certificate_that_has_expired_is_named(server: PrivateMySql, folder: Path, settings: wire.Settings) -> None:
    late = replace(settings, truststore=str(folder / "ca.pem"))
    assert used(replace(late, ssl_mode="required"))
    for mode in ("verify_ca", "verify_identity"):
        assert "certificate has expired" in (told := refusal(replace(late, ssl_mode=mode)))
        assert "renew" in told


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_every_mode_uses_what_it_says(
    server: PrivateMySql, folder: Path, settings: wire.Settings, version: str
) -> None:
    serves(server, folder, versions=version)
    trusting = replace(settings, truststore=str(folder / "ca.pem"))
    assert {mode: used(replace(trusting, ssl_mode=mode)) for mode in MODES} == {
        mode: "" if mode == "disabled" else version for mode in MODES
    }


def test_mariadb_knows_the_modes_by_its_own_names(server: PrivateMySql, folder: Path) -> None:
    """`server` alone: it has made the certificates."""
    maria = PrivateMySql(folder / "mariadb", "mariadb")
    try:
        maria.start(*files(folder, "good"))
        maria.run("CREATE USER tls IDENTIFIED BY 'pw' REQUIRE SSL", "GRANT ALL ON *.* TO tls", **APP)
        config = {
            "topic.prefix": "p", "database.port": str(maria.port), "database.user": "tls", "database.password": "pw",
            "database.server.id": "18471", "schema.history.internal.kafka.topic": "h",
        }  # fmt: skip

        def told(host: str, mode: str, store: str = "ca.pem") -> str:
            truststore = {"database.ssl.truststore": str(folder / store)}
            found = MARIADB.check(config | truststore | {"database.hostname": host, "database.ssl.mode": mode})
            return " ".join(problem.message for problem in found)

        assert "database.ssl.mode" in told("localhost", "disable")
        for mode in ("trust", "verify-ca", "verify-full"):
            assert told("localhost", mode) == ""
        assert told("127.0.0.1", "verify-ca") == ""
        assert "'127.0.0.1'" in told("127.0.0.1", "verify-full")
        for mode in ("verify-ca", "verify-full"):
            assert "certificate verify failed" in told("localhost", mode, "other.pem")
    finally:
        maria.close()


def test_a_trust_store_may_be_pkcs12(server: PrivateMySql, folder: Path, settings: wire.Settings) -> None:
    serves(server, folder)
    store = replace(settings, truststore=str(folder / "good.p12"), truststore_password=Password("storepw"))
    assert used(replace(store, ssl_mode="verify_identity"))
    assert "old.jks" in refusal(replace(settings, ssl_mode="verify_ca", truststore=str(folder / "old.jks")))
    assert "keytool -importkeystore" in refusal(
        replace(settings, ssl_mode="verify_ca", truststore=str(folder / "old.jks"))
    )
    wrong = replace(store, ssl_mode="verify_ca", truststore_password=Password("no"))
    assert "good.p12" in refusal(wrong) and "password" in refusal(wrong)


def test_a_certificate_that_does_not_hold_is_refused_by_name(
    server: PrivateMySql, folder: Path, settings: wire.Settings
) -> None:
    serves(server, folder)
    for mode in ("verify_ca", "verify_identity"):
        wrong = replace(settings, ssl_mode=mode, truststore=str(folder / "other.pem"))
        assert "certificate verify failed" in (told := refusal(wrong))
        assert "database.ssl.truststore must hold the certificate of the CA" in told
    by_address = replace(settings, host="127.0.0.1", truststore=str(folder / "ca.pem"))
    assert used(replace(by_address, ssl_mode="verify_ca"))
    assert "'127.0.0.1'" in (told := refusal(replace(by_address, ssl_mode="verify_identity")))
    assert "database.hostname" in told and "verify_ca" in told


def test_a_server_without_tls_serves_the_modes_that_do_not_need_it(
    server: PrivateMySql, folder: Path, settings: wire.Settings
) -> None:
    server.run("SET GLOBAL ssl_cert = '/nowhere'", "ALTER INSTANCE RELOAD TLS NO ROLLBACK ON ERROR")
    assert used(replace(settings, ssl_mode="preferred")) == used(replace(settings, ssl_mode="disabled")) == ""
    for mode in ("required", "verify_ca", "verify_identity"):
        assert "offers no TLS; set database.ssl.mode=preferred" in refusal(replace(settings, ssl_mode=mode))
    serves(server, folder)


def test_a_client_certificate_comes_from_a_key_store(
    server: PrivateMySql, folder: Path, settings: wire.Settings
) -> None:
    serves(server, folder)
    server.run("CREATE USER x IDENTIFIED BY 'xpw' REQUIRE X509", "GRANT REPLICATION SLAVE ON *.* TO x")
    mine = replace(settings, user="x", password=Password("xpw"), ssl_mode="required")
    for store, password in (("client.pem", None), ("client.p12", Password("storepw"))):
        assert used(replace(mine, keystore=str(folder / store), keystore_password=password))
    for told in (refusal(mine), refusal(replace(mine, ssl_mode="disabled"))):
        assert "1045" in told and "database.ssl.keystore" in told
    strange = replace(mine, keystore=str(folder / "strange.pem"))
    # With TLS 1.3 the refusal comes after the client's last word: as an alert, or as the end of the connection.
    with pytest.raises(SourceError, match=r"TLS.*database\.ssl\.keystore, whose CA must be in the server's ssl_ca"):
        wire.connect(strange)
    assert "old.jks" in refusal(replace(mine, keystore=str(folder / "old.jks")))


@pytest.mark.parametrize("plugin", ["caching_sha2_password", "sha256_password"])
@pytest.mark.parametrize("mode", ["required", "disabled"])
def test_a_password_reaches_the_server_in_every_way(
    server: PrivateMySql, folder: Path, settings: wire.Settings, plugin: str, mode: str
) -> None:
    """Without TLS it is encrypted with the server's RSA key; once the server has it in its cache that is not needed."""
    serves(server, folder)
    server.run("DROP USER IF EXISTS p", f"CREATE USER p IDENTIFIED WITH {plugin} BY 'Pä55 wörd'",
               "GRANT REPLICATION SLAVE ON *.* TO p", "FLUSH PRIVILEGES")  # fmt: skip
    given = replace(settings, user="p", password=Password("Pä55 wörd"), ssl_mode=mode)
    for _ in range(2):
        assert bool(used(given)) == (mode == "required")
    assert "1045" in refusal(replace(given, password=Password("wrong")))
    server.run("ALTER USER p IDENTIFIED WITH caching_sha2_password BY ''")
    assert used(replace(given, password=None)) is not None
