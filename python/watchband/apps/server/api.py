"""The API that the dashboard is made of: lists by cursor, times as RFC 3339, errors as problems."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from watchband import __version__
from watchband.apps.server.access import Viewer, guarded, needs
from watchband.apps.server.answers import answered, listed
from watchband.apps.server.given import key_of, length_of, range_of, time_of
from watchband.apps.server.problems import Problem
from watchband.apps.service.service import Service
from watchband.apps.service.status import instant
from watchband.apps.service.views.alerts import Asking, alert_page
from watchband.apps.service.views.deliveries import deliveries_document
from watchband.apps.service.views.fleet import fleet_of
from watchband.apps.service.views.incidents import incident_document, incident_page, incidents
from watchband.apps.service.views.points import POINTS_MAX, points_document
from watchband.apps.service.views.series import SPARK_POINTS, Wanted, series_page
from watchband.apps.service.views.settings import config_document
from watchband.apps.service.views.summary import sources_of, summary_of
from watchband.apps.service.views.watches import Asked as PreviewAsked
from watchband.apps.service.views.watches import preview_document, watch_documents
from watchband.core.duration import parse_duration
from watchband.core.errors import ConfigError
from watchband.core.matcher import Selector
from watchband.pipeline.rules import Budget, parse_rule

LIMIT_MAX = 10_000
TEXT_MAX = 4096
PAGES = ("now", "explore", "risk", "models", "budget", "windows", "alerts", "settings", "docs")
FEATURES = ("forecast",)

Limit = Annotated[int, Query(ge=1, le=LIMIT_MAX)]
Cursor = Annotated[str | None, Query(max_length=TEXT_MAX)]
Spark = Annotated[str | None, Query(max_length=20, description="Length of a sparkline, such as 6h.")]
Texts = Annotated[list[str] | None, Query(max_length=20)]
Number = Annotated[float | None, Query()]


class Api:
    """Endpoints that look.

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
        router.add_api_route("/about", self.about, methods=["GET"])
        for path, handler in (
            ("/summary", self.summary),
            ("/fleet", self.fleet),
            ("/sources", self.sources),
            ("/incidents", self.incidents),
            ("/incidents/{incident}", self.incident),
            ("/series", self.series),
            ("/series/points", self.points),
            ("/alerts", self.alerts),
            ("/deliveries", self.deliveries),
            ("/watches", self.watches),
            ("/watches/{name}/preview", self.preview),
        ):
            router.add_api_route(path, handler, methods=["GET"], dependencies=[needs("view")])
        # It names machines and files: not for everybody who can reach this.
        router.add_api_route("/config", self.config, methods=["GET"], dependencies=[needs("operate")])
        return router

    async def about(self, request: Request, who: Viewer) -> JSONResponse:
        """Who answers, who asks, and what there is to show."""
        service = self.service
        return JSONResponse(
            {
                "version": __version__,
                "name": "watchband",
                "role": who.role,
                "signed_in": who.given == "session",
                "sign_in": request.app.state.access.shut,
                "user": who.name,
                "started": instant(service.began),
                "external_url": service.config.server.external_url,
                "pages": list(PAGES),
                "features": list(FEATURES),
            }
        )

    async def summary(self) -> JSONResponse:
        """Figures over everything that is watched."""
        return await answered(self.service, lambda: summary_of(self.service))

    async def fleet(self, names: bool = False) -> JSONResponse:
        """Every series' score as columns; ``names`` says which series they are."""
        return await answered(self.service, lambda: fleet_of(self.service, names=names))

    async def sources(self) -> JSONResponse:
        """Every source and how it does."""
        return await answered(self.service, lambda: {"data": sources_of(self.service), "next": None})

    async def incidents(
        self,
        state: Literal["open", "closed"] | None = None,
        limit: Limit = 100,
        cursor: Cursor = None,
        spark: Spark = None,
    ) -> JSONResponse:
        """Incidents, newest first."""
        length = length_of(spark)
        return await listed(
            self.service, lambda: incident_page(self.service, state=state, limit=limit, cursor=cursor, spark=length)
        )

    async def incident(self, incident: str) -> JSONResponse:
        """One incident, by its id or by that of any of its alerts."""

        def found() -> dict[str, Any]:
            for one in incidents(self.service):
                if any(a.id == incident for a in one.alerts):
                    return incident_document(self.service, one)
            raise Problem(404, f"No incident has the id {incident[:64]!r}; it may have gone with the history.")

        return await answered(self.service, found)

    async def series(
        self,
        match: Annotated[str, Query(max_length=TEXT_MAX)] = "*",
        text: Texts = None,
        watch: Texts = None,
        state: Annotated[list[Literal["OK", "ALARM", "INSUFFICIENT_DATA", "NO_DATA"]] | None, Query()] = None,
        risk: Annotated[list[Literal["Idle", "Normal", "High Load", "Critical"]] | None, Query()] = None,
        score_min: Number = None,
        score_max: Number = None,
        value_min: Number = None,
        value_max: Number = None,
        sort: Literal["name", "-score", "score", "-time"] = "name",
        limit: Limit = 100,
        cursor: Cursor = None,
        spark: Spark = None,
        spark_points: Annotated[int, Query(ge=2, le=500)] = SPARK_POINTS,
    ) -> JSONResponse:
        """Series by name, labels, state, risk and ranges, each with its last point and band."""
        try:
            selector = Selector(match)
        except ConfigError as error:
            raise Problem(400, str(error)) from None
        wanted = Wanted(
            selector=selector,
            text=[t.lower() for t in text or ()],
            watches=watch or (),
            states=state or (),
            risks=risk or (),
            score=range_of(score_min, score_max),
            value=range_of(value_min, value_max),
        )
        length = length_of(spark)
        return await listed(
            self.service,
            lambda: series_page(
                self.service, wanted, sort=sort, limit=limit, cursor=cursor, spark=length, spark_points=spark_points
            ),
        )

    async def points(
        self,
        series: Annotated[str, Query(max_length=TEXT_MAX)],
        watch: Annotated[str | None, Query(max_length=200)] = None,
        since: Annotated[str | None, Query(alias="from", max_length=64)] = None,
        until: Annotated[str | None, Query(alias="to", max_length=64)] = None,
        max_points: Annotated[int, Query(ge=10, le=POINTS_MAX)] = 5000,
        resolution: Literal["auto", "hourly", "daily", "weekly", "monthly"] = "auto",
    ) -> JSONResponse:
        """Points of one series with band and score, as columns; hours, days or weeks where they would be too many."""
        key = key_of(series)
        start, end = time_of("from", since, 0), time_of("to", until, self.service.clock.now() + 1)
        return await answered(
            self.service,
            lambda: points_document(self.service, key, watch, start, end, points=max_points, resolution=resolution),
        )

    async def alerts(
        self,
        series: Annotated[str | None, Query(max_length=TEXT_MAX)] = None,
        watch: Texts = None,
        severity: Annotated[list[Literal["critical", "warning", "info"]] | None, Query()] = None,
        state: Literal["open", "closed"] | None = None,
        since: Annotated[str | None, Query(alias="from", max_length=64)] = None,
        until: Annotated[str | None, Query(alias="to", max_length=64)] = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> JSONResponse:
        """Alerts that were open at some time of a range, newest first."""
        asked = Asking(
            series=key_of(series) if series is not None else None,
            watches=watch or (),
            severities=severity or (),
            state=state,
            start=time_of("from", since, -(2**63)),
            end=time_of("to", until, 2**63 - 1),
        )
        return await listed(self.service, lambda: alert_page(self.service, asked, limit=limit, cursor=cursor))

    async def deliveries(
        self,
        sink: Annotated[str | None, Query(max_length=200)] = None,
        state: Literal["waiting", "dead"] | None = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> JSONResponse:
        """Notices that are not delivered, those that were given up first, and how every sink does."""
        return await answered(
            self.service, lambda: deliveries_document(self.service, sink=sink, state=state, limit=limit, cursor=cursor)
        )

    async def config(self) -> JSONResponse:
        """The configuration that runs, each value with where it comes from; secrets are not in it."""
        return await answered(self.service, lambda: config_document(self.service))

    async def watches(self) -> JSONResponse:
        """Every watch with its rule and policy."""
        return await answered(self.service, lambda: {"data": watch_documents(self.service), "next": None})

    async def preview(
        self,
        name: str,
        budget: Annotated[str | None, Query(max_length=40, description="Such as 2/day; as it is if left out.")] = None,
        period: Annotated[str, Query(max_length=20)] = "1w",
        consecutive: Annotated[int | None, Query(ge=1, le=1000)] = None,
        close_after: Annotated[int | None, Query(ge=1, le=10_000)] = None,
        cool_down: Annotated[int | None, Query(ge=0, le=10_000)] = None,
    ) -> JSONResponse:
        """What another budget or policy would have alerted in the last period."""
        given = {"consecutive": consecutive, "close_after": close_after, "cool_down": cool_down}
        try:
            rule = parse_rule(budget) if budget is not None else None
            length = parse_duration(period)
        except ConfigError as error:
            raise Problem(400, str(error)) from None
        if rule is not None and not isinstance(rule, Budget):
            raise Problem(400, f"A budget is written 2/day. Got {budget!r}.")
        asked = PreviewAsked(rule, {k: v for k, v in given.items() if v is not None}, length)
        return await answered(self.service, lambda: preview_document(self.service, name, asked))
