"""A member's strength: what a score says by itself, whatever the past of its series."""

from __future__ import annotations

import dataclasses

import numpy as np

from watchband.core.points import Float64, Points
from watchband.detectors import Ewma, GapNovelty
from watchband.pipeline.calibrate import Calibrate, Calibrated
from watchband.pipeline.ensemble import Ensemble
from watchband.pipeline.rules import Budget
from watchband.testing import streams
from watchband.testing.nulls import NULLS, openings

WEIGHTS = (0.5, 0.5)


def judge(own: Float64, strength: float) -> Calibrated:
    """A band's member that says nothing new, and one further member with these scores."""
    n = len(own)
    points = Points.of(streams.times(n, streams.MINUTE), np.random.default_rng(1).normal(size=n))
    band = Ewma().step(Ewma().start(), points)
    scores = dataclasses.replace(band, members=(own,))
    calibrate = Calibrate(Budget(1, 1440 * streams.MINUTE), weights=WEIGHTS, strengths=(0.0, strength))
    return calibrate.step(calibrate.start(), points, scores, interval_ns=np.array([streams.MINUTE]))


def test_a_large_score_gains_and_a_small_one_loses() -> None:
    rng = np.random.default_rng(2)
    quiet, lively = rng.exponential(0.01, 1000), rng.exponential(1.0, 1000)
    # Both are twenty times the mean of their own past.
    quiet[-1], lively[-1] = 0.2, 20.0
    plain = [judge(s, 0.0).members[1][-1] for s in (quiet, lively)]
    strong = [judge(s, 1.0).members[1][-1] for s in (quiet, lively)]
    assert abs(plain[0] - plain[1]) < 0.1 * plain[0]
    assert strong[0] < plain[0]
    assert strong[1] > plain[1]


def test_it_adds_so_many_nats_and_no_more() -> None:
    own = np.random.default_rng(3).exponential(1.0, 300)
    own[-1] = 3.0
    limit = np.log(1440)
    before, after = judge(own, 0.0).members[1][260:], judge(own, 1.0).members[1][260:]
    low = own[260:] < np.exp(-4)
    assert (after[low] == 0).all()
    # The first points after the tail exists: no incident was counted yet, and the second level scales all alike.
    gain = (after[0] - before[0]) * limit
    assert np.sign(gain) == np.sign(np.log(own[260]))
    assert -4.0 <= gain <= 0.5 + 1e-9


def test_the_budget_holds_with_strengths() -> None:
    mix = Ensemble.of(("band", Ewma(), 0.4), ("novelty", GapNovelty(), 0.6, {"strength": 1.0}))
    one_in, alerts, expected = 1440, 0, 0.0
    for name in ("gaussian", "autoregressive", "lognormal", "uniform"):
        values = NULLS[name](np.random.default_rng(4), (12, 6000))
        points = Points.fleet([(streams.times(6000, streams.MINUTE), row) for row in values])
        scores = mix.step(mix.start(12), points)
        calibrate = Calibrate(Budget(1, one_in * streams.MINUTE), weights=mix.weights, strengths=mix.strengths)
        found = calibrate.step(calibrate.start(12), points, scores, interval_ns=np.full(12, streams.MINUTE))
        alerts += sum(len(openings(row)) for row in found.anomaly_score.reshape(12, -1))
        expected += values.size / one_in
    assert 0.5 < alerts / expected < 2


def test_strengths_and_weights_may_change_on_a_running_state() -> None:
    mixes = [
        Ensemble.of(("band", Ewma(), w), ("novelty", GapNovelty(), 1 - w, {"strength": s}))
        for w, s in ((0.4, 0.0), (0.6, 1.0))
    ]
    state = mixes[0].start()
    assert mixes[1].load(state.to_bytes()).same_bits(state)
