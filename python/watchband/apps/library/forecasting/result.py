"""What ``wb.forecast`` gives: forecasts with their trials, as a table, a picture, a page."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from watchband.analysis.forecast.outcome import Forecast
from watchband.analysis.forecast.rolling import BASELINES, Trial
from watchband.apps.library.forecasting import sentences
from watchband.apps.library.outputs.documents import FORMAT, to_json
from watchband.apps.library.outputs.folder import SUMMARY, list_files, output_folder
from watchband.apps.library.outputs.table import iso_texts
from watchband.core.duration import format_duration
from watchband.core.errors import ConfigError
from watchband.pipeline.breach.passage import Passage

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

COLUMNS = ("yhat", "yhat_lower", "yhat_upper", *BASELINES)
PLOTS_MAX = 20


class Forecasts:
    """Forecasts of some series.

    Attributes
    ----------
    series : list of Forecast
        Each with ``times``, ``expected``, ``lower``, ``upper``, ``model``, ``choice`` (the trials) and ``passages``.
    left_out : dict of str to str
        Series that cannot be forecast, and why.
    title, timezone : str
        Name of the input; zone in which times are written.
    notes : list of str
        How the input was read.
    """

    def __init__(
        self,
        series: Sequence[Forecast],
        left_out: dict[str, str],
        title: str,
        notes: Sequence[str] = (),
        timezone: str = "UTC",
        command: str = "",
    ) -> None:
        self.series, self.left_out = list(series), dict(left_out)
        self.title, self.notes, self.timezone, self.command = title, list(notes), timezone, command

    @property
    def sentences(self) -> list[str]:
        """What matters: when thresholds are reached, and where each series will be."""
        told = []
        for one in self.series:
            told += sentences.passages(one) or [f"{one.key}: {sentences.interval(one, self.timezone)}"]
        return told

    @property
    def table(self) -> pa.Table:
        """One row a series and time: ``series``, ``timestamp``, ``yhat`` with its interval, and the baselines."""
        import pyarrow as pa

        names = np.concatenate([np.full(len(one.times), str(one.key), object) for one in self.series])
        times = np.concatenate([one.times for one in self.series])
        columns = [pa.array(names, pa.string()), pa.array(times, pa.int64()).cast(pa.timestamp("ns", "UTC"))]
        columns += [pa.array(self._column(name), pa.float64(), from_pandas=True) for name in COLUMNS]
        return pa.table(columns, names=["series", "timestamp", *COLUMNS])

    def to_pandas(self) -> pd.DataFrame:
        """The table as a pandas frame."""
        frame: pd.DataFrame = self.table.to_pandas()
        return frame

    def _column(self, name: str) -> np.ndarray:
        return np.concatenate([_columns(one)[name] for one in self.series])

    def csv(self) -> str:
        """The table as CSV, times in UTC."""
        out = io.StringIO()
        rows = csv.writer(out, lineterminator="\n")
        rows.writerow(["series", "timestamp", *COLUMNS])
        for one in self.series:
            columns = _columns(one)
            for at, time in enumerate(iso_texts(one.times).tolist()):
                cells = (columns[name][at] for name in COLUMNS)
                rows.writerow([str(one.key), time, *("" if math.isnan(v) else f"{v:.10g}" for v in cells)])
        return out.getvalue()

    def document(self) -> dict[str, Any]:
        """Everything as plain data: what ``--json`` prints."""
        from watchband import __version__

        return {
            "watchband": __version__,
            "format": FORMAT,
            "notes": self.notes,
            "series": [_series(one) for one in self.series],
            "left_out": self.left_out,
        }

    def plot(self, series: str | None = None, path: str | Path = "forecast_plot.png", *, theme: str = "light") -> Path:
        """Write a picture of one series, the first if none is named.

        Raises
        ------
        ConfigError
            There is no such series.
        """
        from watchband.apps.library.forecasting.picture import write_picture

        found = self.series[0] if series is None else next((s for s in self.series if str(s.key) == series), None)
        if found is None:
            raise ConfigError(
                f"There is no forecast of {series!r}. Known: {', '.join(str(s.key) for s in self.series)}."
            )
        return write_picture(found, path, timezone=self.timezone, theme="dark" if theme == "dark" else "light")

    def report(self, path: str | Path) -> Path:
        """Write the page; it opens anywhere, with nothing to fetch."""
        from watchband.apps.library.forecasting.page import render

        target = Path(path)
        target.write_text(render(self), encoding="utf-8")
        return target

    def write(self, out: str | Path) -> list[str]:
        """Write table, figures, plots and page into a folder; the names of the files."""
        from watchband.apps.library.forecasting.picture import write_picture

        with output_folder(Path(out)) as folder:
            (folder / "forecast.csv").write_text(self.csv(), encoding="utf-8")
            (folder / "forecast_metrics.json").write_text(to_json({"series": [_metrics(s) for s in self.series]}))
            for number, one in enumerate(self.series[:PLOTS_MAX]):
                name = f"forecast_plot{f'_{number + 1}' if number else ''}.png"
                write_picture(one, folder / name, timezone=self.timezone)
            self.report(folder / "report.html")
            written = sorted([*list_files(folder), SUMMARY])
            (folder / SUMMARY).write_text(to_json({**self.document(), "files": written}), encoding="utf-8")
        return written

    def __repr__(self) -> str:
        return f"Forecasts({len(self.series)} series; {self.sentences[0]})"


def _columns(one: Forecast) -> dict[str, np.ndarray]:
    nothing = np.full(len(one.times), np.nan)
    return {
        "yhat": one.expected,
        "yhat_lower": one.lower,
        "yhat_upper": one.upper,
        **{name: one.baselines.get(name, nothing) for name in BASELINES},
    }


def _series(one: Forecast) -> dict[str, Any]:
    columns = {name: [_plain(v) for v in values.tolist()] for name, values in _columns(one).items()}
    return {
        **_metrics(one),
        "why": one.choice.why,
        "passages": [_passage(p, one) for p in one.passages],
        "times": iso_texts(one.times).tolist(),
        **columns,
    }


def _metrics(one: Forecast) -> dict[str, Any]:
    return {
        "series": str(one.key),
        "step": format_duration(one.grid.step),
        "steps": len(one.times),
        "season_steps": one.season,
        "model": one.model,
        "origins": len(one.choice.origins),
        "level": one.level,
        "covered": _plain(one.covered),
        "models": {name: _trial(trial) for name, trial in one.choice.trials.items()},
    }


def _trial(trial: Trial) -> dict[str, Any]:
    if trial.says:
        return {"says": trial.says}
    return {"chosen_on_mae": _plain(trial.chosen_on), "mae": _plain(trial.mae), "rmse": _plain(trial.rmse)}


def _passage(found: Passage, one: Forecast) -> dict[str, Any]:
    seconds = one.grid.step / 1e9
    return {
        "threshold": found.threshold,
        "side": "above" if found.side > 0 else "below",
        "seconds": _plain(found.steps * seconds),
        "seconds_low": _plain(found.low * seconds),
        "seconds_high": _plain(found.high * seconds),
        "chance": found.chance,
        "level": found.level,
    }


def _plain(value: float) -> float | None:
    return float(f"{value:.10g}") if math.isfinite(value) else None
