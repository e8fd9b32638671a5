"""Drifting: what the monitors of drift are shown of a batch, and the alerts that come of what they find."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from watchband.core import wording
from watchband.core.alert import Alert, alert_id, severity_of
from watchband.core.points import Float64, Int64
from watchband.core.scores import MUTED, Scores
from watchband.core.series import SeriesKey
from watchband.pipeline.calibrate import INTERVAL_UNKNOWN, Calibrated
from watchband.pipeline.decide import Decisions
from watchband.pipeline.drift import ADOPTED, MONITORS, NEVER, NOMINAL, DriftFound
from watchband.pipeline.prepare import Prepared
from watchband.pipeline.results import Results
from watchband.pipeline.rules import Budget, Contamination
from watchband.pipeline.watch_state import WatchState

if TYPE_CHECKING:
    from watchband.pipeline.watch import Watch

_WORDS = {
    "cutoff": "the cut-off is {reading}, outside {low}–{high}, the mean ± 3σ of its history",
    "values": "the distribution of its values is {reading} from that of the reference, more than {high}",
    "scores": "the distribution of its scores is {reading} from that of the reference, more than {high}",
    "rate": "anomalies begin {reading} times as often as in the reference, outside {low}–{high}",
    "coverage": "the band holds {reading} of the points, outside {low}–{high}",
}
NAMES = {
    "cutoff": "cut-off",
    "values": "values",
    "scores": "scores",
    "rate": "anomaly rate",
    "coverage": "coverage",
}


def nominal_of(watch: Watch) -> float:
    """The share of points that a watch's band is to hold, as coverage is measured; NaN where its rule names none."""
    rule = watch.rule
    if isinstance(rule, Budget):
        return NOMINAL
    return 1.0 - rule.f if isinstance(rule, Contamination) else math.nan


def watch_drift(
    watch: Watch,
    state: WatchState,
    prepared: Prepared,
    scores: Scores,
    calibrated: Calibrated,
    decisions: Decisions,
    spared: NDArray[np.bool_],
    threads: int,
) -> list[Alert]:
    """Fold a batch through the monitors; the alerts that this opens, changes and closes.

    ``spared`` are points that are not learned: ranges and windows, and values that were made up.
    """
    if watch.drift is None or state.drift is None:
        return []
    points = prepared.points
    score = np.where(spared, np.nan, scores.score)
    judged, said = decisions.anomaly_score, calibrated.anomaly_score
    band = calibrated.members[0] if len(watch.calibrate.members) > 1 else None
    cutoff = cutoff_of(watch, scores.score, said, calibrated.limit_above, calibrated.limit_below)
    covered = covered_of(watch, calibrated.p_value, band, said, prepared.interval_at)
    hidden = spared | np.isnan(judged) | (scores.flags.astype(np.int64) & MUTED != 0)
    found = watch.drift.step(
        state.drift,
        points.with_values(np.where(spared, np.nan, points.values[:, 0])[:, None]),
        score=score,
        cutoff=np.where(spared, np.nan, cutoff),
        odd=np.where(hidden, np.nan, judged > 1),
        covered=np.where(spared, np.nan, covered),
        nominal=nominal_of(watch),
        threads=threads,
    )
    return drift_alerts(watch, state.keys, found)


def cutoff_of(watch: Watch, score: Float64, anomaly_score: Float64, above: Float64, below: Float64) -> Float64:
    """The limit in the detector's units of score, where there is one: float64[n].

    A rule in these units has one for every score; a budget only where the score is a distance.
    """
    limit = np.where(np.isfinite(above), above, below)
    if not isinstance(watch.rule, Budget):
        known = np.full(len(limit), np.nan)
        np.divide(score, anomaly_score, out=known, where=anomaly_score > 0)
        limit = np.where(np.isfinite(limit), limit, known)
    return np.where(np.isfinite(limit), limit, np.nan)


def covered_of(watch: Watch, p_value: Float64, band: Float64 | None, anomaly_score: Float64, at: Int64) -> Float64:
    """1 where a point lies within the nominal band, 0 outside, NaN where nobody knows: float64[n].

    Of an ensemble it is the band of its band member, by that one's own anomaly_score: the smallest of several p-values
    is no share of points. ``at`` is the interval of each point, ns.
    """
    rule = watch.rule
    if isinstance(rule, Contamination):
        return np.where(np.isnan(anomaly_score), np.nan, anomaly_score <= 1)
    if not isinstance(rule, Budget):
        return np.full(len(p_value), np.nan)
    if band is None:
        return np.where(np.isnan(p_value), np.nan, p_value > 1 - NOMINAL)
    outside = math.log((1 - NOMINAL) / watch.calibrate.members[0])
    return np.where(np.isnan(band), np.nan, band < outside / np.log(limits_at(rule, at)))


def limits_at(rule: Budget, at: Int64) -> Float64:
    """The share of points that may open an alert, for the interval of each point: float64[n]."""
    interval, where = np.unique(at, return_inverse=True)
    limits = [rule.p_limit(i if i > 0 else INTERVAL_UNKNOWN) for i in interval.tolist()]
    return np.array(limits, np.float64)[where]


def measured(watch: Watch, results: Results, at: Int64) -> tuple[Float64, Float64, Float64, Float64]:
    """Of results, whether points are anomalous, covered, the share that is promised, and the cut-off: float64[m] each.

    NaN where nobody judged, as the monitors have it. ``at`` is the interval of each point, ns.
    """
    spared = results.imputed | results.excluded
    judged = results.anomaly_score
    odd = np.where(spared | np.isnan(judged) | (results.flags & MUTED != 0), np.nan, judged > 1)
    band = results.member_scores[:, 0] if len(watch.calibrate.members) > 1 else None
    covered = np.where(spared, np.nan, covered_of(watch, results.p_value, band, judged, at))
    cutoff = cutoff_of(watch, results.score, judged, results.limit_above, results.limit_below)
    if isinstance(watch.rule, Budget):
        promised = limits_at(watch.rule, at)
    else:
        promised = np.full(len(at), watch.rule.f if isinstance(watch.rule, Contamination) else np.nan)
    return odd, covered, promised, np.where(spared, np.nan, cutoff)


def drift_alerts(watch: Watch, keys: Sequence[SeriesKey], found: DriftFound) -> list[Alert]:
    """The alerts of findings, each in its last version; none where drift opens none."""
    if watch.drift is None or not watch.drift.alert:
        return []
    alerts = [_alert(watch, keys[one[0]], *one[1:]) for one in found.rows()]
    return list({alert.id: alert for alert in alerts}.values())


def _alert(
    watch: Watch,
    key: SeriesKey,
    what: int,
    since: int,
    known: int,
    over: int,
    which: int,
    worst: int,
    reading: float,
    low: float,
    high: float,
) -> Alert:
    assert watch.drift is not None
    closed = None if over == NEVER else over
    nothing, score = math.nan, watch.drift.score
    out = [name for i, name in enumerate(MONITORS) if which >> i & 1]
    when = f"since {wording.moment(since, watch.zone)}"
    if closed is not None:
        when = f"from {wording.moment(since, watch.zone)} to {wording.moment(closed, watch.zone, since)}"
    names = [NAMES[name] for name in out]
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    reason = f"{key} {'drifts' if closed is None else 'drifted'} {when} ({listed})"
    if closed is None:
        reason += f": {_words(MONITORS[worst], reading, low, high)}"
    if what == ADOPTED:
        reason += "; what comes now is the new reference"
    return Alert(
        id=alert_id(key, f"{watch.name}/drift", since),
        series=key,
        watch=watch.name,
        detector="drift",
        kind="drift",
        severity=severity_of(score),
        opened=since,
        decided=known,
        closed=closed,
        peak_time=since,
        value=nothing,
        expected=nothing,
        lower=nothing,
        upper=nothing,
        widths=nothing,
        direction="",
        anomaly_score=score,
        confidence=1.0,
        points=0,
        reason=f"{reason}.",
        policies=tuple(f"drift of {NAMES[name]}" for name in out),
        adopted=what == ADOPTED,
    )


def _words(monitor: str, reading: float, low: float, high: float) -> str:
    shown = [f"{100 * x:.1f} %" if monitor == "coverage" else f"{x:.3g}" for x in (reading, low, high)]
    return _WORDS[monitor].format(**dict(zip(("reading", "low", "high"), shown, strict=True)))
