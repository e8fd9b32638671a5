"""Forecasts: what a watched series is expected to do."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from watchband.apps.server.access import guarded, needs
from watchband.apps.server.answers import answered
from watchband.apps.server.given import key_of, time_of
from watchband.apps.server.problems import Problem
from watchband.apps.service.service import Service
from watchband.apps.service.views.forecast import forecast_document
from watchband.core.duration import DAY, parse_duration
from watchband.core.errors import ConfigError


class Forecasts:
    """The endpoint that looks ahead.

    Parameters
    ----------
    service : Service
        Who is asked.
    """

    def __init__(self, service: Service) -> None:
        self.service = service

    def router(self) -> APIRouter:
        """The routes."""
        router = guarded("/api/v1")
        router.add_api_route("/series/forecast", self.forecast, methods=["GET"], dependencies=[needs("view")])
        return router

    async def forecast(
        self,
        series: Annotated[str, Query(max_length=4096)],
        watch: Annotated[str | None, Query(max_length=200)] = None,
        horizon: Annotated[str | None, Query(max_length=20, description="Such as 6h; a day if left out.")] = None,
        until: Annotated[str | None, Query(alias="to", max_length=64)] = None,
    ) -> JSONResponse:
        """The band of one series beyond its last point, as columns, and how far it was tried."""
        if horizon is not None and until is not None:
            raise Problem(400, "Say 'horizon' or 'to', not both.")
        try:
            length = parse_duration(horizon) if horizon is not None else None
        except ConfigError as error:
            raise Problem(400, f"'horizon': {error}") from None
        key, end = key_of(series), None if until is None else time_of("to", until, 0)
        if length is None and end is None:
            length = DAY
        return await answered(
            self.service, lambda: forecast_document(self.service, key, watch, horizon=length, until=end)
        )
