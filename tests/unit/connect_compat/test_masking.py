from __future__ import annotations

import pytest

from connect_compat.masking import MASK, looks_secret, masked, secrets_of, text_without, text_without_secrets, unmasked


@pytest.mark.parametrize(
    "key",
    ["database.password", "connection.password", "sasl.jaas.config", "ssl.key.password", "ssl.keystore.key",
     "aws.secret.access.key", "producer.override.sasl.jaas.config", "basic.auth.user.info", "api.key", "my_token"],
)  # fmt: skip
def test_secret_names_are_known(key: str) -> None:
    assert looks_secret(key)


@pytest.mark.parametrize(
    "key",
    ["database.user", "key.ignore", "message.key.columns", "key.converter", "aws.access.key.id", "topic.prefix",
     "ssl.keystore.location", "aws.credentials.provider.class", "basic.auth.credentials.source", "tokens.ms"],
)  # fmt: skip
def test_other_names_are_not_taken_for_secrets(key: str) -> None:
    assert not looks_secret(key)


def test_declared_passwords_are_masked_and_references_are_not() -> None:
    config = {"odd": "s3cret", "db.password": "${env:PASSWORD}", "other.password": "", "user": "me"}
    assert masked(config, {"odd"}) == {**config, "odd": MASK}


def test_a_password_inside_a_url_is_masked_and_comes_back() -> None:
    stored = {"connection.url": "http://me:s3cret@es:9200"}
    shown = masked(stored)
    assert shown == {"connection.url": f"http://me:{MASK}@es:9200"}
    assert unmasked(shown, stored) == stored


def test_a_mask_becomes_the_stored_secret_and_a_new_value_stays() -> None:
    stored = {"a.password": "old", "b.password": "old"}
    assert unmasked({"a.password": MASK, "b.password": "new", "c": None}, stored) == {
        "a.password": "old", "b.password": "new", "c": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "password=s3cret",
        'connect {"database.password": "s3cret"}',
        "jdbc:mysql://u:s3cret@db/x",
        "sasl.password: 's3cret'",
    ],
)
def test_texts_lose_their_secrets(text: str) -> None:
    assert "s3cret" not in text_without_secrets(text) and MASK in text_without_secrets(text)


def test_a_message_about_passwords_keeps_its_words() -> None:
    text = "Access denied for user 'app'@'localhost' (using password: YES)"
    assert text_without_secrets("no secret here") == "no secret here"
    assert text_without_secrets(text) == text
    assert text_without_secrets("password: YESTERDAY)") == f"password: {MASK}"


def test_what_is_wrong_with_a_password_key_can_be_read() -> None:
    text = "Invalid value [hidden] for configuration db.password: it is too short"
    assert text_without_secrets(text) == text


def test_secrets_of_a_config_are_found_wherever_they_stand_in_a_text() -> None:
    secrets = secrets_of(
        {"odd": "alpha", "db.password": "alphabet", "url": "http://me:gamma@es", "pin.secret": "1"}, {"odd"}
    )
    assert secrets == ["alphabet", "alpha", "gamma"]
    assert text_without("alphabet, alpha, gamma and 1", secrets) == f"{MASK}, {MASK}, {MASK} and 1"
