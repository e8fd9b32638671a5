"""Training: what is fitted, chosen and reported on, and that the last part has no say in the choice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from watchband.analysis.training.cut import cuts_in_time
from watchband.analysis.training.fitting import Fitter, check_learnable
from watchband.analysis.training.mistakes import mistakes
from watchband.analysis.training.outcome import Trained
from watchband.analysis.training.space import Candidates
from watchband.analysis.training.train import train
from watchband.analysis.tuning.material import Part, Series
from watchband.analysis.tuning.objective import objective
from watchband.analysis.tuning.replay import Replay, Said
from watchband.core.duration import DAY
from watchband.core.errors import ConfigError, DataError
from watchband.core.series import SeriesKey
from watchband.detectors import Ewma
from watchband.evaluation.labels import Label
from watchband.pipeline.watch import Watch
from watchband.testing.streams import MINUTE, START

STEP = 5 * MINUTE
NAMES = ("ewma", "rolling_zscore")


def series(points: int = 3000, size: float = 12.0, name: str = "cpu", seed: int = 0) -> Series:
    """Noise of 1 about 50, with an event of three points in every hundred."""
    rng = np.random.default_rng(seed)
    times = START + np.arange(points) * STEP
    values = 50 + rng.normal(0, 1, points)
    labels = []
    for begin in range(150, points - 60, 100):
        at = begin + int(rng.integers(0, 40))
        values[at : at + 3] += size
        labels.append(Label(name, int(times[at]), int(times[at + 2]), "spike"))
    return Series(SeriesKey(name), times, values, tuple(labels))


def run(given: Sequence[Series], folder: Path, trials: int = 6, seed: int = 0) -> Trained:
    cuts = cuts_in_time(given)
    fitter = Fitter(given, cuts, Replay(Watch("train", Ewma())), folder)
    space = Candidates(NAMES, "budget:4/1d")
    return train(given, cuts, fitter, space, objective("f1"), trials=trials, seed=seed)


def test_parts_follow_each_other_with_gaps() -> None:
    (cut,) = cuts_in_time([series()])
    gap = cut.parts.test.start - cut.parts.validation.stop
    assert cut.train.start == START
    assert cut.parts.validation.start - cut.train.stop == gap > 0
    assert cut.parts.test.stop == START + 2999 * STEP + 1
    whole = 2999 * STEP
    assert cut.parts.test.length / whole == pytest.approx(0.25, abs=0.01)
    assert cut.parts.validation.length / whole == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        ({"validation_share": 0.5, "test_share": 0.5}, "leave less than 10 %"),
        ({"validation_share": -0.1}, "leave less than"),
        ({"gap_ns": 4 * DAY}, "leave less than"),
    ],
)
def test_shares_that_leave_nothing(shares: dict[str, float], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        cuts_in_time([series()], **shares)  # type: ignore[arg-type]


def test_too_few_readings() -> None:
    with pytest.raises(DataError, match="128 are needed to fit on"):
        cuts_in_time([series(200)])


def test_constant_series_are_left_out() -> None:
    flat = replace(series(name="flat"), values=np.full(3000, 4.0))
    given = [series(), flat]
    places, notes = check_learnable(given, cuts_in_time(given))
    assert places == [0]
    assert notes == ["left out, constant (4) in the part that is fitted on: flat"]
    with pytest.raises(DataError, match="nothing to learn from"):
        check_learnable([flat], cuts_in_time([flat]))


def test_equal_seeds_give_equal_trainings(tmp_path: Path) -> None:
    one, two = (run([series()], tmp_path) for _ in range(2))
    assert [a.configuration for a in one.attempts] == [a.configuration for a in two.attempts]
    assert repr(one.champion) == repr(two.champion)
    assert len(one.attempts) == 6


def test_the_test_part_has_no_say(tmp_path: Path) -> None:
    given = series()
    (cut,) = cuts_in_time([given])
    later = given.times >= cut.parts.test.start
    # Another world after the gap: other values, other events.
    other = series(seed=9, size=3.0)
    values = np.where(later, other.values[::-1], given.values)
    labels = [a for a in given.labels if a.start < cut.parts.test.start]
    labels += [a for a in other.labels if a.start >= cut.parts.test.start]
    one, two = run([given], tmp_path), run([replace(given, values=values, labels=tuple(labels))], tmp_path)
    assert [r.configuration for r in one.rows] == [r.configuration for r in two.rows]
    assert repr([r.validation for r in one.rows]) == repr([r.validation for r in two.rows])
    assert repr([r.test for r in one.rows]) != repr([r.test for r in two.rows])


def test_the_champion_is_the_best_on_validation(tmp_path: Path) -> None:
    found = run([series()], tmp_path)
    finalists = [row for row in found.rows if row.role != "baseline"]
    values = [row.validation["objective"].value for row in finalists]
    assert values == sorted(values, reverse=True)
    assert {row.configuration.detector for row in finalists} == set(NAMES)
    assert max(a.value for a in found.attempts) == values[0]
    assert "The test part has no say" in found.rule
    baselines = {row.label for row in found.rows if row.role == "baseline"}
    assert baselines == {"static threshold", "rolling z", "seasonal naive"} <= set(found.against)


def test_figures_agree_with_the_mistakes(tmp_path: Path) -> None:
    found = run([series(size=5.0)], tmp_path)
    missed = [m for m in found.mistakes if m.kind == "missed"]
    false = [m for m in found.mistakes if m.kind == "false"]
    recall = found.champion.test["recall"].value
    assert len(missed) == round((1 - recall) * found.events[1])
    hits = found.events[1] - len(missed)
    assert found.champion.test["precision"].value == pytest.approx(hits / (hits + len(false)))
    counts = found.champion.confusion[1]
    assert counts.recall == pytest.approx(found.champion.test["point_recall"].value)
    assert counts.fpr == pytest.approx(found.champion.test["fpr"].value)


def test_no_event_in_a_part(tmp_path: Path) -> None:
    given = series()
    (cut,) = cuts_in_time([given])
    early = tuple(a for a in given.labels if a.end < cut.train.stop)
    with pytest.raises(ConfigError, match="No labelled event lies wholly within the validation part"):
        run([replace(given, labels=early)], tmp_path)


def test_mistakes_one_by_one() -> None:
    times = np.arange(10) * 60
    one = Series(SeriesKey("cpu"), times, np.arange(10.0), (Label("cpu", 120, 180, "dip"), Label("cpu", 300, 300)))
    score = np.array([0, 0, 0.2, 0.7, 0, 2.0, 0, 3.0, np.nan, 0])
    said = Said(times, one.values, score, score, np.array([5, 7]), 1.0)
    found = mistakes([said], [one], [Part(0, 600)])
    assert [(m.kind, m.start, m.value, m.anomaly_score, m.fault) for m in found] == [
        ("missed", 120, 3.0, 0.7, "dip"),
        ("false", 420, 7.0, 3.0, ""),
    ]
