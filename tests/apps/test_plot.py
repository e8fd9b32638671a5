"""The picture of a series: there, of the stated size, the same each time, in the right colours."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.apps.pictures import MINUTE, START, series_view
from tools import picture
from watchband.apps.library.axes import axis_range, time_ticks, value_ticks
from watchband.apps.library.plot import THEMES, Theme, figure, write_plot

HOUR = 60 * MINUTE


def pixels(path: Path) -> np.ndarray:
    from matplotlib.image import imread

    return np.round(imread(path)[..., :3] * 255).astype(int)


def amount(image: np.ndarray, colour: str) -> int:
    wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return int((np.abs(image - wanted).max(axis=-1) <= 2).sum())


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_say_what_is_outside(tmp_path: Path, theme: Theme) -> None:
    colour = THEMES[theme]
    hot = pixels(write_plot(series_view(n=600), tmp_path / "hot.png", theme=theme))
    calm = pixels(write_plot(series_view(n=600, alerts=0), tmp_path / "calm.png", theme=theme))
    assert hot.shape == (619, 1440, 3)
    assert amount(hot, colour["out"]) > 1_000
    assert amount(hot, colour["out_wash"]) > 1_000
    assert amount(calm, colour["out"]) == 0
    for image in (hot, calm):
        assert amount(image, colour["surface"]) > 100_000
        assert amount(image, colour["band"]) > 20_000
        assert amount(image, colour["ink"]) > 1_000
        assert amount(image, colour["expected"]) > 50


def test_the_same_view_gives_the_same_bytes(tmp_path: Path) -> None:
    first = write_plot(series_view(), tmp_path / "a.png", dpi=50).read_bytes()
    assert first == write_plot(series_view(), tmp_path / "b.png", dpi=50).read_bytes()


def test_nothing_global_is_touched() -> None:
    code = (
        "import sys\n"
        "from tests.apps.pictures import series_view\n"
        "from watchband.apps.library.plot import figure\n"
        "assert 'matplotlib' not in sys.modules\n"
        "import matplotlib; before = dict(matplotlib.rcParams)\n"
        "figure(series_view(n=300)).canvas.draw()\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
        "assert dict(matplotlib.rcParams) == before"
    )
    # A stated backend: reading rcParams would otherwise choose one, by importing pyplot.
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "MPLBACKEND": "agg"})


@pytest.mark.parametrize("n", [0, 1, 2])
def test_hardly_any_points(tmp_path: Path, n: int) -> None:
    view = series_view(n=300, alerts=0).take(np.arange(n))
    assert write_plot(view, tmp_path / "few.png", dpi=40).stat().st_size > 1_000


def test_a_series_without_band_or_opinion() -> None:
    view = series_view(n=300, alerts=0)
    nothing = np.full(300, np.nan)
    bare = dataclasses.replace(view, yhat=nothing, yhat_lower=nothing, yhat_upper=nothing, anomaly_score=nothing)
    drawn = figure(bare)
    assert any("too little history" in text.get_text() for text in drawn.texts)


def test_values_are_written_in_a_unit_that_suits_their_size() -> None:
    view = series_view("memory_bytes", n=300, unit="")
    for values in (view.y, view.yhat, view.yhat_lower, view.yhat_upper):
        values *= 1024.0**2
    drawn = figure(view)
    assert "MiB" in [text.get_text() for text in drawn.texts]
    assert drawn.axes[0].get_ylim()[1] < 100


def test_zero_is_shown_where_it_costs_little() -> None:
    near, far = series_view(n=300, alerts=0), series_view(n=300, alerts=0)
    for values in (far.y, far.yhat, far.yhat_lower, far.yhat_upper):
        values += 5_000
    assert axis_range(near)[0] == 0
    assert axis_range(far)[0] > 4_900


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-3, 7), (1e-7, 9e-7), (0, 4.2e9), (99.991, 99.999), (-5e5, -4e5)])
def test_value_ticks_are_round_and_inside(low: float, high: float) -> None:
    ticks = value_ticks(low, high)
    assert 2 <= len(ticks) <= 7
    assert all(low <= v <= high for v, _ in ticks)
    assert len({text for _, text in ticks}) == len(ticks)


@pytest.mark.parametrize("hours", [0.05, 1, 7, 24, 100, 900, 9_000, 90_000])
def test_time_ticks_are_inside_and_few(hours: float) -> None:
    last = START + int(hours * HOUR)
    ticks = time_ticks(START, last, "Europe/Dublin", 10)
    assert 3 <= len(ticks) <= 13
    assert all(START <= t <= last for t, _, _ in ticks)
    assert len({text for _, text, _ in ticks}) > 2


def test_ticks_follow_local_time_over_a_clock_change() -> None:
    night = 1_711_832_400 * 10**9  # 30 March 2024, 21:00 in Dublin; at 01:00 clocks go forward
    texts = [text.replace("\u00a0", " ") for _, text, _ in time_ticks(night, night + 8 * HOUR, "Europe/Dublin", 8)]
    assert "Sun 31 Mar" in texts
    assert "02:00 +1 h" in texts


def test_the_picture_of_the_readme_shows_the_fault_that_was_caused() -> None:
    shown = picture.view()
    assert shown.key.metric == "cpu_percent"
    assert shown.alerts[0].severity in ("critical", "warning")
    assert shown.alerts[0].value == 100
