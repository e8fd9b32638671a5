"""Sessions of browsers: opened with a key or a token, known by a cookie that no script can read."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from fastapi import Request

from watchband.apps.server.access import Who
from watchband.apps.server.settings import ServerSettings
from watchband.apps.service.keys import SESSIONS_MAX, Keys
from watchband.core.access_keys import SESSION, AccessKey, Role, digest_of, id_in, new_secret
from watchband.core.acts import Act
from watchband.core.errors import ConfigError


@dataclass(frozen=True, slots=True)
class _Lent:
    """A session that was opened with a token of the configuration: gone with the process, or when the token changes."""

    session: AccessKey
    token: str


class Sessions:
    """Opens, finds and ends sessions.

    Parameters
    ----------
    keys : Keys
        Keeps those that were opened with a key.
    settings : callable
        The ``server`` section in force.
    token_of : callable
        A token of the configuration by its name.
    """

    def __init__(
        self, keys: Keys, settings: Callable[[], ServerSettings], token_of: Callable[[str], str | None]
    ) -> None:
        self.keys, self.settings, self.token_of = keys, settings, token_of
        self._lock = threading.Lock()
        self._lent: dict[str, _Lent] = {}

    @property
    def cookie(self) -> str:
        """The cookie's name; with the port, since browsers do not tell services of one host apart."""
        return f"watchband-{self.settings().address[1]}"

    def of(self, request: Request) -> Who | None:
        """Whose session a request's cookie is of."""
        secret = request.cookies.get(self.cookie, "")
        number = id_in(secret, SESSION)
        if number is None:
            return None
        lent = self._lent.get(number)
        if lent is not None:
            if not lent.session.opened_by(secret) or not self._still(lent):
                return None
            self._touch(number)
            return _who(lent.session)
        session = self.keys.session(secret, self.settings().session_idle)
        return _who(session) if session is not None else None

    def open(self, who: Who) -> str:
        """A new session of somebody who showed a key or token; its secret.

        Raises
        ------
        ConfigError
            The key was taken back meanwhile.
        WatchbandError
            The store cannot keep it.
        """
        length = self.settings().session_length
        if who.given == "key":
            key = self.keys.alive(who.number, self.keys.clock.now())
            if key is None:
                raise ConfigError("This key was taken back.")
            return self.keys.sign_in(key, length)[1]
        now = self.keys.clock.now()
        number, secret = new_secret(SESSION)
        role: Role = who.role  # type: ignore[assignment]
        session = AccessKey(number, who.name, role, digest_of(secret), now, who.name, now + length, 0, now, "token")
        self.keys.write_down(Act(now, who.name, "sign in"))
        with self._lock:
            own = sorted((s for s in self._lent.values() if s.session.name == who.name), key=lambda s: s.session.used)
            for old in own[: max(0, len(own) + 1 - SESSIONS_MAX)]:
                del self._lent[old.session.id]
            self._lent[number] = _Lent(session, who.number)
        return secret

    def end(self, who: Who) -> None:
        """End somebody's session."""
        lent = self._lent.pop(who.number, None)
        if lent is not None:
            self.keys.write_down(Act(self.keys.clock.now(), who.name, "sign out"))
        else:
            self.keys.sign_out(who.number)

    def goes_on(self, who: Who) -> bool:
        """Whether a session goes on; that counts as use: an open page shows what is news."""
        lent = self._lent.get(who.number)
        if lent is None:
            return self.keys.goes_on(who.number, self.settings().session_idle, use=True)
        if not self._still(lent):
            return False
        self._touch(who.number)
        return True

    def _still(self, lent: _Lent) -> bool:
        now, session = self.keys.clock.now(), lent.session
        token = self.token_of(session.name)
        found = (
            session.lives(now)
            and now - session.used < self.settings().session_idle
            and token is not None
            and digest_of(token) == lent.token
            and self.settings().tokens[session.name].role == session.role
        )
        if not found:
            self._lent.pop(session.id, None)
        return found

    def _touch(self, number: str) -> None:
        with self._lock:
            lent = self._lent.get(number)
            if lent is not None:
                used = replace(lent.session, used=self.keys.clock.now())
                self._lent[number] = replace(lent, session=used)


def _who(session: AccessKey) -> Who:
    return Who(session.name, session.role, "session", session.id)
