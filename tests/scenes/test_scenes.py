"""Every scene, against every detector that promises it, through the whole pipeline."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from watchband.core.errors import UnknownNameError
from watchband.evaluation.scenarios import promises
from watchband.evaluation.scenarios.catalogue import SCENES
from watchband.evaluation.scenarios.scene import EVERY, Course, Measure, Promise, judge, named, perform
from watchband.pipeline.catalogue import CATALOGUE

SEEDS = range(3)
CAST = [(name, detector) for name, scene in SCENES.items() for detector in scene.detectors]


@pytest.mark.parametrize(("name", "detector"), CAST, ids=lambda part: part)
def test_what_is_promised_is_held(name: str, detector: str) -> None:
    verdict = judge(SCENES[name], detector, SEEDS)
    broken = [f"{finding.promise}: {finding.measured}" for finding in verdict.findings if not finding.held]
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize("name", SCENES)
def test_a_scene_says_what_it_promises_and_which_complaint_it_answers(name: str) -> None:
    scene = SCENES[name]
    assert scene.name == name
    assert scene.promise.endswith(".")
    assert scene.complaint
    assert scene.sources
    assert set(scene.detectors) <= set(CATALOGUE.names())
    assert scene.detectors[0] == EVERY[0], "what is promised at all is promised by the default"


@pytest.mark.parametrize("name", ["outage-hours", "late", "rare-events", "holidays"])
def test_a_play_is_a_pure_function_of_its_seed(name: str) -> None:
    one, again, other = (SCENES[name].play(seed) for seed in (1, 1, 2))
    assert one.raw.values.tobytes() == again.raw.values.tobytes()
    assert one.raw.times.tobytes() == again.raw.times.tobytes()
    assert one.raw.values.tobytes() != other.raw.values.tobytes()


def test_a_detector_that_learns_the_outage_is_caught() -> None:
    verdict = judge(SCENES["outage-hours"], "rolling_zscore", [0])
    assert not verdict.held
    assert verdict.to_dict()["held"] is False


@pytest.mark.parametrize("name", ["dst-dublin", "dst-new-york", "holidays"])
def test_a_band_without_a_calendar_is_caught(name: str) -> None:
    scene = SCENES[name]
    settings = {} if name.startswith("dst") else {"timezone": "Europe/Berlin"}
    blind = dataclasses.replace(scene, play=lambda seed: dataclasses.replace(scene.play(seed), settings=settings))
    assert judge(scene, "seasonal_band", SEEDS).held
    assert not judge(blind, "seasonal_band", SEEDS).held


def test_noise_is_judged_over_all_plays_together() -> None:
    scene = SCENES["outage-minutes"]

    def noisy(course: Course) -> Measure:
        return Measure(False, "1 alert", 1.0, 0.1)

    play = dataclasses.replace(scene.play(0), promises=[Promise("noise", noisy)])
    few = dataclasses.replace(scene, play=lambda seed: play)
    assert judge(few, "light", [0]).held, "one alert may be chance"
    assert not judge(few, "light", range(6)).held, "six in six plays are not"


def test_unknown_scenes_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="outage-hours"):
        named(SCENES, "outage-hour")


def test_the_same_band_is_measured_in_half_widths() -> None:
    course = perform(SCENES["huge-spike"].play(0), "light")
    there = course.results
    whole = promises.same_band(int(there.time[0]), int(there.time[-1]), "all").check(course)
    assert isinstance(whole.said, str)
    assert course.twin is not None
    same = Course(course.play, course.twin.results, course.quality, course.twin)
    assert promises.same_band(int(there.time[-300]), int(there.time[-1]), "the end").check(same).held
    assert np.isfinite(there.yhat[-1])
