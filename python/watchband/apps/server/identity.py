"""Who asks: by a key, a token of the configuration, a session of a browser, or because they work on this machine."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable

from fastapi import Request

from watchband.apps.server.access import LEAST, SAFE, Need, Who
from watchband.apps.server.allowance import Allowances
from watchband.apps.server.attempts import LONG, Attempts
from watchband.apps.server.origins import address_of, forwarded, named_strangely, own_page, same_origin
from watchband.apps.server.problems import Problem
from watchband.apps.server.sessions import Sessions
from watchband.apps.server.settings import ServerSettings
from watchband.apps.service.keys import LOCAL, Keys
from watchband.core.access_keys import digest_of
from watchband.core.errors import ConfigError

log = logging.getLogger("watchband.server")
_SCHEMES = ("bearer", "token")
"""The second is how clients of InfluxDB say it."""
RETRY_AFTER_S = 5.0
FIREHOSE_KEY = "x-amz-firehose-access-key"


class Access:
    """Lets requests through, or refuses them.

    Parameters
    ----------
    settings : callable
        The ``server`` section in force.
    keys : Keys
        Keys and sessions that were made.
    """

    def __init__(self, settings: Callable[[], ServerSettings], keys: Keys) -> None:
        self.settings, self.keys = settings, keys
        self.attempts = Attempts()
        self.sessions = Sessions(keys, settings, self.token_of)
        self.requests = Allowances("requests a second", "max_requests_per_second")

    @property
    def shut(self) -> bool:
        """Whether this machine's user needs a key or token for changes, as everybody else does."""
        return bool(self.settings().tokens) or self.keys.any

    def admit(self, request: Request, need: Need) -> Who:
        """Who makes a request that may be made.

        Raises
        ------
        Problem
            401: nobody knows who; 403: they may not, or not from there; 429: too often; 503: not known yet.
        """
        who = self.who(request)
        if who is None or (who.given == "machine" and not who.may(need)):
            if not self.keys.known:
                raise Problem(503, "The service starts: its keys are not known yet.", retry_after=RETRY_AFTER_S)
            if who is None or self.shut:
                raise _unknown(need)
        if not who.may(need):
            raise _refused(who, need)
        if who.given != "machine" and need != "send":
            self.requests.spend(f"{who.given} {who.name}", 1, self.settings().max_requests_per_second)
        return who

    def who(self, request: Request) -> Who | None:
        """Who asks; None where nobody knows.

        Raises
        ------
        Problem
            403: a page of somebody else asks; 429: too many guesses.
        """
        settings = self.settings()
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if FIREHOSE_KEY in request.headers and request.url.path.endswith("/api/v1/firehose"):
            # Firehose has no Authorization header: its access key is a key or token of this service.
            scheme, given = "bearer", request.headers[FIREHOSE_KEY]
        # Another scheme is a proxy's own login that it passes on.
        if scheme.lower() in _SCHEMES and (self.shut or not settings.loopback):
            return self.known(given.strip(), address_of(request, settings))
        session = self.sessions.of(request)
        if session is not None:
            if request.method not in SAFE and not same_origin(request, settings):
                raise Problem(403, "Pages of others may not change anything here.", role=session.role)
            return session
        return self._machine(request, settings)

    def may_view(self, request: Request) -> bool:
        """Whether who asks an open route may see more than anybody."""
        try:
            who = self.who(request)
        except Problem:
            return False
        return who is not None and who.may("view")

    def known(self, secret: str, address: str) -> Who | None:
        """Whose key or token a secret is.

        Raises
        ------
        Problem
            429: too many that were none came from there. A key, or a long token, is never refused for what others try.
        """
        key = self.keys.opens(secret)
        if key is not None:
            return Who(key.name, key.role, "key", key.id)
        if len(secret) < LONG:
            self.attempts.check(address)
        found = self._by_token(secret)
        if found is not None:
            self.attempts.succeeded(address)
        elif self.keys.known:
            self.attempts.failed(address)
        return found

    def _by_token(self, secret: str) -> Who | None:
        found = None
        # Every token is compared, each in constant time: how long it takes tells nothing.
        for name, known in self.settings().tokens.items():
            token = self.token_of(name)
            if token and hmac.compare_digest(secret.encode(), token.encode()):
                found = Who(name, known.role, "token", digest_of(token))
        return found

    def token_of(self, name: str) -> str | None:
        """A token of the configuration; None if there is none, or it cannot be read."""
        known = self.settings().tokens.get(name)
        try:
            return known.token.reveal() if known is not None else None
        except ConfigError as error:
            log.error("a token cannot be read: %s", error, extra={"token": name})
            return None

    def _machine(self, request: Request, settings: ServerSettings) -> Who | None:
        """Whoever can reach a loopback address works on this machine, unless a proxy or a page of others asks."""
        if not settings.loopback:
            return None
        if named_strangely(request, settings):
            raise Problem(
                403,
                "This service is reached by a name that is not its own, as a page of others could do. Set "
                "'external_url' of 'server' to the address that people use.",
            )
        if self.shut or not self.keys.known:
            return None if settings.guard_reads and self.keys.known else Who(LOCAL, "viewer", "machine")
        strange = forwarded(request) or ("origin" in request.headers and not own_page(request))
        return Who(LOCAL, "viewer" if strange else "admin", "machine")

    def goes_on(self, who: Who) -> bool:
        """Whether somebody who was let in would be let in still; a session counts as used."""
        if who.given == "key":
            return self.keys.alive(who.number, self.keys.clock.now()) is not None
        if who.given == "session":
            return self.sessions.goes_on(who)
        if who.given == "token":
            token = self.token_of(who.name)
            return token is not None and digest_of(token) == who.number
        return not (self.settings().guard_reads and self.shut)


def _unknown(need: Need) -> Problem:
    return Problem(
        401,
        f"This needs the role {LEAST[need]!r}. In a browser sign in; elsewhere send a key or token as 'Authorization: "
        "Bearer KEY'. 'watchband keys create' makes one.",
        headers={"WWW-Authenticate": 'Bearer realm="watchband"'},
        role=LEAST[need],
    )


def _refused(who: Who, need: Need) -> Problem:
    if who.given == "machine":
        return Problem(
            403, "Pages of others, and who comes through a proxy, may not do this without a key.", role=LEAST[need]
        )
    return Problem(403, f"{who.name!r} has the role {who.role!r}; {LEAST[need]!r} is needed.", role=LEAST[need])
