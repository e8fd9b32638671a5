"""Behind a proxy that serves the dashboard below a path of its own: pages, assets, API and news come through."""

from __future__ import annotations

import http.client
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.apps.server.test_api import push
from tests.apps.server.world import World
from tests.apps.service.worlds import watch
from watchband.core.clock import SystemClock
from watchband.testing.streams import MINUTE

pytestmark = pytest.mark.browser
PREFIX = "/ops/watchband/"
NAME = 'queue_length{host="c"}'
_HOP = ("connection", "keep-alive", "transfer-encoding", "content-length", "date", "server")


class Proxy:
    """Takes the path away and passes on, as the page of the docs has it; bytes go out as they come.

    Parameters
    ----------
    address : str
        Host and port of the service.
    methods : tuple of str
        What is passed on.
    """

    def __init__(self, address: str, methods: tuple[str, ...] = ("GET",)) -> None:
        self.asked: list[str] = []
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def passed_on(self) -> None:
                proxy.asked.append(self.path)
                if not self.path.startswith(PREFIX):
                    self.send_error(404)
                    return
                upstream = http.client.HTTPConnection(address, timeout=60)
                headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", *_HOP)}
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                upstream.request(self.command, "/" + self.path.removeprefix(PREFIX), body or None, headers)
                answer = upstream.getresponse()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in _HOP:
                        self.send_header(name, value)
                self.send_header("Connection", "close")
                self.end_headers()
                try:
                    while part := answer.read1(65_536):
                        self.wfile.write(part)
                except OSError:
                    # The page has gone, or the service has.
                    pass
                finally:
                    upstream.close()

            def log_message(self, *_: Any) -> None:
                """Nobody reads it."""

        for method in methods:
            setattr(Handler, f"do_{method}", Handler.passed_on)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}{PREFIX}"

    def stop(self) -> None:
        """Answer nobody any more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    clock: Any = SystemClock()
    with World(watches={"all": watch(detector="ewma", cutoff=None, budget="1/week")}, clock=clock) as world:
        end = clock.now() // MINUTE
        push(world, 0, 500, NAME, 495, start=(end - 499) * MINUTE)
        yield world


@pytest.fixture(scope="module")
def proxy(world: World) -> Iterator[Proxy]:
    proxy = Proxy(world.web.address)
    yield proxy
    proxy.stop()


def test_everything_works_below_a_path(browser: Browser, world: World, proxy: Proxy) -> None:
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda m: said.append(m.text) if m.type in ("error", "warning") else None)
    page.goto(proxy.url)
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_contain_text("queue_length")
    page.get_by_role("navigation").first.get_by_role("link", name="Explore").click()
    expect(page).to_have_url(re.compile(re.escape(f"{proxy.url}explore")))
    rows = page.locator(".recent tbody tr")
    expect(rows.first).to_be_visible()
    first = rows.first.inner_text()
    # News come through, without a reload.
    push(world, 0, 1, NAME, start=(world.clock.now() // MINUTE + 1) * MINUTE)
    expect(rows.first).not_to_have_text(first, timeout=10_000)
    # An address that somebody was sent, opened anew.
    page.reload()
    expect(rows.first).to_be_visible()
    assert all(path.startswith(PREFIX) for path in proxy.asked), proxy.asked
    for kind in ("assets/", "api/v1/stream", "api/v1/series", "theme.js"):
        assert any(path.startswith(PREFIX + kind) for path in proxy.asked), kind
    assert said == []
    context.close()


def test_links_of_messages_lead_there(browser: Browser, world: World, proxy: Proxy) -> None:
    incident = httpx.get(f"{proxy.url}api/v1/incidents").json()["data"][0]
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{proxy.url}alerts/{incident['id']}")
    expect(page).to_have_url(f"{proxy.url}incident?id={incident['id']}")
    expect(page.get_by_role("heading", level=1)).to_have_text(incident["title"])
    context.close()


def test_who_comes_through_the_proxy_from_a_browser_changes_nothing(world: World, proxy: Proxy) -> None:
    # What a browser says there, sent on by a proxy that forgets to let only GET through.
    host = proxy.url.split("/")[2].replace("127.0.0.1", "ops.example")
    incident = httpx.get(f"{proxy.url}api/v1/incidents").json()["data"][0]["id"]
    headers = {"origin": f"http://{host}", "x-watchband": "1"}
    answer = world.client.post(f"/api/v1/incidents/{incident}/acknowledge", json={}, headers=headers)
    assert answer.status_code == 403
    assert httpx.post(f"{proxy.url}api/v1/incidents/{incident}/acknowledge", json={}).status_code == 501
