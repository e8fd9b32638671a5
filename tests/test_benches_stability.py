"""The stability report: as released it is the quality bench, and a change reaches what it names and nothing else."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benches.quality import stability, stability_page
from benches.quality.constants import Constant, Variant, changed, constants
from watchband.core.points import Points
from watchband.detectors import gap_novelty
from watchband.evaluation.candidate import score
from watchband.evaluation.judge import judge
from watchband.evaluation.simulate.world import World
from watchband.pipeline.catalogue import CATALOGUE
from watchband.pipeline.ensemble import Ensemble


@pytest.fixture(scope="module")
def world() -> World:
    return World("cpu", "level_shift", seed=3, points=1600)


def preset(name: str) -> Ensemble:
    found = CATALOGUE.build({"type": name})
    assert isinstance(found, Ensemble)
    return found


@pytest.mark.parametrize("name", stability.NAMES)
def test_as_released_it_is_the_quality_bench(name: str, world: World) -> None:
    points = Points.of(world.times, world.values)
    released = stability.variants(name)[0]
    scores = stability.Scored(points, released.members).of(released)
    whole = score(preset(name), world.times, world.values)
    assert scores.same_bits(whole)
    mine = stability.judged(released, points, scores, 1440)
    theirs = judge(preset(name), world.times, world.values, whole, 1440)
    assert mine.anomaly_score.tobytes() == theirs.anomaly_score.tobytes()
    assert mine.opened.tolist() == theirs.opened.tolist()


def test_every_change_is_scored_as_a_preset_of_its_own(world: World) -> None:
    points = Points.of(world.times, world.values)
    made = stability.variants("auto")
    scored = stability.Scored(points, made[0].members)
    seen = set()
    for variant in made[1:]:
        assert variant.constant is not None
        key = (variant.constant.part, bool(variant.touched))
        if key in seen:
            continue
        seen.add(key)
        with variant.set():
            whole = variant.preset.step(variant.preset.start(), points, threads=1)
        assert scored.of(variant).same_bits(whole), variant.constant


def test_a_constant_of_a_module_is_changed_and_put_back(world: World) -> None:
    before = gap_novelty._GAINS
    variant = changed(preset("novelty"), Constant("module", "_GAINS", before), 1.25)
    assert variant is not None
    with variant.set():
        assert pytest.approx(1.25 * before) == gap_novelty._GAINS
    assert pytest.approx(before) == gap_novelty._GAINS


def test_every_number_of_the_members_is_changed() -> None:
    found = {(c.part, c.name) for c in constants(preset("auto"))}
    for member in preset("auto").members:
        assert (member.label, "weight") in found
        assert ((member.label, "strength") in found) == (member.strength != 0)
    assert {("calibrate", "half_life"), ("policy", "close_after")} <= found
    assert not {name for _, name in found} & {"seed", "dims"}


def test_weights_stay_one_together() -> None:
    first = preset("auto").members[0]
    variant = changed(preset("auto"), Constant(first.label, "weight", first.weight), 1.25)
    assert isinstance(variant, Variant)
    assert sum(m.weight for m in variant.members) == pytest.approx(1)
    assert variant.members[0].weight == pytest.approx(1.25 * first.weight / (1 + 0.25 * first.weight))
    assert variant.touched == ()


def test_whole_numbers_move_by_one_at_least() -> None:
    assert [Constant("p", "n", 2).times(f) for f in (0.75, 1.25)] == [1, 3]
    assert [Constant("p", "n", 12).times(f) for f in (0.75, 1.25)] == [9, 15]
    assert Constant("p", "n", 2.0).times(1.25) == 2.5


def test_what_is_not_allowed_is_left_out() -> None:
    assert changed(preset("auto"), Constant("policy", "close_level", 0.75), 2.0) is None


def test_figures_of_all_variants_come_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    every = stability.variants("novelty")
    some = [every[0], *(v for v in every if v.constant and v.constant.name in ("weight", "half_life"))]
    monkeypatch.setattr(stability, "variants", lambda name: some)
    jobs = stability.jobs(("simulated",), 46)[:2]
    rows = stability.measure("novelty", jobs, processes=1)
    assert rows[0]["factor"] == 1
    assert "part" not in rows[0]
    assert len(rows) == len(some)
    value, low, high = rows[0]["figures"]["simulated F1 1/1,440"]
    assert 0 <= low <= value <= high <= 1
    assert any(row["figures"] != rows[0]["figures"] for row in rows[1:])
    text = stability_page.everything({"presets": {"novelty": rows}})
    assert "| calibrate: `half_life` | 5000 | 3750 / 6250 |" in text
    assert np.isfinite(stability_page.mean(rows[0]["figures"], "VUS-PR"))


def test_the_page_is_what_the_record_says() -> None:
    said = json.loads(stability_page.RECORD.read_text())
    text = stability_page.PAGE.read_text()
    assert stability_page.fill(text, said) == text
