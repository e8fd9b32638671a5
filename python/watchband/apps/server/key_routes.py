"""Keys over HTTP: made, listed, taken back; and sessions of browsers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Path, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from watchband.apps.server.access import Admin, Who, guarded, needs
from watchband.apps.server.answers import RETRY_AFTER_S, answered
from watchband.apps.server.identity import Access
from watchband.apps.server.origins import address_of, same_origin, secure
from watchband.apps.server.problems import Problem
from watchband.apps.service.service import Service
from watchband.apps.service.views.access import key_document, keys_document
from watchband.core.access_keys import NAME, Role
from watchband.core.acts import Act
from watchband.core.duration import SECOND, parse_duration
from watchband.core.errors import ConfigError, TransientError

T = TypeVar("T")
NO_STORE = {"Cache-Control": "no-store"}


class NewKey(BaseModel):
    """Whose key, what it may do, and for how long."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=60, pattern=f"^(?:{NAME.pattern})$", description="Who has it.")
    role: Role
    expires: str | None = Field(None, max_length=20, description="After how long it expires, such as 90d; null: never.")


class SignIn(BaseModel):
    """A key or token, and the path below which the dashboard stands."""

    model_config = ConfigDict(extra="forbid")
    key: str = Field(min_length=1, max_length=500)
    path: str = Field("/", max_length=200, pattern=r"^/[A-Za-z0-9._~/%-]*$")


class SignOut(BaseModel):
    """The path that was given when the session was opened."""

    model_config = ConfigDict(extra="forbid")
    path: str = Field("/", max_length=200, pattern=r"^/[A-Za-z0-9._~/%-]*$")


class KeyRoutes:
    """Endpoints about keys and sessions.

    Parameters
    ----------
    service : Service
        Whose keys.
    access : Access
        Knows who asks.
    """

    def __init__(self, service: Service, access: Access) -> None:
        self.service, self.access = service, access

    def router(self) -> APIRouter:
        """The routes."""
        router = guarded("/api/v1")
        router.add_api_route("/keys", self.all, methods=["GET"], dependencies=[needs("admin")])
        router.add_api_route("/keys", self.create, methods=["POST"])
        router.add_api_route("/keys/{key}", self.revoke, methods=["DELETE"])
        for method, handler in (("GET", self.session), ("POST", self.sign_in), ("DELETE", self.sign_out)):
            router.add_api_route("/session", handler, methods=[method], dependencies=[needs("open")])
        return router

    async def all(self) -> JSONResponse:
        """Every key, the newest first; never a secret."""
        return await answered(self.service, lambda: keys_document(self.service.keys))

    async def create(self, who: Admin, body: NewKey) -> JSONResponse:
        """Make a key; its secret is in this answer and nowhere else."""

        def done() -> dict[str, Any]:
            lifetime = parse_duration(body.expires) if body.expires is not None else None
            key, secret = self.service.keys.create(body.name, body.role, who.name, lifetime)
            self.service.changes.note("configuration")
            return {"key": key_document(key, self.service.clock.now()), "secret": secret}

        return await self._written(done)

    async def revoke(self, who: Admin, key: Annotated[str, Path(max_length=64)]) -> JSONResponse:
        """Take a key back: it opens nothing from now on, and its sessions end."""

        def done() -> dict[str, Any]:
            gone = self.service.keys.revoke(key, who.name)
            if gone is None:
                raise Problem(404, f"There is no key {key!r}.")
            self.service.changes.note("configuration")
            return key_document(gone, self.service.clock.now())

        return await self._written(done)

    async def session(self, request: Request) -> JSONResponse:
        """Who asks; nothing is known of who did not sign in."""
        try:
            who = self.access.who(request)
        except Problem as problem:
            if problem.status != 403:
                raise
            who = None
        return JSONResponse(_session(who), headers=NO_STORE)

    async def sign_in(self, request: Request, body: SignIn) -> JSONResponse:
        """Open a session with a key, for a browser: the answer sets a cookie. Only the dashboard's own page may ask."""
        settings = self.service.config.server
        if not same_origin(request, settings):
            raise Problem(403, "Only the dashboard's own page signs in. Programs send the key itself.")
        if not self.access.keys.known:
            raise Problem(503, f"The service is {self.service.phase}.", retry_after=RETRY_AFTER_S)
        who = self.access.known(body.key.strip(), address_of(request, settings))
        if who is None:
            raise Problem(401, "This is no key that is in force. It may have expired or been taken back.")
        if not who.may("view"):
            raise Problem(403, f"This key has the role {who.role!r}: it sends points and shows nothing.", role="viewer")
        secret: str = await self._done(lambda: self.access.sessions.open(who))
        answer = JSONResponse(_session(Who(who.name, who.role, "session")), headers=NO_STORE)
        answer.set_cookie(
            self.access.sessions.cookie,
            secret,
            max_age=settings.session_length // SECOND,
            path=body.path,
            secure=secure(request, settings),
            httponly=True,
            samesite="strict",
        )
        return answer

    async def sign_out(self, request: Request, body: SignOut | None = None) -> JSONResponse:
        """End the session that a browser has; without one nothing happens."""
        who = self.access.who(request)
        if who is not None and who.given == "session":
            await self._done(lambda: self.access.sessions.end(who))
        answer = JSONResponse(_session(None), headers=NO_STORE)
        answer.delete_cookie(self.access.sessions.cookie, path=body.path if body else "/", httponly=True)
        return answer

    def tell_refused(self) -> None:
        """Write down how many secrets were none since the last time: counted, so that nobody can fill the log."""
        count, addresses = self.access.attempts.untold()
        if count:
            said = f"{count:,} wrong keys from {addresses:,} address{'es' if addresses > 1 else ''}"
            self.service.keys.write_down(Act(self.service.clock.now(), "nobody", "sign in refused", text=said))

    async def _written(self, work: Callable[[], dict[str, Any]]) -> JSONResponse:
        answer = await answered(self.service, work)
        answer.headers.update(NO_STORE)
        return answer

    async def _done(self, work: Callable[[], T]) -> T:
        try:
            return await run_in_threadpool(work)
        except TransientError as error:
            raise Problem(503, f"It could not be written down: {error}", retry_after=RETRY_AFTER_S) from None
        except ConfigError as error:
            raise Problem(401, str(error)) from None


def _session(who: Who | None) -> dict[str, Any]:
    return {
        "user": who.name if who else None,
        "role": who.role if who else None,
        "signed_in": who is not None and who.given == "session",
    }
