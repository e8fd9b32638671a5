"""Keys and sessions over HTTP, against a server that really runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.apps.server.world import World
from watchband.apps.server.settings import ServerSettings, TokenSettings
from watchband.core.duration import DAY, HOUR, SECOND
from watchband.core.secret import Secret

LONG = "a-token-that-nobody-guesses-0001"
SHUT = ServerSettings(listen="0.0.0.0:0", tokens={"boss": TokenSettings(Secret(LONG), "admin")})


@pytest.fixture
def world() -> Iterator[World]:
    with World(server=SHUT) as world:
        yield world


def bearer(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


def new_key(world: World, name: str, role: str, **given: Any) -> tuple[str, str]:
    answer = world.client.post("/api/v1/keys", json={"name": name, "role": role, **given}, headers=bearer(LONG))
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return answer.json()["key"]["id"], answer.json()["secret"]


def page(world: World, **headers: str) -> dict[str, str]:
    """Headers of the dashboard's own page."""
    host = world.web.url.partition("://")[2]
    return {"origin": f"http://{host}", "x-watchband": "1", **headers}


def signed_in(world: World, secret: str) -> httpx.Client:
    client = world.another()
    answer = client.post("/api/v1/session", json={"key": secret}, headers=page(world))
    assert answer.status_code == 200, answer.text
    return client


def test_a_key_is_shown_once_and_opens_what_its_role_may(world: World) -> None:
    number, secret = new_key(world, "ann", "viewer")
    assert world.client.get("/api/v1/about", headers=bearer(secret)).json()["user"] == "ann"
    assert world.client.get("/metrics", headers=bearer(secret)).status_code == 200
    assert world.client.get("/api/v1/keys", headers=bearer(secret)).status_code == 403
    found = world.client.get("/api/v1/keys", headers=bearer(LONG))
    assert secret not in found.text
    assert "digest" not in found.text
    (row,) = found.json()["data"]
    assert (row["id"], row["name"], row["role"], row["state"], row["by"]) == (number, "ann", "viewer", "live", "boss")
    assert row["used"] is not None


def test_a_key_that_was_taken_back_or_expired_opens_nothing(world: World) -> None:
    number, secret = new_key(world, "ann", "operator")
    assert world.client.delete(f"/api/v1/keys/{number}", headers=bearer(secret)).status_code == 403
    assert world.client.delete(f"/api/v1/keys/{number}", headers=bearer(LONG)).json()["state"] == "revoked"
    assert world.client.get("/api/v1/about", headers=bearer(secret)).status_code == 401
    assert world.client.delete("/api/v1/keys/nothing", headers=bearer(LONG)).status_code == 404
    _, secret = new_key(world, "bob", "viewer", expires="1h")
    world.clock.time += HOUR
    assert world.client.get("/api/v1/about", headers=bearer(secret)).status_code == 401
    states = [row["state"] for row in world.client.get("/api/v1/keys", headers=bearer(LONG)).json()["data"]]
    assert states == ["expired", "revoked"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "a"},
        {"name": "a", "role": "king"},
        {"name": "", "role": "viewer"},
        {"name": "a\nb", "role": "viewer"},
        {"name": "boss", "role": "viewer"},
        {"name": "local", "role": "viewer"},
        {"name": "a", "role": "viewer", "expires": "soon"},
        {"name": "a", "role": "viewer", "expires": "1s"},
        {"name": "a", "role": "viewer", "secret": "mine"},
    ],
)
def test_what_is_no_key_is_refused(world: World, body: dict[str, str]) -> None:
    answer = world.client.post("/api/v1/keys", json=body, headers=bearer(LONG))
    assert answer.status_code == 400
    assert world.client.get("/api/v1/keys", headers=bearer(LONG)).json()["data"] == []


def test_from_the_first_key_on_this_machine_needs_one_for_changes_too() -> None:
    with World() as world:
        assert world.client.post("/api/v1/keys", json={"name": "g", "role": "viewer"}).status_code == 400
        answer = world.client.post("/api/v1/keys", json={"name": "ann", "role": "admin"})
        key = bearer(answer.json()["secret"])
        assert world.client.post("/api/v1/keys", json={"name": "bob", "role": "viewer"}).status_code == 401
        assert world.client.get("/api/v1/about").json()["role"] == "viewer"
        assert world.client.post("/api/v1/keys", json={"name": "bob", "role": "viewer"}, headers=key).status_code == 200
        gone = answer.json()["key"]["id"]
        assert world.client.delete(f"/api/v1/keys/{gone}", headers=key).status_code == 200
        # Nobody is an admin now; the door stays shut.
        assert world.client.post("/-/reload").status_code == 401


def test_reads_are_guarded_on_loopback_where_that_is_asked_for() -> None:
    tokens = {"boss": TokenSettings(Secret(LONG), "admin")}
    with World(server=ServerSettings(listen="127.0.0.1:0", guard_reads=True, tokens=tokens)) as world:
        for path in ("/api/v1/about", "/metrics", "/api/v1/stream"):
            assert world.client.get(path).status_code == 401
        assert world.client.get("/metrics", headers=bearer(LONG)).status_code == 200


def test_keys_outlive_the_process() -> None:
    with World(server=SHUT) as world:
        _, secret = new_key(world, "ann", "viewer")
        cookies = dict(signed_in(world, secret).cookies)
        store = world.store
    with World(server=SHUT, store=store) as world:
        assert world.client.get("/api/v1/about", headers=bearer(secret)).json()["user"] == "ann"
        assert httpx.get(f"{world.web.url}/api/v1/about", cookies=cookies).json()["user"] == "ann"


def test_before_the_keys_are_known_nobody_is_called_unknown() -> None:
    with World(server=SHUT, starts=False) as world:
        answer = world.client.get("/api/v1/about", headers=bearer("wb_" + "0" * 12 + "_" + "x" * 43))
        assert answer.status_code == 503
        assert "retry-after" in answer.headers
        answer = world.client.post("/api/v1/session", json={"key": "x"}, headers=page(world))
        assert answer.status_code == 503


def test_a_browser_signs_in_looks_and_signs_out(world: World) -> None:
    _, secret = new_key(world, "ann", "operator")
    client = world.another()
    assert client.get("/api/v1/session").json() == {"user": None, "role": None, "signed_in": False}
    answer = client.post("/api/v1/session", json={"key": f" {secret}\n", "path": "/ops/"}, headers=page(world))
    assert answer.json() == {"user": "ann", "role": "operator", "signed_in": True}
    said = answer.headers["set-cookie"]
    assert said.startswith("watchband-0=wbs_")
    parts = {part.strip().lower() for part in said.split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/ops/", f"max-age={30 * DAY // SECOND}"} <= parts
    assert "secure" not in parts
    assert secret not in said
    client = signed_in(world, secret)
    assert client.get("/api/v1/session").json() == {"user": "ann", "role": "operator", "signed_in": True}
    assert client.get("/api/v1/about").json()["role"] == "operator"
    assert client.request("DELETE", "/api/v1/session").status_code == 403
    cookies = dict(client.cookies)
    assert client.request("DELETE", "/api/v1/session", headers=page(world)).json()["signed_in"] is False
    assert not dict(client.cookies)
    assert httpx.get(f"{world.web.url}/api/v1/about", cookies=cookies).status_code == 401
    deeds = [(a.by, a.deed) for a in world.store.store.acts()]
    assert deeds[-3:] == [("ann", "sign in"), ("ann", "sign in"), ("ann", "sign out")]


def test_a_token_signs_in_until_it_is_another() -> None:
    tokens = {"boss": TokenSettings(Secret(LONG), "operator")}
    with World(server=ServerSettings(listen="0.0.0.0:0", tokens=tokens)) as world:
        client = signed_in(world, LONG)
        assert client.get("/api/v1/about").json()["user"] == "boss"
        tokens["boss"] = TokenSettings(Secret(LONG + "2"), "operator")
        assert client.get("/api/v1/about").status_code == 401
        client = signed_in(world, LONG + "2")
        tokens["boss"] = TokenSettings(Secret(LONG + "2"), "viewer")
        assert client.get("/api/v1/about").status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"x-watchband": "0"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
    ],
)
def test_a_page_of_others_changes_nothing_with_somebodys_session(world: World, headers: dict[str, str]) -> None:
    _, secret = new_key(world, "ann", "admin")
    client = signed_in(world, secret)
    given = {**page(world), **headers}
    answer = client.post("/api/v1/keys", json={"name": "evil", "role": "admin"}, headers=given)
    assert (answer.status_code, answer.headers["content-type"]) == (403, "application/problem+json")
    assert client.post("/api/v1/session", json={"key": secret}, headers=given).status_code == 403
    right = page(world, **{"sec-fetch-site": "same-origin", "host": "proxied", "origin": "https://elsewhere"})
    assert client.post("/api/v1/keys", json={"name": "bob", "role": "viewer"}, headers=right).status_code == 200


def test_the_cookie_is_for_https_where_the_browser_speaks_it(world: World) -> None:
    _, secret = new_key(world, "ann", "viewer")
    body = {"key": secret}
    given = page(world, **{"sec-fetch-site": "same-origin", "origin": "https://ops.example"})
    answer = world.client.post("/api/v1/session", json=body, headers=given)
    assert "secure" in answer.headers["set-cookie"].lower()
    # What a stranger says of HTTPS counts for nothing; what a proxy that is trusted says, does.
    given = page(world, **{"x-forwarded-proto": "https"})
    assert "secure" not in world.client.post("/api/v1/session", json=body, headers=given).headers["set-cookie"].lower()
    with World(server=ServerSettings(listen="0.0.0.0:0", tokens=SHUT.tokens, trusted_proxies=("127.0.0.0/8",))) as one:
        given = page(one, **{"x-forwarded-proto": "https"})
        answer = one.client.post("/api/v1/session", json={"key": LONG}, headers=given)
        assert "secure" in answer.headers["set-cookie"].lower()


@pytest.mark.parametrize("path", ["x", "", "/;secure", "/a b", "//\n", "/" + "x" * 300])
def test_a_path_is_a_path(world: World, path: str) -> None:
    answer = world.client.post("/api/v1/session", json={"key": LONG, "path": path}, headers=page(world))
    assert answer.status_code == 400


def test_who_only_sends_points_does_not_sign_in(world: World) -> None:
    _, secret = new_key(world, "telegraf", "write")
    answer = world.client.post("/api/v1/session", json={"key": secret}, headers=page(world))
    assert (answer.status_code, answer.json()["role"]) == (403, "viewer")


def test_guesses_are_limited_and_lock_nobody_out(world: World) -> None:
    _, secret = new_key(world, "ann", "viewer")
    statuses = [
        world.client.post("/api/v1/session", json={"key": f"guess{n}"}, headers=page(world)).status_code
        for n in range(30)
    ]
    assert statuses[:9] == [401] * 9
    assert statuses[-1] == 429
    assert world.client.get("/api/v1/about", headers=bearer("short")).status_code == 429
    # From the very same address, with a key or a long token.
    assert world.client.get("/api/v1/about", headers=bearer(secret)).status_code == 200
    assert world.client.get("/api/v1/about", headers=bearer(LONG)).status_code == 200
    signed_in(world, secret)
    before = len(list(world.store.store.acts()))
    for _ in range(2):
        for one in world.service.tending:
            one()
    acts = list(world.store.store.acts())[before:]
    assert [(a.by, a.deed) for a in acts] == [("nobody", "sign in refused")]
    assert acts[0].text.endswith("wrong keys from 1 address")
    assert "guess" not in acts[0].text


def test_the_stream_ends_with_the_key_and_with_the_session(world: World) -> None:
    number, secret = new_key(world, "ann", "viewer")
    client = signed_in(world, secret)
    ended: list[str] = []

    def listen(name: str, headers: dict[str, str], cookies: dict[str, str]) -> None:
        with httpx.stream(
            "GET", f"{world.web.url}/api/v1/stream", headers=headers, cookies=cookies, timeout=60
        ) as stream:
            for _ in stream.iter_bytes():
                begun.release()
        ended.append(name)

    begun = threading.Semaphore(0)
    threads = [
        threading.Thread(target=listen, args=("key", bearer(secret), {})),
        threading.Thread(target=listen, args=("session", {}, dict(client.cookies))),
    ]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert begun.acquire(timeout=30)
    assert client.request("DELETE", "/api/v1/session", headers=page(world)).status_code == 200
    threads[1].join(30)
    assert ended == ["session"]
    world.client.delete(f"/api/v1/keys/{number}", headers=bearer(LONG))
    threads[0].join(30)
    assert ended == ["session", "key"]


def test_a_name_of_others_that_points_here_sees_nothing() -> None:
    with World() as world:
        for host, status in (("evil.example:8470", 403), ("localhost:1", 200), ("[::1]:2", 200), ("10.1.2.3", 200)):
            assert world.client.get("/api/v1/about", headers={"host": host}).status_code == status, host
    with World(server=ServerSettings(listen="127.0.0.1:0", external_url="https://ops.example/w/")) as world:
        assert world.client.get("/api/v1/about", headers={"host": "ops.example"}).status_code == 200


def test_who_comes_through_a_proxy_is_not_this_machine() -> None:
    with World() as world:
        for name in ("x-forwarded-for", "forwarded", "via"):
            headers = {name: "1.2.3.4"}
            assert world.client.get("/api/v1/about", headers=headers).json()["role"] == "viewer"
            assert world.client.post("/-/reload", headers=headers).status_code == 403


def test_an_unready_service_tells_strangers_no_names() -> None:
    with World(server=SHUT, starts=False) as world:
        assert world.client.get("/readyz").json() == {"ready": False, "reasons": ["starting"]}
