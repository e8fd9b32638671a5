"""The quality bench works: on a few series, by figures that hold for any detector."""

from __future__ import annotations

import io
import math
from pathlib import Path

import numpy as np
import pytest

from benches import coverage
from benches.quality import evaluate, run
from benches.quality.cache import cached
from benches.quality.data import SOURCES, Job, on_rows
from benches.quality.figures import halves
from benches.quality.judge import judge_raw, largest, score_key
from benches.quality.peers import SLOW, candidates
from benches.quality.peers.plain import spectral_residual
from benches.quality.run import ONE_IN, evaluate_runs
from watchband.detectors import Ewma, GapNovelty, Residual, SeasonalBand
from watchband.evaluation.simulate.world import World
from watchband.pipeline.ensemble import Ensemble


def silence(times: np.ndarray, values: np.ndarray) -> np.ndarray:
    return np.zeros(len(values))


def test_detectors_and_callables_stand_side_by_side() -> None:
    out = io.StringIO()
    found = evaluate(
        {"ours": Residual(), "silence": silence}, ("simulated",), fast=True, processes=1, against="ours", out=out
    )
    assert found["ours"]["simulated"]["series"] == 31
    for one_in in ONE_IN:
        value, low, high = found["ours"]["simulated"]["f1"][one_in]
        assert 0 < low < value < high < 1
        assert found["silence"]["simulated"]["f1"][one_in][0] == 0
        assert found["silence"]["simulated"]["alerts a week"][one_in][0] == 0
    assert found["ours"]["simulated"]["vus_pr"][0] > found["silence"]["simulated"]["vus_pr"][0]
    assert "| ours | " in out.getvalue()
    assert "| silence | 0.000" in out.getvalue()
    f1 = found["ours"]["simulated"]["f1"][ONE_IN[0]][0]
    assert f"| simulated | F1 1/1,440 | {f1:.3f} | silence | 0.000 | +{f1:.3f} (" in out.getvalue()


def test_an_oracle_finds_everything_on_its_budget() -> None:
    truth = {w.values.tobytes(): w for w in (World("cpu", "spike", s) for s in range(3))}

    def oracle(times: np.ndarray, values: np.ndarray) -> np.ndarray:
        score = np.random.default_rng(0).random(len(values))
        for first, *_ in truth[values.tobytes()].windows.tolist():
            score[first] = 1e6
        return score

    for world in truth.values():
        opened = judge_raw(world.times, oracle(world.times, world.values), ONE_IN[1]).opened
        assert set(world.windows[:, 0].tolist()) <= set(opened.tolist())
        assert len(opened) <= len(world.events) + 2


def test_ensembles_of_the_same_members_score_once_whatever_their_weights() -> None:
    one, other = (Ensemble.of(("band", SeasonalBand(), 1 - w), ("novelty", GapNovelty(), w)) for w in (0.2, 0.4))
    assert score_key(one) == score_key(other)
    assert score_key(one) != score_key(Ensemble.of(("band", Ewma(), 0.8), ("novelty", GapNovelty(), 0.2)))
    assert score_key(Ewma()) != score_key(Ewma())
    runs = evaluate_runs({"one": one, "other": other}, ("simulated",), fast=True, processes=1)
    assert [o.name for o in runs["one"].outcomes] == [o.name for o in runs["other"].outcomes]
    assert any(a != b for a, b in zip(runs["one"].outcomes, runs["other"].outcomes, strict=True))


def test_a_service_is_the_largest_of_its_metrics() -> None:
    metrics = [np.array([0.0, 3, np.nan]), np.array([1.0, 1, 1]), np.array([5.0, 2, 0]), np.array([0.5, 0, 2])]
    assert largest(metrics, 1).tolist() == [5, 3, 2]
    assert largest(metrics, 3).tolist() == [6.5 / 3, 2, 1]


def test_slow_scores_are_kept_by_label_and_series(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WATCHBAND_QUALITY_CACHE", str(tmp_path))
    calls = []

    def slow(times: np.ndarray, values: np.ndarray) -> np.ndarray:
        calls.append(len(values))
        return values * 2

    times, values = np.arange(4), np.array([1.0, 2, 3, 4])
    for label, series in (("a", values), ("a", values), ("b", values), ("a", values + 1)):
        assert cached(label, slow, times, series).tolist() == (series * 2).tolist()
    assert calls == [4, 4, 4]


def test_a_repeated_time_opens_nothing() -> None:
    assert on_rows(np.array([10, 20, 20, 30]), np.array([1.0, 2, 3])).tolist() == [1, 2, 0, 3]


def test_the_halves_are_even_and_odd_places_of_the_sorted_paths() -> None:
    found = halves(["c", "a", "d", "b", "e"])
    assert found == {"whole": list("abcde"), "choosing": ["a", "c", "e"], "reporting": ["b", "d"]}


def test_spectral_residual_is_causal_and_sees_a_spike() -> None:
    values = np.sin(np.arange(900) / 9) + 0.1 * np.random.default_rng(1).normal(size=900)
    values[700] += 8
    score = spectral_residual(np.arange(900), values)
    assert int(np.nanargmax(score)) == 700
    shorter = spectral_residual(np.arange(600), values[:600])
    assert np.allclose(score[:600], shorter, equal_nan=True)


@pytest.mark.data
def test_services_and_files_are_read_whole() -> None:
    from benches.quality.data import numenta, services

    jobs: list[Job] = services()
    assert (len(jobs), {len(j.metrics) for j in jobs}, {len(j.times) for j in jobs}) == (20, {19}, {12960})
    assert sum(len(j.windows) for j in jobs) == 54
    files = numenta()
    assert (len(files), sum(len(j.windows) for j in files)) == (58, 116)
    assert all((np.diff(j.times) > 0).all() for j in files)


def test_coverage_of_plain_noise_is_near_what_it_says() -> None:
    values = np.random.default_rng(3).normal(size=(6, 4000))
    found = coverage.measure(Ewma(), "gaussian", values)
    for nominal, inside in found.inside.items():
        assert float(np.median(inside)) == pytest.approx(nominal, abs=0.02)
    assert all(ratio < 20 and not math.isnan(ratio) for ratio in found.warm_up.values())
    assert "| gaussian | " in coverage.table("ewma", [found])


def test_detectors_that_fit_for_long_run_on_a_third_of_what_they_run_on() -> None:
    jobs = {
        source: Job(source, "x", np.zeros(1, np.int64), [np.zeros(1)], np.zeros((0, 2), np.int64)) for source in SOURCES
    }
    for name in SLOW:
        group = dict(candidates([name]))
        takes = {(source, place): run._takes(group, job, place) for source, job in jobs.items() for place in (0, 1)}
        assert {key for key, taken in takes.items() if taken} == {("simulated", 0), ("nab", 0)}
    assert run._takes(dict(candidates(["ewma"])), jobs["services"], 1)
