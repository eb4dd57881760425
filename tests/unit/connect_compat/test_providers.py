from __future__ import annotations

from pathlib import Path

import pytest

from cdc.errors import ConfigError
from connect_compat.providers import providers

PACKAGE = "org.apache.kafka.common.config.provider."
WORKER = {
    "config.providers": "file, dir,env",
    "config.providers.file.class": PACKAGE + "FileConfigProvider",
    "config.providers.dir.class": PACKAGE + "DirectoryConfigProvider",
    "config.providers.env.class": PACKAGE + "EnvVarConfigProvider",
}


def test_every_kind_of_reference_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "db.properties").write_text("user=inventory\npassword=s3cret\n")
    (tmp_path / "token").write_text("t0ken")
    monkeypatch.setenv("DB_HOST", "mysql")
    config = {
        "plain": "as it is",
        "both": f"${{file:{tmp_path}/db.properties:user}}:${{file:{tmp_path}/db.properties:password}}",
        "dir": f"${{dir:{tmp_path}:token}}",
        "env": "jdbc:mysql://${env:DB_HOST}/db",
    }
    assert providers(WORKER).resolve(config) == {
        "plain": "as it is", "both": "inventory:s3cret", "dir": "t0ken", "env": "jdbc:mysql://mysql/db",
    }  # fmt: skip


@pytest.mark.parametrize("text", ["${env:NO_SUCH_THING}", "${vault:a:b}", "${table}", "${env:path:PATH}"])
def test_what_no_provider_knows_stays_as_it_is(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH_THING", raising=False)
    assert providers(WORKER).resolve({"a": text}) == {"a": text}


def test_a_missing_key_of_a_file_stays_and_a_missing_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.properties").write_text("x=1\n")
    found = providers(WORKER)
    reference = f"${{file:{tmp_path}/a.properties:y}}"
    assert found.resolve({"a": reference}) == {"a": reference}
    with pytest.raises(ConfigError, match=r"^pass: cannot read the properties file .*gone"):
        found.resolve({"pass": f"${{file:{tmp_path}/gone:y}}"})


def test_paths_outside_the_allowed_are_refused_also_through_dots(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out.properties").write_text("x=1\n")
    worker = {**WORKER, "config.providers.file.param.allowed.paths": f"{tmp_path}/in"}
    with pytest.raises(ConfigError, match=r"outside allowed\.paths"):
        providers(worker).resolve({"a": f"${{file:{tmp_path}/in/../out.properties:x}}"})


def test_a_folder_gives_only_what_lies_in_it(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "secret").write_text("x")
    reference = f"${{dir:{tmp_path}/in:../secret}}"
    assert providers(WORKER).resolve({"a": reference}) == {"a": reference}


def test_a_secret_that_is_mounted_as_links_is_read_through_them(tmp_path: Path) -> None:
    (tmp_path / "in" / "..v1").mkdir(parents=True)
    (tmp_path / "in" / "..v1" / "password").write_text("s3cret")
    (tmp_path / "in" / "..data").symlink_to("..v1")
    (tmp_path / "in" / "password").symlink_to("..data/password")
    (tmp_path / "out").write_text("x")
    (tmp_path / "in" / "out").symlink_to(tmp_path / "out")
    worker = {**WORKER, "config.providers.dir.param.allowed.paths": f"{tmp_path}/in"}
    assert providers(worker).resolve({"a": f"${{dir:{tmp_path}/in:password}}"}) == {"a": "s3cret"}
    with pytest.raises(ConfigError, match=r"outside allowed\.paths"):
        providers(worker).resolve({"a": f"${{dir:{tmp_path}/in:out}}"})


def test_only_allowed_variables_are_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_A", "1")
    monkeypatch.setenv("OTHER", "2")
    found = providers({**WORKER, "config.providers.env.param.allowlist.pattern": "APP_.*"})
    assert found.resolve({"a": "${env:APP_A}", "b": "${env:OTHER}"}) == {"a": "1", "b": "${env:OTHER}"}


def test_an_unknown_provider_class_is_refused_with_those_there_are() -> None:
    worker = {"config.providers": "v", "config.providers.v.class": "com.example.Vault"}
    with pytest.raises(ConfigError, match=r"com\.example\.Vault.*FileConfigProvider"):
        providers(worker)
