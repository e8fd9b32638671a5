"""Keys of the API and sessions of browsers: what is kept of them. The secret itself is not; only its digest is.

A secret is 32 random bytes. Nobody can guess it, or find it from its SHA-256: a slow hash would protect nothing that
is not safe already, and would let everybody who can reach the service keep it busy.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

from watchband.core.errors import ConfigError

Role = Literal["write", "viewer", "operator", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@ -]{0,58}[A-Za-z0-9]|[A-Za-z0-9]")
KEY, SESSION = "wb", "wbs"
"""What the secret of a key and of a session begins with."""
_SECRET = re.compile(r"(wbs?)_([0-9a-f]{12})_[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A key, or a session that somebody opened with one.

    Parameters
    ----------
    id : str
        What it is found by; no secret.
    name : str
        Who has it, as the audit log says it.
    role : str
        One of ``ROLES``.
    digest : str
        SHA-256 of its secret, in hexadecimal.
    created : int
        When, ns UTC.
    by : str
        Who made it.
    expires : int
        From when on it opens nothing, ns UTC; 0: never.
    revoked : int
        When somebody took it back, ns UTC; 0: nobody did.
    used : int
        About when it was last used, ns UTC; 0: never.
    parent : str
        Of a session: the id of the key that opened it.
    """

    id: str
    name: str
    role: Role
    digest: str
    created: int
    by: str
    expires: int = 0
    revoked: int = 0
    used: int = 0
    parent: str = ""

    def lives(self, now: int) -> bool:
        """Whether it opens anything at this time."""
        return not self.revoked and (not self.expires or now < self.expires)

    def opened_by(self, secret: str) -> bool:
        """Whether this is its secret; takes as long for every answer."""
        return hmac.compare_digest(digest_of(secret), self.digest)


def digest_of(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_secret(kind: str) -> tuple[str, str]:
    """An id and a secret that names it, of 256 random bits.

    Examples
    --------
    >>> number, secret = new_secret(KEY)
    >>> secret.startswith(f"wb_{number}_"), id_in(secret, KEY) == number, id_in(secret, SESSION)
    (True, True, None)
    """
    number = secrets.token_hex(6)
    return number, f"{kind}_{number}_{secrets.token_urlsafe(32)}"


def id_in(text: str, kind: str) -> str | None:
    """The id that a secret of this kind names; None where the text is no such secret."""
    found = _SECRET.fullmatch(text)
    return found[2] if found and found[1] == kind else None


def check_name(name: str) -> str:
    """A name that a key may have.

    Raises
    ------
    ConfigError
        It may not.
    """
    if not NAME.fullmatch(name):
        raise ConfigError(
            "A key is named by up to 60 letters, digits, spaces and any of '.', '_', '@', '-', such as ann@laptop. "
            f"Got {name[:80]!r}."
        )
    return name


class KeyStore(Protocol):
    """Keeps keys and sessions; a part of the store."""

    def access_keys(self) -> Sequence[AccessKey]:
        """All that are kept, in order of creation, then of their id."""

    def keep_access_key(self, key: AccessKey) -> None:
        """Keep one; it takes the place of what was kept of the same id."""

    def drop_access_keys(self, ids: Sequence[str]) -> None:
        """Forget these, as far as they are kept."""
