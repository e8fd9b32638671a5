"""Drift: noticed in time, quiet otherwise, the same bits however it is cut, and told once."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from tests.pipeline.streams_of_drift import KINDS, START, fold, series, watch
from tests.reference.drift import Reference
from watchband.core.duration import DAY, HOUR
from watchband.core.errors import StateMismatchError
from watchband.core.events import DriftApproved, SeriesExpired
from watchband.core.points import Float64, Points
from watchband.core.ports import Readings
from watchband.core.series import SeriesKey
from watchband.pipeline.drift import ADOPTED, BACK, MONITORS, OUT, Drift, DriftFound
from watchband.pipeline.raw import Raw

A_DAY = 96
LEARNED = 17
"""Days after which monitors speak: two to settle, one for edges, fourteen of reference."""


def columns(n: int, seed: int = 0) -> dict[str, Float64]:
    rng = np.random.default_rng(seed)
    score = np.abs(rng.normal(size=n))
    odd = (rng.random(n) < 0.02).astype(float)
    odd[rng.random(n) < 0.05] = np.nan
    cutoff = 4 + 0.2 * rng.normal(size=n)
    covered = (rng.random(n) < 0.95).astype(float)
    return {"score": score, "cutoff": cutoff, "odd": odd, "covered": covered}


def same(a: DriftFound, b: DriftFound) -> bool:
    return [r[1:] for r in a.rows()] == [r[1:] for r in b.rows()]


def stepped(drift: Drift, values: Float64, cuts: list[int], seed: int = 0) -> tuple[bytes, list[tuple[object, ...]]]:
    state, told = drift.start(1), []
    times, more = START + np.arange(len(values)) * (DAY // A_DAY), columns(len(values), seed)
    edges = [0, *cuts, len(values)]
    for a, b in pairwise(edges):
        points = Points.of(times[a:b], values[a:b])
        found = drift.step(state, points, **{k: v[a:b] for k, v in more.items()}, nominal=0.95)
        told += found.rows()
        state = drift.load(state.to_bytes())
    return state.to_bytes(), told


def drifting(days: int = 30, at: int = 22) -> Float64:
    values = np.random.default_rng(1).normal(size=days * A_DAY)
    values[::17] = np.nan
    values[at * A_DAY :] += 2.0
    return values


def test_any_cut_and_any_restart_give_the_same_bits() -> None:
    drift, values = Drift(), drifting()
    whole = stepped(drift, values, [])
    assert whole == stepped(drift, values, sorted(np.random.default_rng(2).integers(0, len(values), 60).tolist()))
    assert next((row[1], MONITORS[row[6]]) for row in whole[1]) == (OUT, "values")


def test_neighbours_and_threads_change_nothing() -> None:
    drift, n = Drift(), 25 * A_DAY
    values = [drifting(25, 20), np.random.default_rng(5).normal(size=n), np.full(n, np.nan)]
    times = START + np.arange(n) * (DAY // A_DAY)
    alone = []
    for one in values:
        state = drift.start(1)
        drift.step(state, Points.of(times, one), **columns(n))
        alone.append(state)
    for threads in (1, 3):
        state = drift.start(3)
        points = Points(
            np.tile(times, 3), np.concatenate(values)[:, None], np.arange(4) * n, np.array([2, 0, 1], np.int32)
        )
        drift.step(state, points, **{k: np.tile(v, 3) for k, v in columns(n).items()}, threads=threads)
        for row, one in zip((2, 0, 1), alone, strict=True):
            assert state.take([row]).same_bits(one)


def test_the_slow_reference_says_the_same() -> None:
    drift, values = Drift(), drifting()
    reference = Reference(drift, nominal=0.95)
    times, more = START + np.arange(len(values)) * (DAY // A_DAY), columns(len(values))
    state = drift.start(1)
    for day in range(len(values) // A_DAY):
        part = slice(day * A_DAY, (day + 1) * A_DAY)
        some = {k: v[part] for k, v in more.items()}
        drift.step(state, Points.of(times[part], values[part]), **some, nominal=0.95)
        reference.step(times[part], values[part], **some)
        health = drift.health(state)
        got = np.stack([health.reading[0], health.low[0], health.high[0]], axis=1)
        assert got == pytest.approx(np.array(reference.readings), rel=1e-5, nan_ok=True)
        assert [MONITORS[i] for i in np.flatnonzero(health.out[0])] == reference.out


def test_the_state_keeps_its_size_and_an_empty_batch_changes_nothing() -> None:
    drift = Drift()
    state = drift.start(2)
    empty = np.empty(0)
    before = state.to_bytes(packed=False)
    nothing = dict.fromkeys(("score", "cutoff", "odd", "covered"), empty)
    assert not len(drift.step(state, Points.of([], []), **nothing))
    assert state.to_bytes(packed=False) == before
    assert state.nbytes == 2 * drift.state_bytes_max
    with pytest.raises(StateMismatchError):
        Drift(every_ns=HOUR).step(state, Points.of([], []), **nothing)


@pytest.mark.parametrize(
    ("what", "monitors"),
    [
        ("level", {"values"}),
        ("spread", {"values", "scores", "cutoff", "coverage"}),
        ("season", {"values", "scores", "cutoff", "coverage"}),
    ],
)
def test_a_concept_drift_is_noticed_within_three_days(what: str, monitors: set[str]) -> None:
    days, at = 30, 24
    values = [series("daily", days, A_DAY, seed) for seed in range(10)]
    rng = np.random.default_rng(9)
    late = np.arange(days * A_DAY) >= at * A_DAY
    day = np.sin(2 * np.pi * np.arange(days * A_DAY) / A_DAY)
    change = {"level": 25.0, "spread": rng.normal(0, 25.0, days * A_DAY), "season": -40.0 * day + 15}[what]
    told = fold(watch(), [v + late * change for v in values], A_DAY)
    # Days are judged at the first point of the next one.
    assert not told.out[:at].any()
    within = told.out[at : at + 4].any(axis=0)
    assert within.any(axis=1).all()
    seen = {name for name, found in zip(MONITORS, within.any(axis=0), strict=True) if found}
    assert seen & monitors


@pytest.mark.parametrize("kind", [k for k in KINDS if k != "rare counts"])
def test_without_drift_it_is_told_at_most_once_in_a_series_year(kind: str) -> None:
    days, seeds = 80, 30
    told = fold(watch(), [series(kind, days, A_DAY, seed) for seed in range(seeds)], A_DAY)
    years = seeds * (days - LEARNED) / 365
    assert told.openings / years <= 1.5
    assert not told.out[:LEARNED].any()


def test_one_outage_is_no_drift() -> None:
    values = [series("daily", 40, A_DAY, seed) for seed in range(10)]
    for v in values:
        v[30 * A_DAY : 30 * A_DAY + 16] += 200.0
    told = fold(watch(), values, A_DAY)
    assert not told.out[:, :, [i for i, name in enumerate(MONITORS) if name in ("rate", "values", "coverage")]].any()


def test_nothing_for_weeks_is_no_drift_and_what_was_learned_stays() -> None:
    values = np.random.default_rng(4).normal(size=30 * A_DAY)
    values[20 * A_DAY : 26 * A_DAY] = np.nan
    told = fold(watch(), [values], A_DAY)
    assert not told.out.any()
    assert told.state.drift is not None
    assert watch().drift.health(told.state.drift).left.tolist() == [0]  # type: ignore[union-attr]


def alerting(every: int = HOUR, **given: object) -> tuple[Float64, list[SeriesKey]]:
    values = np.random.default_rng(3).normal(size=60 * 40) + 50
    values[60 * 30 :] += 3.0
    return values, [SeriesKey("cpu")]


def test_drift_is_told_once_and_adopted_in_the_end() -> None:
    watching = watch("ewma", every_ns=HOUR, alert=True, adopt=6)
    values, (key,) = alerting()
    state, versions = watching.start(), []
    times = START + np.arange(len(values)) * 60_000_000_000
    for a in range(0, len(values), 45):
        results = watching.fold(state, [Readings(key, times[a : a + 45], values[a : a + 45])])
        versions += [alert for alert in results.alerts if alert.kind == "drift"]
    assert len({alert.id for alert in versions}) == 1
    first, last = versions[0], versions[-1]
    assert (first.closed, first.detector, first.severity) == (None, "drift", "info")
    assert first.opened == START + 30 * HOUR
    assert "values" in first.reason
    assert last.adopted
    assert last.closed is not None
    assert "new reference" in last.reason
    # Learning anew, and quiet.
    assert watching.drift.health(state.drift).left[0] > 0  # type: ignore[union-attr, arg-type]


@pytest.mark.parametrize("end", [SeriesExpired("cpu", START + 41 * HOUR), DriftApproved("w", START + 41 * HOUR, "cpu")])
def test_what_ends_or_is_approved_drifts_no_more(end: SeriesExpired | DriftApproved) -> None:
    watching = watch("ewma", every_ns=HOUR, alert=True)
    values, (key,) = alerting()
    state = watching.start()
    times = START + np.arange(len(values)) * 60_000_000_000
    opened = [a for a in watching.fold(state, [Readings(key, times, values)]).alerts if a.kind == "drift"]
    assert [alert.closed for alert in opened] == [None]
    closed = [a for a in watching.fold(state, [], [end]).alerts if a.kind == "drift"]
    assert [(a.id, a.closed) for a in closed] == [(opened[0].id, START + 41 * HOUR)]


def test_a_state_from_before_goes_on_with_monitors_that_begin() -> None:
    without = replace(watch(), drift=None)
    watching = watch()
    assert without.fingerprint == watching.fingerprint
    raw = Raw.of(START + np.arange(200) * HOUR, np.random.default_rng(0).normal(size=200))
    state = without.start([SeriesKey("cpu")])
    without.step(state, raw)
    loaded = watching.load(state.to_bytes())
    assert loaded.decide.same_bits(state.decide)
    assert loaded.drift is not None
    assert loaded.drift.points_seen.tolist() == [0]
    # And back: what it does not have it leaves.
    assert without.load(loaded.to_bytes()).drift is None
    state.drift = None
    watching.take_over(state)
    state.add([SeriesKey("disk")])
    assert state.drift is not None
    assert state.drift.series == 2


def test_findings_of_no_batch_are_none() -> None:
    assert same(DriftFound.none(), DriftFound.none())
    assert {OUT, BACK, ADOPTED} == {0, 1, 2}
