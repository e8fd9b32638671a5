from __future__ import annotations

import math

import numpy as np
import pytest

from watchband.evaluation.candidate import candidate
from watchband.evaluation.metrics.alerts import WEEK_NS
from watchband.evaluation.robustness.cells import at_usual, every_cell, median_delay, table, weakest
from watchband.evaluation.robustness.expect import figures, tightened, worse
from watchband.evaluation.robustness.matrix import Frame, Setting
from watchband.evaluation.robustness.run import Outcome, run_setting

FRAMES = {"5m": Frame(300_000_000_000, 2500, 2500 * 300_000_000_000 // 2)}


def outcome(setting: Setting, found: int, missed: int, false: int, detector: str = "a") -> Outcome:
    late = (1.0,) * found + (math.inf,) * missed
    return Outcome(detector, setting, found, missed, false, late, 1000, WEEK_NS, 2.0)


def test_counts_are_pooled_and_a_promise_is_kept_or_not() -> None:
    some = [outcome(Setting("cpu", "spike", number=i), 2, 1, i % 2) for i in range(10)]
    (cell,) = table(some, ("detector", "fault"))
    assert (cell.key, cell.series, cell.events, cell.counts) == (
        {"detector": "a", "fault": "spike"},
        10,
        30,
        (20, 10, 5),
    )
    assert cell.f1.value == pytest.approx(40 / 55)
    assert cell.f1.low < cell.f1.value < cell.f1.high
    assert cell.alerts_per_week.value == 0.5
    assert cell.promise.value == 0.25
    assert cell.delay.value == 1


@pytest.mark.parametrize("series", [1, 10])
def test_nothing_found_of_a_few_is_no_certainty(series: int) -> None:
    (cell,) = table([outcome(Setting("cpu", "spike", number=i), 0, 3, 0) for i in range(series)], ("detector",))
    assert (cell.f1.value, cell.f1.low) == (0, 0)
    assert cell.f1.high > 0.2 if series == 10 else cell.f1.high > 0.5


def test_a_delay_is_never_where_most_were_missed() -> None:
    assert median_delay(np.array([3.0, math.inf, math.inf])).value == math.inf
    assert median_delay(np.array([3.0, 4.0, math.inf])).value == 4
    assert math.isnan(median_delay(np.empty(0)).value)


def test_other_conditions_are_the_usual_ones() -> None:
    usual, loud = outcome(Setting("cpu", "spike"), 1, 0, 0), outcome(Setting("cpu", "spike", noise="twice"), 0, 1, 9)
    assert at_usual([usual, loud], ("detector", "kind")) == [usual]
    assert [c.counts for c in table([usual, loud], ("detector", "noise"))] == [(0, 1, 9), (1, 0, 0)]
    assert len(every_cell([usual, loud])) == 2


def test_conditions_are_compared_on_the_same_series() -> None:
    both = [outcome(Setting("cpu", "spike", noise=n), 1, 0, 0) for n in ("usual", "twice")]
    alone = outcome(Setting("queue", "spike"), 0, 3, 5)
    assert [c.counts for c in table([*both, alone], ("detector", "noise"))] == [(1, 0, 0), (1, 0, 0)]
    assert len(table([*both, alone], ("detector", "kind"))) == 2


def test_what_was_too_short_for_its_fault_counts_nowhere() -> None:
    short = Outcome("a", Setting("cpu", "spike"), 0, 0, 0, (), 0, 0, 0.0)
    without = Outcome("a", Setting("batch", "seasonal_break"), 0, 0, 2, (), 900, WEEK_NS, 1.0)
    assert table([short, without], ("detector",)) == []


def test_the_weakest_come_first() -> None:
    some = [
        outcome(Setting(kind, "spike"), found, 3 - found, 0) for kind, found in (("cpu", 3), ("disk", 0), ("queue", 1))
    ]
    assert [c.key["kind"] for c in weakest(some, "a")] == ["disk", "queue", "cpu"]


def test_a_series_is_judged_by_every_candidate_and_read_back() -> None:
    candidates = {"ewma": candidate("ewma"), "silent": lambda times, values: np.zeros(len(values))}
    found = run_setting(Setting("requests", "spike"), candidates, FRAMES)
    assert [o.detector for o in found] == ["ewma", "silent"]
    assert found[1].found == found[1].false == 0
    assert found[0].found + found[0].missed == len(found[0].delays) == 3
    for o in found:
        assert o.promised == pytest.approx(2.0)
        assert Outcome.of_json(o.as_json()) == o


def test_a_counter_is_judged_by_its_rate() -> None:
    found = run_setting(Setting("counter", "level_shift"), {"ewma": candidate("ewma")}, FRAMES)
    assert found[0].false < 10


def test_worse_beyond_the_tolerance_is_named_and_better_is_taken_over() -> None:
    base = [outcome(Setting("cpu", "spike", number=i), 2, 1, 1) for i in range(10)]
    lost = [outcome(Setting("cpu", "spike", number=i), 1, 2, 1) for i in range(10)]
    noisy = [outcome(Setting("cpu", "spike", number=i), 2, 1, 4) for i in range(10)]
    recorded = figures(base)
    assert recorded["a fault=spike"] == {"events": 30, "f1": round(40 / 60, 4), "false": 10}
    assert not worse(figures(base), recorded)
    assert {p.figure for p in worse(figures(lost), recorded)} == {"f1"}
    assert "false" in {p.figure for p in worse(figures(noisy), recorded)}
    assert {p.figure for p in worse(figures(base[:5]), recorded)} == {"events"}
    assert "f1 was 0.6667, is " in str(worse(figures(lost), recorded)[0])
    better = tightened(figures(base), figures(noisy))
    assert better["a"]["false"] == 10
    assert tightened(figures(lost), recorded)["a"]["f1"] == recorded["a"]["f1"]
