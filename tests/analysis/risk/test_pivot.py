"""Rows from readings: the same in any cut and mixture; gaps are held by time; state goes on where it stood."""

from __future__ import annotations

import numpy as np
import pytest

from watchband.analysis.risk.pivot import Pivot
from watchband.analysis.risk.rows import Rows
from watchband.core.errors import StateCorruptError
from watchband.core.points import Float64, Int64

STEP = 60
Stream = tuple[Int64, Int64, Int64, Float64]


def stream(seed: int = 0, slots: int = 60) -> Stream:
    """Two entities of three metrics, each series in order, a tenth of the readings missing."""
    rng = np.random.default_rng(seed)
    entity, feature, slot = (
        a.ravel() for a in np.meshgrid(np.arange(2), np.arange(3), np.arange(slots), indexing="ij")
    )
    kept = rng.random(len(slot)) > 0.1
    kept |= slot >= slots - 1
    return entity[kept], feature[kept], slot[kept] * STEP, rng.normal(size=len(slot))[kept]


def folded(given: Stream, order: Int64, cuts: int, pivot: Pivot | None = None) -> list[tuple[int, int, bytes]]:
    pivot = pivot or Pivot(3, STEP)
    for name in "ab":
        pivot.entity(name)
    parts = [pivot.push(*(column[part] for column in given)) for part in np.array_split(order, cuts)]
    rows = Rows.joined([*parts, pivot.flush()])
    return sorted((int(e), int(t), v.tobytes()) for e, t, v in zip(rows.entity, rows.times, rows.values, strict=True))


@pytest.mark.parametrize("cuts", [1, 5, 50])
def test_rows_do_not_depend_on_how_the_stream_was_cut_and_mixed(cuts: int) -> None:
    given = stream()
    by_time = np.lexsort((given[1], given[0], given[2]))
    by_series = np.lexsort((given[2], given[1], given[0]))
    expected = folded(given, by_time, 1)
    assert len(expected) == 120
    assert folded(given, by_time, cuts) == expected
    assert folded(given, by_series, cuts) == expected


def test_a_missing_reading_is_held_for_two_slots_and_no_longer() -> None:
    pivot = Pivot(2, STEP, hold=2)
    host = np.full(8, pivot.entity("a"))
    feature = np.array([0, 0, 0, 0, 0, 1, 1, 1])
    slots = np.array([0, 1, 2, 3, 4, 0, 4, 5])
    rows = pivot.push(host, feature, slots * STEP, np.arange(8.0))
    assert rows.values[:, 1].tolist()[:3] == [5.0, 5.0, 5.0]
    assert np.isnan(rows.values[3, 1])
    assert rows.values[4, 1] == 6.0


def test_the_first_reading_of_a_slot_counts_and_late_ones_are_counted() -> None:
    pivot = Pivot(1, STEP)
    one = np.array([pivot.entity("a")] * 3)
    rows = pivot.push(one, np.zeros(3, int), np.array([0, 30, 60]), np.array([1.0, 2.0, 3.0]))
    assert rows.values.ravel().tolist() == [1.0, 3.0]
    assert not len(pivot.push(one[:1], np.zeros(1, int), np.array([59]), np.array([9.0])))
    assert pivot.counts.late == 1


def test_a_metric_that_is_silent_is_waited_for_until_the_watermark() -> None:
    pivot = Pivot(2, STEP)
    host = pivot.entity("a")
    pivot.own(host, 0, "push")
    assert not len(pivot.push(np.array([host]), np.array([0]), np.array([0]), np.array([1.0])))
    assert not len(pivot.passed("push", 119))
    rows = pivot.passed("push", 120)
    assert rows.values[0, 0] == 1.0
    assert np.isnan(rows.values[0, 1])
    assert pivot.lacks(host) == [1]


def test_state_goes_on_where_it_stood() -> None:
    given = stream(3)
    order = np.lexsort((given[1], given[0], given[2]))
    expected = folded(given, order, 9)
    first, second = Pivot(3, STEP), Pivot(3, STEP)
    for name in "ab":
        first.entity(name)
    half = len(order) // 2
    before = first.push(*(column[order[:half]] for column in given))
    second.load(first.to_bytes())
    after = Rows.joined([second.push(*(column[order[half:]] for column in given)), second.flush()])
    rows = Rows.joined([before, after])
    got = sorted((int(e), int(t), v.tobytes()) for e, t, v in zip(rows.entity, rows.times, rows.values, strict=True))
    assert got == expected


def test_a_foreign_state_is_refused() -> None:
    with pytest.raises(StateCorruptError, match="Start cold"):
        Pivot(3, STEP).load(b"nothing")
    with pytest.raises(StateCorruptError, match="other features"):
        Pivot(3, STEP).load(Pivot(2, STEP).to_bytes())
