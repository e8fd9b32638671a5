"""Rows come back in the order of the input, however readings and points arrive."""

from __future__ import annotations

import numpy as np
import pytest

from watchband.apps.library.align import KEEP, Aligner, InputOrder, Readings
from watchband.apps.library.rows import Rows


def readings(row: list[int], ordinal: list[int], first: int = 0) -> Readings:
    n = len(row)
    time = np.array(ordinal, np.int64) * 10
    order = np.arange(first, first + n)
    return Readings(np.array(row, np.int32), time, np.arange(n) + 0.5, np.array(ordinal, np.int64), order)


def points(row: list[int], ordinal: list[int], imputed: list[int] | None = None) -> tuple[Rows, np.ndarray]:
    numbers = np.array(ordinal, np.int64)
    made = Rows.unscored(np.array(row, np.int32), numbers * 10, numbers * 1.0, np.zeros(len(row), np.int64))
    made.score[:] = numbers + 100 * np.array(row, float)
    made.imputed[:] = np.isin(numbers, imputed or [])
    return made, numbers


def test_rows_come_in_input_order_with_their_own_point() -> None:
    aligner = Aligner()
    rows = aligner.step(readings([1, 0, 1, 0], [0, 0, 1, 1]), *points([0, 0, 1, 1], [0, 1, 0, 1]))
    assert rows.row.tolist() == [1, 0, 1, 0]
    assert rows.score.tolist() == [100, 0, 101, 1]
    assert rows.y.tolist() == [0.5, 1.5, 2.5, 3.5]


def test_a_row_waits_for_its_point_and_those_behind_it_wait_too() -> None:
    aligner = Aligner()
    first = aligner.step(readings([0, 1], [0, 0]), *points([1], [0]))
    assert len(first) == 0
    second = aligner.step(readings([1], [1], 2), *points([0, 1], [0, 1]))
    assert second.score.tolist() == [0, 100, 101]


def test_a_duplicate_in_a_later_batch_has_the_point_of_its_first() -> None:
    aligner = Aligner()
    aligner.step(readings([0], [0]), *points([0], [0]))
    assert aligner.step(readings([0], [0], 1), *points([], [])).score.tolist() == [0]


def test_late_readings_come_out_with_nothing_said() -> None:
    aligner = Aligner()
    rows = aligner.step(readings([0, 0], [0, -1]), *points([0], [0]))
    assert np.isnan(rows.score[1])
    assert rows.y[1] == 1.5


def test_memory_is_bounded_and_forgotten_points_do_not_block() -> None:
    aligner = Aligner()
    for start in range(0, 5000, 50):
        numbers = list(range(start, start + 50))
        aligner.step(readings([0] * 50, numbers, start), *points([0] * 50, numbers))
    assert aligner.held <= KEEP
    rows = aligner.step(readings([0, 0], [3, 5000], 5000), *points([0], [5000]))
    assert np.isnan(rows.score[0])
    assert rows.score[1] == 5000


def test_imputed_points_stand_before_the_next_reading_of_their_series() -> None:
    aligner = Aligner(with_imputed=True)
    given = readings([0, 1, 0, 1], [0, 0, 3, 1])
    rows = aligner.step(given, *points([0, 0, 0, 0, 1, 1], [0, 1, 2, 3, 0, 1], imputed=[1, 2]))
    # Series 1 has an imputed point 1 too, which a reading without a value names: it is that reading's row.
    assert list(zip(rows.row.tolist(), rows.time.tolist(), strict=True))[:5] == [
        (0, 0), (1, 0), (0, 10), (0, 20), (0, 30),
    ]  # fmt: skip
    assert rows.order.tolist() == [0, 1, 2, 2, 2, 3]


def test_imputed_points_at_the_end_come_with_the_last_step() -> None:
    aligner = Aligner(with_imputed=True)
    rows = aligner.step(readings([0], [0]), *points([0, 0], [0, 1], imputed=[1]))
    assert len(rows) == 1
    last = aligner.step(Readings.none(), *points([], []), final=True)
    assert last.imputed.tolist() == [True]


def test_own_values_or_those_of_the_points() -> None:
    for own, expected in ((True, [0.5, 1.5]), (False, [0.0, 0.0])):
        aligner = Aligner(own_values=own)
        assert aligner.step(readings([0, 0], [0, 0]), *points([0], [0])).y.tolist() == expected


@pytest.mark.parametrize("seed", range(5))
def test_any_cut_gives_the_same_rows(seed: int) -> None:
    rng = np.random.default_rng(seed)
    row = np.sort(rng.integers(0, 3, 60)).astype(np.int32)
    ordinal = np.concatenate([np.arange((row == r).sum()) for r in range(3)]).astype(np.int64)
    mix = np.argsort(rng.random(60) + ordinal, kind="stable")
    given = Readings(row[mix], ordinal[mix] * 10, np.arange(60.0), ordinal[mix], np.arange(60))

    def fold(cuts: list[int]) -> list[float]:
        aligner, order, out = Aligner(), InputOrder(), []
        for start, stop in zip([0, *cuts], [*cuts, 60], strict=True):
            part = Readings(*(getattr(given, name)[start:stop] for name in Readings.__slots__))
            scored = [points([r], [o]) for r, o in sorted(zip(part.row.tolist(), part.ordinal.tolist(), strict=True))]
            joined = Rows.joined([p for p, _ in scored]) if scored else Rows.empty()
            numbers = np.concatenate([n for _, n in scored]) if scored else np.empty(0, np.int64)
            out += order.step(aligner.step(part, joined, numbers)).score.tolist()
        return out + order.step(aligner.step(Readings.none(), *points([], []), final=True), final=True).score.tolist()

    assert fold(sorted(rng.integers(0, 60, 5).tolist())) == fold([]) == (row[mix] * 100.0 + ordinal[mix]).tolist()


def test_input_order_puts_sorted_rows_back() -> None:
    back = InputOrder()
    rows = Rows.unscored(np.zeros(4, np.int32), np.arange(4), np.arange(4.0), np.array([3, 0, 2, 1]))
    assert back.step(rows.take(slice(0, 2))).order.tolist() == [0]
    assert back.step(rows.take(slice(2, 4))).order.tolist() == [1, 2, 3]
    assert back.held == 0
