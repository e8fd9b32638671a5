"""Windows and deploys over HTTP: what is active, coming and over; plan, change, end and delete, each written down."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from watchband.apps.server.access import Operator, guarded, needs
from watchband.apps.server.answers import answered, listed
from watchband.apps.server.given import key_of, time_of
from watchband.apps.server.problems import Problem
from watchband.apps.service.service import Service
from watchband.apps.service.views.window_preview import window_preview
from watchband.apps.service.views.windows import (
    deploy_document,
    deploys_page,
    row,
    spans_document,
    window_document,
    windows_page,
)
from watchband.core.duration import DAY, MINUTE, SECOND, parse_duration
from watchband.core.errors import ConfigError, UnknownNameError
from watchband.core.matcher import Selector
from watchband.core.plans import NEVER_ENDS, WEEKDAYS, Plan
from watchband.features.calendar import zone as zone_of

LIMIT_MAX = 1000
LENGTH_MAX = 366 * DAY
REPEATED_MAX = DAY
AGO_MAX = 31 * DAY
AHEAD_MAX = 366 * DAY

Id = Annotated[str, Path(max_length=64, pattern=r"^w[0-9a-f]{8}$")]
Limit = Annotated[int, Query(ge=1, le=LIMIT_MAX)]
Cursor = Annotated[str | None, Query(max_length=4096)]
Action = Literal["mute", "no_learn", "expect"]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"\S")]
Series = Annotated[str, Field(min_length=1, max_length=1000)]
Moment = Annotated[str, Field(max_length=64)]
Length = Annotated[str, Field(min_length=1, max_length=40)]
Text = Annotated[str, Field(max_length=500)]
Labels = Annotated[
    dict[Annotated[str, Field(min_length=1, max_length=64)], Annotated[str, Field(max_length=200)]],
    Field(max_length=10),
]


class NewWindow(BaseModel):
    """A window: from ``start`` (now, if left out) for so long, or until ``end``; on ``days`` it comes again."""

    model_config = ConfigDict(extra="forbid")
    name: Name
    action: Action = "mute"
    series: Series = "*"
    start: Moment | None = None
    end: Moment | None = None
    duration: Length | None = None
    factor: float = Field(1.0, gt=0, le=1e6)
    days: list[Day] = Field(default_factory=list, max_length=7)
    zone: str = Field("UTC", max_length=64)
    until: Moment | None = None
    labels: Labels = Field(default_factory=dict)
    text: Text = ""


class ChangedWindow(BaseModel):
    """What is to be other than it is."""

    model_config = ConfigDict(extra="forbid")
    name: Name | None = None
    series: Series | None = None
    start: Moment | None = None
    end: Moment | None = None
    duration: Length | None = None
    factor: float | None = Field(None, gt=0, le=1e6)
    days: list[Day] | None = Field(None, max_length=7)
    zone: str | None = Field(None, max_length=64)
    until: Moment | None = None
    text: Text | None = None


class NewDeploy(BaseModel):
    """A deploy, at a time or now. With ``mute`` or ``no_learn`` (a duration) its series are let off for so long."""

    model_config = ConfigDict(extra="forbid")
    name: Name
    time: Moment | None = None
    series: Series = "*"
    labels: Labels = Field(default_factory=dict)
    text: Text = ""
    mute: Length | None = None
    no_learn: Length | None = None


class Windows:
    """Endpoints of windows and deploys.

    Parameters
    ----------
    service : Service
        Whose.
    """

    def __init__(self, service: Service) -> None:
        self.service = service

    def router(self) -> APIRouter:
        """The routes."""
        router = guarded("/api/v1")
        for path, handler, method in (
            ("/windows", self.windows, "GET"),
            ("/windows", self.create, "POST"),
            ("/windows/preview", self.preview, "GET"),
            ("/windows/spans", self.spans, "GET"),
            ("/windows/{window}", self.window, "GET"),
            ("/windows/{window}", self.change, "PATCH"),
            ("/windows/{window}", self.delete, "DELETE"),
            ("/windows/{window}/end", self.end, "POST"),
            ("/deploys", self.deploys, "GET"),
            ("/deploys", self.deploy, "POST"),
            ("/deploys/{deploy}", self.undeploy, "DELETE"),
        ):
            look = [needs("view")] if method == "GET" else []
            router.add_api_route(path, handler, methods=[method], dependencies=look)
        return router

    async def windows(
        self,
        state: Literal["active", "coming", "past"] | None = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> JSONResponse:
        """Windows, what is active first, then what comes, then what is over."""
        return await listed(self.service, lambda: windows_page(self.service, state=state, limit=limit, cursor=cursor))

    async def window(self, window: Id) -> JSONResponse:
        """One window."""
        return await answered(self.service, lambda: self._shown(self.service.planning.of(window)))

    async def deploys(self, limit: Limit = 100, cursor: Cursor = None) -> JSONResponse:
        """Deploys, newest first."""
        return await listed(self.service, lambda: deploys_page(self.service, limit=limit, cursor=cursor))

    async def spans(
        self,
        series: Annotated[str, Query(max_length=4096)],
        watch: Annotated[str | None, Query(max_length=200)] = None,
        since: Annotated[str | None, Query(alias="from", max_length=64)] = None,
        until: Annotated[str | None, Query(alias="to", max_length=64)] = None,
    ) -> JSONResponse:
        """Windows and deploys of one series in a range, as a chart draws them."""
        now = self.service.clock.now()
        start, end = time_of("from", since, now - AGO_MAX), time_of("to", until, now + AGO_MAX)
        if end - start > 40 * AHEAD_MAX:
            raise Problem(400, "A range of windows has at most forty years. Give 'from' and 'to' that are nearer.")
        key = key_of(series)
        return await answered(self.service, lambda: spans_document(self.service, key, watch, start, end))

    async def preview(
        self,
        action: Action = "mute",
        series: Annotated[str, Query(min_length=1, max_length=1000)] = "*",
        start: Annotated[str | None, Query(max_length=64)] = None,
        end: Annotated[str | None, Query(max_length=64)] = None,
        duration: Annotated[str | None, Query(max_length=40)] = None,
        factor: Annotated[float, Query(gt=0, le=1e6)] = 1.0,
        days: Annotated[list[Day] | None, Query(max_length=7)] = None,
        zone: Annotated[str, Query(max_length=64)] = "UTC",
    ) -> JSONResponse:
        """What a window would hold back, by what was alerted at the same times of the last four weeks."""
        try:
            asked = NewWindow(
                name="preview", action=action, series=series, start=start, end=end, duration=duration, factor=factor,
                days=days or [], zone=zone,
            )  # fmt: skip
        except ValidationError as error:
            first = error.errors()[0]
            raise Problem(400, f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
        plan = planned(asked, self.service.clock.now())
        return await answered(self.service, lambda: window_preview(self.service, plan))

    async def create(self, who: Operator, body: NewWindow) -> JSONResponse:
        """Plan a window."""
        plan = planned(body, self.service.clock.now())
        return await answered(self.service, lambda: self._shown(self.service.planning.make(plan, who.name)))

    async def change(self, who: Operator, window: Id, body: ChangedWindow) -> JSONResponse:
        """Change a window that is not over."""

        def done() -> dict[str, Any]:
            planning = self.service.planning
            return self._shown(planning.change(window, changed(planning.of(window), body), who.name))

        return await answered(self.service, done)

    async def end(self, who: Operator, window: Id) -> JSONResponse:
        """End a window that is active; one that comes again does so the next time."""
        return await answered(self.service, lambda: self._shown(self.service.planning.end(window, who.name)))

    async def delete(self, who: Operator, window: Id) -> JSONResponse:
        """Take back a window that is coming, for good; one that is active ends."""
        return await answered(self.service, lambda: {"id": self.service.planning.delete(window, who.name).id})

    async def deploy(self, who: Operator, body: NewDeploy) -> JSONResponse:
        """Tell of a deploy."""
        now = self.service.clock.now()
        time = time_of("time", body.time, now)
        if not now - AGO_MAX <= time <= now + DAY:
            raise Problem(400, f"'time': a deploy was in the last 31 days, or is within a day. Got {body.time!r}.")
        _check_series(body.series)
        labels = tuple(sorted(body.labels.items()))
        plan = Plan("", body.name.strip(), "deploy", time, 0, body.series, labels=labels, text=body.text)
        lets = [("mute", body.mute), ("no_learn", body.no_learn)]
        windows = [
            planned(
                NewWindow(name=f"deploy {body.name}"[:100], action=action, series=body.series, duration=length),  # type: ignore[arg-type, call-arg]
                now,
            )
            for action, length in lets
            if length is not None
        ]

        def done() -> dict[str, Any]:
            planning = self.service.planning
            made = deploy_document(planning.make(plan, who.name))
            return {**made, "windows": [planning.make(window, who.name).id for window in windows]}

        return await answered(self.service, done)

    async def undeploy(self, who: Operator, deploy: Id) -> JSONResponse:
        """Take back a deploy that was a mistake."""
        return await answered(self.service, lambda: {"id": self.service.planning.delete(deploy, who.name).id})

    def _shown(self, plan: Plan) -> dict[str, Any]:
        if plan.action == "deploy":
            return deploy_document(plan)
        found = row(plan, self.service.clock.now())
        assert found is not None
        return window_document(found)


def planned(body: NewWindow, now: int) -> Plan:
    """The plan that a body asks for.

    Raises
    ------
    Problem
        400: it makes no sense, and says why.
    """
    start = time_of("start", body.start, now)
    days = tuple(day for day in WEEKDAYS if day in body.days)
    plan = Plan(
        "",
        body.name.strip(),
        body.action,
        start,
        _length(body.end, body.duration, start, 0),
        body.series,
        body.factor if body.action == "expect" else 1.0,
        days,
        body.zone,
        time_of("until", body.until, NEVER_ENDS),
        tuple(sorted(body.labels.items())),
        body.text.strip(),
    )
    if body.action == "expect" and body.factor == 1.0:
        raise Problem(400, "'factor': a window of the action 'expect' needs one other than 1, such as 3.")
    return _checked(plan, now)


def changed(old: Plan, body: ChangedWindow) -> dict[str, object]:
    """The parts of a plan that a body changes.

    Raises
    ------
    Problem
        400: nothing is given, or it makes no sense.
    """
    given: dict[str, object] = {
        name: value
        for name in ("name", "series", "factor", "zone", "text")
        if (value := getattr(body, name)) is not None
    }
    start = time_of("start", body.start, old.start)
    if body.start is not None:
        given["start"] = start
    if body.end is not None or body.duration is not None:
        given["length"] = _length(body.end, body.duration, start, old.length)
    if body.days is not None:
        given["days"] = tuple(day for day in WEEKDAYS if day in body.days)
    if body.until is not None:
        given["until"] = time_of("until", body.until, old.until)
    if not given:
        raise Problem(400, "Nothing is to be changed. Give any of name, series, start, end, duration, days or text.")
    _checked(replace(old, **given), old.made)  # type: ignore[arg-type]
    return given


def _checked(plan: Plan, now: int) -> Plan:
    _check_series(plan.series)
    try:
        zone_of(plan.zone)
    except UnknownNameError as error:
        raise Problem(400, f"'zone': {error}") from None
    most = REPEATED_MAX if plan.days else LENGTH_MAX
    if not SECOND <= plan.length <= most:
        said = "one day, since it comes again" if plan.days else "366 days"
        raise Problem(400, f"A window lasts between a second and {said}. Got {plan.length / MINUTE:,.3g} min.")
    if not now - AHEAD_MAX <= plan.start <= now + AHEAD_MAX:
        raise Problem(400, "'start': a window begins within a year of now.")
    if plan.until <= plan.start:
        raise Problem(400, "'until': nothing would begin before it. Give a time after 'start'.")
    if plan.days and plan.next(plan.start) is None:
        raise Problem(400, "'days': none of them comes between 'start' and 'until'.")
    return plan


def _check_series(text: str) -> None:
    try:
        Selector(text)
    except ConfigError as error:
        raise Problem(400, f"'series': {error}") from None


def _length(end: str | None, duration: str | None, start: int, otherwise: int) -> int:
    if (end is None) == (duration is None):
        if end is None and otherwise:
            return otherwise
        raise Problem(400, "Give either 'end' or 'duration': a window ends at some time.")
    if duration is not None:
        try:
            return parse_duration(duration)
        except ConfigError as error:
            raise Problem(400, f"'duration': {error}") from None
    found = time_of("end", end, 0)
    if found <= start:
        raise Problem(400, "'end': a window ends after it began.")
    return found - start
