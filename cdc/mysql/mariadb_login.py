"""How MariaDB lets its users in beside MySQL's ways: `ed25519` and `parsec`, as plug-ins of the driver.

Source: MariaDB's Knowledge Base, "Authentication Plugin - ed25519", "Authentication Plugin - PARSEC".
"""

from __future__ import annotations

import secrets
from hashlib import pbkdf2_hmac
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pymysql.constants import CR
from pymysql.err import OperationalError

from cdc.mysql import ed25519

_CHALLENGE_BYTES: Final = 32
_KEY_BYTES: Final = 32
_MOST_DOUBLINGS: Final = 3


class Ed25519Login:
    """Signs the server's challenge with the password as the secret."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def authenticate(self, packet: Any) -> Any:
        """Answers the challenge in `packet`; gives the server's verdict. Raises: the driver's errors."""
        challenge = packet.read_all()[:_CHALLENGE_BYTES]
        return _exchanged(self._connection, ed25519.signature(_password(self._connection), challenge))


class ParsecLogin:
    """Asks for the password's salt, and signs challenges of both sides with the key that comes of the two."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def authenticate(self, packet: Any) -> Any:
        """Answers the challenge in `packet`; gives the server's verdict. Raises: the driver's errors."""
        theirs, ours = packet.read_all()[:_CHALLENGE_BYTES], secrets.token_bytes(_CHALLENGE_BYTES)
        key = parsec_key(_password(self._connection), _exchanged(self._connection, b"").get_all_data())
        return _exchanged(self._connection, ours + key.sign(theirs + ours))


def parsec_key(password: bytes, salted: bytes) -> Ed25519PrivateKey:
    """`salted` is the letter P, how often 1024 rounds are doubled, and the salt. Raises: OperationalError."""
    salted = salted.removeprefix(b"\x01")
    if salted[:1] != b"P" or len(salted) < 3 or salted[1] > _MOST_DOUBLINGS:
        raise OperationalError(CR.CR_AUTH_PLUGIN_ERR, "the server's salt for parsec is none that this client knows")
    seed = pbkdf2_hmac("sha512", password, salted[2:], 1024 << salted[1], _KEY_BYTES)
    return Ed25519PrivateKey.from_private_bytes(seed)


def _exchanged(connection: Any, sent: bytes) -> Any:
    connection.write_packet(sent)
    answer = connection._read_packet()
    answer.check_error()
    return answer


def _password(connection: Any) -> bytes:
    password: bytes | str = connection.password or b""
    return password.encode() if isinstance(password, str) else password


LOGINS: Final = {b"client_ed25519": Ed25519Login, b"parsec": ParsecLogin}
"""What `pymysql.connect` takes as `auth_plugin_map`."""
