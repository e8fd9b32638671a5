"""Several metrics of an entity as one: slots leave complete or when nothing can come, the same for any cut."""

from __future__ import annotations

import numpy as np
import pytest

from watchband.core.errors import ConfigError, StateCorruptError
from watchband.core.ports import Arrival, Readings
from watchband.core.series import SeriesKey
from watchband.pipeline.join_columns import NEVER, JoinColumns, Together, Waiting

JOIN = JoinColumns(("a", "b", "c"))
HOST = {"host": "h"}


def of(metric: str, times: list[int], values: list[float] | None = None, **given: object) -> Readings:
    known = np.array(times, float) if values is None else np.array(values, float)
    return Readings(SeriesKey(metric, HOST), np.array(times, np.int64), known, **given)  # type: ignore[arg-type]


def rows(found: list[Together]) -> list[tuple[int, ...]]:
    return [
        (time, *(-1 if v != v else v for v in (value, *more)))
        for one in found
        for time, value, more in zip(one.times.tolist(), one.values.tolist(), one.further.tolist(), strict=True)
    ]


def test_a_slot_leaves_when_its_last_column_has_come() -> None:
    waiting = Waiting()
    assert not JOIN.step(waiting, [of("c", [10]), of("a", [10])])
    assert rows(JOIN.step(waiting, [of("b", [10], [7.0])])) == [(10, 10, 7, 10)]
    assert waiting.readings == 0


def test_a_column_that_has_gone_on_is_not_waited_for() -> None:
    waiting = Waiting()
    JOIN.step(waiting, [of("a", [10, 20]), of("b", [10, 20])])
    assert rows(JOIN.step(waiting, [of("c", [20])])) == [(10, 10, 10, -1), (20, 20, 20, 20)]
    tally = waiting.tally(SeriesKey("a", HOST))
    assert (tally.slots, tally.incomplete) == (2, 1)


@pytest.mark.parametrize(("mark", "left"), [(14, []), (15, [(10, 10, 10, -1)])])
def test_the_watermark_ends_the_waiting_less_the_wait(mark: int, left: list[tuple[int, ...]]) -> None:
    join, waiting = JoinColumns(("a", "b", "c"), wait_ns=5), Waiting()
    join.step(waiting, [of("a", [10], source="s"), of("b", [10], source="s")])
    assert rows(join.step(waiting, [], {"s": mark}, all_of=True)) == left


def test_a_watermark_of_another_source_ends_nothing() -> None:
    waiting = Waiting()
    JOIN.step(waiting, [of("a", [10], source="s"), of("b", [10], source="t"), of("c", [5], source="t")])
    assert not rows(JOIN.step(waiting, [], {"s": 100, "t": NEVER}, all_of=True))[1:]
    assert rows(JOIN.step(waiting, [], {"s": 100, "t": 50}, all_of=True)) == [(10, 10, 10, -1)]


def test_late_and_repeated_readings_are_counted_and_change_nothing() -> None:
    waiting = Waiting()
    JOIN.step(waiting, [of("a", [10]), of("b", [10]), of("c", [10])])
    assert not JOIN.step(waiting, [of("a", [9, 10]), of("b", [8], arrival=Arrival.LATE)])
    tally = waiting.tally(SeriesKey("a", HOST))
    assert (tally.late, tally.repeated) == (2, 1)


def test_of_readings_of_one_moment_the_first_counts() -> None:
    waiting = Waiting()
    found = JOIN.step(waiting, [of("a", [10, 10], [1, 2]), of("b", [10]), of("c", [10])])
    assert rows(found) == [(10, 1, 10, 10)]


def test_held_readings_come_in_any_order_and_wait_for_the_watermark() -> None:
    waiting, held = Waiting(), {"source": "s", "arrival": Arrival.HELD}
    assert not JOIN.step(waiting, [of(name, [20, 10], **held) for name in "abc"], {"s": 5}, all_of=True)
    JOIN.step(waiting, [of("a", [15], **held)])
    found = JOIN.step(waiting, [], {"s": 17}, all_of=True)
    assert rows(found) == [(10, 10, 10, 10), (15, 15, -1, -1)]


def test_one_column_that_stops_for_good_holds_up_no_more_than_the_limit() -> None:
    join, waiting, left = JoinColumns(("a", "b"), waiting_max=50), Waiting(), 0
    join.step(waiting, [of("b", [1])])
    for time in range(2, 500):
        left += len(rows(join.step(waiting, [of("a", [time])])))
        assert waiting.readings <= 2 * 50
    assert left > 350
    assert waiting.tally(SeriesKey("a", HOST)).pressed > 300


@pytest.mark.parametrize("how", ["mean", "sum", "max", "last"])
def test_wider_slots_gather(how: str) -> None:
    join, waiting = JoinColumns(("a", "b"), slot_ns=10, aggregate=how), Waiting()
    assert not join.step(waiting, [of("a", [0, 4, 9], [1, 5, 3]), of("b", [7], [2])])
    found = rows(join.step(waiting, [of("a", [12]), of("b", [11])]))
    assert found == [(0, {"mean": 3, "sum": 9, "max": 5, "last": 3}[how], 2)]
    assert len(rows(join.step(waiting, [], flush=True))) == 1


def stream(seed: int = 3, n: int = 300) -> list[Readings]:
    rng = np.random.default_rng(seed)
    found = []
    for metric in "abc":
        for host in ("x", "y"):
            times = np.sort(rng.choice(np.arange(1, 2 * n), n, replace=False)).astype(np.int64)
            values = rng.normal(size=n)
            values[rng.random(n) < 0.02] = np.inf
            found.append(Readings(SeriesKey(metric, {"host": host}), times, values, "s"))
    return found


def cut(readings: list[Readings], rng: np.random.Generator) -> list[list[Readings]]:
    """Pieces of the streams; of each in order, among each other in any."""
    places = [0] * len(readings)
    batches = []
    while any(place < len(one.times) for place, one in zip(places, readings, strict=True)):
        batch = []
        for k in rng.permutation(len(readings)).tolist():
            take = int(rng.integers(0, 60))
            span = slice(places[k], places[k] + take)
            one = readings[k]
            batch.append(Readings(one.key, one.times[span], one.values[span], "s"))
            places[k] += take
        batches.append(batch)
    return batches


def gathered(found: list[Together]) -> dict[SeriesKey, bytes]:
    by: dict[SeriesKey, list[Together]] = {}
    for one in found:
        by.setdefault(one.key, []).append(one)
    return {
        key: b"".join(
            np.concatenate([getattr(p, name) for p in parts]).tobytes() for name in ("times", "values", "further")
        )
        for key, parts in by.items()
    }


@pytest.mark.parametrize("width", [1, 7])
@pytest.mark.parametrize("seed", range(5))
def test_any_cut_gives_the_same_bits_also_through_bytes(width: int, seed: int) -> None:
    join = JoinColumns(("a", "b", "c"), slot_ns=width)
    waiting = Waiting()
    whole = gathered([*join.step(waiting, stream()), *join.step(waiting, [], flush=True)])
    pieces, waiting = [], Waiting()
    for batch in cut(stream(), np.random.default_rng(seed)):
        pieces += join.step(waiting, batch)
        waiting = Waiting.from_bytes(waiting.to_bytes(), 3)
    pieces += join.step(waiting, [], flush=True)
    assert gathered(pieces) == whole
    assert len(whole) == 2


def test_a_series_that_ended_is_forgotten() -> None:
    waiting = Waiting()
    JOIN.step(waiting, [of("a", [10], source="s"), of("b", [10], source="s"), of("c", [5], source="gone")])
    assert not rows(JOIN.step(waiting, [], {"s": 50}, all_of=True))[1:]
    JOIN.forget(waiting, [SeriesKey("c", HOST)])
    assert rows(JOIN.step(waiting, [], {"s": 60}, all_of=True)) == [(10, 10, 10, -1)]
    JOIN.forget(waiting, [SeriesKey("a", HOST)])
    assert not waiting.entities


def test_damaged_bytes_are_refused() -> None:
    waiting = Waiting()
    JOIN.step(waiting, [of("a", [10, 20])])
    data = waiting.to_bytes()
    assert Waiting.from_bytes(data, 3).to_bytes() == data
    for bad in (b"", data[:-1], data + b"x", b"X" + data[1:]):
        with pytest.raises(StateCorruptError):
            Waiting.from_bytes(bad, 3)
    with pytest.raises(StateCorruptError):
        Waiting.from_bytes(data, 2)


@pytest.mark.parametrize("columns", [(), ("a",), ("a", "a"), ("a", "")])
def test_columns_that_make_no_join(columns: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match="different metrics"):
        JoinColumns(columns)
