"""Requests made from the description itself, as everybody who may ask.

No error of the program, nobody further than their role, and every answer as it is described.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.apps.server.test_access import SHUT
from tests.apps.server.test_api import push
from tests.apps.server.world import World
from tests.apps.service.worlds import watch
from watchband.apps.server.access import MAY
from watchband.testing.streams import MINUTE, START

CHECKS = (status_code_conformance, content_type_conformance, response_schema_conformance)
ENDLESS = "/api/v1/stream"
MORE = {("POST", "/api/v1/tasks"), ("POST", "/api/v1/models/challengers")}
"""What else it needs depends on what is asked for: a backup or a model file of the machine wants an admin."""
WHO = (None, *MAY)
EXAMPLES = settings.default.max_examples  # type: ignore[union-attr]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    server = replace(SHUT, max_requests_per_second=None)
    with World(server=server, watches={"all": watch(detector="ewma", cutoff=None, budget="1/week")}) as world:
        world.client.headers["authorization"] = "Bearer token-of-admin"
        world.clock.time = START + 400 * MINUTE
        push(world, 0, 400, 'cpu{host="a"}', 398)
        yield world


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


def operations(world: World) -> list[Any]:
    document = world.client.get("/api/v1/openapi.json").json()
    schema = schemathesis.openapi.from_dict(document)
    found = [result.ok() for result in schema.get_all_operations()]
    assert len(found) > 50
    return [one for one in found if one.path != ENDLESS]


def try_out(operation: Any, role: str | None, url: str, session: requests.Session) -> None:
    headers = {"Authorization": f"Bearer token-of-{role}"} if role else {}
    roles = operation.definition.raw.get("x-watchband-roles")
    refused = roles is not None and role not in roles

    @seed(1)
    @settings(
        # Who is refused is refused before what they sent is read.
        max_examples=1 if refused else max(2, EXAMPLES // 5),
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def asked(case: Any) -> None:
        answer = case.call(base_url=url, headers=headers, session=session, timeout=60)
        said = f"{case.method} {case.path} as {role}: {answer.status_code} {answer.text[:300]}"
        assert answer.status_code not in (500, 501, 502, 504), said
        if roles is not None:
            more = (case.method, case.path) in MORE and answer.status_code == 403
            assert (answer.status_code in (401, 403)) == (refused or more), said
        if refused:
            assert answer.status_code == (401 if role is None else 403), said
        if answer.status_code in (429, 503) and case.path != "/health":
            assert "retry-after" in answer.headers, said
        case.validate_response(answer, checks=CHECKS)

    asked()


@pytest.mark.parametrize("role", WHO)
def test_requests_of_the_description(world: World, session: requests.Session, role: str | None) -> None:
    wrong = []
    for operation in operations(world):
        try:
            try_out(operation, role, world.web.url, session)
        except (AssertionError, BaseExceptionGroup) as error:
            wrong.append(f"{operation.method} {operation.path}: {error}")
    assert not wrong, "\n\n".join(wrong)


def test_the_description_describes_every_error_in_one_shape(world: World) -> None:
    document = world.client.get("/api/v1/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    for path, found in document["paths"].items():
        for method, operation in found.items():
            answers = operation["responses"]
            for status in ("4XX", "5XX"):
                assert answers[status] == {"$ref": f"#/components/responses/{status}"}, (method, path)
                schema = document["components"]["responses"][status]["content"]["application/problem+json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/Problem"}
            success = [answer for status, answer in answers.items() if status.startswith("2")]
            assert success, (method, path)
