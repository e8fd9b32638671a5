"""Replay: what a configuration says of series, through the watch that ``detect`` runs, each fleet scored once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from watchband.analysis.tuning.configuration import Configuration
from watchband.analysis.tuning.material import Series
from watchband.core.duration import DAY
from watchband.core.points import Float64, Int64
from watchband.evaluation.candidate import plain, score_key
from watchband.pipeline.policy import Event
from watchband.pipeline.raw import Raw
from watchband.pipeline.results import Results
from watchband.pipeline.scored import Scored
from watchband.pipeline.watch import Watch

POINTS_MAX = 300_000
"""Points that are folded in one batch; more come one after the other."""
KEPT_POINTS = 3_000_000
"""Scored points that are kept for configurations that score alike."""
NAIVE = "seasonal_naive"
"""The baseline that is no detector: distance from the value a day before."""


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """What a configuration says of one series; every array has one element a prepared point.

    Parameters
    ----------
    times, values : int64[m], float64[m]
        Prepared points.
    anomaly_score, alert_score : float64[m]
        See ``pipeline.results``.
    opened : int64[k]
        Points at which alerts opened.
    banded : float
        Share of points with a drawn band.
    """

    times: Int64
    values: Float64
    anomaly_score: Float64
    alert_score: Float64
    opened: Int64
    banded: float


@dataclass(eq=False)
class Replay:
    """Runs configurations over series.

    Parameters
    ----------
    base : Watch
        What the user stated: prepare, policy, zone.
    shared : mapping
        What the user stated of the metric; see ``configuration.SHARED``.
    excluded : sequence of (int, int)
        Spans that are judged but not learned.
    threads : int, default 0
        Over series; never changes a bit.
    """

    base: Watch
    shared: Mapping[str, Any] = field(default_factory=dict)
    excluded: Sequence[tuple[int, int]] = ()
    threads: int = 0
    _kept: OrderedDict[object, Scored] = field(default_factory=OrderedDict, repr=False)

    @property
    def task(self) -> bytes:
        """Everything stated, for the name of a study."""
        return repr((self.base, dict(self.shared), tuple(self.excluded))).encode()

    def run(self, configuration: Configuration, series: Sequence[Series], fit_before: Sequence[int]) -> list[Said]:
        """What it says of each series, from its first reading to its last.

        Parameters
        ----------
        configuration : Configuration
            The detector ``seasonal_naive`` is the baseline of that name.
        series : sequence of Series
            Cut them off before what must not be seen.
        fit_before : sequence of int
            Of each series, limits are taken from values before this time.

        Raises
        ------
        ConfigError
            A parameter that cannot be.
        """
        if configuration.fits:
            return [
                self._fleet(configuration.fitted(one.values[one.times < stop]), [one])[0]
                for one, stop in zip(series, fit_before, strict=True)
            ]
        found: list[Said] = []
        for fleet in _fleets(series):
            found += self._fleet(configuration, fleet)
        return found

    def _fleet(self, configuration: Configuration, series: Sequence[Series]) -> list[Said]:
        keys = [one.key for one in series]
        raw = raw_of(series)
        naive = configuration.detector == NAIVE
        stood_in = Configuration("ewma", {}, configuration.rule, configuration.policy) if naive else configuration
        watch = stood_in.watch(self.base, self.shared)
        state = watch.start(keys)
        further = b"" if raw.further is None else raw.further.tobytes()
        place = hash((raw.times.tobytes(), raw.values.tobytes(), raw.offsets.tobytes(), further))
        scored = self._scored(
            (NAIVE if naive else _key(watch), place),
            lambda: (
                _naive(watch, raw, keys, self.threads)
                if naive
                else watch.score(state, raw, excluded=self.excluded, flush=True, threads=self.threads)
            ),
        )
        return _split(watch.judge(state, scored, threads=self.threads), len(series))

    def _scored(self, key: object, make: Callable[[], Scored]) -> Scored:
        found = self._kept.pop(key, None) or make()
        self._kept[key] = found
        while len(self._kept) > 1 and sum(len(s.scores) for s in self._kept.values()) > KEPT_POINTS:
            self._kept.popitem(last=False)
        return found


def raw_of(series: Sequence[Series]) -> Raw:
    """The readings of a fleet, with all values of metrics that are judged together."""
    raw = Raw.fleet([(one.times, one.values) for one in series])
    wide = [one.further for one in series if one.further is not None]
    return replace(raw, further=np.concatenate(wide)) if wide else raw


def _key(watch: Watch) -> object:
    """Equal for watches that score alike."""
    key = score_key(watch.detector)
    return key if isinstance(key, tuple) else repr(watch.detector)


def _fleets(series: Sequence[Series]) -> list[list[Series]]:
    fleets: list[list[Series]] = []
    points = POINTS_MAX
    for one in series:
        if points + len(one.times) > POINTS_MAX:
            fleets.append([])
            points = 0
        fleets[-1].append(one)
        points += len(one.times)
    return fleets


def _split(results: Results, series: int) -> list[Said]:
    edges = np.searchsorted(results.row, np.arange(series + 1))
    found = []
    for a, b in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        here = slice(a, b)
        banded = np.isfinite(results.yhat[here])
        found.append(
            Said(
                results.time[here],
                results.y[here],
                results.anomaly_score[here],
                results.alert_score[here],
                np.flatnonzero(results.events[here] & int(Event.OPENED)),
                float(banded.mean()) if b > a else 0.0,
            )
        )
    return found


def _naive(watch: Watch, raw: Raw, keys: Sequence[Any], threads: int) -> Scored:
    state = watch.start(keys)
    prepared = watch.prepare.step(state.prepare, raw, flush=True, threads=threads)
    points = prepared.points
    score = np.empty(len(points))
    for _, where in points.slices():
        score[where] = day_before(points.times[where], points.values[where, 0])
    return Scored(prepared, plain(points, score, NAIVE), np.zeros(len(points), bool))


def day_before(times: Int64, values: Float64) -> Float64:
    """Distance from the value a day before; NaN where there is none at that very time.

    Examples
    --------
    >>> day_before(np.array([0, DAY, DAY + 5]), np.array([1.0, 4.0, 9.0])).tolist()
    [nan, 3.0, nan]
    """
    at = np.searchsorted(times, times - DAY)
    there = times[np.minimum(at, len(times) - 1)] == times - DAY
    return np.where(there, np.abs(values - values[np.minimum(at, len(times) - 1)]), np.nan)
