"""Calibrate with the members of an ensemble: the reference, the single detector's bits, the drawn band, the budget."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.reference.calibrate import several
from watchband.core.duration import MINUTE
from watchband.core.errors import PointsShapeError
from watchband.core.points import Float64, Points
from watchband.core.scores import Scores
from watchband.detectors import GapNovelty, LevelShift, Residual, RollingZscore, SeasonalBand
from watchband.pipeline.calibrate import Calibrate, Calibrated
from watchband.pipeline.ensemble import Ensemble
from watchband.pipeline.rules import Budget, Cutoff, Sigma
from watchband.testing import streams
from watchband.testing.nulls import NULLS, openings

ONE_IN = 1440
BUDGET = Budget(1, ONE_IN * MINUTE)
WEIGHTS = (0.5, 0.3, 0.2)


def given(values: Float64, *further: Float64) -> tuple[Points, Scores]:
    """A band of scale 1 around 0, and members with these scores."""
    ones, nothing = np.ones(len(values)), np.zeros(len(values))
    points = Points.of(streams.times(len(values), MINUTE), values)
    score = np.where(np.isfinite(values), np.abs(values), np.nan)
    return points, Scores(score, nothing, -ones, ones, ones, nothing, further)


def run(calibrate: Calibrate, points: Points, scores: Scores, held: np.ndarray | None = None) -> Calibrated:
    interval = np.full(points.series, MINUTE)
    return calibrate.step(calibrate.start(points.series), points, scores, interval_ns=interval, held=held)


def stream(seed: int, n: int = 1500) -> tuple[Points, Scores]:
    """Noise with incidents; the second member begins late and is silent now and then, the third has its own."""
    rng = np.random.default_rng(seed)
    values, late, heavy = rng.normal(size=n), rng.exponential(size=n), np.abs(rng.standard_t(3, n))
    values[[300, 700, 701, 702]] = [9, 30, 31, -28]
    values[n - 100 : n - 80] += 25
    late[:400] = np.nan
    late[rng.random(n) < 0.1] = np.nan
    late[900:905] = 40
    heavy[[650, 1100]] = 300
    values[[1000, 1001]] = np.nan
    return given(values, late, heavy)


@pytest.mark.parametrize("seed", [1, 2])
def test_equals_the_reference(seed: int) -> None:
    points, scores = stream(seed)
    found = run(Calibrate(BUDGET, half_life=400.0, weights=WEIGHTS), points, scores)
    ln_limit = np.log(BUDGET.p_limit(MINUTE))
    whole, each, grades = several(points.values[:, 0], list(scores.members), WEIGHTS, 400.0, -ln_limit)
    np.testing.assert_array_equal(np.isnan(found.p_value), np.isnan(whole))
    np.testing.assert_allclose(-np.log(found.p_value), whole, rtol=0.05, atol=0.02)
    for own, expected in zip(found.members, each, strict=True):
        np.testing.assert_array_equal(np.isnan(own), np.isnan(expected))
        np.testing.assert_allclose(-own * ln_limit, expected, rtol=0.05, atol=0.02)
    np.testing.assert_allclose(found.grade, grades, rtol=0.02, atol=0.002)
    strange = [int((own > 1).sum()) for own in found.members]
    assert min(strange) > 0, "every member speaks somewhere, or this shows nothing"


def test_the_most_surprising_member_counts() -> None:
    found = run(Calibrate(BUDGET, weights=WEIGHTS), *stream(3))
    every = np.stack(found.members)
    known = ~np.isnan(every).all(axis=0)
    assert np.nanmax(every[:, known], axis=0).tobytes() == found.anomaly_score[known].tobytes()
    assert np.isnan(found.anomaly_score[~known]).all()
    bits = sum(np.where(own > 1, 1 << k, 0) for k, own in enumerate(found.members))
    np.testing.assert_array_equal(found.spoke, bits)


def test_one_member_is_a_single_detector() -> None:
    points, scores = stream(4)
    alone = dataclasses.replace(scores, members=())
    plain, one = Calibrate(BUDGET), Calibrate(BUDGET, weights=(1.0,))
    assert plain.fingerprint == one.fingerprint
    assert plain.state_bytes_max == one.state_bytes_max
    # Further scores are not looked at.
    for a, b in zip(run(plain, points, alone).columns(), run(one, points, scores).columns(), strict=True):
        assert a.tobytes() == b.tobytes()


def test_until_others_can_speak_the_band_is_that_of_a_single_detector() -> None:
    points, scores = stream(5)
    silent = dataclasses.replace(scores, members=tuple(np.full(len(points), np.nan) for _ in scores.members))
    alone = run(Calibrate(BUDGET), points, dataclasses.replace(scores, members=()))
    among = run(Calibrate(BUDGET, weights=WEIGHTS), points, silent)
    for a, b in zip(alone.columns(), among.columns()[:5], strict=True):
        assert a.tobytes() == b.tobytes()
    spoken = run(Calibrate(BUDGET, weights=WEIGHTS), points, scores)
    np.testing.assert_array_equal(spoken.limit_above[:249], alone.limit_above[:249])
    assert (spoken.limit_above[260:600] > alone.limit_above[260:600]).all(), "less weight, a wider band"


@pytest.mark.parametrize("direction", ["both", "above", "below"])
@pytest.mark.parametrize("seed", range(6))
def test_a_value_anomaly_is_exactly_a_point_outside_the_band(seed: int, direction: str) -> None:
    points, scores = stream(seed, 2500)
    found = run(Calibrate(Budget(1, 200 * MINUTE), direction, half_life=800.0, weights=WEIGHTS), points, scores)
    values = points.values[:, 0]
    known = ~np.isnan(found.members[0])
    beyond = (values > found.limit_above) | (values < -found.limit_below)
    assert known.sum() > 2000
    np.testing.assert_array_equal(beyond[known], found.members[0][known] > 1)
    assert ((found.anomaly_score > 1) & ~beyond).any(), "others see what lies within the band"


@pytest.mark.parametrize("rule", [Cutoff(3.0), Sigma(3.0)], ids=str)
def test_rules_in_units_of_the_score_read_the_band_alone(rule: Cutoff | Sigma) -> None:
    points, scores = stream(6)
    among, alone = Calibrate(rule, weights=WEIGHTS), Calibrate(rule)
    assert among.state_bytes_max == alone.state_bytes_max
    mine = run(among, points, scores)
    assert mine.members == ()
    np.testing.assert_array_equal(mine.anomaly_score, run(alone, points, scores).anomaly_score)


def test_cut_anywhere_and_through_bytes_the_same_bits() -> None:
    points, scores = stream(7)
    calibrate = Calibrate(BUDGET, half_life=100, weights=WEIGHTS)
    whole, state, rng = run(calibrate, points, scores), calibrate.start(), np.random.default_rng(0)
    at, parts = 0, []
    while at < len(points):
        cut = slice(at, min(at + int(rng.integers(1, 90)), len(points)))
        batch = Points.of(points.times[cut], points.values[cut])
        parts.append(calibrate.step(state, batch, scores.take(cut), interval_ns=np.array([MINUTE])).columns())
        state, at = calibrate.load(state.to_bytes()), cut.stop
    for a, pieces in zip(whole.columns(), zip(*parts, strict=True), strict=True):
        assert a.tobytes() == np.concatenate(pieces).tobytes()
    assert state.nbytes == calibrate.state_bytes_max
    assert all(np.isfinite(a).all() for a in state.arrays.values())


def test_bytes_grow_with_the_members() -> None:
    sizes = [Calibrate(weights=(1 - 0.1 * k, *[0.1] * k)).state_bytes_max for k in range(4)]
    assert sizes[0] == 6040
    assert np.diff(sizes).tolist() == [2560 + 296 + 40 + 16, 2560 + 296 + 40, 2560 + 296 + 40]


def test_a_grade_ranks_a_run_of_odd_points_above_a_lone_one_and_never_reaches_the_limit() -> None:
    points, scores = given(*np.abs(np.random.default_rng(9).normal(size=(3, 3000))))
    odd = np.r_[2000, 2500:2540]
    for column in (points.values[:, 0], scores.score, *scores.members):
        column[odd] = 2.6
    found = run(Calibrate(BUDGET, weights=WEIGHTS), points, scores)
    assert found.grade is not None
    quiet = np.delete(found.grade[1000:], odd - 1000)
    assert found.grade[2539] > 1.2 * found.grade[2000] > 2 * np.median(quiet)
    assert (found.anomaly_score[odd] < 1).all(), "none of them is anomalous by itself"
    assert np.nanmax(found.grade) <= 1


def test_a_member_with_less_than_a_thousandth_alerts_and_is_not_heard_by_the_grade() -> None:
    points, scores = given(*np.abs(np.random.default_rng(9).normal(size=(3, 3000))))
    scores.members[1][2000] = 40.0
    found = run(Calibrate(BUDGET, weights=(0.6, 0.3995, 0.0005)), points, scores)
    without = run(
        Calibrate(BUDGET, weights=(0.6, 0.4)), points, dataclasses.replace(scores, members=scores.members[:1])
    )
    assert found.anomaly_score[2000] > 1 > without.anomaly_score[2000]
    assert found.grade is not None
    assert without.grade is not None
    np.testing.assert_allclose(found.grade[:2000], without.grade[:2000], rtol=1e-12)


def test_what_is_excluded_leaves_no_trace_in_the_grade() -> None:
    points, scores = stream(10)
    calibrate, learn = Calibrate(BUDGET, weights=WEIGHTS), np.ones(len(points), bool)
    learn[800:830] = False
    strange = [a.copy() for a in (points.values[:, 0], scores.score, *scores.members)]
    for column in strange:
        column[800:830] = 50.0
    other = dataclasses.replace(scores, score=strange[1], members=tuple(strange[2:]))
    interval = np.array([MINUTE])
    plain = calibrate.step(calibrate.start(), points, scores, interval_ns=interval, learn=learn)
    wild = calibrate.step(
        calibrate.start(), points.with_values(strange[0][:, None]), other, interval_ns=interval, learn=learn
    )
    assert plain.grade is not None
    assert wild.grade is not None
    assert plain.grade[830:].tobytes() == wild.grade[830:].tobytes()
    assert (wild.grade[800:830] > plain.grade[800:830]).all()


def test_a_state_of_version_2_has_no_grade_yet_and_goes_on() -> None:
    points, scores = stream(11)
    calibrate, half = Calibrate(BUDGET, weights=WEIGHTS), slice(0, 700)
    first = Points.of(points.times[half], points.values[half])
    state = calibrate.start()
    calibrate.step(state, first, scores.take(half), interval_ns=np.array([MINUTE]))
    old = dataclasses.replace(state, version=2, arrays={**state.arrays, "life": state.arrays["life"][:, :-2]})
    upgraded = calibrate.upgrade(old)
    assert upgraded.version == calibrate.state_version
    assert {k: a.shape for k, a in upgraded.arrays.items()} == {k: a.shape for k, a in state.arrays.items()}
    assert (upgraded.arrays["life"][:, -2:] == 0).all()
    np.testing.assert_array_equal(upgraded.arrays["life"][:, :-2], state.arrays["life"][:, :-2])


def test_an_outage_leaves_no_trace_in_any_member() -> None:
    points, scores = given(*np.abs(np.random.default_rng(8).normal(size=(2, 1200))))
    for column in (points.values[:, 0], scores.score, scores.members[0]):
        column[800:830] = 60.0
    held = np.zeros(1200, bool)
    held[801:830] = True
    calibrate = Calibrate(BUDGET, weights=(0.5, 0.5))
    state = calibrate.start()
    calibrate.step(state, points, scores, interval_ns=np.array([MINUTE]), held=held)
    for row in state.arrays["bins"].reshape(-1, 640):
        # Bucket of 60 and its neighbours.
        assert row[380:400].sum() == 0


def test_members_must_be_those_of_the_weights() -> None:
    points, scores = stream(9)
    with pytest.raises(PointsShapeError, match="combines 2 members"):
        run(Calibrate(weights=(0.5, 0.5)), points, scores)


MIX = Ensemble.of(
    ("band", SeasonalBand(), 0.5),
    ("residual", Residual(), 0.2),
    ("novelty", GapNovelty(), 0.15),
    ("shift", LevelShift(), 0.15, {"reads": "residual", "holds": True}),
)
SLIDING = Ensemble.of(("band", RollingZscore(), 0.6), ("novelty", GapNovelty(), 0.2), ("shift", LevelShift(), 0.2))
SERIES, POINTS = 20, 6000
# As for single detectors: high scores come at the same hours, and noise by the hour is learned for days.
QUIETER = {"sine and noise": 0.4, "noise by the hour": 0.35}


@pytest.mark.parametrize("null", NULLS)
@pytest.mark.parametrize("mix", [MIX, SLIDING], ids=["seasonal", "sliding"])
def test_an_ensemble_keeps_one_budget(null: str, mix: Ensemble) -> None:
    values = NULLS[null](np.random.default_rng(5), (SERIES, POINTS))
    points = Points.fleet([(streams.times(POINTS, 5 * MINUTE), row) for row in values])
    scores = mix.step(mix.start(SERIES), points)
    found = run(Calibrate(BUDGET, weights=mix.weights), points, scores).anomaly_score
    opened = [at for row in found.reshape(SERIES, POINTS) for at in openings(row)]
    promised = values.size / ONE_IN
    assert promised > 30
    least = QUIETER.get(null, 0.5)
    assert least <= len(opened) / promised <= 2
    assert sum(at < 1000 for at in opened) <= 2 * SERIES * 1000 / ONE_IN
