"""Who asks and what they may do: every route declares what it needs, and one place looks whether it is there.

A route is made by a router of ``guarded`` and declares its need by ``needs``, beside it
(``dependencies=[needs("view")]``) or as a parameter of its handler that says who asks (``who: Operator``). A route that
declares none is no route.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from watchband.apps.server.problems import Problem
from watchband.apps.server.settings import ServerSettings
from watchband.core.errors import ConfigError

log = logging.getLogger("watchband.server")
Need = Literal["open", "view", "send", "operate", "admin"]
MAY: Mapping[str, frozenset[Need]] = {
    "write": frozenset({"open", "send"}),
    "viewer": frozenset({"open", "view"}),
    "operator": frozenset({"open", "view", "operate"}),
    "admin": frozenset({"open", "view", "operate", "admin", "send"}),
}
"""What each role may do."""
LEAST: Mapping[Need, str] = {"view": "viewer", "send": "write", "operate": "operator", "admin": "admin"}
"""The role with the fewest rights that has what is needed."""
SAFE = ("GET", "HEAD", "OPTIONS")
_SCHEMES = ("bearer", "token")
"""The second is how clients of InfluxDB say it."""
_OWN_NAMES = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Who:
    """Who asks.

    Parameters
    ----------
    name : str
        As it stands in the audit log: that of a token, or ``local``.
    role : str
        One of ``MAY``.
    given : str
        What they are known by: ``token``, or nothing but that they work on this ``machine``.
    """

    name: str
    role: str
    given: Literal["token", "machine"] = "token"

    def may(self, need: Need) -> bool:
        """Whether their role has it."""
        return need in MAY[self.role]


class Access:
    """Finds out who asks.

    Parameters
    ----------
    settings : callable
        The ``server`` section in force.
    """

    def __init__(self, settings: Callable[[], ServerSettings]) -> None:
        self.settings = settings

    def admit(self, request: Request, need: Need) -> Who | None:
        """Let a request through, or refuse it; who makes it, None where nobody knows and nobody needs to.

        Raises
        ------
        Problem
            401: no token, or an unknown one; 403: not with this token, or not from there.
        """
        who = self.who(request)
        if need == "open":
            return who
        if who is None or (who.given == "machine" and not who.may(need) and self.settings().tokens):
            raise _unknown(need)
        if not who.may(need):
            raise _refused(who, need)
        return who

    def who(self, request: Request) -> Who | None:
        """Who asks; None where nobody knows."""
        settings = self.settings()
        if "authorization" in request.headers and settings.tokens:
            return by_token(request.headers["authorization"], settings)
        if not settings.loopback:
            return None
        # Whoever can reach it works on this machine: they look freely, and without tokens they may do everything.
        strange = "origin" in request.headers and not own_page(request)
        return Who("local", "viewer" if settings.tokens or strange else "admin", "machine")


def by_token(header: str, settings: ServerSettings) -> Who | None:
    """Whose token of the configuration a header has."""
    scheme, _, given = header.partition(" ")
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
            found = Who(name, known.role)
    return found


def own_page(request: Request) -> bool:
    """Whether a request comes from the dashboard itself, and not from a page of somebody else in the same browser.

    Only a script of the same origin may send the header, since no other gets leave to; and the address must be one of
    this machine's own, so that a name of somebody else that points here opens nothing.
    """
    host = request.headers.get("host", "")
    origin = request.headers.get("origin", "").partition("://")[2]
    name = host.rpartition(":")[0] or host
    return request.headers.get("x-watchband") == "1" and origin == host and name.strip("[]") in _OWN_NAMES


def _unknown(need: Need) -> Problem:
    return Problem(
        401,
        f"This needs the role {LEAST[need]!r}: send a token of 'server.tokens' as 'Authorization: Bearer TOKEN'. "
        "Without tokens only this machine may do anything, while 'server.listen' is a loopback address.",
        headers={"WWW-Authenticate": 'Bearer realm="watchband"'},
        role=LEAST[need],
    )


def _refused(who: Who, need: Need) -> Problem:
    if who.given == "machine":
        return Problem(403, "Pages of others may not change anything here without a token.", role=LEAST[need])
    return Problem(403, f"{who.name!r} has the role {who.role!r}; {LEAST[need]!r} is needed.", role=LEAST[need])


class Needs:
    """A dependency: what a route needs. It gives who asks.

    Parameters
    ----------
    need : str
        ``open`` for everybody, ``view`` to look, ``send`` to push points, ``operate`` for what people on duty do,
        ``admin`` for what changes the service itself.
    """

    def __init__(self, need: Need) -> None:
        self.need = need

    async def __call__(self, request: Request) -> Who | None:
        admitted: tuple[Need, Who | None] | None = getattr(request.state, "admitted", None)
        if admitted is None or admitted[0] != self.need:
            access: Access = request.app.state.access
            admitted = self.need, access.admit(request, self.need)
            request.state.admitted = admitted
        return admitted[1]


def needs(need: Need) -> Any:
    """Declare what a route needs."""
    return Depends(Needs(need))


Viewer = Annotated[Who, needs("view")]
Sender = Annotated[Who, needs("send")]
Operator = Annotated[Who, needs("operate")]
Admin = Annotated[Who, needs("admin")]


def need_of(route: APIRoute) -> Need | None:
    """What a route declares; None if nothing."""
    found = [d.call.need for d in _flat(route.dependant) if isinstance(d.call, Needs)]
    assert len(found) <= 1, f"{route.path} declares several needs"
    return found[0] if found else None


def _flat(dependant: Dependant) -> list[Dependant]:
    return [dependant, *(inner for d in dependant.dependencies for inner in _flat(d))]


class Guarded(APIRoute):
    """A route that looks who asks before it reads a body, and that says in the description what it needs."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **given: Any) -> None:
        super().__init__(path, endpoint, **given)
        self.need = need_of(self)
        if self.need is None:
            raise TypeError(f"The route {path} does not declare what it needs: dependencies=[needs(…)].")
        if self.need != "open":
            roles = [role for role, may in MAY.items() if self.need in may]
            extra = {"security": [{"key": []}], "x-watchband-roles": roles}
            self.openapi_extra = {**(self.openapi_extra or {}), **extra}

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, behind the guard."""
        inner = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            assert self.need is not None
            await Needs(self.need)(request)
            return await inner(request)

        return guarded


def guarded(prefix: str = "", **given: Any) -> APIRouter:
    """A router whose routes are guarded."""
    return APIRouter(prefix=prefix, route_class=Guarded, **given)


SECURITY_SCHEMES = {
    "key": {"type": "http", "scheme": "bearer", "description": "A token of `server.tokens`."},
}
