"""Tuning to labels: what is better is shown to be, what is noise is not, and nothing of the test is ever searched."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from watchband.analysis.tuning.material import Series, in_time
from watchband.analysis.tuning.objective import objective
from watchband.analysis.tuning.replay import Replay
from watchband.analysis.tuning.result import Tuned
from watchband.analysis.tuning.space import Space
from watchband.analysis.tuning.tune import Bench, tune
from watchband.core.errors import ConfigError
from watchband.detectors import Ewma
from watchband.pipeline.watch import Watch

from .conftest import daily

WRONG = Space(("rolling_zscore",), "budget:3/1d", given={"rolling_zscore": {"window": 2000}})
F1 = objective("f1")


def go(series: list[Series], space: Space = WRONG, aim: str = "f1", trials: int = 9, threads: int = 1) -> Tuned:
    replay = Replay(Watch("tune", Ewma()), threads=threads)
    return tune(series, in_time(series), replay, space, objective(aim), trials=trials)


@pytest.fixture(scope="module")
def wrong_default() -> tuple[list[Series], Tuned]:
    series = [daily(f"cpu{i}", i) for i in range(3)]
    return series, go(series)


def test_a_wrong_default_is_tuned_and_proves_better_on_the_part_that_was_held_out(
    wrong_default: tuple[list[Series], Tuned],
) -> None:
    _, found = wrong_default
    assert found.decision == "better"
    assert found.chosen.parameters["window"] < 300
    row = found.row("found")
    assert row.against is not None
    assert row.against.low > 0
    assert row.configuration == found.chosen
    assert "no search saw" in found.sentences[0]


def test_the_table_keeps_the_default_and_the_simple_baselines(wrong_default: tuple[list[Series], Tuned]) -> None:
    _, found = wrong_default
    assert [r.label for r in found.rows] == [
        "as it is",
        "best found",
        "static threshold",
        "rolling z",
        "seasonal naive",
    ]
    assert found.rows[0].against is None
    assert found.tried == 9 + 14
    assert [c.asks[:4] for c in found.checks] == ["|val", "test", "low ", "can "]
    assert "35 test rows" in found.notes[0]


def test_the_curve_is_of_the_best_so_far_on_both_parts(wrong_default: tuple[list[Series], Tuned]) -> None:
    _, found = wrong_default
    values = [s.validation for s in found.curve]
    assert values == sorted(values)
    assert found.curve[0].number == 0
    assert found.curve[-1].test == pytest.approx(found.row("found").test["objective"].value)
    assert found.gap.value == pytest.approx(values[-1] - found.curve[-1].test)


def test_what_is_held_out_has_no_part_in_the_search(wrong_default: tuple[list[Series], Tuned]) -> None:
    series, found = wrong_default
    parts = in_time(series)
    changed = [
        replace(
            s,
            values=np.where(s.times < p.validation.stop, s.values, -s.values + 7),
            labels=tuple(a for a in s.labels if a.start < p.validation.stop or a.start > p.test.start)[:-2],
        )
        for s, p in zip(series, parts, strict=True)
    ]
    again = go(changed)
    assert again.attempts == found.attempts
    assert again.rows[0].test != found.rows[0].test


def test_threads_change_nothing(wrong_default: tuple[list[Series], Tuned]) -> None:
    series, found = wrong_default
    # As text: the interval of a mean over three series is NaN, which equals nothing.
    assert str(go(series, threads=4)) == str(found)


def test_labels_over_mere_noise_have_no_winner() -> None:
    for seed in range(1):
        found = go([daily("cpu", 50 + seed, size=0.0)], Space(("ewma", "rolling_zscore"), "budget:3/1d"), trials=8)
        assert found.decision in ("no difference", "nothing found")
        assert found.chosen == found.rows[0].configuration
        assert "stays" in found.sentences[0]


@pytest.mark.parametrize("aim", ["vus-pr", "nab", "recall@0.5", "cost:missed=5,false=1"])
def test_every_objective_is_searched_and_reported(aim: str) -> None:
    found = go([daily("cpu", 3)], aim=aim, trials=3)
    assert found.objective_text.startswith(aim.partition(":")[0])
    assert np.isfinite(found.rows[0].test["objective"].value)
    if aim == "vus-pr":
        # One series has one VUS-PR: no interval, no winner.
        assert found.decision != "better"
    else:
        assert any(a.configuration.rule != "budget:3/1d" for a in found.attempts)


def test_pruning_goes_over_series_in_one_order() -> None:
    series = [daily(f"cpu{i}", i, points=1200) for i in range(8)]
    bench = Bench(series, in_time(series), Replay(Watch("tune", Ewma())), F1)
    default = WRONG.default("rolling_zscore")
    assert bench.rungs == 3
    assert [len(r) for r in bench._rungs] == [2, 2, 4]
    assert bench.value(default, 2) == pytest.approx(F1.value(bench.validated(default).sums))


def test_no_label_in_a_part_is_refused_before_anything_is_searched() -> None:
    one = daily("cpu", 1)
    with pytest.raises(ConfigError, match="within the test part"):
        go([replace(one, labels=one.labels[:3])])
    with pytest.raises(ConfigError, match="within the validation part"):
        go([replace(one, labels=one.labels[-3:])])


def test_a_second_look_at_what_is_held_out_is_told(tmp_path: Path) -> None:
    one = [daily("cpu", 2, points=1200)]
    storage = str(tmp_path / "study.journal")

    def again(trials: int) -> Tuned:
        replay = Replay(Watch("tune", Ewma()), threads=1)
        return tune(one, in_time(one), replay, WRONG, F1, trials=trials, storage=storage)

    assert "looked at" not in " ".join(again(2).sentences)
    assert "looked at 2 times" in again(3).sentences[-1]
