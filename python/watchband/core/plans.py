"""Plans: windows that people ask for, once or on days of the week, and deploys. Made of acts, as all that people do."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from typing import Any, Literal
from zoneinfo import ZoneInfo

from watchband.core.acts import TEXT_MAX, Act
from watchband.core.duration import DAY, SECOND, WEEK
from watchband.core.errors import ConfigError
from watchband.core.events import WindowAction, WindowOpened

PlanAction = Literal["mute", "no_learn", "expect", "deploy"]
DEEDS = ("window", "deploy")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
NEVER_ENDS = 2**63 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_YEAR = 2260


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One time a window is open: from ``start`` to before ``end``, ns UTC."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Plan:
    """A window that somebody asked for, or a deploy.

    Parameters
    ----------
    id : str
        ``w`` and eight hexadecimal digits.
    name : str
        What people call it.
    action : str
        ``mute``, ``no_learn``, ``expect``, as of ``core.events.WindowOpened``; a ``deploy`` changes nothing by itself.
    start, length : int
        The first time it is open, ns UTC, and for how long; a deploy has a length of 0.
    series : str, default ``"*"``
        A selector.
    factor : float, default 1
        Of ``expect``.
    days : tuple of str
        Days of the week on which it comes again at the same time of the clock of ``zone``; empty: once.
    zone : str, default ``"UTC"``
        An IANA time zone.
    until : int
        Nothing begins at or after this time, ns UTC.
    labels : tuple of (str, str)
        What else is known of it: a version, a service.
    text : str
        Why.
    by : str
        Who asked for it.
    made : int
        When, ns UTC.
    cut : Occurrence or None
        The occurrence that somebody ended early, with the end it got.
    """

    id: str
    name: str
    action: PlanAction
    start: int
    length: int
    series: str = "*"
    factor: float = 1.0
    days: tuple[str, ...] = ()
    zone: str = "UTC"
    until: int = NEVER_ENDS
    labels: tuple[tuple[str, str], ...] = ()
    text: str = ""
    by: str = ""
    made: int = 0
    cut: Occurrence | None = None

    def occurrences(self, start: int, end: int) -> Iterator[Occurrence]:
        """When it is open between two times (ns UTC), in order; those that reach into the range are whole.

        On days of the week the clock of the zone says when it begins; it lasts as long whatever the clock does. A time
        that the clock leaves out is taken as long after midnight as on other days.

        Examples
        --------
        >>> hour = 3_600_000_000_000
        >>> backup = Plan("w0", "backup", "mute", 2 * hour, hour, days=("thu",))
        >>> [o.start // hour for o in backup.occurrences(0, 16 * 24 * hour)]
        [2, 170, 338]
        """
        for begins in self._starts(start - self.length, min(end, self.until)):
            ends = begins + self.length
            if self.cut is not None and self.cut.start == begins:
                ends = min(ends, self.cut.end)
            if begins < end and (ends > start or begins == ends == start):
                yield Occurrence(begins, ends)

    def like(self, start: int, end: int) -> list[Occurrence]:
        """The same times of the clock in another range, whether it was planned by then or not; once: of the week."""
        if self.days:
            always = replace(self, cut=None, until=NEVER_ENDS)
            starts = always._starts(start, end, always=True)
        else:
            weeks = -(-(self.start - end) // WEEK)
            starts = (self.start - k * WEEK for k in range(max(weeks, 0) + (end - start) // WEEK + 1, -1, -1))
        return [Occurrence(s, s + self.length) for s in starts if s >= start and s + self.length <= end]

    def _starts(self, first: int, before: int, *, always: bool = False) -> Iterator[int]:
        if not self.days:
            if self.start < before:
                yield self.start
            return
        place = ZoneInfo(self.zone)
        local = _moment(self.start).astimezone(place)
        at, rest = local.time(), self.start % SECOND
        day = _moment(first).astimezone(place).date() - timedelta(days=1)
        day = day if always else max(local.date(), day)
        while day.year <= _LAST_YEAR:
            begins = _instant(day, at, place) + rest
            if begins >= before:
                return
            if (always or begins >= self.start) and WEEKDAYS[day.weekday()] in self.days:
                yield begins
            day += timedelta(days=1)

    def next(self, now: int) -> Occurrence | None:
        """The occurrence that is open or comes next; None where there is none any more."""
        reach = now + 8 * DAY + self.length if self.days else NEVER_ENDS
        if self.days and self.start > now:
            reach = self.start + 8 * DAY + self.length
        return next((o for o in self.occurrences(now, reach) if o.end > now), None)

    def last(self, now: int) -> Occurrence | None:
        """The last occurrence that is over; None where there was none yet."""
        since = min(now, self.until) - 8 * DAY - 2 * self.length if self.days else self.start
        found = [o for o in self.occurrences(since, now + 1) if o.end <= now]
        return found[-1] if found else None

    def event(self, occurrence: Occurrence) -> WindowOpened:
        """What the log says of an occurrence."""
        action: WindowAction = "mute" if self.action == "deploy" else self.action
        name = f"{self.id}@{occurrence.start // SECOND}"
        return WindowOpened(name, action, occurrence.start, occurrence.end, self.series, self.factor, self.name)

    def written(self, did: str) -> str:
        """As text of an act, which ``plans_of`` reads.

        Raises
        ------
        ConfigError
            It is longer than the text of an act may be.
        """
        found = dataclasses.asdict(self)
        found["until"] = None if self.until == NEVER_ENDS else self.until
        text = json.dumps({"did": did, "plan": found}, ensure_ascii=False, separators=(",", ":"))
        if len(text) > TEXT_MAX:
            raise ConfigError(
                f"What is written down of {self.name!r} has {len(text):,} characters, {TEXT_MAX:,} are kept. Give "
                "fewer labels, or a shorter selector or text."
            )
        return text


def plans_of(acts: Iterable[Act]) -> dict[str, Plan]:
    """Every plan as it stands after some acts, by id; those that were deleted are not in it.

    Examples
    --------
    >>> one = Plan("w1", "backup", "mute", 0, 60)
    >>> found = plans_of([Act(1, "ann", "window", "w1", one.written("made"))])
    >>> found["w1"] == one, plans_of([Act(1, "ann", "window", "w1", one.written("deleted"))])
    (True, {})
    """
    found: dict[str, Plan] = {}
    for act in acts:
        if act.deed in DEEDS:
            did, plan = said(act)
            found.pop(act.target, None)
            if plan is not None and did != "deleted":
                found[plan.id] = plan
    return found


def said(act: Act) -> tuple[str, Plan | None]:
    """What an act did to which plan; nothing where its text is none of this release."""
    try:
        data = json.loads(act.text)
        return str(data["did"]), _plan(data["plan"])
    except (ValueError, KeyError, TypeError):
        return "", None


def _plan(data: dict[str, Any]) -> Plan:
    cut, until = data.get("cut"), data.get("until")
    return Plan(
        **{
            **data,
            "days": tuple(data.get("days", ())),
            "labels": tuple((str(k), str(v)) for k, v in data.get("labels", ())),
            "until": NEVER_ENDS if until is None else int(until),
            "cut": Occurrence(**cut) if cut else None,
        }
    )


def _moment(ns: int) -> datetime:
    return _EPOCH + timedelta(seconds=min(max(ns // SECOND, -(10**10)), 9 * 10**9))


def _instant(day: date, at: clock_time, place: ZoneInfo) -> int:
    local = datetime.combine(day, at.replace(microsecond=0), place)
    return round((local.astimezone(UTC) - _EPOCH).total_seconds()) * SECOND
