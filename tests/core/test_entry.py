"""Entries of the log as bytes: the same bits back, and nothing at all from damaged ones."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchband.core.entry import MAGIC, Columns
from watchband.core.errors import StateCorruptError
from watchband.core.events import (
    ConfigChanged,
    ControlEvent,
    FeedbackGiven,
    PriorGiven,
    TierChanged,
    WatermarkMoved,
    WindowClosed,
    WindowOpened,
)

EVENTS: tuple[ControlEvent, ...] = (
    WatermarkMoved(-5),
    WindowOpened("w", "expect", 1, 2, 'cpu{a="ü"}', 0.1),
    WindowClosed("w", 3),
    FeedbackGiven("id", "missed", 4),
    ConfigChanged("cpu", "f", 5),
    PriorGiven("cpu", 1e300, 0.1, 6),
    TierChanged("cpu", "light", 7),
)
int64 = st.integers(-(2**63), 2**63 - 1)
reading = st.tuples(int64, st.floats(width=64))
slices = st.lists(st.tuples(st.integers(0, 2**32 - 1), st.lists(reading, max_size=5)), max_size=30)


def columns(parts: list[tuple[int, list[tuple[int, float]]]], events: tuple[ControlEvent, ...] = ()) -> Columns:
    flat = [r for _, readings in parts for r in readings]
    return Columns(
        np.array([number for number, _ in parts], np.int64),
        np.array([len(readings) for _, readings in parts], np.int64),
        np.array([t for t, _ in flat], np.int64),
        np.array([v for _, v in flat], np.float64),
        events,
    )


def same(a: Columns, b: Columns) -> bool:
    arrays = ("series", "counts", "times", "values")
    return all(getattr(a, n).tobytes() == getattr(b, n).tobytes() for n in arrays) and tuple(a.events) == tuple(
        b.events
    )


@given(slices, st.lists(st.sampled_from(EVENTS), max_size=3))
def test_the_same_bits_come_back(parts: list[tuple[int, list[tuple[int, float]]]], events: list[ControlEvent]) -> None:
    entry = columns(parts, tuple(events))
    assert same(Columns.from_bytes(entry.to_bytes()), entry)


def test_every_event_comes_back() -> None:
    assert Columns.from_bytes(columns([], EVENTS).to_bytes()).events == EVENTS


def test_a_minute_of_a_fleet_is_small() -> None:
    rng = np.random.default_rng(1)
    n = 5000
    entry = Columns(np.arange(n), np.ones(n, np.int64), np.full(n, 1_700_000_000_000_000_000), rng.normal(size=n))
    assert len(entry.to_bytes()) < 10 * n


@pytest.mark.parametrize("big", [False, True])
def test_no_damaged_byte_goes_unseen(big: bool) -> None:
    whole = columns([(i, [(i * 10**9, 0.5)]) for i in range(200 if big else 3)], EVENTS[:2]).to_bytes()
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
