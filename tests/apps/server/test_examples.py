"""The description of the API: every endpoint says what it is for, shows what it answered, and how it refuses.

``python -m tests.apps.server.test_examples`` asks a real service every command of the docs and writes the answers down.
"""

from __future__ import annotations

import json
import re
import shlex
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.apps.server.test_pages_of_docs import DOCS, commands, filled, ran
from tests.apps.server.world import World
from tests.apps.service.test_service import until
from watchband.apps.server.description import ERRORS, EXAMPLES, GROUPS, group_of, operations
from watchband.apps.service.tasks import OVER

BINARY = {"POST /api/v1/write", "POST /api/v1/session", "DELETE /api/v1/session"}
"""What no command line says: bytes, and what only a browser does."""
ENDLESS = {"GET /api/v1/stream"}
LIST_MAX, NAMES_MAX, TEXT_MAX = 2, 24, 200


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    yield from filled(tmp_path_factory.mktemp("scores"))


@pytest.fixture(scope="module")
def described(world: World) -> dict[str, Any]:
    return world.client.get("/api/v1/openapi.json").json()


def asked(command: str) -> tuple[str, str, dict[str, str], Any]:
    """Method, path, query and JSON body of a command."""
    words = shlex.split(command)
    url = next(word for word in words if word.startswith("http"))
    data = [words[i + 1] for i, word in enumerate(words) if word in ("-d", "--data-urlencode", "--data-binary")]
    method = words[words.index("-X") + 1] if "-X" in words else "POST" if data and "--get" not in words else "GET"
    query = parse_qsl(urlsplit(url).query)
    body = None
    if "--get" in words:
        query += [tuple(text.split("=", 1)) for text in data]  # type: ignore[misc]
    elif data:
        # What the shell fills in cannot be shown as it stands.
        with suppress(ValueError):
            body = json.loads(data[0]) if "application/json" in command else data[0]
    return method, urlsplit(url).path, dict(query), body


def operation_of(document: dict[str, Any], method: str, path: str) -> str | None:
    """``GET /a/{b}`` of a path; one that is spelled out comes before one with a name in it."""
    for template in sorted(document["paths"], key=lambda t: t.count("{")):
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
        if method.lower() in document["paths"][template] and re.fullmatch(pattern, path):
            return f"{method} {template}"
    return None


def of_keys() -> list[str]:
    """The commands of the page about access."""
    text = (DOCS / "access.md").read_text().replace("\\\n", " ")
    return re.findall(r"^curl .*$", text, re.MULTILINE)


def short(value: Any) -> Any:
    """The beginning of an answer: enough to see its shape, and no secret."""
    if isinstance(value, dict):
        found = {k: short(v) for k, v in list(value.items())[:NAMES_MAX]}
        return found | ({"secret": "…"} if "secret" in found else {})
    if isinstance(value, list):
        return [short(v) for v in value[:LIST_MAX]]
    return value[:TEXT_MAX] if isinstance(value, str) else value


def record(world: World, document: dict[str, Any]) -> dict[str, Any]:
    """What the service answers to every command of the docs, by operation."""
    found: dict[str, Any] = {}
    for command in [*commands(), *of_keys()]:
        method, path, query, body = asked(command)
        name = operation_of(document, method, path)
        if name is None:
            continue
        one = found.setdefault(name, {"curl": [], "query": {}})
        one["curl"].append(re.sub(r"\s+", " ", command))
        one["query"] |= query
        if body is not None:
            one.setdefault("body", body)
        # Who works on the machine needs no key to ask.
        run = command.replace(' -H "Authorization: Bearer $KEY"', "")
        if "/keys" in path and method != "GET":
            # A first key would shut everybody out who has none.
            continue
        text, _, status = ran(world, run).stdout.rpartition("\n")
        # What it began is over before the next is asked.
        until(lambda: all(task.state in OVER for task in world.service.tasks.all()))
        if not status.startswith("2") or len(text) <= one.get("length", -1):
            continue
        # Of several answers the one that shows most.
        one["length"] = len(text)
        try:
            answer, media = short(json.loads(text)), "application/json"
        except ValueError:
            answer, media = "\n".join(text.splitlines()[:12]) or None, "text/plain"
            if name in ENDLESS:
                # Numbers of news hold when the service began.
                media = "text/event-stream"
                answer = re.sub(r"id: [0-9a-f]+-\d+", "id: 18ea847ccc0d3491-83", answer or "")
        one |= {"status": int(status), "media": media, "answer": answer}
    # What is refused here for want of dead letters, say, is shown without an answer.
    for one in found.values():
        one.pop("length", None)
        one.setdefault("answer", None)
        one.setdefault("status", 200)
        one.setdefault("media", "application/json")
    return dict(sorted(found.items()))


def examples(scores: Path) -> dict[str, Any]:
    """What a service answers whose ids are counted and not drawn, so that the same service answers the same."""
    numbers = count(1)
    with patch("secrets.token_hex", lambda size: f"{next(numbers) * 0x9E3779B1 % 256**size:0{2 * size}x}"):
        for world in filled(scores):
            found = record(world, world.client.get("/api/v1/openapi.json").json())
    return found


def main() -> None:
    """Write the examples."""
    found = examples(Path(tempfile.mkdtemp()))
    lines = (f"{json.dumps(name)}: {json.dumps(one, ensure_ascii=False)}" for name, one in found.items())
    EXAMPLES.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def test_every_endpoint_says_what_it_is_for_and_shows_what_it_answers(described: dict[str, Any]) -> None:
    again = "run: python -m tests.apps.server.test_examples"
    for path, method, operation in operations(described):
        name = f"{method.upper()} {path}"
        assert operation["description"].endswith((".", ")")), f"{name}: its handler has no docstring"
        assert 3 < len(operation["summary"]) < 140, name
        assert operation["tags"], name
        if name in BINARY:
            continue
        for parameter in operation.get("parameters", ()):
            assert parameter.get("description"), f"{name}: {parameter['name']} needs Query(description=…)"
        assert operation.get("x-codeSamples"), f"{name}: no curl line in docs/api.md or docs/predict.md, or {again}"
        success = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
        shown = [one for answer in success for one in answer.get("content", {}).values() if "example" in one]
        assert shown or method != "get", f"{name}: {again}"


def test_every_endpoint_says_how_it_refuses(described: dict[str, Any]) -> None:
    assert described["openapi"].startswith("3.1")
    for path, _, operation in operations(described):
        refusals = {s: a for s, a in operation["responses"].items() if not s.startswith("2")}
        assert all(answer == {"$ref": f"#/components/responses/{status}"} for status, answer in refusals.items()), path
        assert ("401" in refusals) == ("security" in operation), path
        assert ("404" in refusals) >= ("{" in path), path
    parts = described["components"]
    for status in ERRORS:
        content = parts["responses"][str(status)]["content"]["application/problem+json"]
        assert content["example"]["status"] == status
    assert set(parts["schemas"]["Problem"]["required"]) == {"type", "title", "status"}


def test_examples_have_the_shape_that_is_answered_now(world: World, described: dict[str, Any]) -> None:
    """Whoever changes an answer is told to write its example anew."""
    kept, now = json.loads(EXAMPLES.read_text()), record(world, described)
    assert list(kept) == list(now), "run: python -m tests.apps.server.test_examples"
    for name, one in now.items():
        assert (one["curl"], one["query"]) == (kept[name]["curl"], kept[name]["query"]), name
        if isinstance(one["answer"], dict):
            assert list(one["answer"]) == list(kept[name]["answer"]), name


def test_groups_are_by_the_beginning_of_a_path() -> None:
    assert group_of("/api/v1/series/points") == "Series"
    assert group_of("/api/v1/points") == "Points"
    assert group_of("/health") == "Points"
    assert group_of("/healthz") == "Service"
    assert group_of("/api/v1/alerts") == "Incidents"
    assert group_of("/api/v1/what-comes-next") == "Service"
    assert len({name for name, *_ in GROUPS}) == len(GROUPS)


def test_the_description_holds_no_secret_and_needs_no_network(described: dict[str, Any]) -> None:
    text = json.dumps(described)
    assert not re.findall(r"https?://(?!127\.0\.0\.1|localhost|json-schema\.org)[^\"' \\]+", text)
    assert described["servers"] == [{"url": "."}], "below a proxy's path it is still right"


if __name__ == "__main__":
    main()
