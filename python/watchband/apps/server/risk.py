"""Risk over the API: the states of entities, and what is known of them."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from watchband.apps.server.access import guarded, needs
from watchband.apps.server.answers import answered, listed
from watchband.apps.server.problems import Problem
from watchband.apps.service.service import Service
from watchband.apps.service.views.risk import RIBBONS, entity_page, risk_document
from watchband.core.duration import DAY, HOUR, parse_duration
from watchband.core.errors import ConfigError

LENGTH_MAX = 92 * DAY
RIBBONS_MAX = 500
State = Literal["Idle", "Normal", "High Load", "Critical", "Unknown"]


class RiskPage:
    """Endpoints that look at risk.

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
        for path, handler in (("/risk", self.risk), ("/risk/entities", self.entities)):
            router.add_api_route(path, handler, methods=["GET"], dependencies=[needs("view")])
        return router

    async def risk(
        self,
        period: Annotated[str, Query(max_length=20, description="How much of the past, such as 24h.")] = "24h",
        ribbons: Annotated[int, Query(ge=0, le=RIBBONS_MAX)] = RIBBONS,
    ) -> JSONResponse:
        """Entities by state, now and over time, where they stand, and what makes a state."""
        try:
            length = parse_duration(period)
        except ConfigError as error:
            raise Problem(400, f"'period': {error}") from None
        if not HOUR <= length <= LENGTH_MAX:
            raise Problem(400, f"'period' is 1h to 92d. Got {period!r}.")
        return await answered(self.service, lambda: risk_document(self.service, length, ribbons))

    async def entities(
        self,
        state: Annotated[list[State] | None, Query()] = None,
        text: Annotated[list[str] | None, Query(max_length=20)] = None,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 100,
        cursor: Annotated[str | None, Query(max_length=4096)] = None,
    ) -> JSONResponse:
        """Entities, the worst first, each with its state, since when, and why."""
        parts = [part.lower() for part in text or ()]
        return await listed(
            self.service,
            lambda: entity_page(self.service, states=state or (), text=parts, limit=limit, cursor=cursor),
        )
