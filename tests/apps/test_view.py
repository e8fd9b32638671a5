"""Thinning keeps what people must see."""

from __future__ import annotations

import dataclasses

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.apps.pictures import MINUTE, series_view
from watchband.apps.library.view import SeriesView, _extremes


@given(st.integers(300, 4000), st.integers(0, 40), st.integers(0, 2**32 - 1))
def test_every_anomaly_survives(n: int, anomalies: int, seed: int) -> None:
    view, rng = series_view(n=n, alerts=1, seed=seed), np.random.default_rng(seed)
    view.anomaly_score[rng.integers(0, n, anomalies)] = rng.uniform(1.01, 9, anomalies)
    thin = view.thin(250)
    assert set(view.times[view.anomalous]) <= set(thin.times)
    assert thin.points == n
    assert (np.diff(thin.times) > 0).all()


@given(st.integers(500, 3000), st.integers(3, 200), st.integers(0, 2**32 - 1))
def test_lowest_and_highest_of_every_column_survive(n: int, columns: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    times = np.cumsum(rng.integers(1, 100, n))
    y = np.where(rng.random(n) < 0.3, np.nan, rng.normal(size=n))
    kept = _extremes(times, y, columns)
    assert len(kept) <= 2 * columns
    column = (times - times[0]) * columns // (times[-1] - times[0] + 1)
    for c in np.unique(column):
        mine, chosen = y[column == c], y[kept[column[kept] == c]]
        if np.isfinite(mine).any():
            assert np.nanmin(chosen) == np.nanmin(mine)
            assert np.nanmax(chosen) == np.nanmax(mine)
        else:
            assert len(chosen) == 1


def test_a_series_that_is_all_anomalies_stays_small_and_keeps_each_run() -> None:
    view = series_view(n=20_000, alerts=0)
    score = np.where(np.arange(20_000) % 1000 < 900, 2.0, 0.5)
    score[5_400] = 7.0
    thin = dataclasses.replace(view, anomaly_score=score).thin(500)
    assert len(thin) < 700
    assert view.times[5_400] in thin.times
    for run in range(20):
        assert view.times[run * 1000] in thin.times
        assert view.times[run * 1000 + 899] in thin.times


def test_points_around_an_alert_are_all_kept() -> None:
    view = series_view(n=20_000, alerts=2)
    thin = view.thin(2_000)
    opened = int(np.searchsorted(view.times, view.alerts[0].opened))
    assert set(view.times[opened - 60 : opened + 60]) <= set(thin.times)


def test_short_series_are_left_alone() -> None:
    view = series_view(n=400)
    assert view.thin(400) is view


def test_gaps_are_found_and_survive() -> None:
    view = series_view(n=3000, alerts=0)
    cut = np.r_[0:2000, 2100:3000]
    view = SeriesView(
        view.key,
        "",
        *(
            getattr(view, n)[cut]
            for n in ("times", "y", "yhat", "yhat_lower", "yhat_upper", "anomaly_score", "imputed")
        ),
    )
    assert [b - a for a, b in view.gaps] == [41 * 5 * MINUTE, 101 * 5 * MINUTE]
    assert view.thin(200).gaps == view.gaps


def test_an_irregular_series_has_no_gaps_but_its_missing_values() -> None:
    view = series_view(n=500, alerts=0)
    times = np.cumsum(np.random.default_rng(1).integers(1, 9, 500)) * MINUTE
    irregular = dataclasses.replace(view, times=times, segments=None, quality={})
    assert irregular.interval_ns == 0
    assert len(irregular.gaps) == 1
