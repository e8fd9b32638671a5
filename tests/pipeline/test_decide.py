"""The kernel equals the obvious state machine; the band agrees with the verdict; alert_score with every limit."""

from __future__ import annotations

import dataclasses
import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reference.decide import Machine, Point, judge
from watchband.core.errors import StateMismatchError
from watchband.core.points import Points
from watchband.core.scores import ADOPTED, HELD, Scores
from watchband.core.state import State
from watchband.pipeline.decide import NEVER, Decide, Decisions, Judgement
from watchband.pipeline.policy import FINDING, Event, Policy
from watchband.testing.streams import MINUTE, times

seeds = st.integers(0, 2**32 - 1)
N = 200
PLAIN = Policy()
FEW = settings(max_examples=max(4, settings.default.max_examples // 4))
"""Examples a policy, for tests that run over many policies."""
EXACT = [
    PLAIN,
    Policy(close_after=1, close_level=1.0),
    Policy(close_after=3, close_level=0.5),
    Policy(consecutive=3, close_after=2),
    Policy(m_of_n=(2, 5), close_after=3),
    Policy(m_of_n=(1, 20), close_after=4),
    Policy(consecutive=2, m_of_n=(3, 4), close_after=5, flap_hold=7),
    Policy(flap_hold=6, close_after=3),
    Policy(missing="ignore", close_after=4, consecutive=2),
    Policy(missing="breaching", close_after=4, consecutive=2),
    Policy(missing="not_breaching", close_after=4),
    Policy(range_low=-3.0, range_high=8.0, consecutive=4, close_after=4),
    Policy(direction="above", min_deviation=1.5, close_after=4),
    Policy(direction="below", min_deviation_relative=0.5, min_count=4.0, close_after=4),
    Policy(max_points=6, close_after=3),
]
ALL = [*EXACT, Policy(cool_down=9, close_after=2), Policy(cool_down=5, m_of_n=(2, 6), max_points=3, flap_hold=2)]


def named(policy: Policy) -> str:
    """What differs from the default."""
    changed = {k: v for k, v in dataclasses.asdict(policy).items() if v != getattr(PLAIN, k)}
    return ",".join(f"{k}={v}" for k, v in changed.items()) or "default"


def stream(seed: int, n: int = N) -> tuple[Points, Scores, Judgement, list[Point]]:
    """Values, expectations and limits without any meaning, with all the awkward cases in them."""
    rng = np.random.default_rng(seed)
    expected = rng.normal(5, 2, n).round(1)
    scale = rng.choice([0.5, 1.0, 3.0], n)
    calm = rng.random(n) < np.repeat(rng.random(n // 10 + 1), 10)[:n]
    values = expected + scale * np.where(calm, rng.normal(0, 0.3, n), rng.normal(0, 3, n)).round(2)
    limit = np.full((2, n), 2.0) + rng.choice([0.0, 1.0], (2, n))
    values[rng.random(n) < 0.06] = np.nan
    expected[rng.random(n) < 0.04] = np.nan
    gap = values - expected
    anomaly = np.where(gap >= 0, np.abs(gap) / scale / limit[0], np.abs(gap) / scale / limit[1])
    held = np.repeat(rng.random(n // 8 + 1) < 0.2, 8)[:n]
    flags = np.where(rng.random(n) < 0.02, ADOPTED, 0.0) + np.where(held, HELD, 0.0)
    blank = np.full(n, np.nan)
    scores = Scores(np.abs(gap) / scale, expected, blank.copy(), blank.copy(), scale, flags)
    judgement = Judgement(anomaly, limit[0], limit[1], np.ones(n))
    moments = times(n, MINUTE)
    points = [
        Point(*row)
        for row in zip(
            moments.tolist(),
            values.tolist(),
            expected.tolist(),
            scale.tolist(),
            anomaly.tolist(),
            limit[0].tolist(),
            limit[1].tolist(),
            (flags >= ADOPTED).tolist(),
            held.tolist(),
            strict=True,
        )
    ]
    return Points.of(moments, values), scores, judgement, points


def decided(policy: Policy, seed: int, limit: float = 1.0) -> Decisions:
    points, scores, judgement, _ = stream(seed)
    decide = Decide(policy, limit)
    return decide.step(decide.start(), points, scores, judgement)


def has(decisions: Decisions, event: Event) -> Any:
    return (decisions.events & int(event)) != 0


@pytest.mark.parametrize("policy", ALL, ids=named)
@FEW
@given(seed=seeds, limit=st.sampled_from([1.0, 1.0, 0.4, 1.7]))
def test_the_kernel_is_the_state_machine(policy: Policy, seed: int, limit: float) -> None:
    decisions = decided(policy, seed, limit)
    machine = Machine(policy, limit)
    told = [machine.step(point) for point in stream(seed)[3]]
    assert has(decisions, Event.OPENED).tolist() == [opened for opened, _ in told]
    found = {r.opened: r for r in decisions.records}
    expected = {i.opened: i for i in machine.incidents}
    assert list(found) == list(expected)
    for opened, incident in expected.items():
        record = found[opened]
        assert (record.decided, record.points, record.peak_time, record.anomaly_score) == (
            incident.decided,
            incident.points,
            incident.peak_time,
            incident.score,
        )
        assert (None if record.closed == NEVER else record.closed) == incident.closed
        assert bool(record.events & Event.ADOPTED) == incident.adopted


@pytest.mark.parametrize("policy", ALL, ids=named)
@FEW
@given(seed=seeds)
def test_scores_after_policies(policy: Policy, seed: int) -> None:
    decisions = decided(policy, seed)
    for i, point in enumerate(stream(seed)[3]):
        score, finding = judge(point, policy)
        if math.isnan(point.value) and policy.missing == "not_breaching":
            score = math.nan
        got = float(decisions.anomaly_score[i])
        assert got == score or (math.isnan(got) and math.isnan(score)), (i, point)
        raised = has(decisions, Event.OUT_OF_RANGE | Event.BREACHING)[i]
        assert raised == finding
        if got < point.score and point.score > 1:
            mask = Event.DIRECTION | Event.MIN_DEVIATION | Event.MIN_COUNT
            assert has(decisions, mask)[i]


@pytest.mark.parametrize("policy", ALL, ids=named)
@FEW
@given(seed=seeds)
def test_a_value_anomaly_is_a_point_outside_the_drawn_band(policy: Policy, seed: int) -> None:
    points = stream(seed)[0]
    decisions = decided(policy, seed)
    values = points.values[:, 0]
    known = np.isfinite(values) & ~has(decisions, Event.NO_BAND)
    outside = (values > decisions.upper) | (values < decisions.lower)
    assert known.sum() > N // 2
    assert np.array_equal(outside[known], (decisions.anomaly_score > 1)[known])
    # A point without an opinion lies in no band.
    silent = np.isnan(decisions.anomaly_score) & np.isfinite(values)
    assert not outside[silent].any()


@given(seed=seeds)
def test_the_band_is_nudged_by_rounding_only(seed: int) -> None:
    _, scores, judgement, _ = stream(seed)
    decisions = decided(PLAIN, seed)
    for edge, limit, sign in (
        (decisions.upper, judgement.limit_above, 1),
        (decisions.lower, judgement.limit_below, -1),
    ):
        wanted = scores.expected + sign * limit * scores.scale
        known = np.isfinite(wanted)
        assert np.allclose(edge[known], wanted[known], rtol=0, atol=1e-13 * 40)


@pytest.mark.parametrize("policy", EXACT, ids=named)
@FEW
@given(seed=seeds)
def test_alert_score_at_t_is_what_decide_does_at_limit_t(policy: Policy, seed: int) -> None:
    """Above t it marks the openings at t and the escalations: points at which an alert with a higher limit opens."""
    alert_score = decided(policy, seed).alert_score
    points = stream(seed)[3]
    limits = [0.0, 0.4, 1.0, 1.3, 2.0, 3.0]
    opened, active = [], []
    for limit in limits:
        machine = Machine(policy, limit)
        told = [machine.step(point) for point in points]
        opened.append(np.array([o for o, _ in told]))
        active.append(np.array([False, *(a for _, a in told)][:-1]))
        at_limit = decided(policy, seed, limit)
        assert np.array_equal(opened[-1], has(at_limit, Event.OPENED))
        above = alert_score > limit
        assert np.array_equal(above, has(at_limit, Event.OPENED | Event.ESCALATED))
        assert np.array_equal(above & ~active[-1], opened[-1])
    # An escalation is no more than that: just below its score an alert opens at that very point.
    marked = np.flatnonzero(alert_score > 0)
    for i in np.random.default_rng(seed).choice(marked, min(4, len(marked)), replace=False).tolist():
        machine = Machine(policy, float(np.nextafter(alert_score[i], 0)))
        assert [machine.step(point)[0] for point in points[: i + 1]][-1]
    # Where an alert with a limit on the grid opens, every lower limit sees an opening or an escalation.
    for low, limit in enumerate(limits):
        later = np.logical_or.reduce(opened[low:])
        assert not (later & ~(alert_score > limit)).any()


@given(seed=seeds, cuts=st.lists(st.integers(0, N), max_size=6))
def test_cut_anywhere(seed: int, cuts: list[int]) -> None:
    policy = ALL[seed % len(ALL)]
    points, scores, judgement, _ = stream(seed)
    decide = Decide(policy)
    whole_state, state = decide.start(), decide.start()
    whole = decide.step(whole_state, points, scores, judgement)
    parts = []
    edges = [0, *sorted(cuts), N]
    for a, b in pairwise(edges):
        piece = Points.of(points.times[a:b], points.values[a:b])
        cut = Judgement(*(getattr(judgement, f.name)[a:b] for f in dataclasses.fields(Judgement)[:4]))
        state = State.from_bytes(state.to_bytes())
        parts.append(decide.step(state, piece, Scores(*(x[a:b] for x in scores.outputs())), cut))
    for name in ("anomaly_score", "alert_score", "lower", "upper", "alert_opened", "events"):
        joined = np.concatenate([getattr(p, name) for p in parts])
        assert joined.tobytes() == getattr(whole, name).tobytes(), name
    assert state.same_bits(whole_state)
    last = {r.opened: r for part in parts for r in part.records}
    assert repr(list(last.values())) == repr(whole.records)


def test_series_and_threads_do_not_matter() -> None:
    parts = [stream(seed) for seed in range(5)]
    points = Points.fleet([(p.times, p.values) for p, *_ in parts])
    scores = Scores(*(np.concatenate(a) for a in zip(*(s.outputs() for _, s, *_ in parts), strict=True)))
    names = [f.name for f in dataclasses.fields(Judgement)[:4]]
    judgement = Judgement(*(np.concatenate([getattr(j, k) for _, _, j, _ in parts]) for k in names))
    decide = Decide()
    one, many = (decide.step(decide.start(5), points, scores, judgement, threads=t) for t in (1, 4))
    assert one.same_bits(many)
    assert repr(one.records) == repr(many.records)
    for row, (_, where) in enumerate(points.slices()):
        alone = decided(PLAIN, row)
        assert np.array_equal(one.anomaly_score[where], alone.anomaly_score, equal_nan=True)
        assert [r.opened for r in one.records if r.row == row] == [r.opened for r in alone.records]


def tell(scores: list[float], policy: Policy = PLAIN, values: list[float] | None = None) -> Decisions:
    """Decide on plain scores of a detector without a scale."""
    n = len(scores)
    blank = np.full(n, np.nan)
    given_scores = Scores(*(blank.copy() for _ in range(5)), np.zeros(n))
    judgement = Judgement(np.array(scores), blank, blank, np.ones(n))
    points = Points.of(times(n, MINUTE), values or [1.0] * n)
    decide = Decide(policy)
    return decide.step(decide.start(), points, given_scores, judgement)


def test_the_same_again_is_no_escalation() -> None:
    assert tell([2.0, 2.0, 3.0, 2.5, 3.0]).alert_score.tolist() == [2.0, 0.0, 3.0, 0.0, 0.0]


def test_without_a_scale_there_is_no_band() -> None:
    decisions = tell([0.1, 5.0, 0.1])
    assert np.isnan(decisions.lower).all()
    assert np.isnan(decisions.upper).all()
    assert has(decisions, Event.NO_BAND).all()
    assert decisions.alert_score.tolist() == [0.1, 5.0, 0.0]


def test_an_own_band_is_drawn_where_it_agrees() -> None:
    n = 4
    blank = np.full(n, np.nan)
    scores = Scores(blank, blank.copy(), np.zeros(n), np.full(n, 10.0), blank.copy(), np.zeros(n))
    judgement = Judgement(np.array([0.0, 2.0, 2.0, 0.0]), blank, blank, np.ones(n))
    decide = Decide()
    found = decide.step(decide.start(), Points.of(times(n), [5.0, 12.0, 5.0, 12.0]), scores, judgement)
    assert found.upper.tolist()[:2] == [10.0, 10.0]
    assert np.isnan(found.upper[2:]).all()
    assert has(found, Event.NO_BAND).tolist() == [False, False, True, True]


def test_five_abnormal_readings_alert_at_the_fifth_and_begin_at_the_first() -> None:
    decisions = tell([0.1] * 3 + [2.0] * 6 + [0.1] * 20, Policy(consecutive=5))
    (record,) = decisions.records
    start = int(times(1, MINUTE)[0])
    assert (record.opened - start, record.decided - start) == (3 * MINUTE, 7 * MINUTE)
    assert record.points == 6
    assert has(decisions, Event.WAITING)[3:7].all()
    assert (decisions.alert_opened[7:20] == record.opened).all()
    assert (decisions.alert_opened[[6, 20]] == NEVER).all()
    assert record.closed - start == 20 * MINUTE


def test_a_cool_down_keeps_silent_and_says_so() -> None:
    scores = [2.0, 0.1, 0.1, 2.0, 0.1, 0.1, 0.1, 2.0, 0.1]
    decisions = tell(scores, Policy(close_after=2, cool_down=3))
    assert np.flatnonzero(has(decisions, Event.OPENED)).tolist() == [0, 7]
    assert np.flatnonzero(has(decisions, Event.COOLING)).tolist() == [3]
    assert decisions.anomaly_score.tolist() == scores


def test_flapping_is_one_alert() -> None:
    scores = [2.0, 0.1, 0.1, 2.0, 0.1, 0.1, 2.0] + [0.1] * 9
    assert len(tell(scores, Policy(close_after=2)).records) == 3
    held = tell(scores, Policy(close_after=2, flap_hold=2))
    assert len(held.records) == 1
    assert np.flatnonzero(has(held, Event.REOPENED)).tolist() == [3, 6]
    assert held.records[0].points == 3


def test_no_data_opens_where_it_is_breaching() -> None:
    values = [1.0, math.nan, 1.0]
    decisions = tell([0.1, math.nan, 0.1], Policy(missing="breaching"), values)
    assert decisions.anomaly_score.tolist() == [0.1, FINDING, 0.1]
    assert len(decisions.records) == 1
    assert not tell([0.1, math.nan, 0.1], PLAIN, values).records


def test_a_missing_point_breaks_a_run_unless_it_is_ignored() -> None:
    scores, values = [2.0, math.nan, 2.0], [1.0, math.nan, 1.0]
    assert not tell(scores, Policy(consecutive=2), values).records
    assert len(tell(scores, Policy(consecutive=2, missing="ignore"), values).records) == 1


def test_an_alert_at_time_zero_is_an_alert() -> None:
    blank = np.full(1, np.nan)
    decide = Decide()
    found = decide.step(
        decide.start(),
        Points.of([0], [1.0]),
        Scores(*(blank.copy() for _ in range(5)), np.zeros(1)),
        Judgement(np.array([2.0]), blank, blank, np.ones(1)),
    )
    assert found.alert_opened.tolist() == [0]


def test_an_empty_batch_changes_nothing() -> None:
    decide = Decide()
    state = decide.start(2)
    before = state.copy()
    empty = np.empty(0)
    found = decide.step(state, Points.empty(), Scores.blank(Points.empty()), Judgement(*[empty] * 4))
    assert len(found.anomaly_score) == 0
    assert state.same_bits(before)


def test_a_state_of_another_policy_is_refused() -> None:
    points, scores, judgement, _ = stream(1)
    with pytest.raises(StateMismatchError, match="other parameters"):
        Decide(Policy(consecutive=2)).step(Decide().start(), points, scores, judgement)


def test_the_band_of_a_metric_that_was_never_below_zero_ends_there() -> None:
    """The detector ends its own band at 0: the drawn one does as well, and still agrees with the verdict."""
    n = 50
    values = np.full(n, 2.0)
    points = Points.of(times(n, MINUTE), values)
    own = [np.zeros(n), np.full(n, 4.0)]
    scores = Scores(np.zeros(n), values.copy(), *own, np.ones(n), np.zeros(n))
    judgement = Judgement(np.zeros(n), np.full(n, 9.0), np.full(n, 9.0), np.ones(n))
    decide = Decide()
    clamped = decide.step(decide.start(), points, scores, judgement)
    assert (clamped.lower == 0).all()
    assert (clamped.upper == 11).all()
    free = dataclasses.replace(scores, lower=np.full(n, -1.0))
    assert (decide.step(decide.start(), points, free, judgement).lower == -7).all()
