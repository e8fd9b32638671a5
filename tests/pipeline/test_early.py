"""Alerts that rest on little history: kept, told once they last until there is more of it, never told of otherwise."""

from __future__ import annotations

import numpy as np
import pytest

from watchband.adapters.stores.memory import MemoryStore
from watchband.apps.config.watches import WatchSettings
from watchband.core.ports import Batch, Notice, Readings
from watchband.core.series import SeriesKey
from watchband.pipeline.bound import END
from watchband.pipeline.early import LASTING
from watchband.pipeline.runner import Runner
from watchband.testing.streams import MINUTE, START

KEY = SeriesKey("cpu", {"host": "a"})


def wave(points: int, first: int, length: int) -> np.ndarray:
    found = 10 + np.random.default_rng(5).normal(0, 1, points)
    found[first : first + length] += 200
    return found


def played(values: np.ndarray, *, size: int = 1, **given: object) -> tuple[MemoryStore, list[Notice]]:
    store = MemoryStore()
    settings = WatchSettings(**{"detector": "light", "route": ("x",)} | given)  # type: ignore[arg-type]
    runner = Runner(settings.bound("w"), store)
    for at in range(0, len(values), size):
        part = values[at : at + size]
        times = START + (at + np.arange(len(part))) * MINUTE
        runner.step("s", Batch([Readings(KEY, times, part)], str(at)))
    return store, list(store.outbox(END))


def test_what_ends_before_there_is_history_is_kept_and_told_to_nobody() -> None:
    store, told = played(wave(120, 40, 3))
    (alert,) = store.alerts()
    assert alert.opened == START + 40 * MINUTE
    assert alert.closed is not None
    assert not told


def test_what_lasts_until_there_is_history_is_told_then() -> None:
    values = wave(100, 60, 40)
    store, told = played(values)
    assert told
    first = told[0].alert
    assert (first.opened, first.points) == (START + 60 * MINUTE, 15), "with the 75th reading of the series"
    assert store.alerts()[0].id == first.id


def test_what_lasts_is_told_however_young_its_series() -> None:
    _, told = played(wave(62, 30, 32))
    assert (told[0].alert.opened, told[0].alert.points) == (START + 30 * MINUTE, LASTING)


@pytest.mark.parametrize("size", [1, 7, 120])
def test_later_alerts_and_those_of_a_watch_that_wants_all_are_told_at_once(size: int) -> None:
    store, told = played(wave(120, 100, 3), size=size)
    assert [n.alert.opened for n in told][:1] == [START + 100 * MINUTE]
    assert len(store.alerts()) == 1
    _, told = played(wave(120, 40, 3), size=size, tell_after=0)
    assert [n.alert.opened for n in told][:1] == [START + 40 * MINUTE]


@pytest.mark.parametrize("given", [{"cutoff": 6.0}, {"sigma": "4,train=20"}, {"range": "0:100"}])
def test_what_somebody_has_set_needs_no_history(given: dict[str, object]) -> None:
    _, told = played(wave(120, 40, 3), **given)
    assert told[0].alert.opened == START + 40 * MINUTE


def test_each_series_by_its_own_history() -> None:
    store = MemoryStore()
    runner = Runner(WatchSettings(detector="light", route=("x",)).bound("w"), store)
    old, young = SeriesKey("cpu", {"host": "old"}), SeriesKey("cpu", {"host": "young"})
    for at in range(160):
        rows = [Readings(old, np.array([START + at * MINUTE]), wave(160, 140, 3)[at : at + 1])]
        if at >= 100:
            rows.append(Readings(young, np.array([START + at * MINUTE]), wave(60, 40, 3)[at - 100 : at - 99]))
        runner.step("s", Batch(rows, str(at)))
    assert {a.series for a in store.alerts()} == {old, young}
    assert {n.alert.series for n in store.outbox(END)} == {old}
