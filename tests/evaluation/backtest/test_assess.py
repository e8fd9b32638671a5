"""Alerts against labels, figures and splits: cases by hand, and agreement with the point-wise count of events."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from tests.apps.pictures import alert_of, series_view
from watchband.core.alert import Alert
from watchband.core.duration import WEEK
from watchband.core.errors import ConfigError
from watchband.evaluation.backtest.assess import Outcome, assess
from watchband.evaluation.backtest.choosing import choose, lead
from watchband.evaluation.backtest.figures import figures, units
from watchband.evaluation.backtest.periods import Plan, Span
from watchband.evaluation.backtest.points import point_figures, series_points
from watchband.evaluation.labels import Label, windows
from watchband.evaluation.metrics.events import count_events

VIEW = series_view("cpu", 500, alerts=1)
ALERT = alert_of(VIEW, 250, 255)


def alert(at: int) -> Alert:
    return dataclasses.replace(ALERT, opened=at, decided=at, closed=None, id=str(at))


def verdicts(outcome: Outcome) -> list[str]:
    return [one.verdict for one in outcome.told]


def test_every_verdict() -> None:
    labels = [Label("s", 100, 200, "shift", 250), Label("s", 400, 450, expect="quiet"), Label("s", 600, 700)]
    found = assess("s", [alert(t) for t in (150, 180, 240, 300, 410, 20, 990)], labels, 50, 900)
    assert verdicts(found) == ["hit", "again", "aftermath", "false", "quiet"]
    assert [(e.found, e.delay_ns) for e in found.events] == [(True, 50), (False, 0)]
    assert verdicts(assess("s", [alert(5)], [], 0, 10)) == ["false"]
    assert verdicts(assess("s", [alert(5)], [], 0, 10, labelled=False)) == ["unknown"]


def test_what_counts_by_hand() -> None:
    labels = [Label("s", WEEK // 2, WEEK // 2 + 9), Label("s", WEEK, WEEK + 9)]
    outcome = assess("s", [alert(WEEK // 2 + 4), alert(7), alert(8)], labels, 0, 2 * WEEK)
    found = figures([outcome] * 12, promised=1.0)
    assert (found.alerts, found.false, found.found, found.missed) == (36, 24, 12, 12)
    assert found.weeks == 24
    assert found.alerts_per_week.value == pytest.approx(1.5)
    assert found.false_per_week.value == found.over_promise.value == pytest.approx(1.0)
    assert found.event_precision.value == pytest.approx(1 / 3)
    assert found.event_recall.value == 0.5
    assert found.event_f1.value == pytest.approx(0.4)
    assert found.delay_median_seconds == pytest.approx(4e-9)
    assert found.units == 12


def test_without_labels_nothing_is_false() -> None:
    found = figures([assess("s", [alert(5)], [], 0, WEEK, labelled=False)], promised=2.0, labelled=False)
    assert math.isnan(found.event_f1.value)
    assert math.isnan(found.false_per_week.value)
    assert found.over_promise.value == pytest.approx(0.5)


def test_few_series_are_cut_in_time_and_nothing_is_counted_twice() -> None:
    rng = np.random.default_rng(1)
    edges = np.sort(rng.choice(10_000, 30, replace=False)).reshape(-1, 2)
    labels = [Label("s", int(a), int(b)) for a, b in edges]
    alerts = [alert(int(t)) for t in rng.choice(10_000, 40, replace=False)]
    outcome = assess("s", alerts, labels, 500, 10_000)
    table = units([outcome])
    assert len(table) == 20
    whole = figures([outcome])
    assert table[:, :4].sum(axis=0).tolist() == [whole.found, whole.missed, whole.false, whole.alerts]
    assert whole.units == 20
    assert whole.event_f1.low < whole.event_f1.value < whole.event_f1.high


@pytest.mark.parametrize("seed", range(8))
def test_agrees_with_the_count_by_points(seed: int) -> None:
    """``count_events`` is the second opinion: the same found, missed, false and delay where labels lie on points."""
    rng = np.random.default_rng(seed)
    times = np.cumsum(rng.integers(1, 9, 1000)).astype(np.int64)
    cuts = np.sort(rng.choice(np.arange(200, 1000), 21, replace=False)).reshape(-1, 3)
    labels = [Label("s", int(times[a]), int(times[b]), settled=int(times[c])) for a, b, c in cuts]
    at = np.sort(rng.choice(1000, 30, replace=False))
    outcome = assess("s", [alert(int(times[k])) for k in at], labels, int(times[100]), int(times[-1]) + 1)
    counted = count_events(at, windows(labels, times), 1000, start=100)
    found = figures([outcome])
    assert (found.found, found.missed, found.false) == (counted.found, counted.missed, counted.false)
    delays = [np.searchsorted(times, e.label.start + e.delay_ns) - np.searchsorted(times, e.label.start)
              for e in outcome.events if e.found]  # fmt: skip
    assert sum(delays) == counted.delay


def test_what_warms_up_and_what_counts() -> None:
    assert Plan().counted(0, 99_999, 100_000) == Span(750, 100_000)
    assert Plan(warm_up_ns=30).counted(100, 999, 10) == Span(130, 1000)
    assert Plan(begin=500, end=800).counted(0, 999, 10) == Span(500, 800)
    assert Plan(begin=500, warm_up_ns=600).counted(0, 999, 10) == Span(600, 1000)
    assert Plan(begin=5000).counted(0, 999, 10).length == 0
    for bad in ({"begin": 5, "end": 5}, {"splits": -1}, {"gap_ns": 3}):
        with pytest.raises(ConfigError):
            Plan(**bad)


def test_splits_are_in_order_of_time_with_a_gap_between() -> None:
    for split in Plan(splits=3, gap_ns=10).parts(Span(0, 400)):
        assert split.choosing.start == 0
        assert split.reporting.start - split.choosing.end == 10
        assert split.reporting.length == 90
    assert Plan(splits=1, gap_ns=999).parts(Span(0, 100))[0].reporting.length == 0


def test_a_choice_knows_no_alert_that_came_after_it() -> None:
    """An event begins before the edge; one contender alerts before it, the other behind it."""
    labels = [Label("s", 400, 700)]
    before, behind = (assess("s", [alert(at)], labels, 0, 1000) for at in (450, 600))
    names = ["behind", "before"]
    found = choose({"behind": [behind], "before": [before]}, dict.fromkeys(names, 1.0), Plan(splits=1), names)
    (split,) = found.splits
    assert (split.choosing["behind"].found, split.choosing["behind"].missed) == (0, 1)
    assert split.choosing["before"].found == 1
    assert split.chosen == "before"
    assert behind.within(0, 1000).events[0].found


def test_who_overfits_is_found_out() -> None:
    """One contender finds everything early and nothing late: it is chosen, and what that cost is told."""
    labels = [Label("s", t, t + 9) for t in range(0, 1000, 100)]
    early = assess("s", [alert(t) for t in range(0, 500, 100)], labels, 0, 1000)
    steady = assess("s", [alert(t) for t in range(0, 1000, 200)], labels, 0, 1000)
    every = {"early": [early], "steady": [steady]}
    found = choose(every, {"early": 1.0, "steady": 1.0}, Plan(splits=1), ["early", "steady"])
    (split,) = found.splits
    assert split.chosen == "early"
    assert split.choosing["early"].event_f1.value == 1
    assert found.honest.event_f1.value == 0
    assert found.loss == 1
    assert found.honest.series == 1


def test_no_winner_within_the_interval() -> None:
    labels = [Label("s", t, t + 9) for t in range(0, 1000, 100)]
    good = [assess("s", [alert(t) for t in range(0, 1000, 100)], labels, 0, 1000)] * 12
    near = [assess("s", [alert(t) for t in range(0, 900, 100)], labels, 0, 1000), *good[1:]]
    poor = [assess("s", [alert(0)], labels, 0, 1000)] * 12
    every = {"near": near, "good": good, "poor": poor}
    of = {name: figures(outcomes) for name, outcomes in every.items()}
    found = lead(every, of, ["near", "good"])
    assert found is not None
    assert (found.first, found.second, found.clear) == ("good", "near", False)
    found = lead(every, of, ["poor", "good"])
    assert found is not None
    assert found.clear


def test_too_few_events_make_no_winner() -> None:
    labels = [Label("s", 0, 9), Label("s", 500, 509)]
    every = {
        "good": [assess("s", [alert(1), alert(501)], labels, 0, 1000)],
        "poor": [assess("s", [alert(300)], labels, 0, 1000)],
    }
    found = lead(every, {name: figures(one) for name, one in every.items()}, ["good", "poor"])
    assert found is not None
    assert found.difference.low > 0
    assert not found.clear


def test_intervals_know_how_little_a_few_counts_prove() -> None:
    labels = [Label("s", t, t + 9) for t in range(0, WEEK, WEEK // 4)]
    perfect = figures([assess("s", [alert(one.start) for one in labels], labels, 0, WEEK)], promised=1.0)
    assert perfect.event_f1.value == perfect.event_recall.value == 1
    assert 0.2 < perfect.event_f1.low < perfect.event_recall.high == 1
    silent = figures([assess("s", [], [], 0, WEEK)], promised=1.0)
    assert silent.alerts_per_week.value == 0
    assert silent.alerts_per_week.high == pytest.approx(3.69, abs=0.01)


def test_points_agree_with_the_slow_count() -> None:
    rng = np.random.default_rng(3)
    times = np.cumsum(rng.integers(1, 5, 600)).astype(np.int64)
    score = rng.exponential(0.6, 600)
    score[::50] = np.nan
    labels = [
        Label("s", int(times[100]), int(times[140]), settled=int(times[150])),
        Label("s", int(times[148]), int(times[160])),
    ]
    span = Span(int(times[110]), int(times[550]))
    found = series_points(times, score, labels, span)
    tally = {"tp": 0, "fn": 0, "fp": 0, "tn": 0}
    for at, time in enumerate(times.tolist()):
        wrong = any(one.start <= time <= one.end for one in labels)
        if time not in span or (not wrong and any(one.start <= time <= one.last for one in labels)):
            continue
        tally[("tp" if wrong else "fp") if score[at] > 1 else ("fn" if wrong else "tn")] += 1
    assert dataclasses.asdict(found.confusion) == tally
    whole = point_figures([found, found])
    assert whole.tp == 2 * tally["tp"]
    assert whole.point_fpr == pytest.approx(tally["fp"] / (tally["fp"] + tally["tn"]))
    assert 0 < whole.vus_pr.value < 1
