from __future__ import annotations

import numpy as np
import pytest

from watchband.core.errors import ConfigError, UnknownNameError
from watchband.evaluation.robustness.matrix import (
    FRAMES,
    SMALL_KINDS,
    USUAL,
    Frame,
    Setting,
    frames,
    matrix,
    pairs,
    series_of,
    simulated,
)
from watchband.evaluation.simulate.metric_types import METRICS

SHORT = Frame(300_000_000_000, 2000, 10**15)


def test_from_the_usual_condition_one_thing_departs_at_a_time() -> None:
    settings = matrix()
    assert max(len(s.departs) for s in settings) == 1
    assert {s.kind for s in settings} == set(METRICS)
    for axis in USUAL:
        assert len({getattr(s, axis) for s in settings}) > 2
    assert len(matrix(cross=True)) > 4 * len(settings)
    assert len(settings) == len(set(settings))


def test_the_small_form_is_short_and_tries_everything_once() -> None:
    small = matrix(small=True)
    assert {(s.kind, s.fault) for s in small if not s.departs} == set(pairs())
    assert {s.kind for s in small if s.departs} == set(SMALL_KINDS)
    assert len(small) < 0.3 * len(matrix())
    assert all(f.points < FRAMES[name].points for name, f in frames(small=True).items())


def test_only_limits_axes_and_names_what_it_does_not_know() -> None:
    found = matrix({"kind": ["cpu", "queue"], "fault": ["spike"], "frame": ["5m"]})
    assert {(s.kind, s.fault, s.frame) for s in found} == {("cpu", "spike", "5m"), ("queue", "spike", "5m")}
    with pytest.raises(UnknownNameError, match="kindd"):
        matrix({"kindd": ["cpu"]})
    with pytest.raises(UnknownNameError, match="Did you mean 'spike'"):
        matrix({"fault": ["spikes"]})
    with pytest.raises(ConfigError, match="No series"):
        matrix({"kind": ["switch"], "fault": ["seasonal_break"]})


def test_a_budget_for_all_frames_and_about_two_alerts_promised_in_each() -> None:
    for frame in FRAMES.values():
        assert 1.5 < frame.points / frame.one_in < 2.5
    assert {f.budget for f in frames(budget=7).values()} == {7}


def test_settings_are_read_back() -> None:
    for setting in matrix(small=True)[::17]:
        assert Setting.parse(str(setting)) == setting


def test_a_series_is_a_function_of_setting_and_seed() -> None:
    setting = Setting("cpu", "level_shift", missing="holes")
    one, again, other = (series_of(setting, SHORT, seed) for seed in (0, 0, 1))
    assert one is not None
    assert again is not None
    assert other is not None
    assert (one[1] == again[1]).all()
    assert one[2] == again[2]
    assert not np.array_equal(one[1], other[1])


def test_faults_keep_place_and_size_in_the_metric_whatever_the_noise() -> None:
    usual, loud = (simulated(Setting("temperature", "level_shift", noise=n), SHORT) for n in ("usual", "twice"))
    assert usual is not None
    assert loud is not None
    assert [(e.first, e.last) for e in usual.events] == [(e.first, e.last) for e in loud.events]
    assert [e.units for e in usual.events] == pytest.approx([e.units for e in loud.events])
    spread = [np.std(s.clean(0, 1000) - s.mean(0, 1000)) for s in (usual, loud)]
    assert spread[1] == pytest.approx(2 * spread[0], rel=1e-6)


def test_as_much_is_missing_as_is_said() -> None:
    for name, low, high in (("scattered", 0.03, 0.07), ("holes", 0.12, 0.28)):
        found = series_of(Setting("cpu", "none", missing=name), Frame(10**9, 20_000, 10**12))
        assert found is not None
        assert low < 1 - len(found[0]) / 20_000 < high
        steps = np.diff(found[0]) // 10**9
        assert (steps[steps > 1].mean() > 10) == (name == "holes")


def test_different_faults_strike_different_series() -> None:
    one, other = (series_of(Setting("cpu", fault), SHORT) for fault in ("spike", "none"))
    assert one is not None
    assert other is not None
    assert not np.array_equal(one[1], other[1])
