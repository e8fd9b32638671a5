"""Intervals: they cover what they promise, they are honest with few events, pairs are narrower."""

from __future__ import annotations

import numpy as np
import pytest

from watchband.analysis.tuning import intervals
from watchband.analysis.tuning.checks import few_rows, rows_like_the_first, rule_of_35_rows
from watchband.analysis.tuning.evidence import AT, COLUMNS
from watchband.analysis.tuning.intervals import SERIES_MIN, difference, figure, gap, rate
from watchband.analysis.tuning.objective import f1, objective, recall, vus_pr
from watchband.core.points import Float64
from watchband.evaluation.metrics.bootstrap import Interval

F1 = objective("f1")


def table(found: Float64, missed: Float64, false: Float64) -> Float64:
    made = np.zeros((len(found), len(COLUMNS)))
    made[:, AT["found"]], made[:, AT["missed"]], made[:, AT["false"]] = found, missed, false
    return made


def events(rng: np.random.Generator, stretches: int, chance: float, false: float) -> Float64:
    hit = rng.random(stretches) < chance
    return table(hit * 1.0, ~hit * 1.0, rng.poisson(false, stretches) * 1.0)


@pytest.mark.parametrize(("stretches", "chance"), [(12, 0.7), (12, 0.9), (40, 0.5)])
def test_recall_is_covered_as_often_as_promised(stretches: int, chance: float) -> None:
    rng = np.random.default_rng(1)
    inside = 0
    for _ in range(150):
        found = figure(events(rng, stretches, chance, 0.2), recall)
        inside += found.low <= chance <= found.high
    assert 0.90 <= inside / 150 <= 0.995


def test_a_difference_of_nothing_is_seldom_called_one() -> None:
    rng = np.random.default_rng(2)
    wrong = 0
    for _ in range(150):
        a, b = events(rng, 24, 0.6, 0.3), events(rng, 24, 0.6, 0.3)
        found = difference(a, b, F1)
        wrong += found.low > 0 or found.high < 0
    assert wrong / 150 < 0.09


def test_few_events_that_all_were_found_prove_little() -> None:
    two = figure(table(np.ones(2), np.zeros(2), np.zeros(2)), f1)
    many = figure(table(np.ones(40), np.zeros(40), np.zeros(40)), f1)
    assert two.value == many.value == 1
    assert two.low < 0.65
    assert many.low > 0.9


def test_the_same_configuration_does_not_differ_from_itself() -> None:
    one = events(np.random.default_rng(3), 20, 0.5, 0.2)
    found = difference(one, one, F1)
    assert found.value == 0
    assert found.low < 0 < found.high


def test_pairs_on_the_same_events_tell_more_than_two_parts() -> None:
    one = events(np.random.default_rng(4), 40, 0.5, 0.2)
    better = one.copy()
    better[:10, AT["found"]], better[:10, AT["missed"]] = 1, 0
    paired, apart = difference(better, one, F1), gap(better, one, f1)
    assert paired.value == pytest.approx(apart.value)
    assert paired.high - paired.low < 0.8 * (apart.high - apart.low)


def test_a_mean_over_few_series_has_no_interval() -> None:
    made = np.zeros((SERIES_MIN, len(COLUMNS)))
    made[:, AT["vus_pr"]], made[:, AT["ranked"]] = np.linspace(0.2, 0.8, SERIES_MIN), 1
    few = figure(made[:3], vus_pr, counts=False)
    assert np.isnan(few.low)
    enough = figure(made, vus_pr, counts=False)
    assert 0.2 < enough.low < 0.5 < enough.high < 0.8


def test_rates_of_nothing_and_of_no_time() -> None:
    assert rate(0, 10).low < 0.01
    assert 0.1 < rate(0, 10).high < 0.4
    assert np.isnan(rate(3, 0).value)


def test_weights_are_drawn_some_at_a_time_and_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = rows_like_the_first()
    whole = figure(rows, f1)
    monkeypatch.setattr(intervals, "WEIGHTS_MOST", 35 * 300)
    assert figure(rows, f1) == pytest.approx(whole)


def test_seeds_make_intervals_repeatable() -> None:
    one = events(np.random.default_rng(5), 20, 0.5, 0.2)
    assert figure(one, f1) == figure(one, f1)
    assert figure(one, f1, seed=1) != figure(one, f1)


def test_the_rule_of_35_rows_stands_beside_its_intervals() -> None:
    known = {"f1": Interval(0.625, 0.3, 0.85), "fpr": Interval(0.01, 0.005, 0.02)}
    gap_line, f1_line, fpr_line, band_line = rule_of_35_rows(known, Interval(0.007, -0.2, 0.2), 0.0)
    assert (gap_line.holds, gap_line.settled) == (True, False)
    assert (f1_line.holds, f1_line.settled) == (True, False)
    assert (fpr_line.holds, fpr_line.settled) == (True, True)
    assert not band_line.holds
    far = rule_of_35_rows(known, Interval(-0.3, -0.4, -0.2), 1.0)[0]
    assert (far.holds, far.settled) == (False, True)


def test_thirty_five_rows() -> None:
    found, luck = few_rows()
    assert found.value == pytest.approx(0.625)
    assert found.high - found.low > 0.4
    assert 0.01 < luck < 0.12
