"""Of which point an alert tells: the strangest, but after a value outside the band none within it."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from watchband.core.points import Points
from watchband.core.scores import Scores
from watchband.pipeline.decide import Decide, Judgement, Record
from watchband.pipeline.policy import Event
from watchband.testing.streams import MINUTE, times


def told(anomaly: list[float], spoke: list[float], values: list[float], edge: list[float]) -> Record:
    """The record of an incident around an expected 0 with these limits."""
    n = len(values)
    blank = np.full(n, np.nan)
    points = Points.of(times(n, MINUTE), np.array(values))
    scores = Scores(np.abs(values), np.zeros(n), blank.copy(), blank.copy(), np.ones(n), np.zeros(n))
    limit = np.array(edge)
    judgement = Judgement(np.array(anomaly), limit, limit.copy(), np.ones(n), np.array(spoke, float))
    decide = Decide()
    whole, state = decide.step(decide.start(), points, scores, judgement), decide.start()
    for i in range(n):
        one = [a[i : i + 1] for a in (np.array(anomaly), limit, limit, np.ones(n), np.array(spoke, float))]
        last = decide.step(
            state,
            Points.of(points.times[i : i + 1], points.values[i : i + 1, 0]),
            scores.take(slice(i, i + 1)),
            Judgement(*one),
        )
    assert last.records == whole.records
    return whole.records[-1]


def test_an_alert_tells_of_the_value_that_was_outside_however_strange_a_pattern_was() -> None:
    record = told([1.2, 1.5, 4.0, 1.1], [1.0, 1.0, 2.0, 1.0], [6.0, 9.0, 0.5, 7.0], [5.0, 6.0, 20.0, 5.0])
    assert (record.value, record.lower, record.upper) == (9.0, -6.0, 6.0)
    assert (record.anomaly_score, record.members) == (4.0, 0b11)
    assert not record.events & Event.PATTERN


def test_a_pattern_gives_way_to_a_stranger_value_only() -> None:
    record = told([3.0, 1.5], [2.0, 1.0], [4.0, 9.0], [5.0, 6.0])
    assert (record.value, record.members, bool(record.events & Event.PATTERN)) == (4.0, 0b11, True)
    record = told([1.2, 1.5], [2.0, 1.0], [4.0, 9.0], [5.0, 6.0])
    assert (record.value, record.members, bool(record.events & Event.PATTERN)) == (9.0, 0b11, False)


def test_the_band_is_named_where_its_value_is_told_however_late_it_spoke() -> None:
    n = 20
    record = told([1.2] * n + [1.5], [2.0] * n + [1.0], [0.0] * n + [9.0], [5.0] * (n + 1))
    assert (record.value, record.anomaly_score, record.members) == (9.0, 1.5, 0b11)


def test_whether_there_is_a_band_is_told_of_the_peak() -> None:
    n = 3
    points = Points.of(times(n, MINUTE), np.array([3.0, 9.0, 4.0]))
    for scale, kind in (([np.nan, 1.0, np.nan], 0), ([1.0, np.nan, 1.0], Event.NO_BAND)):
        blank = np.full(n, np.nan)
        scores = Scores(np.full(n, 9.0), np.zeros(n), blank, blank.copy(), np.array(scale), np.zeros(n))
        judgement = Judgement(np.array([1.5, 3.0, 1.5]), np.full(n, 2.0), np.full(n, 2.0), np.ones(n))
        decide = Decide()
        record = decide.step(decide.start(), points, scores, judgement).records[-1]
        assert record.events & Event.NO_BAND == kind
        assert math.isnan(record.upper) == bool(kind)


@pytest.mark.parametrize("version", [1, 2])
def test_a_state_of_an_older_version_goes_on(version: int) -> None:
    n = 30
    values = np.random.default_rng(3).normal(0, 3, n)
    blank = np.full(n, np.nan)
    points, limit = Points.of(times(n, MINUTE), values), np.full(n, 2.0)
    scores = Scores(np.abs(values), np.zeros(n), blank, blank.copy(), np.ones(n), np.zeros(n))
    judgement = Judgement(np.abs(values) / 2, limit, limit.copy(), np.ones(n))
    decide = Decide()
    now = decide.start()
    decide.step(now, points, scores, judgement)
    arrays = {**now.arrays, "run": now.arrays["run"][:, :-2].copy()}
    if version == 1:
        arrays["alert"] = arrays["alert"][:, :-1].copy()
    old = dataclasses.replace(now, version=version, arrays=arrays)
    now.arrays["run"][:, -1] = 0
    assert decide.load(old.to_bytes()).same_bits(now)
