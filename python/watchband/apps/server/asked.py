"""What an operator asks: status, alerts, single series. Small on purpose."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from watchband.apps.server.access import guarded, needs
from watchband.apps.server.answers import answered
from watchband.apps.server.problems import Problem
from watchband.apps.service.service import Service
from watchband.apps.service.status import alerts_of, series_of, status_of
from watchband.core.errors import ConfigError
from watchband.core.matcher import Selector
from watchband.core.series import SeriesKey

LIMIT_MAX = 1000


class Asked:
    """The endpoints that only look.

    Parameters
    ----------
    service : Service
        Who is asked.
    """

    def __init__(self, service: Service) -> None:
        self.service = service

    def router(self) -> APIRouter:
        """The routes."""
        router = guarded("/api/v1", dependencies=[needs("view")])
        router.add_api_route("/status", self.status, methods=["GET"])
        router.add_api_route("/status/alerts", self.alerts, methods=["GET"])
        router.add_api_route("/status/series", self.series, methods=["GET"])
        return router

    async def status(self) -> JSONResponse:
        """Everything at a glance."""
        return JSONResponse(await run_in_threadpool(status_of, self.service))

    async def alerts(
        self,
        open: bool | None = None,  # noqa: A002
        watch: Annotated[str | None, Query(max_length=200)] = None,
        limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = 100,
    ) -> JSONResponse:
        """The last alerts, newest first."""
        return await answered(
            self.service, lambda: alerts_of(self.service, open_only=bool(open), watch=watch, limit=limit)
        )

    async def series(
        self,
        series: Annotated[str | None, Query(max_length=4096)] = None,
        match: Annotated[str, Query(max_length=4096)] = "*",
        points: Annotated[int, Query(ge=1, le=256)] = 20,
        limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = 50,
    ) -> JSONResponse:
        """Series that match, with their last points and why there is an alert or none."""
        try:
            key = SeriesKey.parse(series) if series is not None else None
            selector = Selector(match)
        except ConfigError as error:
            raise Problem(400, str(error)) from None
        matches = (lambda k: k == key) if key is not None else selector.matches
        return await answered(self.service, lambda: series_of(self.service, matches, points=points, limit=limit))
