"""TLS and logins of a real PostgreSQL: every mode against every certificate, and what is said when one is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)

from cdc.config import Password
from cdc.errors import SourceError, SourceUnavailable
from cdc.postgres.connector import POSTGRES
from cdc.postgres.replication import Replication
from cdc.postgres.wire import Session, Settings
from tests.certificates import Authority, pem_of
from tests.server.private_postgres import PrivatePostgres, config

OURS, OTHER = Authority("our CA"), Authority("another CA")
MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
ACCESS = """local all all trust
hostssl all certified 127.0.0.1/32 cert
hostssl all only_tls 127.0.0.1/32 scram-sha-256
host all old_style 127.0.0.1/32 md5
host all cdc,app 127.0.0.1/32 scram-sha-256
host replication all 127.0.0.1/32 scram-sha-256
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    for name, authority, host, expired in (
        ("good", OURS, "localhost", False), ("expired", OURS, "localhost", True), ("client", OURS, "certified", False),
        ("strange", OTHER, "certified", False),
    ):  # fmt: skip
        key, certificate = authority.issues(host, expired=expired)
        (folder / f"{name}.crt").write_bytes(certificate.public_bytes(Encoding.PEM))
        (folder / f"{name}.key").write_bytes(pem_of(key))
        (folder / f"{name}.locked.key").write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"keypw"))
        )
    for path in folder.glob("*.key"):
        path.chmod(0o600)
    (folder / "ca.pem").write_bytes(OURS.pem())
    (folder / "other.pem").write_bytes(OTHER.pem())
    return folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[PrivatePostgres]:
    server = PrivatePostgres(folder / "postgres")
    server.start()
    for role, password in (("certified", "NULL"), ("only_tls", "'pw'")):
        server.run(f"CREATE ROLE {role} LOGIN REPLICATION PASSWORD {password}")
    server.run("SET password_encryption = 'md5'", "CREATE ROLE old_style LOGIN REPLICATION PASSWORD 'pä55'")
    (server.folder / "data/pg_hba.conf").write_text(ACCESS)
    server.stop()
    serves(server, folder, "good")
    yield server
    server.close()


def serves(server: PrivatePostgres, folder: Path, certificate: str | None) -> None:
    """Starts it anew with that certificate, or without TLS."""
    server.stop()
    if certificate is None:
        server.start()
    else:
        server.start(ssl="on", ssl_ca_file=f"{folder}/ca.pem", ssl_cert_file=f"{folder}/{certificate}.crt",
                     ssl_key_file=f"{folder}/{certificate}.key")  # fmt: skip


@pytest.fixture
def settings(server: PrivatePostgres) -> Settings:
    return Settings(host="localhost", port=server.port, user="cdc", database="app", password=Password("cdcpw"))


def used(settings: Settings) -> bool:
    """Whether a connection is encrypted; the WAL can be read over such a one too."""
    with closing(Replication(settings)) as replication:
        assert replication.execute("IDENTIFY_SYSTEM")
    with closing(Session(settings)) as session:
        ((encrypted,),) = session.rows("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    return bool(encrypted)


def refusal(settings: Settings) -> str:
    told = []
    for connect in (Session, Replication):
        with pytest.raises(SourceError) as caught:
            connect(settings)
        assert not isinstance(caught.value, SourceUnavailable), caught.value
        told.append(str(caught.value))
    return told[0]


def test_every_mode_uses_what_it_says(server: PrivatePostgres, folder: Path, settings: Settings) -> None:
    trusting = replace(settings, ssl_root_cert=str(folder / "ca.pem"))
    assert {mode: used(replace(trusting, ssl_mode=mode)) for mode in MODES} == {
        mode: mode not in ("disable", "allow") for mode in MODES
    }
    only = replace(trusting, user="only_tls", password=Password("pw"))
    assert used(replace(only, ssl_mode="allow"))
    assert "pg_hba.conf lets it in from here" in (told := refusal(replace(only, ssl_mode="disable")))
    assert "no encryption" in told


def test_a_certificate_that_does_not_hold_is_refused_by_name(
    server: PrivatePostgres, folder: Path, settings: Settings
) -> None:
    by_address = replace(settings, host="127.0.0.1", ssl_root_cert=str(folder / "ca.pem"))
    assert used(replace(by_address, ssl_mode="verify-ca"))
    assert 'does not match host name "127.0.0.1"' in (told := refusal(replace(by_address, ssl_mode="verify-full")))
    assert "database.hostname" in told and "verify-ca" in told
    for mode in ("verify-ca", "verify-full"):
        strange = refusal(replace(settings, ssl_mode=mode, ssl_root_cert=str(folder / "other.pem")))
        assert "certificate verify failed" in strange
        assert "database.sslrootcert must hold the certificate of the CA" in strange
        assert "does not exist" in refusal(replace(settings, ssl_mode=mode, ssl_root_cert=str(folder / "none.pem")))


def test_a_client_certificate_stands_for_a_password_and_its_key_may_be_locked(
    server: PrivatePostgres, folder: Path, settings: Settings
) -> None:
    mine = replace(settings, user="certified", password=None, ssl_mode="require",
                   ssl_cert=str(folder / "client.crt"), ssl_key=str(folder / "client.key"))  # fmt: skip
    assert used(mine)
    locked = replace(mine, ssl_key=str(folder / "client.locked.key"))
    assert used(replace(locked, ssl_password=Password("keypw")))
    for wrong in (locked, replace(locked, ssl_password=Password("no"))):
        assert "client.locked.key" in (told := refusal(wrong))
        assert "database.sslpassword" in told and "keypw" not in told
    without = refusal(replace(mine, ssl_cert=None, ssl_key=None))
    assert "database.sslcert" in without
    strange = replace(mine, ssl_cert=str(folder / "strange.crt"), ssl_key=str(folder / "strange.key"))
    assert "database.sslcert" in refusal(strange)


def test_passwords_of_both_kinds_are_checked_and_never_shown(server: PrivatePostgres, settings: Settings) -> None:
    old = replace(settings, user="old_style", password=Password("pä55"))
    for given in (settings, old):
        for mode in ("disable", "require"):
            assert used(replace(given, ssl_mode=mode)) == (mode == "require")
        wrong = replace(given, password=Password("wr0ng"))
        assert "check database.user and database.password" in (told := refusal(wrong))
        assert "wr0ng" not in told and "wr0ng" not in repr(wrong)
        assert "check database.user and database.password" in refusal(replace(given, password=None))
    problems = POSTGRES.check(config(server.port, "x", database__password="wr0ng"))
    assert "wr0ng" not in str(problems) and "password authentication failed" in str(problems)


def test_an_expired_certificate_is_named_and_a_server_without_tls_serves_what_does_not_need_it(
    server: PrivatePostgres, folder: Path, settings: Settings
) -> None:
    trusting = replace(settings, ssl_root_cert=str(folder / "ca.pem"))
    serves(server, folder, "expired")
    assert used(replace(trusting, ssl_mode="prefer", ssl_root_cert=None))
    for mode in ("verify-ca", "verify-full"):
        assert "certificate verify failed" in (told := refusal(replace(trusting, ssl_mode=mode)))
        assert "must not have expired" in told
    serves(server, folder, None)
    assert not used(replace(settings, ssl_mode="prefer"))
    for mode in ("require", "verify-ca", "verify-full"):
        assert "does not support SSL" in (told := refusal(replace(trusting, ssl_mode=mode)))
        assert "database.sslmode=prefer" in told
