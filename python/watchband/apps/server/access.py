"""Who asks and what they may do: every route declares what it needs, and one place looks whether it is there.

A route is made by a router of ``guarded`` and declares its need by ``needs``, beside it
(``dependencies=[needs("view")]``) or as a parameter of its handler that says who asks (``who: Operator``). A route that
declares none is no route.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

if TYPE_CHECKING:
    from watchband.apps.server.identity import Access

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
Given = Literal["machine", "token", "key", "session"]


@dataclass(frozen=True, slots=True)
class Who:
    """Who asks.

    Parameters
    ----------
    name : str
        As it stands in the audit log: that of a key or a token, or ``local``.
    role : str
        One of ``MAY``.
    given : str
        What they are known by: a token of the configuration, a key, a session, or nothing but that they work on this
        machine.
    number : str
        Of that key or session; of a token its digest.
    """

    name: str
    role: str
    given: Given = "token"
    number: str = field(default="", repr=False)

    def may(self, need: Need) -> bool:
        """Whether their role has it."""
        return need in MAY[self.role]


class Needs:
    """A dependency: what a route needs. It gives who asks, and nobody where nothing is needed.

    Parameters
    ----------
    need : str
        ``open`` for everybody, ``view`` to look, ``send`` to push points, ``operate`` for what people on duty do,
        ``admin`` for what changes the service itself.
    """

    def __init__(self, need: Need) -> None:
        self.need = need

    async def __call__(self, request: Request) -> Who | None:
        if self.need == "open":
            return None
        admitted: tuple[Need, Who] | None = getattr(request.state, "admitted", None)
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
            extra = {"security": [{"key": []}, {"session": []}], "x-watchband-roles": roles}
            self.openapi_extra = {**(self.openapi_extra or {}), **extra}

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, behind the guard."""
        inner = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            assert self.need is not None
            await Needs(self.need)(request)
            # Only points may be many at a time; and only from who may send them.
            request.state.large = self.need == "send"
            return await inner(request)

        return guarded


def guarded(prefix: str = "", **given: Any) -> APIRouter:
    """A router whose routes are guarded."""
    return APIRouter(prefix=prefix, route_class=Guarded, **given)
