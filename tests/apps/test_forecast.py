"""``watchband forecast`` and ``wb.forecast``: what is printed, written, refused."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import watchband as wb
from tests.apps.test_cli import run
from watchband.core.errors import ConfigError, DataError
from watchband.core.wording import NO_BREAK

N = 24 * 20
QUICK = ("--model", "trend,ridge")


def filling(seed: int = 1) -> np.ndarray:
    """A disk that fills by 2.4 % a day, with its days."""
    at = np.arange(N)
    noise = np.random.default_rng(seed).normal(0, 0.15, N)
    return np.asarray(40 + 0.1 * at + 0.5 * np.sin(2 * np.pi * at / 24) + noise)


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    path = tmp_path / "disk.csv"
    times = np.datetime64("2026-01-01", "s") + np.arange(N) * np.timedelta64(1, "h")
    rows = zip(times, filling(), filling(2), np.full(N, 7.0), strict=True)
    path.write_text(
        "timestamp,disk_used_percent,other_percent,flat\n"
        + "".join(f"{t}Z,{a:.3f},{b:.3f},{c}\n" for t, a, b, c in rows)
    )
    return path


def plain(text: str) -> str:
    return " ".join(text.replace(NO_BREAK, " ").split())


def test_it_tells_when_beside_whom_and_what_was_left_out(disk: Path) -> None:
    result = run("forecast", disk, "--horizon", "5d", "--above", "95", *QUICK, width=100)
    assert result.exit_code == 0, result.stderr
    said = plain(result.stdout)
    assert "disk_used_percent 5d ahead in 120 steps of 1h" in said
    assert "disk_used_percent reaches 95 % in" in said
    assert "90 % interval" in said
    for word in ("persistence", "seasonal_naive", "trend", "ridge", "Of persistence's error", "100 %"):
        assert word in said
    assert "left out: flat: flat never changes" in said
    assert "\x1b" not in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 100


def test_json_and_csv_are_for_machines(disk: Path) -> None:
    found = json.loads(run("forecast", disk, "--json", "--above", "95", "--horizon", "5d", *QUICK).stdout)
    first, second = found["series"]
    assert first["series"] == "disk_used_percent"
    assert first["model"] in ("trend", "ridge")
    assert set(first["models"]) == {"persistence", "seasonal_naive", "trend", "ridge"}
    assert len(first["yhat"]) == len(first["times"]) == first["steps"] == 120
    (passage,) = first["passages"]
    days = (95 - filling()[-1]) / 2.4
    assert passage["seconds_low"] < days * 86_400 < passage["seconds_high"]
    assert "flat never changes" in found["left_out"]["flat"]
    rows = list(csv.DictReader(io.StringIO(run("forecast", disk, "--csv", *QUICK).stdout)))
    assert len(rows) == 48
    assert rows[0]["timestamp"] == "2026-01-21T00:00:00Z"
    assert float(rows[0]["yhat_lower"]) < float(rows[0]["yhat"]) < float(rows[0]["yhat_upper"])
    assert second["series"] == rows[-1]["series"]


def test_a_folder_has_page_table_figures_and_plots(disk: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run("forecast", disk, "--out", out, "--quiet", "--above", "95", "--range", "0:100", *QUICK)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == ""
    names = sorted(p.name for p in out.iterdir())
    assert names == [
        *("forecast.csv", "forecast_metrics.json", "forecast_plot.png", "forecast_plot_2.png"),
        *("report.html", "summary.json"),
    ]
    page = (out / "report.html").read_text()
    assert "<title>Forecast of disk.csv</title>" in page
    assert "does not reach 95" in page
    assert "flat never changes" in page
    assert (out / "forecast_plot.png").read_bytes()[:4] == b"\x89PNG"
    metrics = json.loads((out / "forecast_metrics.json").read_text())["series"][0]
    assert metrics["models"]["ridge"]["mae"] < metrics["models"]["persistence"]["mae"]
    assert run("forecast", disk, "--out", out, "--quiet", *QUICK).exit_code == 0, "its own folder is replaced"


def test_one_series_of_many_is_chosen(disk: Path) -> None:
    found = json.loads(run("forecast", disk, "--json", "--series", "other_percent", *QUICK).stdout)
    assert [s["series"] for s in found["series"]] == ["other_percent"]


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (("--model", "arima"), "The models of a forecast are persistence, seasonal_naive"),
        (("--horizon", "30d"), "too few to try a forecast of 4w2d on"),
        (("--horizon", "10m"), "'--horizon' must be longer"),
        (("--level", "1"), "'level' of an interval is between 0.5 and 0.99"),
        (("--series", "cpu"), "There is no series 'cpu' in disk.csv. It has disk_used_percent"),
        (("--season", "40d"), "'season' has 2 to 240 steps here"),
        (("--range", "9:1"), "is empty"),
    ],
)
def test_mistakes_are_one_line_that_says_what_to_do(disk: Path, flags: tuple[str, ...], says: str) -> None:
    result = run("forecast", disk, *flags)
    assert result.exit_code == 2
    assert says in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_rows_without_a_rhythm_are_refused_and_buckets_help(tmp_path: Path) -> None:
    moments = np.cumsum(np.random.default_rng(1).integers(1, 5000, 3000))
    path = tmp_path / "odd.csv"
    path.write_text("timestamp,x\n" + "".join(f"{1_700_000_000 + t},{np.sin(t / 40_000):.4f}\n" for t in moments))
    refused = run("forecast", path)
    assert refused.exit_code == 2
    assert "no distance that its readings keep" in refused.stderr
    assert "--resample" in refused.stderr
    assert run("forecast", path, "--resample", "2h", "--model", "persistence", "--json").exit_code == 0


def test_a_frame_goes_in_and_a_frame_comes_out() -> None:
    times = pd.date_range("2026-01-01", periods=N, freq="h", tz="UTC")
    found = wb.forecast(
        pd.Series(filling(), index=times, name="disk_used_percent"), "2d", model="trend", above=[90, 95]
    )
    frame = found.to_pandas()
    assert list(frame.columns)[:5] == ["series", "timestamp", "yhat", "yhat_lower", "yhat_upper"]
    assert frame["timestamp"].iloc[0] == times[-1] + pd.Timedelta("1h")
    assert [p.threshold for p in found.series[0].passages] == [90, 95]
    assert "disk_used_percent" in repr(found)
    with pytest.raises(ConfigError, match="no forecast of 'cpu'"):
        found.plot("cpu")


def test_what_was_reached_already_is_said_to_be() -> None:
    found = wb.forecast((np.arange(N) * 3_600_000_000_000, filling()), "1d", model="trend", above=50)
    assert "at or above 50 already" in plain(found.sentences[0])


def test_only_series_that_cannot_be_forecast_is_an_error() -> None:
    with pytest.raises(DataError, match="never changes"):
        wb.forecast((np.arange(99) * 60_000_000_000, np.ones(99)))
