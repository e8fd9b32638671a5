"""Who may change something: bearer tokens by role, and a limit on points a second."""

from __future__ import annotations

import hmac
import logging
import threading
import time
from collections.abc import Callable

from fastapi import Request

from watchband.apps.server.problems import Problem
from watchband.apps.server.settings import ServerSettings
from watchband.core.errors import ConfigError

log = logging.getLogger("watchband.server")
_ROLES = {"write": ("write", "admin"), "admin": ("admin",)}
_SCHEMES = ("bearer", "token")
"""The second is how clients of InfluxDB say it."""
WINDOW_S = 10.0
_OWN_NAMES = ("localhost", "127.0.0.1", "::1")


def check_access(request: Request, settings: ServerSettings, role: str) -> str:
    """Let a change through, or refuse it; the name of who makes it.

    Without tokens only this machine may change anything, and of the pages in its browser only the dashboard's own.

    Raises
    ------
    Problem
        401: no token, or an unknown one; 403: not with this token, or not from there.
    """
    who = identity(request, settings)
    if not settings.tokens:
        if who is None:
            raise Problem(
                403, "This server can be reached by others, so changes need a token. Configure 'tokens' of 'server'."
            )
        if "origin" in request.headers and not own_page(request):
            raise Problem(403, "Pages of others may not change anything here without a token.")
        return who[0]
    if who is None:
        raise Problem(
            401,
            "Send a token of 'server.tokens' as 'Authorization: Bearer TOKEN'.",
            headers={"WWW-Authenticate": 'Bearer realm="watchband"'},
        )
    name, found = who
    if found not in _ROLES[role]:
        raise Problem(403, f"This token has the role {found!r}; {role!r} is needed.")
    return name


def own_page(request: Request) -> bool:
    """Whether a request comes from the dashboard itself, and not from a page of somebody else in the same browser.

    Only a script of the same origin may send the header, since no other gets leave to; and the address must be one of
    this machine's own, so that a name of somebody else that points here opens nothing.
    """
    host = request.headers.get("host", "")
    origin = request.headers.get("origin", "").partition("://")[2]
    name = host.rpartition(":")[0] or host
    return request.headers.get("x-watchband") == "1" and origin == host and name.strip("[]") in _OWN_NAMES


def identity(request: Request, settings: ServerSettings) -> tuple[str, str] | None:
    """Who asks, by name and role; None where nobody knows."""
    if not settings.tokens:
        return ("local", "admin") if settings.loopback else None
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() not in _SCHEMES:
        return None
    found = None
    # Every token is compared, each in constant time: how long it takes tells nothing.
    for name, known in settings.tokens.items():
        try:
            token = known.token.reveal()
        except ConfigError as error:
            log.error("a token cannot be read: %s", error, extra={"token": name})
            continue
        if hmac.compare_digest(given.strip().encode(), token.encode()):
            found = name, known.role
    return found


class Allowance:
    """Points that may be pushed: so many a second, on average over ten seconds.

    Parameters
    ----------
    clock : callable, optional
        Seconds that only go forward.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._spent, self._at = 0.0, clock()

    def spend(self, points: int, rate: int | None) -> None:
        """Take points from it.

        Raises
        ------
        Problem
            429: nothing was taken; come again in ``Retry-After`` seconds.
        """
        if rate is None:
            return
        with self._lock:
            now = self._clock()
            self._spent = max(0.0, self._spent - (now - self._at) * rate)
            self._at = now
            # One large batch must not wait for ever.
            if self._spent and self._spent + points > rate * WINDOW_S:
                wait = min((self._spent + points - rate * WINDOW_S) / rate, 60.0)
                raise Problem(429, f"More than {rate:,} points a second ('max_points_per_second').", retry_after=wait)
            self._spent += points
