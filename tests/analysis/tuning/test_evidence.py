"""Evidence: counted by hand, the same as the metrics count, additive over stretches; objectives by hand."""

from __future__ import annotations

import numpy as np
import pytest

from watchband.analysis.tuning.evidence import AT, COLUMNS, gather
from watchband.analysis.tuning.material import Part, Series, labels_in
from watchband.analysis.tuning.objective import objective, point_f1
from watchband.analysis.tuning.replay import Said
from watchband.core.duration import MINUTE, WEEK
from watchband.core.errors import ConfigError
from watchband.core.series import SeriesKey
from watchband.evaluation.labels import Label, windows
from watchband.evaluation.metrics.events import count_events

STEP = 5 * MINUTE
TIMES = np.arange(1000) * STEP


def label(first: int, last: int, settled: int | None = None) -> Label:
    return Label("cpu", first * STEP, last * STEP, settled=None if settled is None else settled * STEP)


def said(opened: list[int], strange: list[int] | None = None) -> Said:
    score = np.zeros(1000)
    score[strange if strange is not None else opened] = 2.0
    return Said(TIMES, np.zeros(1000), score, score, np.array(opened, np.int64), 1.0)


def series(*labels: Label) -> Series:
    return Series(SeriesKey("cpu"), TIMES, np.zeros(1000), labels)


def test_counted_by_hand() -> None:
    one = series(label(210, 219, 225), label(400, 404), label(590, 610))
    found = gather([said([100, 212, 222, 450, 700], [212, 213, 450, 700])], [one], [Part(200 * STEP, 600 * STEP)])
    # The event at 590 reaches beyond the part; the alert at 222 comes while the first one settles.
    assert (found["found"], found["missed"], found["false"], found["alerts"]) == (1, 1, 1, 3)
    assert found["delay_hours"] == pytest.approx(2 * 5 / 60)
    assert (found["hits"], found["misses"], found["wrong"]) == (2, 13, 1)
    assert found["right"] == 400 - 16 - 5 - 10 - 1
    assert found["weeks"] == pytest.approx(399 * STEP / WEEK)


@pytest.mark.parametrize("stretches", [1, 7, 24])
def test_the_same_as_the_metrics_count_however_it_is_cut(stretches: int) -> None:
    rng = np.random.default_rng(stretches)
    for _ in range(20):
        starts = np.sort(rng.choice(np.arange(20, 900, 30), 8, replace=False))
        one = series(*(label(int(a), int(a + rng.integers(0, 12)), int(a + 15)) for a in starts))
        opened = np.sort(rng.choice(np.arange(1000), 25, replace=False))
        part = Part(0, int(TIMES[-1]) + 1)
        found = gather([said(opened.tolist())], [one], [part], stretches=stretches)
        known = count_events(opened, windows(labels_in(one.labels, part), TIMES), 1000)
        assert (found["found"], found["missed"], found["false"]) == (known.found, known.missed, known.false)
        assert len(found.table) == stretches


def test_a_part_without_points_is_no_evidence() -> None:
    found = gather([said([5])], [series(label(4, 6))], [Part(10**18, 2 * 10**18)])
    assert not found.sums.any()


def test_nab_is_a_hundred_for_perfection_and_nought_for_silence() -> None:
    one, part = series(label(300, 330), label(600, 640)), Part(150 * STEP, 1000 * STEP)
    aim = objective("nab")
    assert aim.value(gather([said([300, 600])], [one], [part]).sums) == pytest.approx(100)
    assert aim.value(gather([said([])], [one], [part]).sums) == pytest.approx(0)
    late = aim.value(gather([said([320, 600])], [one], [part]).sums)
    assert 50 < late < 100
    assert aim.value(gather([said([200, 300, 600])], [one], [part]).sums) == pytest.approx(100 - 100 * 0.11 / 4)


def test_vus_of_a_perfect_ranking_is_one() -> None:
    score = gather([said([300], list(range(300, 331)))], [series(label(300, 330))], [Part(0, 1000 * STEP)])
    assert 0.8 < objective("vus-pr").value(score.sums) <= 1


def test_costs_recall_and_point_f1_by_hand() -> None:
    sums = np.zeros(len(COLUMNS))
    for name, value in {"found": 3, "missed": 1, "false": 2, "delay_hours": 6, "weeks": 4}.items():
        sums[AT[name]] = value
    assert objective("cost:missed=20,false=1,hour=0.5").value(sums) == pytest.approx(-(20 + 2 + 3) / 4)
    assert objective("recall@0.6").value(sums) == 0.75
    assert objective("recall@0.9").value(sums) == pytest.approx(0.6 - 0.9)
    sums[[AT["hits"], AT["misses"], AT["wrong"]]] = 5, 4, 2
    assert point_f1(sums[None])[0] == pytest.approx(0.625)


@pytest.mark.parametrize("text", ["f2", "recall@2", "cost:price=3", "cost:missed", "cost:missed=-1", "vus-pr:3"])
def test_an_objective_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"is written|recall@"):
        objective(text)
