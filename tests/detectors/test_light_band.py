"""Light band: equal to the slow version, knows hours and weekdays, and does not learn an outage."""

from __future__ import annotations

import numpy as np
import pytest

from tests.reference.light_band import LightBand as Reference
from watchband.core.points import Float64, Points
from watchband.core.scores import ADOPTED, HELD, Scores
from watchband.detectors import LightBand, SeasonalBand
from watchband.testing import streams

FIVE = 5 * streams.MINUTE


def run(detector: LightBand, values: Float64, interval: int = FIVE) -> Scores:
    return detector.step(detector.start(), Points.of(streams.times(len(values), interval), values))


def office(days: int, seed: int = 1) -> Float64:
    """A metric of people: high by day, half as high at weekends, noise of 3."""
    at = np.arange(days * 288)
    weekend = (at // 288) % 7 >= 5
    shape = np.maximum(0, np.sin(2 * np.pi * (at / 288 - 0.25)))
    return 50 + 100 * shape * np.where(weekend, 0.4, 1.0) + np.random.default_rng(seed).normal(0, 3, len(at))


@pytest.mark.parametrize("name", ["office", "outage", "gaps", "counts", "shift", "still"])
def test_equals_the_reference(name: str) -> None:
    """Expected value, scale and flags, through outages, gaps, counts and a level that stays."""
    values = office(16)
    rng = np.random.default_rng(2)
    if name == "outage":
        values[3000:3060] = 0
    elif name == "gaps":
        values[rng.random(len(values)) < 0.2] = np.nan
    elif name == "counts":
        values = rng.poisson(0.4, len(values)).astype(float)
    elif name == "shift":
        values[2500:] += 200
    elif name == "still":
        values = np.round(values / 50) * 50
    times = streams.times(len(values), FIVE)
    keep = np.r_[0:1500, 1590 : len(values)]
    times, values = times[keep], values[keep]
    scores = LightBand().step(LightBand().start(), Points.of(times, values))
    slow = Reference()
    wanted = np.array([slow.step(int(t), float(v)) for t, v in zip(times, values, strict=True)])
    # The factors of the scale are kept in 32 bits, and one less than they are.
    tolerance = 1e-4 * np.nanmax(np.abs(values))
    np.testing.assert_allclose(scores.expected, wanted[:, 0], atol=tolerance)
    np.testing.assert_allclose(scores.scale, wanted[:, 1], rtol=1e-3, atol=1e-9)
    np.testing.assert_array_equal(np.asarray(scores.flags, int) % 4, wanted[:, 2])


def test_hours_and_weekdays_are_known() -> None:
    """After four weeks it expects the noise-free course to a few, nearly as well as the band six times its size."""
    values = office(42)
    points = Points.of(streams.times(len(values), FIVE), values)
    late = slice(28 * 288, None)
    ours, theirs = (d.step(d.start(), points) for d in (LightBand(), SeasonalBand()))
    errors = [np.abs(values - s.expected)[late].mean() for s in (ours, theirs)]
    assert errors[0] < 3.5
    assert errors[0] < 1.3 * errors[1]


def test_an_outage_is_not_learned() -> None:
    """Six hours at zero are strange to the end, carry the flag, and leave the next day as it was."""
    values = office(21)
    clean = run(LightBand(), values)
    hurt = values.copy()
    hurt[4000:4072] = -100
    scores = run(LightBand(), hurt)
    assert scores.score[4000:4072].min() > 10
    assert (scores.flags[4002:4072] == HELD).all()
    assert scores.score[4076:].max() < 6
    difference = np.abs(scores.expected - clean.expected)[4076:]
    assert difference.max() < 6


def test_a_level_that_stays_is_adopted() -> None:
    """Once, after the hold; `hold` never adopts, `follow` soon."""
    values = office(21)
    values[4000:] += 300
    adopted = {how: np.flatnonzero(run(LightBand(adapt=how), values).flags == ADOPTED) for how in ("auto", "follow")}
    assert adopted["auto"].tolist() == [4288]
    assert adopted["follow"].min() < 4010
    assert not (run(LightBand(adapt="hold"), values).flags[4000:] == ADOPTED).any()


def test_bytes_leave_room_for_a_million_series() -> None:
    """A million of them fit into 2 GB."""
    assert LightBand().state_bytes_max <= 2000


def test_far_numbers_stay_numbers() -> None:
    """Neither 1e300 nor a denormal leaves NaN behind where values come back."""
    values = office(6)
    values[700:703] = [1e300, -1e300, 5e-324]
    scores = run(LightBand(), values)
    assert np.isfinite(scores.score[800:]).all()
    assert scores.score[1000:].max() < 30


@pytest.mark.parametrize("days", [6, 8, 31])
def test_points_weeks_apart(days: int) -> None:
    """Further apart than the level remembers: the level still follows by a tenth of each."""
    values = np.random.default_rng(4).normal(100, 5, 200)
    times = streams.times(200, days * 24 * streams.HOUR)
    detector = LightBand()
    scores = detector.step(detector.start(), Points.of(times, values))
    assert np.isfinite(scores.score[8:]).all()
    assert abs(np.mean(scores.expected[100:]) - 100) < 3
