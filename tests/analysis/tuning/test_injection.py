"""Injected faults: in both parts, labelled exactly, drawn apart, the rest of the series as it was."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from watchband.analysis.tuning.injection import KINDS, with_faults
from watchband.analysis.tuning.material import Series, in_time, labels_in
from watchband.analysis.tuning.objective import objective
from watchband.analysis.tuning.replay import Replay
from watchband.analysis.tuning.space import Space
from watchband.analysis.tuning.tune import tune
from watchband.core.errors import UnknownNameError
from watchband.core.series import SeriesKey
from watchband.detectors import Ewma
from watchband.pipeline.watch import Watch

from .conftest import STEP


def plain(name: str = "cpu", seed: int = 0, points: int = 3000, swing: float = 10.0) -> Series:
    rng = np.random.default_rng(seed)
    values = 50 + swing * np.sin(2 * np.pi * np.arange(points) / 288) + rng.normal(0, 1, points)
    return Series(SeriesKey(name), np.arange(points) * STEP, values)


def test_faults_lie_in_both_parts_and_nothing_else_changes() -> None:
    one = plain()
    (parts,) = in_time([one])
    (made,) = with_faults([one], [parts])
    early, late = labels_in(made.labels, parts.validation), labels_in(made.labels, parts.test)
    assert len(early) >= 2
    assert len(late) >= 1
    assert len(early) + len(late) == len(made.labels)
    assert {a.fault for a in made.labels} <= set(KINDS)
    changed = made.times[made.values != one.values]
    assert all(any(a.start <= t <= a.end for a in made.labels) for t in changed)
    assert 0 < len(changed) < 0.5 * len(one.values)


def test_seeds_repeat_them_and_parts_are_drawn_apart() -> None:
    one = plain()
    parts = in_time([one])
    (a,), (b,), (c,) = (with_faults([one], parts, seed=s) for s in (0, 0, 1))
    assert (a.values == b.values).all()
    assert a.labels == b.labels
    assert (a.values != c.values).any()
    # What is held out may change: where it is chosen the same faults stay.
    later = replace(one, values=np.where(one.times < parts[0].test.start, one.values, one.values + 3))
    (d,) = with_faults([later], parts)
    assert [x.start for x in d.labels] == [x.start for x in a.labels]


def test_only_the_kinds_that_are_named() -> None:
    one = plain()
    (made,) = with_faults([one], in_time([one]), ["spike", "dip"])
    assert {a.fault for a in made.labels} <= {"spike", "dip"}
    with pytest.raises(UnknownNameError, match="spkie"):
        with_faults([one], in_time([one]), ["spkie"])


def test_tuning_to_injected_faults() -> None:
    some = [plain(f"cpu{i}", i, swing=0) for i in range(2)]
    parts = in_time(some)
    made = with_faults(some, parts, ["spike"])
    space = Space(("ewma",), "budget:3/1d")
    replay = Replay(Watch("t", Ewma()), threads=1)
    found = tune(made, parts, replay, space, objective("f1"), trials=4, injected=True)
    assert found.injected
    assert min(found.events) >= 2
    assert found.rows[0].test["recall"].value > 0.4
