"""A running service and a client that speaks to its server over a real socket on loopback."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx

from tests.apps.service.worlds import HandClock, KeptStore, config
from watchband.apps.server.app import create_app
from watchband.apps.server.web import Web
from watchband.apps.service.service import Service
from watchband.testing.streams import MINUTE, START


class World:
    """A service of stand-ins behind a real server.

    Whatever address the configuration says, the socket is on loopback.
    """

    def __init__(self, *, starts: bool = True, clock: HandClock | None = None, **given: Any) -> None:
        self.store, self.starts = given.pop("store", None) or KeptStore(), starts
        self.clock = clock or HandClock(START + 1000 * MINUTE)
        self.service = Service(config(store=self.store, **given), clock=self.clock)
        self.web = Web(create_app(self.service), replace(self.service.config.server, listen="127.0.0.1:0"))
        self._clients: list[httpx.Client] = []
        self.client = self.another()

    def __enter__(self) -> World:
        self.web.start()
        if self.starts:
            self.service.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.service.stop(10)
        for client in self._clients:
            client.close()
        self.web.stop()

    def another(self) -> httpx.Client:
        """A client with cookies of its own, as another browser is."""
        self._clients.append(httpx.Client(base_url=self.web.url, timeout=30.0))
        return self._clients[-1]

    def kept(self) -> dict[str, list[float]]:
        """Values in the log by series."""
        found: dict[str, list[float]] = {}
        for entry in self.store.store.log("main", 0):
            for r in entry.readings:
                found.setdefault(str(r.key), []).extend(r.values.tolist())
        return found
