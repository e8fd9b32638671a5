"""Backtests of labelled data: one folder of the Numenta benchmark, and series whose faults are simulated."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import watchband as wb
from tests.conftest import data_folder
from watchband.apps.library.backtest.result import Backtest
from watchband.evaluation.labels import Label, windows
from watchband.evaluation.metrics.events import EventCounts, count_events
from watchband.evaluation.simulate.world import World


def counted_by_points(found: Backtest, times: dict[str, np.ndarray], candidate: str) -> EventCounts:
    """The same backtest counted by ``count_events``, which knows points only."""
    counts = EventCounts()
    for one in found.told:
        series = str(one.series.key)
        mine = times[series]
        record = one.outcomes[candidate][0]
        opened = np.searchsorted(mine, sorted(alert.decided for alert in record.alerts))
        start = int(np.searchsorted(mine, one.span.start))
        counts += count_events(opened, windows(found.labels[series], mine), len(mine), start=start)
    return counts


@pytest.mark.data
def test_a_folder_of_numenta() -> None:
    folder = data_folder() / "nab"
    found = wb.backtest(
        str(folder / "data" / "realAWSCloudwatch"),
        detector=["seasonal_band", "ewma"],
        labels=folder / "labels" / "combined_windows.json",
        baselines=True,
        splits=2,
    )
    assert len(found.told) == 17
    assert not found.failures
    for name, one in found.figures.items():
        assert 20 <= one.events <= 30, "windows that lie in what counts"
        assert one.found + one.missed == one.events
        assert one.event_f1.low <= one.event_f1.value <= one.event_f1.high, name
    band, threshold = found.figures["seasonal_band"], found.figures["static threshold 3 σ"]
    assert band.event_recall.value > 0.3
    assert band.event_f1.value > threshold.event_f1.value
    assert band.alerts_per_week.value < 2 * band.promised_per_week
    assert found.choices is not None
    assert len(found.choices.splits) == 2


def test_simulated_series(tmp_path: Path) -> None:
    labels, times = [], {}
    for kind in ("cpu", "requests", "latency"):
        world = World(kind, "level_shift" if kind == "cpu" else "spike", seed=7, points=3000)
        moments = world.times.view("M8[ns]").astype("M8[s]")
        rows = "".join(f"{t}Z,{v}\n" for t, v in zip(moments, world.values, strict=True))
        (tmp_path / f"{kind}.csv").write_text("timestamp,value\n" + rows)
        times[kind] = world.times
        for event in world.events:
            first, last, settled = (int(world.times[min(k, 2999)]) for k in (event.first, event.last, event.settled))
            labels.append(Label(kind, first, last, event.fault, settled))
    found = wb.backtest(
        str(tmp_path), detector=["auto", "ewma"], budget=["1/week", "1/day"], labels=labels, scores=False
    )
    for name, one in found.figures.items():
        counted = counted_by_points(found, times, name)
        assert (one.found, one.missed, one.false) == (counted.found, counted.missed, counted.false), name
    best = found.figures["auto · budget 1/day"]
    assert best.event_recall.value >= 0.6
    assert best.alerts_per_week.value <= 2 * best.promised_per_week
