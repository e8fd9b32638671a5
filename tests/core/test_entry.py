"""Entries of the log as bytes: the same bits back, and nothing at all from damaged ones."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchband.core.entry import MAGIC, SOURCES_MAX, Columns
from watchband.core.errors import StateCorruptError
from watchband.core.events import (
    ConfigChanged,
    ControlEvent,
    FeedbackGiven,
    PriorGiven,
    SeriesExpired,
    SourceResumed,
    TierChanged,
    WatermarkMoved,
    WindowClosed,
    WindowOpened,
)
from watchband.core.ports import Arrival, Readings
from watchband.core.series import SeriesKey

EVENTS: tuple[ControlEvent, ...] = (
    WatermarkMoved(-5),
    SourceResumed(8, "push"),
    SeriesExpired('cpu{a="ü"}', 9),
    WindowOpened("w", "expect", 1, 2, 'cpu{a="ü"}', 0.1),
    WindowClosed("w", 3),
    FeedbackGiven("id", "missed", 4),
    ConfigChanged("cpu", "f", 5),
    PriorGiven("cpu", 1e300, 0.1, 6),
    TierChanged("cpu", "light", 7),
)
int64 = st.integers(-(2**63), 2**63 - 1)
reading = st.tuples(int64, st.floats(width=64))
Part = tuple[int, list[tuple[int, float]], str, Arrival]
parts = st.tuples(
    st.integers(0, 2**32 - 1), st.lists(reading, max_size=5), st.sampled_from(["", "a", "ü"]), st.sampled_from(Arrival)
)
slices = st.lists(parts, max_size=30)
KEY = SeriesKey("cpu")


def readings_of(parts: list[Part]) -> list[Readings]:
    return [
        Readings(KEY, np.array([t for t, _ in part], np.int64), np.array([v for _, v in part], np.float64), *rest)
        for _, part, *rest in parts
    ]


def columns(parts: list[Part], events: tuple[ControlEvent, ...] = ()) -> Columns:
    return Columns.of(readings_of(parts), [number for number, *_ in parts], events)


def same(a: Columns, b: Columns) -> bool:
    arrays = ("series", "counts", "times", "values", "source", "arrival")
    equal = all(getattr(a, n).tobytes() == getattr(b, n).tobytes() for n in arrays)
    return equal and (a.events, a.sources) == (b.events, b.sources)


@given(slices, st.lists(st.sampled_from(EVENTS), max_size=3))
def test_the_same_bits_come_back(parts: list[Part], events: list[ControlEvent]) -> None:
    entry = columns(parts, tuple(events))
    back = Columns.from_bytes(entry.to_bytes())
    assert same(back, entry)
    for one, other in zip(back.readings([KEY] * len(parts)), readings_of(parts), strict=True):
        assert (one.source, one.arrival) == (other.source, other.arrival)
        assert (one.times.tobytes(), one.values.tobytes()) == (other.times.tobytes(), other.values.tobytes())


def test_every_event_comes_back() -> None:
    assert Columns.from_bytes(columns([], EVENTS).to_bytes()).events == EVENTS


def test_a_minute_of_a_fleet_is_small() -> None:
    rng = np.random.default_rng(1)
    n = 5000
    moment = np.array([1_700_000_000_000_000_000])
    entry = Columns.of([Readings(KEY, moment, rng.normal(size=1), "prometheus") for _ in range(n)], range(n))
    assert len(entry.to_bytes()) < 10 * n


def test_an_entry_of_too_many_sources_is_refused() -> None:
    many = [Readings(KEY, np.empty(0, np.int64), np.empty(0), str(i)) for i in range(SOURCES_MAX + 1)]
    with pytest.raises(ValueError, match="at most 16,384 sources"):
        Columns.of(many, [0] * len(many)).to_bytes()
    last = Columns.from_bytes(Columns.of(many[1:], [0] * SOURCES_MAX).to_bytes())
    assert last.sources[-1] == str(SOURCES_MAX)


@pytest.mark.parametrize("big", [False, True])
def test_no_damaged_byte_goes_unseen(big: bool) -> None:
    whole = columns(
        [(i, [(i * 10**9, 0.5)], "p", Arrival.HELD) for i in range(200 if big else 3)], EVENTS[:2]
    ).to_bytes()
    assert (whole[8] == 1) == big
    for at in range(len(whole)):
        damaged = bytearray(whole)
        damaged[at] ^= 0x55
        with pytest.raises(StateCorruptError):
            Columns.from_bytes(bytes(damaged))
        with pytest.raises(StateCorruptError):
            Columns.from_bytes(whole[:at])


@given(st.binary(max_size=200))
def test_anything_else_is_refused(data: bytes) -> None:
    tail = data or b"\0"
    for text in (data, MAGIC + data, MAGIC + zlib.crc32(tail).to_bytes(4, "little") + tail):
        with pytest.raises(StateCorruptError):
            Columns.from_bytes(text)
