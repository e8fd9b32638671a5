"""Fitting: what cannot be fitted is said clearly, what warns is learned, and memory does not grow with the rows."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import numpy as np
import pytest

from watchband.analysis.risk.fit import Settings, fit
from watchband.analysis.risk.naming import Risk
from watchband.analysis.risk.outlook import Tally, skill_of
from watchband.analysis.risk.rows import Rows
from watchband.analysis.risk.sampling import Sample
from watchband.core.errors import DataError, InvalidParameterError
from watchband.features.load import feature_of

STEP = 60_000_000_000
PAIR = (feature_of("cpu_percent"), feature_of("latency_ms"))
QUICK = Settings(sample=1_000)


def noise(n: int = 400, seed: int = 0) -> Rows:
    rng = np.random.default_rng(seed)
    cpu = np.repeat([10.0, 40.0, 60.0, 85.0], n // 4) + rng.normal(size=n)
    values = np.stack([cpu, 20 + rng.normal(size=n)], axis=1)
    return Rows(np.zeros(n, np.int32), STEP * np.arange(n), values)


def test_too_few_rows_are_refused() -> None:
    with pytest.raises(DataError, match="There are 40 rows"):
        fit(noise(40).chunks, PAIR, ["a"], STEP, QUICK)


def test_a_constant_feature_is_left_out_and_told() -> None:
    rows = noise()
    rows.values[:, 1] = 7.0
    found = fit(rows.chunks, PAIR, ["a"], STEP, QUICK)
    assert [f.name for f in found.labeller.features] == ["cpu_percent"]
    assert found.notes == ["latency_ms is constant and left out"]


def test_nothing_that_varies_is_refused() -> None:
    rows = noise()
    rows.values[:] = 7.0
    with pytest.raises(DataError, match="Every feature is constant: cpu_percent, latency_ms"):
        fit(rows.chunks, PAIR, ["a"], STEP, QUICK)


def test_a_metric_without_a_value_is_named() -> None:
    rows = noise()
    rows.values[:, 1] = np.nan
    with pytest.raises(DataError, match="no value of latency_ms"):
        fit(rows.chunks, PAIR, ["a"], STEP, QUICK)


@pytest.mark.parametrize("wrong", [{"method": "magic"}, {"k": 1}, {"deviation": 0.0}, {"horizon": 0}, {"sample": 5}])
def test_settings_are_checked(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidParameterError):
        Settings(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("method", ["ward", "kmedoids", "consensus"])
def test_every_method_names_the_same_loads_the_same(method: str) -> None:
    rows = noise(800)
    found = fit(rows.chunks, PAIR, ["a"], STEP, Settings(sample=800, method=method, k=4))
    state = found.labeller.label(rows, np.array([0])).state.reshape(4, -1)
    assert [np.bincount(part, minlength=4).argmax() for part in state] == [
        Risk.IDLE, Risk.NORMAL, Risk.NORMAL, Risk.HIGH_LOAD,
    ]  # fmt: skip


def test_what_warns_before_it_is_critical_is_learned() -> None:
    rng = np.random.default_rng(1)
    tallies = Tally(5), Tally(5)
    for tally in tallies:
        # Every 50 rows, after ten rows of warning, come five that are Critical.
        phase = np.arange(5_000) % 50
        cell = np.where(phase >= 45, 3 * 6 + 5, np.where(phase >= 35, 2 * 6 + 4, 1 * 6 + rng.integers(0, 2, 5_000)))
        tally.add(np.zeros(5_000, np.int32), cell, phase >= 45)
    skill = skill_of(*tallies)
    assert skill.brier < 0.6 * skill.persistence
    assert skill.brier < 0.6 * skill.climatology


def test_the_tally_does_not_depend_on_chunks() -> None:
    rng = np.random.default_rng(2)
    entity, cell = rng.integers(0, 3, 500).astype(np.int32), rng.integers(0, 24, 500)
    critical = cell >= 18
    whole, parts = Tally(7), Tally(7)
    whole.add(entity, cell, critical)
    for start in range(0, 500, 13):
        parts.add(entity[start : start + 13], cell[start : start + 13], critical[start : start + 13])
    assert whole.rows.tolist() == parts.rows.tolist()
    assert whole.hits.tolist() == parts.hits.tolist()


def test_memory_does_not_grow_with_the_rows() -> None:
    def chunks(count: int) -> Iterator[Rows]:
        rng = np.random.default_rng(0)
        for number in range(count):
            times = STEP * np.arange(number * 20_000, (number + 1) * 20_000)
            yield Rows(np.zeros(20_000, np.int32), times, rng.normal(50, 20, (20_000, 2)))

    peaks = []
    for count in (5, 40):
        sample = Sample(1_000)
        tracemalloc.start()
        for rows in chunks(count):
            sample.add(rows)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]
