"""Outlook: the band of a series beyond its last point, as far as the detector has shown that it can see."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from watchband.core.detector import Detector
from watchband.core.points import Float64, Int64, Points
from watchband.core.scores import Scores
from watchband.core.series import SeriesKey
from watchband.core.state import State
from watchband.detectors.forest_forecast import ForestForecast
from watchband.pipeline.decide import Judgement
from watchband.pipeline.ensemble import Ensemble
from watchband.pipeline.series_states import steps
from watchband.pipeline.watch import Watch
from watchband.pipeline.watch_state import WatchState
from watchband.pipeline.windows import Windows

POINTS_MAX = 500
"""Points of an outlook; where more are asked for, they lie further apart."""
HISTORY_MAX = 20_000
ORIGINS = 64
LEADS_MAX = 240
"""Distances ahead that are tried from each origin."""
SHARE = 0.9
"""Share of the errors by which the band widens."""
ERRORS_MIN = 20
HISTORY_MIN = 72
WIDEST = 20.0


@dataclass(frozen=True, slots=True, eq=False)
class Outlook:
    """What a watch expects beyond the last point of a series.

    Parameters
    ----------
    times : int64[h]
        ns UTC, the first behind the last point; empty where nothing can be said.
    expected, lower, upper : float64[h]
        In units of the metric. NaN on a side that the watch does not look at.
    last, step : int
        The last point, ns UTC, and the usual distance of two, ns.
    sees : int
        How far ahead of the last point it was tried, ns: nothing is said of what lies behind that.
    tried : int
        Moments of the history from which it was tried.
    error, persistence : float
        Mean distance from what came then, and that of the value that stays as it is; NaN where it was not tried.
    says : str
        Why there is nothing, or less than asked for; empty where all is there.
    """

    times: Int64
    expected: Float64
    lower: Float64
    upper: Float64
    last: int = 0
    step: int = 0
    sees: int = 0
    tried: int = 0
    error: float = math.nan
    persistence: float = math.nan
    says: str = ""

    @classmethod
    def none(cls, says: str) -> Outlook:
        """Nothing can be said, and why."""
        nothing = np.empty(0)
        return cls(np.empty(0, np.int64), nothing, nothing, nothing, says=says)


@dataclass(frozen=True, slots=True)
class Standing:
    """A copy of what a watch knows of one series: enough to look ahead, taken in microseconds.

    Parameters
    ----------
    watch : Watch
        Whose.
    key : SeriesKey
        Which series.
    detector, calibrate, decide : State
        Of this series alone.
    windows : Windows
        Those that the log has opened.
    step : int
        The usual distance of two points, ns; 0 while it is not known.
    """

    watch: Watch
    key: SeriesKey
    detector: State
    calibrate: State
    decide: State
    windows: Windows
    step: int

    @property
    def last(self) -> int:
        """Time of the last point, ns UTC."""
        return int(self.detector.last_time[0])


def standing(watch: Watch, state: WatchState, key: SeriesKey) -> Standing | None:
    """How a series stands; None where the watch has not seen it. Changes nothing."""
    row = state.rows.get(key)
    if row is None or not state.detector.points_seen[row]:
        return None
    return Standing(
        watch,
        key,
        state.detector.take([row]),
        state.calibrate.take([row]),
        state.decide.take([row]),
        Windows(state.upstream.windows.events()),
        int(steps(watch, state)[row]),
    )


def drawn(known: Standing, times: Int64) -> tuple[Float64, Float64, Float64]:
    """Expected value and band at future times: exactly what the watch draws where points come without a value.

    Parameters
    ----------
    known : Standing
        Left as it is.
    times : int64[h]
        ns UTC, ascending, behind the last point.
    """
    watch, points = known.watch, Points.of(times, np.full(len(times), np.nan))
    nothing = np.zeros(len(times), bool)
    marks = known.windows.marks(points, [known.key])
    scores = watch.detector.step(known.detector.copy(), points, threads=1)
    if marks:
        scores = replace(
            scores, **{k: getattr(scores, k) * marks.factor for k in ("expected", "lower", "upper", "scale")}
        )
    found = watch.calibrate.step(
        known.calibrate.copy(), points, scores, interval_ns=np.array([known.step]), learn=nothing, threads=1
    )
    judgement = Judgement(found.anomaly_score, found.limit_above, found.limit_below, found.confidence)
    decisions = watch.decide.step(known.decide.copy(), points, scores, judgement, threads=1)
    return scores.expected, decisions.lower, decisions.upper


def look_ahead(known: Standing, horizon: int, times: Int64, values: Float64) -> Outlook:
    """The band beyond the last point of a series.

    Parameters
    ----------
    known : Standing
        How it stands.
    horizon : int
        How far, ns.
    times, values : int64[n], float64[n]
        What is kept of the series, ns UTC: from moments of it the same is tried, to learn how wrong it becomes.

    Returns
    -------
    Outlook
        Cut where it was not tried; empty, and saying why, where the detector expects nothing.

    Notes
    -----
    From up to 64 moments of the later two thirds of the history the detector looks ahead, having seen what came
    before. Nine tenths of its errors, in units of its scale at that distance, are compared with nine tenths of those
    one step ahead: by so much the band widens with the distance, so that it goes on meaning what it means now.
    """
    if known.watch.join is not None:
        return Outlook.none("This watch judges several metrics together, and looks ahead of none of them.")
    step = known.step or _usual_step(times)
    if step <= 0:
        return Outlook.none(f"The distance of its points is not known yet: {len(times)} points are kept.")
    if isinstance(known.watch.detector, ForestForecast):
        return _of_forest(known, known.watch.detector, horizon, step)
    stride = max(1, -(-(horizon // step) // POINTS_MAX))
    leads = np.arange(stride, horizon // step + 1, stride, dtype=np.int64) * step
    if not len(leads):
        return Outlook.none("The horizon is shorter than the distance of two points. Ask for a longer one.")
    expected, lower, upper = drawn(known, known.last + leads)
    if not np.isfinite(expected).any():
        return Outlook.none(_no_expectation(known))
    trial = _try(_band_of(known.watch.detector), times[-HISTORY_MAX:], values[-HISTORY_MAX:], leads, step)
    if trial is None:
        return Outlook.none(
            f"Too little history to know how wrong it would be: {len(times)} points are kept, {HISTORY_MIN} are needed."
        )
    seen = leads <= trial.reach
    wider = trial.wider[seen]
    centre = expected[seen]
    low, high = known.watch.policy.logical_range
    says = ""
    if not seen.all():
        says = "It looks at most a third of its kept history ahead, since further could not be tried."
    return Outlook(
        known.last + leads[seen],
        centre,
        np.clip(centre - (centre - lower[seen]) * wider, low, high),
        np.clip(centre + (upper[seen] - centre) * wider, low, high),
        last=known.last,
        step=step,
        sees=trial.reach,
        tried=trial.origins,
        error=trial.error,
        persistence=trial.persistence,
        says=says,
    )


def _no_expectation(known: Standing) -> str:
    name = known.watch.detector.name
    if not known.watch.decide.judged(known.decide)[0]:
        return f"The detector {name!r} still learns this series: {int(known.detector.points_seen[0])} points so far."
    return (
        f"The detector {name!r} has no expectation of its own: it says how strange a point is, not what comes. "
        "Watch the series with 'auto' or 'seasonal_band' to see ahead."
    )


def _usual_step(times: Int64) -> int:
    return int(np.median(np.diff(times))) if len(times) > 1 else 0


def _band_of(detector: Detector) -> Detector:
    """What draws the band: the other members of an ensemble have no part in what is expected."""
    return detector.band if isinstance(detector, Ensemble) else detector


@dataclass(frozen=True, slots=True, eq=False)
class _Trial:
    """How it went from moments of the history."""

    reach: int
    wider: Float64
    origins: int
    error: float
    persistence: float


def _try(detector: Detector, times: Int64, values: Float64, leads: Int64, step: int) -> _Trial | None:
    """What a detector would have said of the kept history from moments of it; None where there is too little."""
    n = len(times)
    if n < HISTORY_MIN:
        return None
    reach = int(min(leads[-1], (times[-1] - times[0]) // 3))
    tried = leads[leads <= reach]
    if not len(tried):
        return None
    tried = tried[np.unique(np.linspace(0, len(tried) - 1, LEADS_MAX).astype(np.int64))]
    latest = int(np.searchsorted(times, times[-1] - reach, "right")) - 1
    origins = np.unique(np.linspace(n // 3, max(latest, n // 3), ORIGINS).astype(np.int64))
    states, before = _states_at(detector, times, values, origins)
    ahead = (times[origins][:, None] + tried).ravel()
    rows = len(origins)
    fleet = [(part, np.full(len(tried), np.nan)) for part in ahead.reshape(rows, -1)]
    scores = detector.step(State.stack(states), Points.fleet(fleet))
    actual = _at(times, values, ahead, step // 2)
    away = np.abs(actual - scores.expected)
    here = np.repeat([_last_known(values[: at + 1]) for at in origins], len(tried))
    both = np.isfinite(away) & np.isfinite(here)
    if not both.any():
        return None
    stays = np.abs(actual - here)
    wider = _wider(away / _size(scores), np.tile(tried, rows), before, leads)
    return _Trial(reach, wider, rows, float(away[both].mean()), float(stays[both].mean()))


def _states_at(detector: Detector, times: Int64, values: Float64, origins: Int64) -> tuple[list[State], Float64]:
    """The state at each origin, and the errors one step ahead behind the first, in units of the scale."""
    state, start = detector.start(), 0
    states: list[State] = []
    errors: list[Float64] = []
    for at in origins.tolist():
        part = slice(start, at + 1)
        scores = detector.step(state, Points.of(times[part], values[part]), threads=1)
        if states:
            errors.append(np.abs(values[part] - scores.expected) / _size(scores))
        states.append(state.copy())
        start = at + 1
    return states, np.concatenate(errors) if errors else np.empty(0)


def _size(scores: Scores) -> Float64:
    """What one unit of distance is worth: the scale, or half the band where there is none."""
    half = (scores.upper - scores.lower) / 2
    found = np.where(scores.scale > 0, scores.scale, half)
    return np.where(found > 0, found, np.nan)


def _wider(away: Float64, lead: Int64, before: Float64, leads: Int64) -> Float64:
    """By what the band is multiplied at each distance: float64[h], ascending, at least 1."""
    before = before[np.isfinite(before)]
    usual = float(np.quantile(before, SHARE)) if len(before) >= ERRORS_MIN else math.nan
    if not usual > 0:
        return np.ones(len(leads))
    known = np.isfinite(away)
    away, lead = away[known], lead[known]
    # Distances that double each time: near ones are told apart, far ones have enough errors together.
    bucket = np.floor(np.log2(lead / leads[0]) + 1e-9).astype(np.int64)
    centres, factors = [], []
    for b in np.unique(bucket).tolist():
        mine = bucket == b
        if mine.sum() >= ERRORS_MIN:
            centres.append(float(np.log(lead[mine]).mean()))
            factors.append(min(max(1.0, float(np.quantile(away[mine], SHARE)) / usual), WIDEST))
    if not centres:
        return np.ones(len(leads))
    return np.interp(np.log(leads), centres, np.maximum.accumulate(factors))


def _at(times: Int64, values: Float64, wanted: Int64, near: int) -> Float64:
    """The value at each time, NaN where there is none as near as that."""
    right = np.clip(np.searchsorted(times, wanted), 1, len(times) - 1)
    at = np.where(wanted - times[right - 1] <= times[right] - wanted, right - 1, right)
    return np.where(np.abs(times[at] - wanted) <= near, values[at], np.nan)


def _last_known(values: Float64) -> float:
    known = np.flatnonzero(np.isfinite(values))
    return float(values[known[-1]]) if len(known) else math.nan


def _of_forest(known: Standing, detector: ForestForecast, horizon: int, step: int) -> Outlook:
    """A forest that forecasts keeps how wrong it was by itself."""
    count = min(max(horizon // step, 1), detector.horizon)
    told = detector.forecast(known.detector, count)
    expected, lower, upper = (a[0, :, 0] for a in (told.values, told.lower, told.upper))
    if not np.isfinite(expected).any():
        return Outlook.none(_no_expectation(known))
    cut = horizon // step > detector.horizon
    says = f"It forecasts {detector.horizon} points: 'horizon' of the detector says so." if cut else ""
    times = known.last + step * np.arange(1, count + 1, dtype=np.int64)
    return Outlook(
        times, expected, lower, upper, last=known.last, step=step, sees=count * step, tried=detector.errors, says=says
    )
