"""Votes are weighed by the labels of the part that is chosen on, and the weights reach the watch."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

import watchband as wb
from tests.apps.test_cli import run as command
from tests.champions import readings, write
from watchband.analysis.training.cut import cuts_in_time
from watchband.analysis.training.fitting import Fitted, Fitter
from watchband.analysis.tuning.configuration import Configuration
from watchband.analysis.tuning.material import Series
from watchband.analysis.tuning.replay import Replay
from watchband.core.errors import DataError
from watchband.core.series import SeriesKey
from watchband.detectors import Ewma
from watchband.evaluation.labels import Label
from watchband.pipeline.vote import Vote
from watchband.pipeline.watch import Watch

MEMBERS = "ewma rolling_median shape_novelty"


def series() -> Series:
    times, values, events = readings()
    labels = tuple(Label("cpu", int(a.astype(np.int64)), int(b.astype(np.int64))) for a, b in events)
    return Series(SeriesKey("cpu"), times.view(np.int64), values, labels)


def weigh(one: Series, folder: Path) -> Fitted:
    fitter = Fitter([one], cuts_in_time([series()]), Replay(Watch("train", Ewma())), folder)
    return fitter.fitted(Configuration("vote", {"members": MEMBERS, "memory": 500}, "cutoff:1"))


def test_members_that_find_more_weigh_more_and_only_validation_counts(tmp_path: Path) -> None:
    one = series()
    (cut,) = cuts_in_time([one])
    found = weigh(one, tmp_path)
    assert sum(found.weights.values()) == pytest.approx(1)
    assert found.weights["ewma"] > found.weights["shape_novelty"]
    inside = [a for a in one.labels if cut.parts.validation.start <= a.start and a.last < cut.parts.validation.stop]
    assert dataclasses.replace(one, labels=tuple(inside)).labels != one.labels
    assert weigh(dataclasses.replace(one, labels=tuple(inside)), tmp_path).checksum == found.checksum
    later = one.values.copy()
    later[one.times >= cut.parts.validation.stop] = 0.0
    assert weigh(dataclasses.replace(one, values=later), tmp_path).checksum == found.checksum
    moved = tuple(dataclasses.replace(a, start=a.start - 10**12, end=a.end - 10**12, settled=None) for a in inside)
    assert weigh(dataclasses.replace(one, labels=moved), tmp_path).checksum != found.checksum
    with pytest.raises(DataError, match="there is none"):
        weigh(dataclasses.replace(one, labels=()), tmp_path)


def test_the_weights_reach_score_and_the_watch(tmp_path: Path) -> None:
    times, values, events = readings()
    text = f"vote:members={MEMBERS},memory=500"
    found = wb.train(
        (times, values), events, candidates=text, trials=2, budget="4/day", metric="cpu", out=tmp_path / "model"
    )
    assert found.champion.parameters["members"] == MEMBERS
    model = wb.load_model(tmp_path / "model")
    assert isinstance(model.detector, Vote)
    weights = model.card["champion"]["detector"]["weights"]
    assert model.detector.weights_of_members == pytest.approx(tuple(weights.values()))
    assert len(set(weights.values())) > 1
    assert json.loads((tmp_path / "model" / "feature_names.json").read_text())["names"] == ["value"]
    file = write(tmp_path / "metrics.csv")
    assert command("score", file, "--model", tmp_path / "model", "--out", tmp_path / "a", "-q").exit_code == 0
    words = ["--detector", model.text, "--budget", "4/day"]
    words += [w for name, value in model.configuration.policy.items() for w in (f"--{name}", str(value))]
    assert command("detect", file, *words, "--out", tmp_path / "b", "-q").exit_code == 0
    columns = [wb.detect(str(file), detector=model.detector, budget="4/day").table["score"].to_numpy()]
    columns += [model.score(str(file)).table["score"].to_numpy()]
    assert np.array_equal(columns[0], columns[1], equal_nan=True)
    plain = wb.detect(str(file), detector=f"vote:members={MEMBERS},memory=500", budget="4/day").table["score"]
    assert not np.array_equal(plain.to_numpy(), columns[0], equal_nan=True)
