"""Judging: a challenger beside its champion: what either said of the same time, and what the rule makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from watchband.analysis.retraining import Confirmed, Side, Terms, Verdict, verdict
from watchband.apps.config.retrain import RetrainSettings
from watchband.apps.service.views.incidents import incidents
from watchband.core.alert import Alert
from watchband.core.duration import HOUR
from watchband.pipeline.bound import Lane
from watchband.pipeline.drifting import nominal_of
from watchband.pipeline.ledger import JUDGED, Ledger, group_of
from watchband.pipeline.lineage import Model, fold_name

if TYPE_CHECKING:
    from watchband.apps.service.service import Service


@dataclass(frozen=True)
class Judged:
    """A challenger and what the rule says of it.

    Parameters
    ----------
    model : Model
        The challenger.
    since, now : int
        The time in shadow so far, event time in ns UTC.
    champion, challenger : Side
        What either said.
    confirmed : sequence of Confirmed
        Incidents that count.
    verdict : Verdict
        What the rule makes of it.
    """

    model: Model
    since: int
    now: int
    champion: Side
    challenger: Side
    confirmed: Sequence[Confirmed]
    verdict: Verdict


def terms_of(settings: RetrainSettings) -> Terms:
    """What a configuration asks of a challenger."""
    return Terms(settings.shadow, settings.gain, settings.level, settings.off)


def judged(service: Service, watch: str, lane: Lane, terms: Terms) -> Judged | None:
    """How the challenger of a watch does; None where there is none, or it cannot go on."""
    model = lane.state.upstream.lineage.challenger
    shadow = None if model is None else service.runner.shadow(fold_name(watch, model.number))
    if model is None or shadow is None or shadow.state.ledger is None:
        return None
    ledger = service.look(lambda: shadow.state.ledger.copy() if shadow.state.ledger else Ledger())
    times = lane.state.prepare.last_time
    now = int(times.max()) + 1 if len(times) else ledger.since
    mine = [a for a in service.alerts() if a.watch == watch and a.kind in JUDGED]
    ours = Side(mine, coverage=coverage_of(service, watch, ledger.since))
    cover = coverage_of(service, fold_name(watch, model.number), ledger.since)
    theirs = Side(ledger.every(), ledger.counts, cover, ledger.dropped)
    sure = confirmed(service, mine, max(ledger.first, ledger.dropped), now)
    found = verdict(
        ours,
        theirs,
        sure,
        terms,
        since=ledger.since,
        now=max(now, ledger.since),
        groups={group_of(key) for key in list(lane.state.keys)},
        nominal=nominal_of(lane.bound.watch),
    )
    return Judged(model, ledger.since, now, ours, theirs, sure, found)


def confirmed(service: Service, mine: Sequence[Alert], since: int, now: int) -> list[Confirmed]:
    """Incidents that somebody acknowledged, as far as this watch alerted on them from a time on (ns UTC)."""
    ids = {alert.id for alert in mine if alert.opened >= since}
    found = []
    for incident in incidents(service):
        some = [alert for alert in incident.alerts if alert.id in ids]
        if some and service.acting.of([alert.id for alert in incident.alerts]).acknowledged is not None:
            ends = [(str(a.series), a.opened, now if a.closed is None else a.closed) for a in some]
            found.append(Confirmed(incident.id, tuple(ends)))
    return found


def coverage_of(service: Service, fold: str, since: int) -> float | None:
    """Share of points within the nominal band from a time on, to the hour; None where nothing is known."""
    hours = service.hours.read(fold, since // HOUR * HOUR, 2**62)
    known = float(hours.known.sum())
    return 1.0 - float(hours.outside.sum()) / known if known else None
