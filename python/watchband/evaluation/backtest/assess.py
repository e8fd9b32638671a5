"""Assess: alerts of one series against what is known of it, by times and within a span."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from watchband.core.alert import Alert
from watchband.evaluation.labels import FOUND_BY_ALERT, Label

VERDICTS = {
    "hit": "the first alert of a labelled event",
    "again": "a further alert of an event that was found",
    "aftermath": "after an event, while its end may still be seen: counts neither way",
    "false": "outside all events",
    "quiet": "in a stretch that was to stay quiet: a false alert",
    "unknown": "nothing is labelled",
}
"""How an alert may stand to the labels."""
FALSE = ("false", "quiet")


@dataclass(frozen=True, slots=True)
class Told:
    """An alert and how it stands to the labels.

    Parameters
    ----------
    alert : Alert
        Counted at the time at which it was decided: when people would have heard of it.
    verdict : str
        One of ``VERDICTS``.
    label : Label, optional
        The label it falls on.
    """

    alert: Alert
    verdict: str
    label: Label | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """A labelled event and the first alert in it.

    Parameters
    ----------
    label : Label
        What was to be found.
    alert : Alert, optional
        The first alert that opened within it; None where it was missed.
    delay_ns : int
        From the later of the label's start and the start of the span to that alert; 0 where missed.
    """

    label: Label
    alert: Alert | None = None
    delay_ns: int = 0

    @property
    def found(self) -> bool:
        """Whether an alert opened within it."""
        return self.alert is not None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one series under one contender, within a span.

    Parameters
    ----------
    series : str
        Its name.
    told : list of Told
        Alerts in order of their decision.
    events : list of Event
        Labelled events in order of time.
    start, end : int
        The span that counts, ns UTC: the first belongs to it, the second does not.
    """

    series: str
    told: list[Told]
    events: list[Event]
    start: int
    end: int

    def within(self, start: int, end: int) -> Outcome:
        """The part of a span: alerts decided and events begun in it."""
        begin, stop = max(start, self.start), min(end, self.end)
        told = [one for one in self.told if begin <= one.alert.decided < stop]
        events = [one for one in self.events if begin <= max(one.label.start, self.start) < stop]
        return Outcome(self.series, told, events, begin, max(begin, stop))

    def known_at(self, end: int) -> Outcome:
        """The part before a time as it was known then: an event whose alert came later was not found yet."""
        part = self.within(self.start, end)
        late = [one.alert is not None and one.alert.decided >= end for one in part.events]
        events = [Event(one.label) if after else one for one, after in zip(part.events, late, strict=True)]
        return replace(part, events=events)


def assess(
    series: str, alerts: Iterable[Alert], labels: Sequence[Label], start: int, end: int, *, labelled: bool = True
) -> Outcome:
    """Alerts of a series against its labels.

    An event is found when an alert is decided within it, from its first to its last time; further alerts in it are
    nothing, alerts up to ``settled`` neither. What is decided outside the span counts nowhere, and neither does an
    event that ends before it or begins after it.

    Parameters
    ----------
    series : str
        Its name.
    alerts : iterable of Alert
        Of this series.
    labels : sequence of Label
        Of this series; none is "nothing was wrong" if ``labelled``.
    start, end : int
        The span that counts, ns UTC; the end is not in it.
    labelled : bool, default True
        False: nobody said what was wrong, alerts are neither right nor false.

    Examples
    --------
    >>> found = assess("cpu", [], [Label("cpu", 10, 20)], 0, 100)
    >>> [event.found for event in found.events]
    [False]
    """
    faults = [a for a in labels if a.expect in FOUND_BY_ALERT]
    wanted = [a for a in faults if a.end >= start and a.start < end]
    quiet = [a for a in labels if a.expect == "quiet"]
    counted = sorted((a for a in alerts if start <= a.decided < end), key=lambda a: (a.decided, a.opened))
    events: dict[int, Event] = {at: Event(label) for at, label in enumerate(wanted)}
    told = []
    for alert in counted:
        inside = [at for at, label in enumerate(wanted) if label.start <= alert.decided <= label.end]
        fresh = [at for at in inside if not events[at].found]
        for at in fresh:
            events[at] = Event(wanted[at], alert, alert.decided - max(wanted[at].start, start))
        if inside:
            told.append(Told(alert, "hit" if fresh else "again", wanted[(fresh or inside)[0]]))
        else:
            told.append(_outside(alert, faults, quiet, labelled))
    return Outcome(series, told, sorted(events.values(), key=lambda e: e.label.start), start, end)


def _outside(alert: Alert, faults: Sequence[Label], quiet: Sequence[Label], labelled: bool) -> Told:
    for label in faults:
        if label.start <= alert.decided <= label.last:
            return Told(alert, "aftermath", label)
    for label in quiet:
        if label.start <= alert.decided <= label.last:
            return Told(alert, "quiet", label)
    return Told(alert, "false" if labelled else "unknown")
