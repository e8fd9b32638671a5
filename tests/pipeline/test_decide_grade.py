"""A grade of an ensemble is the score of what is not anomalous, and moves no alert."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.pipeline.test_decide import FEW, has, named, seeds, stream
from tests.reference.decide import Machine
from watchband.pipeline.decide import Decide, Decisions
from watchband.pipeline.policy import Event, Policy

GRADED = [
    Policy(direction="above"),
    Policy(direction="above", close_level=0.4, close_after=3),
    Policy(m_of_n=(2, 5), close_after=3, flap_hold=5),
    Policy(missing="not_breaching", consecutive=2, max_points=6),
]


def graded(policy: Policy, seed: int, limit: float = 1.0) -> tuple[Decisions, Decisions, np.ndarray]:
    """With and without a grade, and the grade."""
    points, scores, judgement, _ = stream(seed)
    grade = np.random.default_rng(seed).random(len(points))
    with_grade = dataclasses.replace(judgement, grade=grade)
    decide = Decide(policy, limit)
    plain = decide.step(decide.start(), points, scores, judgement)
    return decide.step(decide.start(), points, scores, with_grade), plain, grade


@pytest.mark.parametrize("policy", GRADED, ids=named)
@FEW
@given(seed=seeds, limit=st.sampled_from([1.0, 1.0, 1.7]))
def test_a_grade_moves_no_alert(policy: Policy, seed: int, limit: float) -> None:
    found, plain, _ = graded(policy, seed, limit)
    for name in ("lower", "upper", "alert_opened", "events"):
        assert getattr(found, name).tobytes() == getattr(plain, name).tobytes(), name
    assert repr(found.records) == repr(plain.records)
    high = (found.alert_score > 1) | (plain.alert_score > 1)
    assert found.alert_score[high].tobytes() == plain.alert_score[high].tobytes()


@pytest.mark.parametrize("policy", GRADED, ids=named)
@FEW
@given(seed=seeds)
def test_a_grade_is_the_score_of_what_is_not_anomalous(policy: Policy, seed: int) -> None:
    """For alerts with a limit below 1 as well: ``alert_score`` and ``anomaly_score`` are one scale."""
    found, plain, grade = graded(policy, seed)
    points = stream(seed)[3]
    scores = np.array([point.score for point in points])
    free = (plain.anomaly_score == scores) & (scores <= 1)
    ranked = np.where(free, np.fmax(scores, grade), scores)
    shown = np.where(free, ranked, plain.anomaly_score)
    np.testing.assert_array_equal(found.anomaly_score, shown)
    for limit in (0.0, 0.3, 0.7, 0.95):
        machine = Machine(policy, limit)
        told = [machine.step(dataclasses.replace(p, score=s)) for p, s in zip(points, ranked.tolist(), strict=True)]
        opened = np.array([opens for opens, _ in told])
        active = np.array([False, *(lasts for _, lasts in told)][:-1])
        assert np.array_equal((found.alert_score > limit) & ~active, opened)
        assert np.array_equal(opened, has(graded(policy, seed, limit)[0], Event.OPENED))
