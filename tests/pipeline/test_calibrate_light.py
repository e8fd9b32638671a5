"""The light tier of calibrate: small, honest, and its limits are its decision."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from watchband.core.errors import InvalidParameterError
from watchband.core.points import Points
from watchband.core.scores import Scores
from watchband.core.state import State
from watchband.detectors import LightBand, RollingZscore
from watchband.pipeline.calibrate import Calibrate, Calibrated
from watchband.pipeline.catalogue import CATALOGUE
from watchband.pipeline.rules import Budget, Cutoff
from watchband.pipeline.watch import Watch
from watchband.testing import streams
from watchband.testing.nulls import NULLS, openings

SERIES, N, ONE_IN = 12, 6000, 1440
MINUTE = streams.MINUTE


def scored(values: np.ndarray, detector: LightBand | RollingZscore | None = None) -> tuple[Points, Scores]:
    detector = detector or RollingZscore(window=60)
    points = Points.fleet([(streams.times(len(row), 5 * MINUTE), row) for row in values])
    return points, detector.step(detector.start(points.series), points)


def calibrated(points: Points, scores: Scores, calibrate: Calibrate, state: State | None = None) -> Calibrated:
    state = calibrate.start(points.series) if state is None else state
    return calibrate.step(state, points, scores, interval_ns=np.full(points.series, MINUTE))


LIGHT = Calibrate(Budget(1, ONE_IN * MINUTE), tier="light")


def test_bytes() -> None:
    """600 a series; the whole of the preset within 4,000."""
    assert LIGHT.state_bytes_max <= 600
    watch = Watch("x", CATALOGUE.build({"type": "light"}))
    assert watch.calibrate.tier == "light"
    stages = (watch.prepare, watch.detector, watch.calibrate, watch.decide)
    assert sum(s.state_bytes_max for s in stages) <= 4000
    assert Watch("x", CATALOGUE.build({"type": "light"}), Cutoff(3.0)).calibrate.tier == "full"


@pytest.mark.parametrize("null", ["gaussian", "autoregressive", "student 3", "lognormal", "poisson 20"])
def test_alerts_on_clean_series_keep_the_promise(null: str) -> None:
    """Within half and twice of 50 promised alerts, warm-up included."""
    values = NULLS[null](np.random.default_rng(5), (SERIES, N))
    found = calibrated(*scored(values), LIGHT)
    alerts = sum(len(openings(row)) for row in found.anomaly_score.reshape(SERIES, N))
    assert 0.5 <= alerts * ONE_IN / values.size <= 2


@pytest.mark.parametrize("direction", ["both", "above", "below"])
def test_the_limits_are_the_decision(direction: str) -> None:
    """anomaly_score passes 1 exactly where the value passes a limit."""
    values = NULLS["lognormal"](np.random.default_rng(6), (2, 3000))
    values[0, 2000:2010] = 500
    points, scores = scored(values)
    found = calibrated(points, scores, Calibrate(Budget(1, ONE_IN * MINUTE), direction=direction, tier="light"))
    z = (points.values[:, 0] - scores.expected) / scores.scale
    said = np.isfinite(found.anomaly_score)
    beyond = (z > found.limit_above) | (-z > found.limit_below)
    np.testing.assert_array_equal(found.anomaly_score[said] > 1, beyond[said])
    assert found.anomaly_score[2000] > 1 if direction != "below" else not (found.anomaly_score > 1)[2000]
    assert np.isinf(found.limit_below[said]).all() == (direction == "above")
    np.testing.assert_allclose(np.log(found.p_value[said]), found.anomaly_score[said] * np.log(1 / ONE_IN), atol=1e-9)


def test_cutting_the_stream_changes_no_bit() -> None:
    """Nor does a way through bytes, or the point at which the budget is first known."""
    values = NULLS["student 3"](np.random.default_rng(7), (1, 900))
    points, scores = scored(values)
    whole, pieces = LIGHT.start(1), LIGHT.start(1)
    together = calibrated(points, scores, LIGHT, whole)
    got = []
    for start, stop in [(0, 1), (1, 2), (2, 30), (30, 250), (250, 251), (251, 700), (700, 900)]:
        part = Points.of(points.times[start:stop], points.values[start:stop, 0])
        piece = Scores.of_columns([c[start:stop] for c in scores.columns()])
        got.append(calibrated(part, piece, LIGHT, pieces).anomaly_score)
        pieces = LIGHT.load(pieces.to_bytes())
    assert np.concatenate(got).tobytes() == together.anomaly_score.tobytes()
    assert pieces.same_bits(whole)


def test_an_outage_that_the_detector_holds_back_leaves_no_trace() -> None:
    """The same outage four days later is news again, nearly as much."""
    values = 100 + NULLS["gaussian"](np.random.default_rng(8), (1, 5000))
    values[0, 3000:3050] = values[0, 4200:4250] = 0
    detector = LightBand()
    points, scores = scored(values, detector)
    found = LIGHT.step(
        LIGHT.start(1), points, scores, interval_ns=np.array([MINUTE]), held=(scores.flags.astype(int) & 1) > 0
    )
    first, second = found.anomaly_score[3000], found.anomaly_score[4200]
    assert first > 2
    assert second > 0.9 * first


@pytest.mark.parametrize("rate", [0.3, 20.0])
def test_the_band_of_counts_ends_on_whole_numbers(rate: float) -> None:
    """And stays the decision; one fraction, and for a hundred points the metric counts nothing."""
    values = np.random.default_rng(9).poisson(rate, (1, 4000)).astype(float)
    values[0, 3000] += 0.5
    points, scores = scored(values)
    found = calibrated(points, scores, LIGHT)
    y, upper = values[0], scores.expected + found.limit_above * scores.scale
    lower = scores.expected - found.limit_below * scores.scale
    whole = np.abs(upper - np.round(upper)) < 1e-9 * np.maximum(1, np.abs(upper))
    assert whole[300:3000].mean() > 0.99, "a band between two whole numbers has none to end on"
    assert whole[3000:3101].mean() < 0.2
    assert whole[3102:].mean() > 0.99
    said = np.isfinite(found.anomaly_score) & np.isfinite(upper)
    outside = (y > upper + 1e-9) | (y < lower - 1e-9)
    np.testing.assert_array_equal(found.anomaly_score[said] > 1, outside[said])


def test_states_from_before_counts_are_read() -> None:
    """The place of the whole values is empty at first."""
    points, scores = scored(NULLS["gaussian"](np.random.default_rng(10), (2, 900)))
    state = LIGHT.start(2)
    calibrated(points, scores, LIGHT, state)
    older = replace(state, version=2, arrays={**state.arrays, "life": state.arrays["life"][:, :20].copy()})
    assert LIGHT.load(older.to_bytes()).same_bits(state)


def test_other_rules_want_the_full_tier() -> None:
    """A cut-off or an ensemble says so when it is built."""
    with pytest.raises(InvalidParameterError, match="tier='full'"):
        Calibrate(Cutoff(3.0), tier="light")
    with pytest.raises(InvalidParameterError, match="2 member"):
        Calibrate(Budget(), weights=(0.5, 0.5), tier="light")


def test_a_job_once_a_day_is_not_told_for_ever() -> None:
    """Scores far beyond the last bucket's edge, once in 24 points: what comes so often is no news."""
    rng = np.random.default_rng(8)
    score = np.abs(rng.normal(size=17_520))
    score[3::24] = rng.uniform(300, 580, len(score[3::24]))
    score[16_011] = 5_000.0
    points = Points.of(streams.times(len(score), 60 * MINUTE), score)
    ones = np.ones(len(score))
    yearly = Calibrate(Budget(1, 8760 * 60 * MINUTE), tier="light")
    scores = Scores(score, 0 * ones, np.nan * ones, np.nan * ones, ones, np.zeros(len(score)))
    found = yearly.step(yearly.start(1), points, scores, interval_ns=np.array([60 * MINUTE]))
    alerts = openings(found.anomaly_score)
    late = [int(at) for at in alerts if at > 2000]
    assert 16_011 in late
    assert len(late) <= 5
