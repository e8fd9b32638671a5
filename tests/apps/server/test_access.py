"""Who may do what: every route declares what it needs, and nobody gets further than that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from tests.apps.server.world import World
from watchband.apps.server.access import MAY, Guarded, guarded, need_of
from watchband.apps.server.app import create_app
from watchband.apps.server.settings import ServerSettings, TokenSettings
from watchband.core.secret import Secret

OPEN = {"/healthz", "/readyz", "/health", "/api/v1/session", "/theme.js", "/assets/{name}", "/alerts/{alert}"}
TOKENS = {role: TokenSettings(Secret(f"token-of-{role}"), role) for role in MAY}
SHUT = ServerSettings(listen="0.0.0.0:0", tokens=TOKENS)
NAMED = {
    "{incident}": "none",
    "{name}": "all",
    "{alert}": "none",
    "{window}": "w00000000",
    "{deploy}": "w00000000",
    "{key}": "none",
    "{task}": "t00000000",
}


def routes(app: FastAPI) -> Iterator[tuple[str, APIRoute]]:
    """Every route with its path."""
    for context in iter_route_contexts(app.routes):
        assert isinstance(context.original_route, APIRoute), context.path
        yield context.path, context.original_route


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with World(server=SHUT) as world:
        yield world


def test_every_route_is_guarded_and_none_is_open_but_these(world: World) -> None:
    found = list(routes(create_app(world.service)))
    assert len(found) > 30
    for path, route in found:
        assert isinstance(route, Guarded), path
        need = need_of(route)
        page = not path.startswith(("/api/", "/-/", "/metrics", "/write")) and route.include_in_schema is False
        assert (need == "open") == (path in OPEN or page), (path, need)


def test_a_route_that_says_nothing_is_no_route() -> None:
    async def handler() -> None:
        """Nothing."""

    with pytest.raises(TypeError, match="does not declare what it needs"):
        guarded().add_api_route("/all", handler)


def test_the_description_says_who_may_do_what(world: World) -> None:
    headers = {"authorization": "Bearer token-of-viewer"}
    found = world.client.get("/api/v1/openapi.json", headers=headers).json()
    assert found["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    said = {
        (method, path): operation.get("x-watchband-roles")
        for path, operations in found["paths"].items()
        for method, operation in operations.items()
    }
    assert said["get", "/api/v1/series"] == ["viewer", "operator", "admin"]
    assert said["post", "/api/v1/incidents/{incident}/notes"] == ["operator", "admin"]
    assert said["post", "/api/v1/points"] == ["write", "admin"]
    assert said["post", "/-/reload"] == ["admin"]
    assert {path for (_, path), roles in said.items() if roles is None} < OPEN


@pytest.mark.parametrize("role", [None, *MAY])
def test_nobody_gets_further_than_their_role(world: World, role: str | None) -> None:
    headers = {"authorization": f"Bearer token-of-{role}"} if role else {}
    for path, route in routes(create_app(world.service)):
        if path in ("/api/v1/stream", "/api/v1/session"):
            continue
        need = need_of(route)
        assert need is not None
        at = path
        for name, value in NAMED.items():
            at = at.replace(name, value)
        for method in route.methods:
            answer: Any = world.client.request(method, at, headers=headers)
            refused = need != "open" if role is None else need not in MAY[role]
            expected = 401 if role is None else 403
            assert (answer.status_code == expected) == refused, (method, path, answer.text)
            if refused and method != "HEAD":
                assert answer.headers["content-type"] == "application/problem+json"
                assert need in MAY[answer.json()["role"]]


def test_who_is_not_let_in_is_told_so_before_what_they_sent_is_looked_at(world: World) -> None:
    for role, status in ((None, 401), ("viewer", 403), ("operator", 400)):
        headers = {"authorization": f"Bearer token-of-{role}"} if role else {}
        answer = world.client.post("/api/v1/incidents/x/notes", content=b"{", headers=headers)
        assert answer.status_code == status


def test_this_machine_looks_freely_and_changes_with_a_token_where_there_are_some() -> None:
    with World(server=ServerSettings(listen="127.0.0.1:0", tokens=TOKENS)) as world:
        assert world.client.get("/api/v1/series").status_code == 200
        assert world.client.get("/api/v1/about").json()["role"] == "viewer"
        assert world.client.get("/metrics").status_code == 200
        assert world.client.get("/api/v1/config").status_code == 401
        assert world.client.post("/-/reload").status_code == 401


def test_without_tokens_others_see_nothing_and_this_machine_does_everything() -> None:
    with World(server=ServerSettings(listen="0.0.0.0:0")) as world:
        assert world.client.get("/api/v1/series").status_code == 401
        assert world.client.get("/healthz").status_code == 200
    with World() as world:
        assert world.client.get("/api/v1/about").json()["role"] == "admin"
        assert world.client.get("/api/v1/about").json()["user"] == "local"
