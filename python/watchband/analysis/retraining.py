"""Retraining: whether a challenger that stood in shadow beside a watch's model is to judge in its place.

The rule: it spares false alerts, by an interval that excludes zero, and loses no incident that somebody confirmed; and
its band still holds what it promises, since a model that sees nothing spares every alert.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from watchband.core.alert import Alert
from watchband.core.duration import DAY, format_duration
from watchband.core.wording import listed
from watchband.evaluation.metrics.bootstrap import Interval, paired
from watchband.pipeline.ledger import JUDGED, group_of

Outcome = Literal["waiting", "better", "unproven", "worse", "no better"]
Cell = tuple[int, int]
UNITS_MIN = 5
"""Days, or groups of series, below which nothing is said by drawing them anew."""
DRAWS = 2000


@dataclass(frozen=True)
class Terms:
    """What is asked of a challenger.

    Parameters
    ----------
    shadow : int
        ns that it is watched before the rule decides.
    gain : float
        Share of the false alerts that it must spare at least.
    level : float
        Of the interval.
    off : float
        How much farther off nominal its coverage may be than the champion's.
    """

    shadow: int = 7 * DAY
    gain: float = 0.1
    level: float = 0.95
    off: float = 0.03

    @property
    def words(self) -> str:
        """The rule as a sentence."""
        least, level = f"{100 * self.gain:g} %", f"{100 * self.level:g} %"
        return (
            f"Promoted after {format_duration(self.shadow)} in shadow if it spares at least {least} of the false "
            f"alerts, the {level} interval of what it spares excludes zero, no confirmed incident is lost, and its "
            f"coverage is at most {100 * self.off:g} points farther off nominal."
        )


@dataclass(frozen=True)
class Confirmed:
    """An incident that somebody confirmed: its id, and the stretches of series (ns UTC) that the watch alerted on."""

    id: str
    stretches: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class Side:
    """What one of the two said.

    Parameters
    ----------
    alerts : sequence of Alert
        Also those before the time in shadow, as far as it judged then.
    counts : mapping of (day, group) to int, optional
        How many opened in the time in shadow, where not all alerts are kept.
    coverage : float or None
        Share of points within the nominal band.
    dropped : int
        Alerts that opened before (ns UTC) may be missing.
    """

    alerts: Sequence[Alert]
    counts: Mapping[Cell, int] | None = None
    coverage: float | None = None
    dropped: int = 0

    def meets(self, incident: Confirmed) -> bool:
        """Whether it alerts within an incident."""
        spans = [(str(a.series), a.opened, 2**63 if a.closed is None else a.closed) for a in self.alerts]
        return any(
            series == where and opened <= end and closed >= start
            for where, start, end in incident.stretches
            for series, opened, closed in spans
        )


@dataclass(frozen=True)
class Verdict:
    """What becomes of a challenger.

    Parameters
    ----------
    outcome : {"waiting", "better", "unproven", "worse", "no better"}
        By the rule; ``unproven`` is quieter, with nothing that shows it is not blind: a person decides.
    says : str
        Why, in a sentence or two.
    champion, challenger : int
        Alerts of either in the time in shadow that belong to no confirmed incident.
    spared : Interval or None
        Of the difference; None where there is too little to say.
    confirmed : int
        Incidents that were confirmed and that both could see.
    lost : tuple of str
        Those that the challenger does not see.
    """

    outcome: Outcome
    says: str
    champion: int
    challenger: int
    spared: Interval | None
    confirmed: int
    lost: tuple[str, ...] = field(default=())


def verdict(
    champion: Side,
    challenger: Side,
    confirmed: Sequence[Confirmed],
    terms: Terms,
    *,
    since: int,
    now: int,
    groups: Iterable[int] = (),
    nominal: float | None = None,
) -> Verdict:
    """The rule, applied.

    Parameters
    ----------
    champion, challenger : Side
        What either said.
    confirmed : sequence of Confirmed
        Incidents of the champion that somebody confirmed, also before the time in shadow as far as both judged them.
    terms : Terms
        What is asked.
    since, now : int
        The time in shadow, ns UTC.
    groups : iterable of int
        The groups (``ledger.group_of``) that series are in: those without an alert count too.
    nominal : float, optional
        Share of points that the band is to hold.
    """
    lost = tuple(one.id for one in confirmed if not challenger.meets(one))
    ours, theirs = (_false(side, confirmed, since) for side in (champion, challenger))
    spared = _spared(ours, theirs, since // DAY, now // DAY, set(groups), terms.level)
    left, right = sum(ours.values()), sum(theirs.values())
    said = f"It would have given {_alerts(right)} where {_alerts(left)} came"
    told = f"{said}, besides {len(confirmed)} confirmed {'incident' if len(confirmed) == 1 else 'incidents'}"
    about = (left, right, spared, len(confirmed), lost)
    if lost:
        names = listed([f"{one}" for one in lost[:5]])
        return Verdict("worse", f"It does not see {names}, which somebody confirmed. {told}.", *about)
    if (blind := _blind(champion.coverage, challenger.coverage, nominal, terms.off)) is not None and now - since >= min(
        terms.shadow, DAY
    ):
        return Verdict("worse", f"{blind} {told}.", *about)
    if now - since < terms.shadow:
        rest = format_duration((terms.shadow - (now - since)) // 60_000_000_000 * 60_000_000_000 or 60_000_000_000)
        return Verdict("waiting", f"{told} so far; the rule decides in {rest}.", *about)
    if spared is None:
        return Verdict("no better", f"{told}: too few days and series to tell chance from gain.", *about)
    span = f"the {100 * terms.level:g} % interval of what it spares is {spared.low:g} to {spared.high:g}"
    if spared.high < 0:
        return Verdict("worse", f"It is louder: {told}; {span}.", *about)
    if spared.low <= 0:
        return Verdict("no better", f"{told}; {span}, which does not exclude zero.", *about)
    if left - right < terms.gain * left:
        return Verdict("no better", f"{told}, a gain below {100 * terms.gain:g} %; {span}.", *about)
    if not confirmed and (nominal is None or not np.isfinite(nominal)):
        doubt = "No incident was confirmed and its rule promises no coverage, so nothing shows that it is not blind"
        return Verdict("unproven", f"{told}; {span}. {doubt}: a person decides.", *about)
    return Verdict("better", f"{told}; {span}.", *about)


def _alerts(count: int) -> str:
    return f"{count} false {'alert' if count == 1 else 'alerts'}"


def _blind(champion: float | None, challenger: float | None, nominal: float | None, slack: float) -> str | None:
    """Why its band is none, if so."""
    if challenger is None or nominal is None or not np.isfinite(nominal):
        return None
    before = abs(champion - nominal) if champion is not None else 0.0
    if abs(challenger - nominal) <= before + slack:
        return None
    return f"Its band holds {100 * challenger:.1f} % of the points instead of {100 * nominal:.1f} %."


def _false(side: Side, confirmed: Sequence[Confirmed], since: int) -> Counter[Cell]:
    """Alerts that opened in the time in shadow and belong to no confirmed incident, by day and group of series."""
    inside: dict[str, list[tuple[int, int]]] = {}
    for one in confirmed:
        for series, start, end in one.stretches:
            inside.setdefault(series, []).append((start, end))
    right: Counter[Cell] = Counter()
    found: Counter[Cell] = Counter()
    for alert in side.alerts:
        if alert.opened < since or alert.kind not in JUDGED:
            continue
        cell = alert.opened // DAY, group_of(alert.series)
        closed = 2**63 if alert.closed is None else alert.closed
        found[cell] += 1
        right[cell] += any(alert.opened <= end and closed >= start for start, end in inside.get(str(alert.series), ()))
    whole = Counter(dict(side.counts)) if side.dropped and side.counts is not None else found
    return whole - right


def _spared(
    ours: Counter[Cell], theirs: Counter[Cell], first: int, last: int, groups: set[int], level: float
) -> Interval | None:
    """The interval of the difference, by drawing days anew and by drawing groups of series anew: the wider of both."""
    groups = groups | {group for _, group in (*ours, *theirs)}
    days = range(first, last + 1)
    found = []
    for units, axis in ((list(days), 0), (sorted(groups), 1)):
        if len(units) < UNITS_MIN:
            continue
        place = {unit: i for i, unit in enumerate(units)}
        columns = np.zeros((2, len(units), 1))
        for which, side in enumerate((ours, theirs)):
            for cell, count in side.items():
                if cell[axis] in place:
                    columns[which, place[cell[axis]], 0] += count
        found.append(paired(columns[0], columns[1], lambda sums: sums[:, 0], draws=DRAWS, level=level))
    if not found:
        return None
    return Interval(found[0].value, min(one.low for one in found), max(one.high for one in found))
