"""What ``watchband forecast`` prints for people."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from watchband.analysis.forecast.outcome import Forecast
from watchband.apps.cli.chart import Stretch, draw
from watchband.apps.cli.terminal import put
from watchband.apps.library.forecasting import sentences
from watchband.apps.library.forecasting.picture import shown_past
from watchband.apps.library.forecasting.result import Forecasts
from watchband.core import wording

WIDTH_MAX = 110
SHOWN_MAX = 10
ROWS = 8
CHART_HEIGHT = 7


def show(found: Forecasts, out: Path | None = None, console: Console | None = None) -> None:
    """Print each series: when thresholds are reached, a chart, some of the times, and the trials."""
    console = console or Console(highlight=False, soft_wrap=False)
    width = min(console.width, WIDTH_MAX)
    parts: list[RenderableType] = []
    for one in found.series[:SHOWN_MAX]:
        parts += _series(one, found.timezone, width, colour=console.color_system is not None)
    more = len(found.series) - SHOWN_MAX
    if more > 0:
        parts.append(Text(f"{more} more series; --json and --csv have them all."))
    parts += [Text(f"left out: {name}: {why}", style="dim") for name, why in found.left_out.items()]
    parts += [Text(note, style="dim") for note in found.notes]
    if out is not None:
        parts.append(Text(f"Wrote {out}/: report.html, forecast.csv, forecast_metrics.json, plots"))
    put(parts, console, width)


def _series(one: Forecast, zone: str, width: int, *, colour: bool) -> list[RenderableType]:
    head = Text(str(one.key), style="bold")
    head.append(f"  {sentences.horizon(one)}", style="")
    lines = [Text(s, style="bold") for s in sentences.passages(one)]
    lines += [Text(sentences.interval(one, zone)), Text(sentences.model(one))]
    if held := sentences.covered(one):
        lines.append(Text(held))
    chart = [Padding(line, (0, 0, 0, 2)) for line in _chart(one, width - 4, colour=colour)]
    return [
        head,
        *[Padding(line, (0, 0, 0, 2)) for line in lines],
        *chart,
        Text(),
        _times(one, zone),
        Text(),
        _trials(one),
        Text(),
    ]


def _chart(one: Forecast, width: int, *, colour: bool) -> list[Text]:
    """The past as a curve, then the interval with what is expected in it."""
    times, values = shown_past(one)
    nothing = np.full(len(times), np.nan)
    stretch = Stretch(
        np.concatenate([times, one.times]),
        np.concatenate([values, one.expected]),
        np.concatenate([nothing, one.lower]),
        np.concatenate([nothing, one.upper]),
        np.zeros(len(times) + len(one.times), np.bool_),
    )
    lines, (low, high) = draw(stretch, width, CHART_HEIGHT, colour=colour)
    texts, sign = wording.quantities(one.key.metric, [low, high])
    foot = Text(f"{wording.span(texts[0], texts[1], sign)}; the band begins where data end", style="dim")
    return [*lines[1:], foot]


def _times(one: Forecast, zone: str) -> Table:
    """Some of the times, evenly spaced, the last one among them."""
    metric, share = one.key.metric, f"{100 * one.level:g} % interval"
    table = _table("Time", "Expected", share, *one.baselines)
    at = np.unique(np.linspace(0, len(one.times) - 1, ROWS).round().astype(int))
    columns = [one.expected, one.lower, one.upper, *one.baselines.values()]
    # As many digits as tell apart what changes, the same in every row.
    size = max(float(np.nanmax(np.abs(c))) for c in columns)
    change = float(np.nanmax(one.upper - one.lower)) if math.isfinite(one.lower[-1]) else size
    digits = int(np.clip(np.ceil(np.log10(size / change)) + 2, 3, 7)) if change > 0 < size else 3
    for i in at.tolist():
        texts, sign = wording.quantities(metric, [float(c[i]) for c in columns], digits)
        span = wording.span(texts[1], texts[2], sign) if math.isfinite(one.lower[i]) else "too few trials"
        rest = [wording.with_unit(t, sign) for t in texts[3:]]
        table.add_row(wording.moment(int(one.times[i]), zone), wording.with_unit(texts[0], sign), span, *rest)
    return table


def _trials(one: Forecast) -> Table:
    table = _table("Model", "Mean error", "Root mean square", "Of persistence's error")
    for name, trial in one.choice.trials.items():
        label = Text(f"{'◆' if name == one.model else ' '} {name}", style="bold" if name == one.model else "")
        if trial.says:
            table.add_row(label, "", "", Text(trial.says.partition(".")[0], style="dim"))
            continue
        share = sentences.against(trial, one)
        told = f"{wording.number(100 * share)} %" if math.isfinite(share) else ""
        table.add_row(
            label, wording.quantity(one.key.metric, trial.mae), wording.quantity(one.key.metric, trial.rmse), told
        )
    return table


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for i, name in enumerate(columns):
        table.add_column(name, justify="right" if i else "left", no_wrap=i == 0)
    return table
