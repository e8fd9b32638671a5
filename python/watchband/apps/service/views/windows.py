"""Windows and deploys as plain data: what is active, coming and over, whoever asked for it, and what a chart draws."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

from watchband.apps.service.status import instant
from watchband.apps.service.views.page import Page, page_of
from watchband.core.acts import Act
from watchband.core.duration import HOUR, SECOND, format_duration
from watchband.core.matcher import Selector
from watchband.core.plans import NEVER_ENDS, Occurrence, Plan, said
from watchband.core.series import SeriesKey
from watchband.core.timestamp import format_rfc3339

if TYPE_CHECKING:
    from watchband.apps.service.service import Service

State = Literal["active", "coming", "past"]
_RANKS = {"active": 0, "coming": 1, "past": 2}
SPANS_MAX = 500
"""Windows and deploys of one chart; of more, the last ones."""
BEFORE_ONSET = HOUR
"""A deploy is named with an incident that began at most so long after it."""
DEPLOYS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Row:
    """A window with the time that counts now: open, the next, or the last; ``place`` is where a file has it."""

    plan: Plan
    state: State
    time: Occurrence
    place: str = ""

    @property
    def key(self) -> tuple[int, int, str]:
        """Active first, those that end soonest; then what comes next; then the newest that is over."""
        order = {"active": self.time.end, "coming": self.time.start, "past": -self.time.end}[self.state]
        return _RANKS[self.state], order, self.plan.id


def rows(service: Service) -> list[Row]:
    """Every window, in order; deploys are none."""
    now = service.clock.now()
    found = [row(plan, now) for plan in service.planning.plans() if plan.action != "deploy"]
    found += [row(plan, now, place) for plan, place in configured(service)]
    return sorted((one for one in found if one is not None), key=lambda one: one.key)


def row(plan: Plan, now: int, place: str = "") -> Row | None:
    """A window as it stands now; None where it is never open."""
    time = plan.next(now)
    if time is not None:
        return Row(plan, "active" if time.start <= now else "coming", time, place)
    time = plan.last(now)
    return Row(plan, "past", time, place) if time is not None else None


def configured(service: Service) -> Iterator[tuple[Plan, str]]:
    """The spans that watches do not learn from, with where the configuration has them."""
    config = service.config
    for name, settings in config.watches.items():
        given = config.given.get(("watches", name, "exclude"))
        place = str(given.place) if given else config.path
        for number, (start, end) in enumerate(settings.options.excluded(), 1):
            series = settings.match[0] if len(settings.match) == 1 else " or ".join(settings.match)
            yield Plan(f"{name}/exclude/{number}", f"exclude of {name}", "no_learn", start, end - start, series), place


def windows_page(
    service: Service, *, state: State | None = None, limit: int = 100, cursor: str | None = None
) -> Page[dict[str, Any]]:
    """Windows: what is active first."""
    found = [one for one in rows(service) if state in (None, one.state)]
    page = page_of(found, lambda one: one.key, limit, cursor)
    about = _matching(service)
    return Page([window_document(one, about.get(one.plan.id)) for one in page.items], page.next, page.total)


def deploys_page(service: Service, *, limit: int = 100, cursor: str | None = None) -> Page[dict[str, Any]]:
    """Deploys, newest first."""

    def key(plan: Plan) -> tuple[int, str]:
        return -plan.start, plan.id

    found = sorted((plan for plan in service.planning.plans() if plan.action == "deploy"), key=key)
    page = page_of(found, key, limit, cursor)
    return Page([deploy_document(plan) for plan in page.items], page.next, page.total)


def window_document(one: Row, matching: int | None = None) -> dict[str, Any]:
    """A window with what can be done about it."""
    plan = one.plan
    person = not one.place
    able = {"active": ["change", "end", "delete"], "coming": ["change", "delete"], "past": []}[one.state]
    return {
        "id": plan.id,
        "name": plan.name,
        "action": plan.action,
        "state": one.state,
        "series": plan.series,
        "matching": matching,
        "start": instant(one.time.start),
        "end": instant(one.time.end),
        "seconds": plan.length / SECOND,
        "factor": plan.factor if plan.action == "expect" else None,
        "repeat": _repeat(plan),
        "labels": dict(plan.labels),
        "text": plan.text or None,
        "ended_early": one.time.end < one.time.start + plan.length,
        "origin": {
            "kind": "person" if person else "configuration",
            "by": plan.by or None,
            "at": instant(plan.made),
            "place": one.place or None,
        },
        "can": able if person else [],
    }


def deploy_document(plan: Plan) -> dict[str, Any]:
    """A deploy."""
    return {
        "id": plan.id,
        "name": plan.name,
        "time": instant(plan.start),
        "series": plan.series,
        "labels": dict(plan.labels),
        "text": plan.text or None,
        "by": plan.by,
        "at": instant(plan.made),
    }


def plan_words(act: Act) -> str:
    """What an act did to a window or a deploy, in words.

    Examples
    --------
    >>> one = Plan("w1", "backup", "mute", 0, HOUR, "cpu")
    >>> plan_words(Act(1, "ann", "window", "w1", one.written("made")))
    "made 'backup': mute cpu, 1970-01-01T00:00:00Z for 1h"
    """
    did, plan = said(act)
    if plan is None:
        return ""
    factor = f" x{plan.factor:g}" if plan.action == "expect" else ""
    days = f", {' '.join(plan.days)} by the clock of {plan.zone}" if plan.days else ""
    length = f" for {format_duration(plan.length)}" if plan.length else ""
    labels = "".join(f", {key} {value}" for key, value in plan.labels)
    when = format_rfc3339(plan.start)
    return f"{did} {plan.name!r}: {plan.action}{factor} {plan.series}, {when}{length}{days}{labels}"


def _repeat(plan: Plan) -> dict[str, Any] | None:
    if not plan.days:
        return None
    first = datetime.fromtimestamp(plan.start // SECOND, UTC).astimezone(ZoneInfo(plan.zone))
    return {
        "days": list(plan.days),
        "at": first.strftime("%H:%M:%S" if first.second else "%H:%M"),
        "zone": plan.zone,
        "from": instant(plan.start),
        "until": None if plan.until == NEVER_ENDS else instant(plan.until),
    }


def _matching(service: Service) -> dict[str, int]:
    """How many series under all watches each window is about that the log knows, by plan."""
    now = service.clock.now()

    def look() -> dict[str, int]:
        found: dict[str, int] = {}
        for lane in (service.engine.shard.lanes if service.engine.shard else {}).values():
            windows, mine = lane.state.upstream.windows, {}
            for window in windows.events():
                if window.end > now:
                    mine[window.name.partition("@")[0]] = int(windows.matching(window, lane.state.keys).sum())
            for plan, n in mine.items():
                found[plan] = found.get(plan, 0) + n
        return found

    return service.look(look)


def spans_document(service: Service, key: SeriesKey, watch: str | None, start: int, end: int) -> dict[str, Any]:
    """Windows and deploys of a series between two times, as a chart draws them.

    Parameters
    ----------
    service : Service
        Whose.
    key : SeriesKey
        The series.
    watch : str or None
        Of the watches' own excluded spans, those of this one; None: of all that take the series.
    start, end : int
        ns UTC.
    """
    windows, deploys = [], []
    for plan in service.planning.plans():
        # Most are of another time: that is asked first.
        if not plan.days and not (plan.start < end and plan.start + plan.length >= start):
            continue
        if not selector_of(plan.series).matches(key):
            continue
        if plan.action == "deploy":
            deploys.append(deploy_document(plan))
            continue
        # What was judged before it was asked for stays as it was: there it is not drawn.
        since = max(start, plan.made)
        windows += [
            _span(plan, replace(one, start=max(one.start, plan.made)))
            for one in plan.occurrences(since, end)
            if one.end > max(one.start, plan.made)
        ]
    for plan, _ in configured(service):
        name = plan.id.partition("/exclude/")[0]
        if watch in (None, name) and service.config.watches[name].shows(key):
            windows += [_span(plan, one) for one in plan.occurrences(start, end)]
    windows.sort(key=lambda one: (str(one["start"]), str(one["id"])))
    deploys.sort(key=lambda one: (str(one["time"]), str(one["id"])))
    return {"series": str(key), "windows": windows[-SPANS_MAX:], "deploys": deploys[-SPANS_MAX:]}


@lru_cache(maxsize=1024)
def selector_of(text: str) -> Selector:
    """A selector, read once."""
    return Selector(text)


def _span(plan: Plan, one: Occurrence) -> dict[str, Any]:
    return {
        "id": plan.id,
        "name": plan.name,
        "action": plan.action,
        "factor": plan.factor if plan.action == "expect" else None,
        "start": instant(one.start),
        "end": instant(one.end),
        "by": plan.by or None,
    }


def deploys_before(service: Service, keys: Sequence[SeriesKey], onset: int, until: int) -> list[dict[str, Any]]:
    """Deploys that concern any of these series, from an hour before an onset on; how long before it each came."""
    found = []
    for plan in service.planning.plans():
        if plan.action == "deploy" and onset - BEFORE_ONSET <= plan.start <= until:
            selector = selector_of(plan.series)
            if any(selector.matches(key) for key in keys):
                found.append(plan)
    found.sort(key=lambda plan: plan.start)
    # Those nearest to the onset say most.
    near = sorted(found, key=lambda plan: abs(plan.start - onset))[:DEPLOYS_SHOWN]
    return [
        {**deploy_document(plan), "before_seconds": (onset - plan.start) / SECOND} for plan in found if plan in near
    ]
