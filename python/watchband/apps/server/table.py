"""Points as a file: CSV, written while it is read, so that years cost no memory."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from watchband.apps.server.access import guarded, needs
from watchband.apps.server.answers import running
from watchband.apps.server.given import key_of, time_of
from watchband.apps.server.problems import Problem
from watchband.apps.service.service import Service
from watchband.apps.service.views.table import named, table
from watchband.core.errors import ConfigError

SERIES_MAX = 8
TEXT_MAX = 4096


def table_router(service: Service) -> APIRouter:
    """The route ``/api/v1/series/points.csv``."""
    router = guarded("/api/v1")

    async def points(
        series: Annotated[list[str], Query(max_length=SERIES_MAX, min_length=1)],
        watch: Annotated[str | None, Query(max_length=200)] = None,
        since: Annotated[str | None, Query(alias="from", max_length=64)] = None,
        until: Annotated[str | None, Query(alias="to", max_length=64)] = None,
        resolution: Literal["auto", "hourly", "daily", "weekly", "monthly"] = "auto",
    ) -> StreamingResponse:
        """Points of up to 8 series with band, score and unit as CSV, at most 1,000,000 rows."""
        running(service)
        keys = [key_of(text[:TEXT_MAX]) for text in series]
        start, end = time_of("from", since, 0), time_of("to", until, service.clock.now() + 1)
        try:
            wanted = await run_in_threadpool(named, service, keys, watch)
        except ConfigError as error:
            raise Problem(400, str(error)) from None
        return StreamingResponse(
            table(service, wanted, start, end, resolution),
            media_type="text/csv; charset=utf-8; header=present",
            headers={"Content-Disposition": 'attachment; filename="points.csv"', "Cache-Control": "no-store"},
        )

    router.add_api_route("/series/points.csv", points, methods=["GET"], dependencies=[needs("view")])
    return router
