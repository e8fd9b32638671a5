from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from tests.reference import nab as slow
from watchband.core.errors import PointsShapeError
from watchband.evaluation.metrics.nab import PROFILES, nab_file, nab_score, probation

PROFILE = {p.name: p for p in PROFILES}


def at(n: int, *rows: int) -> np.ndarray:
    scores = np.zeros(n)
    scores[list(rows)] = 1
    return scores


def one(scores: np.ndarray, windows: list[tuple[int, int]], profile: str = "standard") -> float:
    file = nab_file(np.arange(len(scores)), np.array(windows))
    return nab_score([file], [np.where(scores > 0, scores, np.nan)], PROFILE[profile]).score


@pytest.mark.parametrize("profile", sorted(PROFILE))
def test_silence_is_nothing_and_the_first_row_of_every_window_is_everything(profile: str) -> None:
    windows = [(30, 39), (60, 69)]
    assert one(at(100), windows, profile) == 0.0
    assert one(at(100, 30, 60), windows, profile) == 100.0


def test_a_window_half_over_is_worth_what_the_curve_says() -> None:
    half = (2 / (1 + math.exp(-2.5)) - 1) / (2 / (1 + math.exp(-5)) - 1)
    assert one(at(100, 45), [(40, 49)]) == pytest.approx(100 * (1 + half) / 2, rel=1e-12)
    assert one(at(100, 45), [(40, 49)], "reward_low_FN_rate") == pytest.approx(100 * (2 + half) / 3, rel=1e-12)


def test_only_the_earliest_row_of_a_window_counts() -> None:
    assert one(at(100, 41, 43, 47), [(40, 49)]) == one(at(100, 41), [(40, 49)])


def test_a_row_before_all_windows_costs_in_full_and_one_just_behind_a_window_less() -> None:
    assert one(at(100, 20, 40), [(40, 49)]) == pytest.approx(100 * (2 - 0.11) / 2)
    assert one(at(100, 20, 40), [(40, 49)], "reward_low_FP_rate") == pytest.approx(100 * (2 - 0.22) / 2)
    behind = 2 / (1 + math.exp(5 * 3 / 9)) - 1
    assert one(at(100, 40, 52), [(40, 49)]) == pytest.approx(100 * (2 + 0.11 * behind) / 2)
    assert one(at(100, 40, 99), [(40, 49)]) == pytest.approx(100 * (2 - 0.11) / 2)


def test_the_start_of_a_file_counts_nowhere() -> None:
    assert (probation(100), probation(101), probation(5000), probation(50_000)) == (15, 15, 750, 750)
    assert one(at(100, 0, 14, 40), [(40, 49)]) == 100.0
    assert one(at(100, 15, 40), [(40, 49)]) < 100.0


def test_one_threshold_holds_for_all_files() -> None:
    a = nab_file(np.arange(100), np.array([(40, 49)]))
    b = nab_file(np.arange(100), np.array([(40, 49)]))
    loud, quiet = at(100, 40) * 10, at(100, 40) * 2
    loud[[20, 21, 22]] = 5
    found = nab_score([a, b], [loud, quiet])
    # The second file is found only at a threshold that lets the first one's three false rows in.
    assert found.threshold == 2
    assert (found.found, found.false_rows) == (2, 3)
    assert found.score == pytest.approx(100 * (4 - 0.33) / 4)
    assert nab_score([a], [loud]).threshold == 10
    assert nab_score([a, b], [loud, quiet], threshold=10).score == pytest.approx(50)


def test_a_window_edge_must_be_a_row() -> None:
    with pytest.raises(PointsShapeError, match="no row of the file"):
        nab_file(np.arange(10), np.array([(3, 30)]))
    with pytest.raises(PointsShapeError, match="lengths"):
        nab_score([nab_file(np.arange(10), np.empty((0, 2), int))], [np.zeros(9)])


@pytest.mark.parametrize("seed", range(12))
def test_the_slow_reference_agrees(seed: int) -> None:
    rng = np.random.default_rng(seed)
    windows = [[(30, 41), (50, 51)], [], [(9, 20)], [(70, 89)]]
    lengths = [80, 40, 60, 90]
    scores = [np.round(rng.exponential(size=n), 1) for n in lengths]
    scores[2][rng.random(60) < 0.2] = np.nan
    files = [nab_file(np.arange(n), np.array(w, int).reshape(-1, 2)) for n, w in zip(lengths, windows, strict=True)]
    for p in PROFILES:
        expected = slow.nab([s.tolist() for s in scores], windows, p.tp, p.fp, p.fn)
        assert nab_score(files, scores, p).score == pytest.approx(expected, abs=1e-9)


def test_a_time_that_comes_twice_is_met_at_its_first_row() -> None:
    times = np.array([0, 1, 2, 2, 3, 4, 4, 5])
    assert nab_file(times, np.array([(2, 4)])).window.tolist() == [-1, -1, 0, 0, 0, 0, -1, -1]


def test_the_profiles_are_the_official_ones() -> None:
    costs = {p.name: (p.tp, p.fp, p.fn) for p in PROFILES}
    assert costs == {
        "standard": (1.0, 0.11, 1.0),
        "reward_low_FP_rate": (1.0, 0.22, 1.0),
        "reward_low_FN_rate": (1.0, 0.11, 2.0),
    }


def test_far_behind_a_window_a_row_costs_in_full() -> None:
    # Nine rows are one width of a window of ten: from three widths on nothing is forgiven.
    worth = nab_file(np.arange(200), np.array([(40, 49)])).worth
    assert worth[49 + 27] == -1
    assert -1 < worth[49 + 26] < -0.99


@pytest.mark.data
def test_on_the_benchmark_silence_is_nothing_and_perfect_is_perfect(nab: Path) -> None:
    from benches.quality.data import numenta_files

    files = list(numenta_files().values())
    perfect = [np.zeros(len(f.worth)) for f in files]
    for file, scores in zip(files, perfect, strict=True):
        scores[[int(np.argmax(file.window == w)) for w in np.unique(file.window[file.window >= 0])]] = 1
    assert (len(files), sum(f.windows for f in files)) == (58, 116)
    for profile in PROFILES:
        assert nab_score(files, [np.zeros(len(s)) for s in perfect], profile).score == 0.0
        assert nab_score(files, perfect, profile).score == 100.0
