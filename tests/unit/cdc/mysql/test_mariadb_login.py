"""Signatures for MariaDB's logins: as the library makes them where it can, and as the server checks them."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st
from pymysql.err import OperationalError

from cdc.mysql import ed25519
from cdc.mysql.mariadb_login import Ed25519Login, ParsecLogin, parsec_key


class Packet:
    def __init__(self, raw: bytes) -> None:
        self.raw = raw

    def read_all(self) -> bytes:
        return self.raw

    def get_all_data(self) -> bytes:
        return self.raw

    def check_error(self) -> None: ...


class Connection:
    """Gives the answers in turn; remembers what was sent."""

    def __init__(self, *answers: bytes) -> None:
        self.password, self.sent, self._answers = b"secret", list[bytes](), list(answers)

    def write_packet(self, sent: bytes) -> None:
        self.sent.append(sent)

    def _read_packet(self) -> Any:
        return Packet(self._answers.pop(0))


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=64))
@settings(max_examples=10, deadline=None)
def test_a_password_of_32_bytes_signs_as_rfc_8032_has_it(password: bytes, challenge: bytes) -> None:
    library = Ed25519PrivateKey.from_private_bytes(password).sign(challenge)
    assert ed25519.signature(password, challenge) == library


def test_an_ed25519_login_sends_the_signature_of_the_challenge() -> None:
    connection = Connection(b"\0")
    challenge = bytes(range(32))
    assert Ed25519Login(connection).authenticate(Packet(challenge + b"\0")).raw == b"\0"
    assert connection.sent == [ed25519.signature(b"secret", challenge)]


def test_a_parsec_login_asks_for_the_salt_and_signs_both_challenges() -> None:
    salt, theirs = b"s" * 18, bytes(range(32))
    connection = Connection(b"P\x01" + salt, b"\0")
    ParsecLogin(connection).authenticate(Packet(theirs))
    asked, answer = connection.sent
    seed = hashlib.pbkdf2_hmac("sha512", b"secret", salt, 2048, 32)
    public: Ed25519PublicKey = Ed25519PrivateKey.from_private_bytes(seed).public_key()
    public.verify(answer[32:], theirs + answer[:32])
    assert (asked, len(answer)) == (b"", 96)


@pytest.mark.parametrize("salted", [b"Q\0salt", b"P\x04salt", b"P"])
def test_a_salt_that_is_not_known_is_refused(salted: bytes) -> None:
    with pytest.raises(OperationalError, match="salt for parsec"):
        parsec_key(b"secret", salted)
