"""Rows divided at random leak: a search over labels that mean nothing looks good by them, and does not in time."""

from __future__ import annotations

import numpy as np
import pytest

from watchband.analysis.tuning.material import Series, in_time
from watchband.analysis.tuning.replay import Replay
from watchband.analysis.tuning.space import Space
from watchband.analysis.tuning.stratified import Leaked, stratified
from watchband.core.series import SeriesKey
from watchband.detectors import Ewma
from watchband.evaluation.labels import Label
from watchband.pipeline.watch import Watch

from .conftest import STEP

POINTS, EVENT = 2000, 60


def wandering(seed: int) -> Series:
    """A level that wanders, and labels where nothing happens: nobody can know the next one."""
    rng = np.random.default_rng(seed)
    values = np.zeros(POINTS)
    for i, step in enumerate(rng.normal(0, 1, POINTS - 1), 1):
        values[i] = 0.99 * values[i - 1] + step
    starts = np.linspace(300, POINTS - 150, 8).astype(int) + rng.integers(0, 80, 8)
    labels = tuple(Label("x", int(a) * STEP, int(a + EVENT - 1) * STEP) for a in starts)
    return Series(SeriesKey("x"), np.arange(POINTS) * STEP, values, labels)


def go(seed: int) -> Leaked:
    one = [wandering(seed)]
    space = Space(("threshold",), "budget:1/1d", policy=False)
    return stratified(one, in_time(one), Replay(Watch("t", Ewma()), threads=1), space, trials=10)


@pytest.fixture(scope="module")
def leaks() -> list[Leaked]:
    return [go(seed) for seed in range(6)]


def test_the_leak_raises_the_score(leaks: list[Leaked]) -> None:
    gains = np.array([found.leak for found in leaks])
    assert gains.mean() > 0.08
    assert gains.mean() > 2 * gains.std(ddof=1) / np.sqrt(len(gains))


def test_the_rule_of_seed_001_is_pleased_by_what_leaks(leaks: list[Leaked]) -> None:
    random, timed = ([abs(f.sides[k].validation.value - f.sides[k].test.value) for f in leaks] for k in (0, 1))
    assert np.mean(random) < 0.05
    assert np.mean(timed) > 2 * np.mean(random)


def test_the_report_says_that_it_leaks_and_chooses_nothing(leaks: list[Leaked]) -> None:
    found = leaks[0]
    assert found.sentences[0].startswith("These figures leak.")
    assert found.default == Space(("threshold",)).default("threshold")
    assert [s.label for s in found.sides] == ["rows at random", "in time"]
    assert found.tried == 20


def test_it_is_repeatable(leaks: list[Leaked]) -> None:
    assert str(go(1)) == str(leaks[1])
