"""Ranks, units, kept runs and the page of the quality bench: by hand-made outcomes whose answers are known."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benches.quality import page, tables
from benches.quality.__main__ import chosen
from benches.quality.joined import JOINED, Joined, standardised
from benches.quality.judge import with_memory
from benches.quality.kept import keep, kept
from benches.quality.ranks import ranks
from benches.quality.report import document, rounded, summary
from benches.quality.run import ONE_IN, Outcome, Run, evaluate_runs
from benches.quality.units import alerts_a_week, better_vus, event_f1, promise_missed, units
from watchband.evaluation.metrics.events import EventCounts

POINTS = 10_000


def outcome(view: str, name: str, found: int, missed: int, false: int, vus: float, place: int = 0) -> Outcome:
    counts = {b: EventCounts(found, missed, false, 3 * found, POINTS) for b in ONE_IN}
    return Outcome(view, name, counts, vus, vus, place, vus / 2)


def run_of(label: str, hits: int, false: int, vus: float) -> Run:
    """Six families and two clean series, of which each fault has four events."""
    some = [outcome("simulated", f"cpu/f{i}", hits, 4 - hits, false, vus, i) for i in range(6)]
    clean = [outcome("simulated", "cpu/none", 0, 0, false, np.nan, 6 + i) for i in range(2)]
    return Run(label, [*some, *clean])


def test_a_unit_is_a_family_a_service_or_a_file() -> None:
    metrics = [outcome("metric", f"shop/{k:02}", 1, 0, k, 0.5) for k in range(3)]
    names, columns = units([*metrics, outcome("metric", "blog/00", 0, 1, 0, 0.1)], ONE_IN[0])
    assert names == ["blog", "shop"]
    assert columns[1].tolist() == [3, 0, 3, 9, 3 * POINTS, 6 / 9, 1, 1.5, 3, 1.5, 0.75]
    names, columns = units(run_of("a", 4, 1, 0.5).outcomes, ONE_IN[0])
    assert names[-1] == "cpu/none"
    assert columns[-1].tolist() == [0, 0, 2, 0, 2 * POINTS, 0, 0, 0, 0, 0, 0]


def test_figures_of_units_by_hand() -> None:
    columns = units([outcome("nab", "a", 1, 1, 2, 0.5), outcome("nab", "b", 2, 0, 0, 0.7)], ONE_IN[0])[1]
    sums = columns.sum(axis=0)[None]
    assert event_f1("nab")(sums)[0] == pytest.approx(6 / 9)
    assert event_f1("simulated")(sums)[0] == pytest.approx((2 / 5 + 1) / 2)
    assert alerts_a_week(sums)[0] == pytest.approx(2 * 2016 / 20_000)
    assert promise_missed(10_000)(sums)[0] == 0
    assert promise_missed(5_000)(sums)[0] == pytest.approx(np.log2(4.5 / 2.5))


def test_the_larger_of_both_volumes_counts() -> None:
    columns = units([outcome("nab", "a", 1, 1, 2, 0.5), outcome("nab", "b", 2, 0, 0, 0.7)], ONE_IN[0])[1]
    assert better_vus(columns)[:2].tolist() == pytest.approx([0.5, 0.7])
    columns[:, 10] = 0.6
    assert better_vus(columns)[:2].tolist() == pytest.approx([0.6, 0.7])


def test_memory_ranks_a_long_mild_run_above_a_lone_point_and_moves_no_anomaly() -> None:
    score = np.full(300, 0.1)
    score[40], score[100:160], score[250] = 0.3, 0.25, 1.5
    graded = with_memory(score, 1440)
    assert graded[250] == 1.5
    assert graded[150] > graded[40]
    assert (graded >= score).all()
    assert (graded[score <= 1] <= 1).all()
    assert np.array_equal(with_memory(score[:120], 1440), graded[:120])


def test_the_better_ranks_first_and_equals_share_their_places() -> None:
    good, bad = run_of("good", 4, 1, 0.9), run_of("bad", 1, 30, 0.1)
    found = ranks({"bad": bad, "good": good, "same": Run("same", good.outcomes)}, "bad", draws=50)
    assert [r.label for r in found] == ["good", "same", "bad"]
    assert found[0].mean == (1.5, 1.5, 1.5)
    assert found[0].behind == (-1.5, -1.5, -1.5)
    assert found[2].mean.value == 3
    assert found[2].figures["alerts a week"] == 3
    assert found[2].families == {"simulated": 3}


def test_nearer_to_the_promise_is_better_than_silence() -> None:
    promised = run_of("kept", 2, POINTS // ONE_IN[0], 0.5)
    silent = run_of("silent", 2, 0, 0.5)
    loud = run_of("loud", 2, 40, 0.5)
    found = ranks({r.label: r for r in (silent, loud, promised)}, "kept", draws=10)
    assert [r.figures["alerts a week"] for r in sorted(found, key=lambda r: r.label)] == [1, 2, 3]


def test_who_ran_on_less_is_ranked_apart() -> None:
    whole, other = run_of("whole", 4, 1, 0.9), run_of("other", 1, 1, 0.2)
    part = Run("part", [o for o in other.outcomes if o.place % 3 == 0])
    runs = {"whole": whole, "other": other, "part": part}
    said = document(runs, {label: summary(run) for label, run in runs.items()}, "whole")
    assert [r["label"] for r in said["ranks"]] == ["whole", "other"]
    assert {r["label"] for r in said["sample"]["every third"]} == {"whole", "other", "part"}
    assert "| part, 3 series |" in tables.view(said, "simulated")
    assert {s["best"] for s in said["standings"]} == {"other"}


def test_a_kept_run_comes_back_as_it_was(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WATCHBAND_QUALITY_CACHE", str(tmp_path))
    run = Run("a", run_of("a", 2, 1, 0.4).outcomes, {"x.csv": np.array([0, 1.25, 0, 3])}, 2.5, 7)
    keep(run, "what", "abc")
    assert kept("a", "other") is None
    found = kept("a", "what")
    assert found is not None
    again, commit = found
    assert commit == "abc"
    assert repr(again.outcomes) == repr(run.outcomes)
    assert again.alert_scores["x.csv"].tolist() == [0, 1.25, 0, 3]
    assert (again.seconds, again.points) == (2.5, 7)


def test_the_page_is_what_the_record_says() -> None:
    said = json.loads(page.RECORD.read_text())
    text = page.PAGE.read_text()
    assert page.fill(text, said) == text
    assert set(tables.BLOCKS) <= set(page.MARK.sub(r"\n@\2@", text).split("@"))
    assert page.about({**said, "made": {**said["made"], "commit": "x1"}}) != page.about(said)


def test_numbers_for_the_record_are_short_and_never_nan() -> None:
    assert rounded({1440: (0.123456, float("nan"), 3)}) == {"1440": [0.1235, None, 3]}


def test_columns_are_standardised_by_their_past() -> None:
    rows = np.array([[1.0, 5], [3, 5], [2, 5], [1e9, 5]])
    found = standardised(rows)
    assert found[:, 1].tolist() == [0, 0, 0, 0]
    assert found[1, 0] == pytest.approx(1)
    assert np.array_equal(standardised(rows[:3]), found[:3])


@pytest.mark.parametrize("name", [name for name, one in JOINED.items() if one.installed])
def test_no_joined_detector_knows_what_comes(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WATCHBAND_QUALITY_CACHE", str(tmp_path))
    rng = np.random.default_rng(1)
    metrics = [rng.normal(size=620) for _ in range(3)]
    times = np.arange(620) * 300_000_000_000
    whole = JOINED[name].score(times, metrics)
    assert np.isfinite(whole).any()
    shorter = JOINED[name].score(times[:600], [m[:600] for m in metrics])
    assert np.allclose(whole[:600], shorter, rtol=1e-6, equal_nan=True)


def test_names_with_commas_are_asked_for_as_they_are() -> None:
    found = chosen("ewma,krcf, joined,rolling z")
    assert list(found) == ["ewma", "krcf, joined", "rolling z"]
    assert isinstance(found["krcf, joined"], Joined)


def test_outcomes_come_in_the_order_of_the_series_however_many_processes() -> None:
    def level(times: np.ndarray, values: np.ndarray) -> np.ndarray:
        return np.abs(values)

    one = evaluate_runs({"level": level}, ("simulated",), fast=True, processes=1)["level"]
    two = evaluate_runs({"level": level}, ("simulated",), fast=True, processes=2)["level"]
    assert repr(one.outcomes) == repr(two.outcomes)
    assert [o.place for o in one.outcomes] == list(range(0, 93, 3))
