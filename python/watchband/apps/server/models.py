"""Models over HTTP: what watches learned, whether that still holds, and the way back to an earlier state."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from watchband.apps.server.access import Admin, guarded, needs
from watchband.apps.server.answers import answered, listed
from watchband.apps.server.given import key_of, time_of
from watchband.apps.server.problems import Problem
from watchband.apps.service.modelling import approve, revert_to
from watchband.apps.service.service import Service
from watchband.apps.service.views.models import drift_page, history_document, model_documents, snapshot_documents
from watchband.core.duration import DAY
from watchband.core.errors import ConfigError
from watchband.core.matcher import Selector

LONGEST = 400 * DAY
Name = Annotated[str, Field(min_length=1, max_length=200)]
Series = Annotated[str, Field(min_length=1, max_length=1000)]
Moment = Annotated[str | None, Query(max_length=64)]


class Reverted(BaseModel):
    """Which watch, behind which entry of the log its snapshot stands, and which series; all if left out."""

    model_config = ConfigDict(extra="forbid")
    watch: Name
    sequence: int = Field(ge=1, le=2**62)
    series: Series = "*"


class Approved(BaseModel):
    """Which watch, and which of its series; all if left out."""

    model_config = ConfigDict(extra="forbid")
    watch: Name
    series: Series = "*"


class Models:
    """Endpoints of models, drift and snapshots.

    Parameters
    ----------
    service : Service
        Whose.
    """

    def __init__(self, service: Service) -> None:
        self.service = service

    def router(self) -> Any:
        """The routes."""
        router = guarded("/api/v1")
        for path, handler in (
            ("/models", self.models),
            ("/models/history", self.history),
            ("/drift", self.drift),
            ("/snapshots", self.snapshots),
        ):
            router.add_api_route(path, handler, methods=["GET"], dependencies=[needs("view")])
        router.add_api_route("/snapshots/revert", self.revert, methods=["POST"])
        router.add_api_route("/drift/approve", self.approve, methods=["POST"])
        return router

    async def models(self) -> JSONResponse:
        """Every watch with its detector: what it has seen, and what it keeps of what it promises."""
        return await answered(self.service, lambda: {"data": model_documents(self.service), "next": None})

    async def history(
        self,
        watch: Annotated[str, Query(max_length=200)],
        series: Annotated[str | None, Query(max_length=4096)] = None,
        since: Annotated[str | None, Query(alias="from", max_length=64)] = None,
        until: Annotated[str | None, Query(alias="to", max_length=64)] = None,
        model: Annotated[int | None, Query(ge=0, le=2**31, description="One in shadow, by its number.")] = None,
    ) -> JSONResponse:
        """Cut-off with the limits of its history, coverage and anomaly rate, as columns; by default a week.

        Of a model in shadow where ``model`` is its number.
        """
        key = key_of(series) if series is not None else None
        end = time_of("to", until, self.service.clock.now() + 1)
        start = time_of("from", since, end - 7 * DAY)
        if not start < end <= start + LONGEST:
            raise Problem(400, "A range begins before it ends and lasts at most 400 days.")
        return await answered(self.service, lambda: history_document(self.service, watch, key, start, end, model))

    async def drift(
        self,
        watch: Annotated[list[str] | None, Query(max_length=20)] = None,
        state: Annotated[list[Literal["drifting", "steady", "learning"]] | None, Query()] = None,
        match: Annotated[str, Query(max_length=4096)] = "*",
        limit: Annotated[int, Query(ge=1, le=10_000)] = 100,
        cursor: Annotated[str | None, Query(max_length=4096)] = None,
    ) -> JSONResponse:
        """Series with what their monitors of drift read, those that drift first."""
        try:
            selector = Selector(match)
        except ConfigError as error:
            raise Problem(400, str(error)) from None
        return await listed(
            self.service,
            lambda: drift_page(
                self.service, watches=watch or (), states=state or (), selector=selector, limit=limit, cursor=cursor
            ),
        )

    async def snapshots(self, watch: Annotated[str | None, Query(max_length=200)] = None) -> JSONResponse:
        """States that are kept and that a watch can go back to."""
        return await answered(self.service, lambda: {"data": snapshot_documents(self.service, watch), "next": None})

    async def revert(self, who: Admin, body: Reverted) -> JSONResponse:
        """Put what a watch learned back to a snapshot; from here on, and in every replay from here on."""
        return await answered(
            self.service, lambda: revert_to(self.service, body.watch, body.sequence, body.series, who.name)
        )

    async def approve(self, who: Admin, body: Approved) -> JSONResponse:
        """Take what now comes as what drift is measured against."""
        return await answered(self.service, lambda: approve(self.service, body.watch, body.series, who.name))
