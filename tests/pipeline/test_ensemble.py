"""Ensembles: members read what they should, share one state, are upgraded on their own, and are named in alerts."""

from __future__ import annotations

import copy
import dataclasses

import numpy as np
import pytest

import watchband as wb
from watchband.core.duration import DAY, MINUTE
from watchband.core.errors import InvalidParameterError, StateMismatchError, TimeOrderError
from watchband.core.points import Float64, Points
from watchband.core.scores import HELD
from watchband.core.series import SeriesKey
from watchband.core.state import HEADER_BYTES, Field, State
from watchband.detectors import Ewma, GapNovelty, LevelShift, RandomCutForest, Residual, RollingZscore, SeasonalBand
from watchband.pipeline.catalogue import CATALOGUE
from watchband.pipeline.ensemble import Ensemble, EnsembleScore, Mix
from watchband.pipeline.explain import explain_point
from watchband.pipeline.raw import Raw
from watchband.pipeline.results import Results
from watchband.pipeline.rules import Budget
from watchband.pipeline.watch import Watch
from watchband.testing import streams
from watchband.testing.contracts.detector import CHECKS

FOREST = RandomCutForest(trees=5, samples=32, shingle=4)
MIXES = {
    "residuals": Ensemble.of(
        ("band", SeasonalBand(), 0.5),
        ("shift", LevelShift(), 0.25, {"reads": "residual", "holds": True}),
        ("slow shift", LevelShift(mean_points=64), 0.25, {"reads": "residual"}),
    ),
    "forest": Ensemble.of(
        ("band", Ewma(), 0.6),
        ("forest", FOREST, 0.2),
        ("second", FOREST, 0.1, {"holds": True}),
        ("gap", GapNovelty(), 0.1),
    ),
    "no band": Ensemble.of(("novelty", GapNovelty(), 0.5), ("residual", Residual(), 0.5)),
}


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS.keys())
@pytest.mark.parametrize("mix", MIXES.values(), ids=MIXES.keys())
def test_law(mix: Mix, check: object) -> None:
    assert callable(check)
    check(mix)


def points_of(values: Float64) -> Points:
    return Points.of(streams.times(len(values), MINUTE), values)


def outage() -> Float64:
    values = np.random.default_rng(3).normal(50, 2, 1500)
    values[1000:1030] = 0.0
    return values


def test_members_score_as_they_would_alone() -> None:
    mix, points = MIXES["forest"], points_of(streams.daily(800, 1))
    scores = mix.step(mix.start(), points)
    for mine, alone in zip(scores.outputs(), Ewma().step(Ewma().start(), points).outputs(), strict=True):
        assert mine.tobytes() == alone.tobytes()
    gap = GapNovelty()
    assert scores.members[2].tobytes() == gap.step(gap.start(), points).score.tobytes()
    assert scores.members[0].tobytes() == FOREST.step(FOREST.start(), points).score.tobytes()


def test_residuals_are_what_the_band_left_over() -> None:
    mix, points = MIXES["residuals"], points_of(outage())
    scores = mix.step(mix.start(), points)
    z = (points.values[:, 0] - scores.expected) / scores.scale
    z[~(scores.scale > 0)] = np.nan
    held = scores.flags.astype(int) & HELD != 0
    assert held[1010:1030].all()
    for member, own, seen in zip(mix.members[1:], scores.members, (np.where(held, np.nan, z), z), strict=True):
        expected = member.detector.step(member.detector.start(), points_of(seen)).score
        assert own.tobytes() == expected.tobytes()
    assert np.isnan(scores.members[0][held]).all(), "no score where it holds"
    after = slice(1031, 1060)
    assert np.nanmax(scores.members[0][after]) < 0.5 * np.nanmax(scores.members[1][after]), "and it learned nothing"


def test_the_state_is_that_of_the_members_without_copies() -> None:
    mix = MIXES["residuals"]
    own = sum(m.detector.state_bytes_max - HEADER_BYTES for m in mix.members)
    assert mix.state_bytes_max == own + HEADER_BYTES
    state = mix.start(3)
    arrays = dict(state.arrays)
    mix.step(state, points_of(outage()))
    assert all(state.arrays[name] is arrays[name] for name in arrays)
    assert arrays["shift.run"].any()


def test_weights_may_change_on_a_running_state_members_may_not() -> None:
    mix = MIXES["residuals"]
    data = mix.start().to_bytes()
    first, *rest = mix.members
    Mix((dataclasses.replace(first, weight=0.3), dataclasses.replace(rest[0], weight=0.45), rest[1])).load(data)
    for other in (
        Mix((first, rest[0], dataclasses.replace(rest[1], reads="value"))),
        Mix((first, dataclasses.replace(rest[0], detector=LevelShift(adopt=9)), rest[1])),
    ):
        with pytest.raises(StateMismatchError, match="start cold"):
            other.load(data)


class _Newer(Ewma):
    """Ewma of a later release, whose level stands under another name."""

    state_version = 2

    def layout(self) -> dict[str, Field]:
        return {f"{k}_new": f for k, f in super().layout().items()}

    def upgrade(self, state: State) -> State:
        arrays = {f"{k}_new": a for k, a in state.arrays.items()}
        return dataclasses.replace(state, arrays=arrays, version=2)


def test_a_member_is_upgraded_on_its_own() -> None:
    old = Ensemble.of(("band", GapNovelty(), 0.5), ("mean", Ewma(), 0.5))
    new = Ensemble.of(("band", GapNovelty(), 0.5), ("mean", _Newer(), 0.5))
    state = old.start()
    old.step(state, points_of(outage()))
    read = new.load(state.to_bytes())
    assert read.libraries == {"band": "1", "mean": "2"}
    before = {name.removesuffix("_new"): array for name, array in read.arrays.items()}
    assert all(before[name].tobytes() == state.arrays[name].tobytes() for name in state.arrays)
    new.check_state(read)


ONE_BY_ONE = {**MIXES, "auto": CATALOGUE.build({"type": "auto"}), "novelty": CATALOGUE.build({"type": "novelty"})}


@pytest.mark.parametrize("mix", ONE_BY_ONE.values(), ids=ONE_BY_ONE.keys())
def test_one_point_at_a_time_has_the_bits_of_a_batch(mix: Ensemble) -> None:
    """The members' steppers hold the state between calls, through an outage and missing values."""
    values = np.tile(outage()[880:1060], 2)
    values[[0, 40, 41, 300]] = np.nan, np.nan, np.inf, -np.inf
    points = points_of(values)
    state, together = mix.start(), mix.start()
    scores = mix.step(together, points)
    for i, (time, value) in enumerate(zip(points.times.tolist(), values.tolist(), strict=True)):
        one = mix.step_one(state, time, value)
        assert isinstance(one, EnsembleScore)
        np.testing.assert_array_equal([*one, *one.members], [column[i] for column in scores.columns()])
        if i in (100, 200):
            assert state.one_for is mix
            state = mix.load(state.to_bytes())
    assert state.one_for is mix
    assert state.same_bits(together)
    again = copy.deepcopy(one)
    assert (repr(tuple(again)), again.members) == (repr(tuple(one)), one.members)


def test_one_point_at_a_time_knows_the_errors_of_a_batch() -> None:
    mix = MIXES["forest"]
    state = mix.start()
    for time in range(40):
        mix.step_one(state, time, 1.0)
    with pytest.raises(TimeOrderError, match="has folded time 39"):
        mix.step_one(state, 39, 1.0)
    with pytest.raises(StateMismatchError):
        MIXES["residuals"].step_one(state, 40, 1.0)
    assert state.points_seen[0] == 40


@pytest.mark.parametrize(
    ("members", "flaw"),
    [
        ([("one", Ewma(), 1.0)], "2 to 16 members"),
        ([("a", Ewma(), 0.5), ("a", Ewma(), 0.5)], "label of its own"),
        ([("a", Ewma(), 0.5), ("b", Ewma(), 0.4)], "1 together"),
        ([("a", Ewma(), 0.5, {"holds": True}), ("b", Ewma(), 0.5)], "never holds"),
        ([("a", Ewma(), 0.5), ("b", RandomCutForest(dims=2, shingle=4), 0.5)], "one value a point"),
    ],
)
def test_members_that_make_no_ensemble(members: list[tuple[object, ...]], flaw: str) -> None:
    with pytest.raises(InvalidParameterError, match=flaw):
        Ensemble.of(*members)


@pytest.mark.parametrize("name", ["auto", "novelty"])
def test_presets_are_named_like_detectors_and_tell_their_members(name: str) -> None:
    preset = CATALOGUE.parse(f"{name}:timezone=Europe/Dublin,range_low=0")
    assert isinstance(preset, Ensemble)
    assert sum(preset.weights) == pytest.approx(1)
    # The members of novelty ask for nothing of that.
    told = {"auto": SeasonalBand(timezone="Europe/Dublin", range_low=0.0), "novelty": Residual()}
    assert preset.band == told[name]
    assert (preset.fingerprint != CATALOGUE.parse(name).fingerprint) == (name == "auto")


@pytest.mark.parametrize("length", [24, 60])
def test_autos_alert_closes_soon_after_an_outage(length: int) -> None:
    """The shift's member must not learn of an outage: its slow mean kept the alert open three times as long."""
    times = streams.times(2400, 5 * MINUTE)
    noise = np.random.default_rng(length)
    values = 100 + 30 * np.sin(2 * np.pi * times / DAY) + 3 * noise.normal(size=len(times))
    values[2000 : 2000 + length] = 20 + noise.normal(size=length)
    watch = Watch("w", CATALOGUE.parse("auto"), Budget(1, 5 * DAY))
    alerts = watch.step(watch.start([SeriesKey("m")]), Raw.of(times, values), flush=True).alerts
    (alert,) = (a for a in alerts if times[2000] <= a.opened < times[2000 + length])
    assert alert.closed is not None
    assert times[2000 + length] <= alert.closed < times[2030 + length]


MIX = Ensemble.of(("band", RollingZscore(), 0.6), ("novelty", GapNovelty(), 0.2), ("shift", LevelShift(), 0.2))


def watched(values: Float64) -> Results:
    watch = Watch("w", MIX, Budget(1, DAY))
    return watch.step(watch.start([SeriesKey("m")]), Raw.of(streams.times(len(values), MINUTE), values), flush=True)


def two_modes() -> Float64:
    rng = np.random.default_rng(0)
    return np.where(rng.random(3000) < 0.5, rng.normal(10, 1, 3000), rng.normal(90, 1, 3000))


def test_a_pattern_is_named_by_those_who_saw_it() -> None:
    values = two_modes()
    values[2500] = 50.0
    results = watched(values)
    alert = max(results.alerts, key=lambda a: a.anomaly_score)
    assert (alert.kind, alert.value, alert.members) == ("pattern", 50.0, ("novelty",))
    assert "its course does not fit what it usually does" in alert.reason
    assert alert.reason.endswith("seen by ensemble: novelty.")
    assert type(alert).from_dict(alert.to_dict()) == alert
    assert results.yhat_lower[2500] < 50 < results.yhat_upper[2500]
    assert results.seen_by[2500] == "novelty"
    told = explain_point(results, int(results.time[2500]))
    band, novelty, shift = told.members
    assert novelty["anomaly_score"] == told.anomaly_score > 1 > band["anomaly_score"]
    assert novelty["p_value"] == pytest.approx(told.p_value) == pytest.approx(results.p_value[2500])
    assert shift["weight"] == 0.2
    assert any(sentence.startswith("Member novelty, with 20") for sentence in told.sentences())


def test_a_value_is_one_outside_the_drawn_band() -> None:
    values = two_modes()
    values[[2300, 2500]] = [50.0, 900.0]
    values[2700:2730] = 35.0
    results = watched(values)
    outside = (results.y > results.yhat_upper) | (results.y < results.yhat_lower)
    by_band = np.char.find(results.seen_by.astype(str), "band") >= 0
    np.testing.assert_array_equal(outside, by_band)
    assert ((results.anomaly_score > 1) & ~outside).any()
    for alert in results.alerts:
        peak = int(np.flatnonzero(results.time == alert.peak_time)[0])
        assert (alert.kind == "pattern") == (not outside[peak])
        assert (alert.widths > 0) == outside[peak]


def test_other_rules_watch_with_the_band_alone() -> None:
    times = streams.times(3000, MINUTE)
    found = wb.detect((times, two_modes()), detector="novelty", cutoff=4)
    assert found.settings["detector"] == "residual"
    assert set(found.table.column("seen_by").to_pylist()) == {""}


def test_a_member_says_what_it_means() -> None:
    values = two_modes()
    values[2500] = 50.0
    news = {"says": "no value like it was seen before"}
    mix = Ensemble.of(("band", Ewma(), 0.5), ("novelty", GapNovelty(), 0.5, news))
    watch = Watch("m", mix, Budget(1, DAY))
    raw = Raw.of(streams.times(len(values), MINUTE), values)
    alerts = watch.step(watch.start([SeriesKey("m")]), raw, flush=True).alerts
    strongest = max(alerts, key=lambda a: a.anomaly_score)
    assert (strongest.kind, strongest.value) == ("pattern", 50.0)
    assert "; no value like it was seen before." in strongest.reason
