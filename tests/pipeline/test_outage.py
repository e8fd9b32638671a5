"""An outage that the detector holds leaves no trace in calibrate, and its alert lasts as long as it does."""

from __future__ import annotations

import numpy as np
import pytest

from watchband.core.points import Float64, Points
from watchband.core.scores import Scores
from watchband.core.series import SeriesKey
from watchband.detectors import SeasonalBand
from watchband.pipeline.calibrate import Calibrate
from watchband.pipeline.prepare import Raw
from watchband.pipeline.rules import Budget, Cutoff
from watchband.pipeline.watch import Watch
from watchband.testing import streams

N, FROM, TO = 3000, 1000, 1060
DAY = 86_400_000_000_000
MINUTE = streams.MINUTE


def limits(outage: float, held: bool, seed: int = 1) -> Float64:
    """limit_above of a noisy series that is ``outage`` scales off for an hour."""
    z = np.random.default_rng(seed).normal(size=N)
    z[FROM:TO] = outage
    points = Points.of(streams.times(N, MINUTE), z)
    scores = Scores.blank(points)
    scores.score[:], scores.expected[:], scores.scale[:] = np.abs(z), 0.0, 1.0
    calibrate = Calibrate(Budget(1, DAY))
    marks = np.zeros(N, bool)
    marks[FROM + 2 : TO] = held
    intervals = np.array([MINUTE])
    found = calibrate.step(calibrate.start(1), points, scores, interval_ns=intervals, held=marks)
    return found.limit_above


@pytest.mark.parametrize("seed", range(5))
def test_what_an_outage_taught_is_taken_back(seed: int) -> None:
    calm, held, learned = limits(0.0, False, seed), limits(40.0, True, seed), limits(40.0, False, seed)
    after = slice(TO + 60, N)
    # The two points before the detector was sure weigh a tenth; nothing else is left.
    assert np.median(held[after] / calm[after]) < 1.5
    assert np.median(learned[after] / calm[after]) > 2 * np.median(held[after] / calm[after])


def test_the_second_outage_is_news_again() -> None:
    z = np.random.default_rng(2).normal(size=N)
    z[FROM:TO] = z[2000:2060] = 40.0
    points = Points.of(streams.times(N, MINUTE), z)
    scores = Scores.blank(points)
    scores.score[:], scores.expected[:], scores.scale[:] = np.abs(z), 0.0, 1.0
    marks = np.zeros(N, bool)
    marks[FROM + 2 : TO] = marks[2002:2060] = True
    calibrate = Calibrate(Budget(1, DAY))
    state = calibrate.start(1)
    found = calibrate.step(state, points, scores, interval_ns=np.array([MINUTE]), held=marks)
    assert found.anomaly_score[FROM] > 1.5
    assert found.anomaly_score[2000] > 1.5


def test_bursts_that_come_all_the_time_become_usual() -> None:
    """A budget is kept on a bursty series too: only so many outages leave no trace."""
    z = np.random.default_rng(4).normal(size=N)
    marks = np.zeros(N, bool)
    starts = np.arange(400, N - 20, 80)
    for start in starts:
        z[start : start + 8] = 30.0
        marks[start + 2 : start + 8] = True
    points = Points.of(streams.times(N, MINUTE), z)
    scores = Scores.blank(points)
    scores.score[:], scores.expected[:], scores.scale[:] = np.abs(z), 0.0, 1.0
    calibrate = Calibrate(Budget(1, DAY))
    found = calibrate.step(calibrate.start(1), points, scores, interval_ns=np.array([MINUTE]), held=marks)
    news = found.anomaly_score[starts] > 1
    assert news[:3].all()
    assert not news[-20:].any()


def test_other_rules_learn_what_they_are_told_to_learn() -> None:
    """A cut-off means the score it says, whatever the detector holds."""
    z = np.random.default_rng(3).normal(size=N)
    points = Points.of(streams.times(N, MINUTE), z)
    scores = Scores.blank(points)
    scores.score[:], scores.expected[:], scores.scale[:] = np.abs(z), 0.0, 1.0
    calibrate = Calibrate(Cutoff(2.0))
    found = calibrate.step(calibrate.start(1), points, scores, interval_ns=np.array([MINUTE]), held=np.ones(N, bool))
    np.testing.assert_allclose(found.anomaly_score, np.abs(z) / 2.0)


def test_an_alert_lasts_as_long_as_its_outage() -> None:
    values = streams.daily(2400, 5, MINUTE)
    values[1500:1700] = 120.0
    watch = Watch("latency", SeasonalBand(), Budget(1, DAY))
    state = watch.start([SeriesKey("latency")])
    times = streams.times(2400, MINUTE)
    results = watch.step(state, Raw.of(times, values))
    (alert,) = [a for a in results.alerts if abs(a.opened - times[1500]) < 5 * MINUTE]
    assert alert.closed is not None
    assert abs(alert.closed - times[1700]) <= 20 * MINUTE, "it closes after a dozen quiet points"
    assert not alert.adopted


def test_a_short_history_cannot_call_anything_a_wonder() -> None:
    """The same spike: what 40 points say of it is not more than what 4,000 points can."""
    anomaly = []
    for n in (40, 250, 4000):
        z = np.r_[np.random.default_rng(6).normal(size=n), 1e6]
        points = Points.of(streams.times(n + 1, MINUTE), z)
        scores = Scores.blank(points)
        scores.score[:], scores.expected[:], scores.scale[:] = np.abs(z), 0.0, 1.0
        calibrate = Calibrate(Budget(1, 7 * DAY))
        found = calibrate.step(calibrate.start(1), points, scores, interval_ns=np.array([MINUTE]))
        anomaly.append(float(found.anomaly_score[-1]))
        assert found.p_value[-1] >= 0.99 * (n + 10.0) ** -8
    assert all(1 < score < 4 for score in anomaly)


@pytest.mark.parametrize("seed", range(3))
def test_a_spike_however_large_widens_the_band_as_one_of_eight_scales_does(seed: int) -> None:
    """It is learned as any opening is; the tail counts it as four times the next."""
    limit = []
    for spike in (0.0, 8.0, 1e6):
        z = np.random.default_rng(seed).normal(size=N)
        z[1000] = spike
        points = Points.of(streams.times(N, MINUTE), z)
        scores = Scores.blank(points)
        scores.score[:], scores.expected[:], scores.scale[:] = np.abs(z), 0.0, 1.0
        calibrate = Calibrate(Budget(1, DAY))
        found = calibrate.step(calibrate.start(1), points, scores, interval_ns=np.array([MINUTE]))
        limit.append(found.limit_above)
        assert spike == 0.0 or found.anomaly_score[1000] > 1
    calm, modest, huge = limit
    assert np.median(huge[1100:1500] / modest[1100:1500]) < 1.3
    assert np.median(huge[1500:] / calm[1500:]) < 1.6
