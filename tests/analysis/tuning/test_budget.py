"""Tuning without labels: past alerts come to what is asked, a later part is shown, what is not told apart is kept."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from watchband.analysis.tuning.budget import Budgeted, to_budget
from watchband.analysis.tuning.configuration import Configuration
from watchband.analysis.tuning.material import Series, in_time
from watchband.analysis.tuning.replay import Replay
from watchband.core.duration import MINUTE
from watchband.core.series import SeriesKey
from watchband.detectors import Ewma
from watchband.pipeline.watch import Watch


def bursts(seed: int, points: int = 3000) -> Series:
    """Noise with a burst every few hours: incidents that no budget for noise has in it."""
    rng = np.random.default_rng(seed)
    values = rng.normal(10, 1, points)
    for at in range(100, points - 20, 120):
        at += int(rng.integers(0, 60))
        values[at : at + 3] += rng.uniform(4, 30)
    return Series(SeriesKey(f"queue{seed}"), np.arange(points) * 5 * MINUTE, values)


def go(series: list[Series], default: Configuration, asked: float) -> Budgeted:
    return to_budget(series, in_time(series), Replay(Watch("tune", Ewma()), threads=1), default, asked)


@pytest.fixture(scope="module")
def many() -> list[Series]:
    return [bursts(i) for i in range(2)]


def test_too_many_alerts_are_brought_down_to_what_is_asked(many: list[Series]) -> None:
    default = Configuration("ewma", {}, "cutoff:4")
    found = go(many, default, 5.0)
    assert found.options[0].past.low > 5
    assert not found.kept
    assert found.chosen.past.value <= 5 <= found.chosen.past.high
    assert found.met
    assert found.chosen.later.low <= 5
    assert "You ask for 5 alerts" in found.sentences[0]


def test_a_budget_changes_the_budget_first(many: list[Series]) -> None:
    found = go(many, Configuration("ewma", {}, "budget:20/1w"), 2.0)
    assert found.chosen.kind == "budget"
    assert found.chosen.past.value <= 2
    kinds = {o.kind for o in found.options}
    assert kinds == {"as it is", "budget", "policy", "width"}
    assert found.tried == len(found.options)


def test_what_the_past_cannot_tell_apart_is_kept() -> None:
    rng = np.random.default_rng(9)
    calm = [Series(SeriesKey(f"calm{i}"), np.arange(4000) * 5 * MINUTE, rng.normal(10, 1, 4000)) for i in range(2)]
    default = Configuration("ewma")
    found = go(calm, default, 1.0)
    assert found.kept
    assert found.chosen.configuration == default
    assert found.sentences[0].startswith("Keep what you have")


def test_labels_and_the_later_part_have_no_part_in_the_choice(many: list[Series]) -> None:
    default = Configuration("ewma", {}, "budget:20/1w")
    found = go(many, default, 2.0)
    parts = in_time(many)
    changed = [
        replace(s, values=np.where(s.times < p.test.start, s.values, 10.0)) for s, p in zip(many, parts, strict=True)
    ]
    again = go(changed, default, 2.0)
    assert again.chosen.configuration == found.chosen.configuration
    assert again.chosen.past == found.chosen.past
    assert again.chosen.later != found.chosen.later


def test_progress_is_told() -> None:
    seen: list[tuple[int, int]] = []
    one = [bursts(1, 1500)]
    to_budget(one, in_time(one), Replay(Watch("t", Ewma())), Configuration("ewma"), 1.0, tell=lambda *a: seen.append(a))
    assert seen[0][0] == 1
    assert seen[-1][0] == seen[-1][1]
