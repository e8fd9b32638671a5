"""Alerts of predicted breaches: what is told, and the numbers that charts draw."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from watchband.core import wording
from watchband.core.alert import Alert, Foreseen, alert_id, severity_of
from watchband.core.duration import format_duration
from watchband.core.scores import MUTED, Scores
from watchband.core.series import SeriesKey
from watchband.pipeline.breach.breach import NEVER, SOON, Breach, BreachFound
from watchband.pipeline.breach.words import told
from watchband.pipeline.prepare import Prepared
from watchband.pipeline.watch_state import WatchState

if TYPE_CHECKING:
    from watchband.pipeline.watch import Watch

WARNING, CRITICAL = 1.5, 3.0


def watch_breach(
    watch: Watch, state: WatchState, prepared: Prepared, scores: Scores, spared: NDArray[np.bool_]
) -> list[Alert]:
    """Fold a batch through the stage; the alerts that this opens, changes and closes.

    ``spared`` are points that are not learned: ranges and windows, and values that were made up.
    """
    if watch.breach is None or state.breach is None:
        return []
    points = prepared.points
    values = np.where(spared, np.nan, points.values[:, 0])[:, None]
    muted = scores.flags.astype(np.int64) & MUTED != 0
    found = watch.breach.step(state.breach, points.with_values(values), muted=muted)
    return breach_alerts(watch, state.keys, found)


def breach_over(watch: Watch, state: WatchState, ends: Sequence[tuple[int, int]]) -> list[Alert]:
    """Of series (state rows) that ended at these times (ns UTC) nobody foresees anything any more."""
    if watch.breach is None or state.breach is None:
        return []
    found = [one for row, time in ends for one in watch.breach.end(state.breach, [row], time)]
    return breach_alerts(watch, state.keys, found)


def breach_alerts(watch: Watch, keys: Sequence[SeriesKey], found: Sequence[BreachFound]) -> list[Alert]:
    """The alerts of findings, each in its last version."""
    assert watch.breach is not None
    alerts = [_alert(watch, watch.breach, keys[one.row], one) for one in found]
    return list({alert.id: alert for alert in alerts}.values())


def _alert(watch: Watch, breach: Breach, key: SeriesKey, found: BreachFound) -> Alert:
    nothing, reached = math.nan, found.reached != NEVER
    soon = found.passage.steps <= SOON
    score = CRITICAL if reached or soon else WARNING
    return Alert(
        # May begin with an alert by score, and is another incident.
        id=alert_id(key, f"{watch.name}/breach", found.opened),
        series=key,
        watch=watch.name,
        detector="breach",
        kind="breach",
        severity=severity_of(score * watch.weight),
        opened=found.opened,
        decided=found.opened,
        closed=None if found.closed == NEVER else found.closed,
        peak_time=found.reached if reached else found.now,
        value=found.value,
        expected=nothing,
        lower=nothing,
        upper=nothing,
        widths=nothing,
        direction="above" if breach.side > 0 else "below",
        anomaly_score=score,
        confidence=1.0 if math.isnan(found.passage.chance) else found.passage.chance,
        points=0,
        reason=_reason(watch, breach, key, found),
        policies=(f"breach within {format_duration(breach.within)}",),
        foreseen=_foreseen(breach, found),
    )


def _foreseen(breach: Breach, found: BreachFound) -> Foreseen:
    """The threshold and when it is reached, for charts."""

    def moment(steps: float) -> int | None:
        return found.now + int(steps * breach.width) if math.isfinite(steps) else None

    if found.reached != NEVER:
        return Foreseen(breach.threshold, found.reached, found.reached, found.reached, breach.level)
    seen = found.passage
    return Foreseen(breach.threshold, moment(seen.steps), moment(seen.low), moment(seen.high), breach.level)


def _reason(watch: Watch, breach: Breach, key: SeriesKey, found: BreachFound) -> str:
    at, zone = wording.quantity(key.metric, breach.threshold), watch.zone
    verb = "reached" if breach.side > 0 else "fell to"
    if found.reached != NEVER:
        before = found.reached - found.opened
        known = f", {wording.duration(before)} after it was foreseen" if before > 0 else ", which was not foreseen"
        text = f"{key} {verb} {at} at {wording.moment(found.reached, zone)}{known}"
        return f"{text}." if found.closed == NEVER else f"{text}, until {wording.moment(found.closed, zone)}."
    now = wording.quantity(key.metric, found.value)
    if found.closed != NEVER:
        chance = f"{wording.number(100 * found.passage.chance, 2)}{wording.NO_BREAK}%"
        verb = "reach" if breach.side > 0 else "fall to"
        return f"{key} is no longer expected to {verb} {at} (chance {chance}); it is {now}."
    text = f"{key} {told(key.metric, found.passage, breach.width)}"
    if math.isfinite(found.passage.steps):
        about = found.now + int(found.passage.steps * breach.width)
        text += f", about {wording.moment(about, zone)}"
    return f"{text}; it was {now} at {wording.moment(found.now, zone)}."
