"""Derived series: what is computed with what, and that cuts, order and restarts change nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchband.core.errors import StateCorruptError
from watchband.core.events import WatermarkMoved
from watchband.core.ports import Readings
from watchband.core.series import SeriesKey
from watchband.pipeline import joins
from watchband.pipeline.derive import Derive

SECOND = 1_000_000_000
Point = tuple[str, int, float]


def one(text: str, time: float, value: float, source: str = "s") -> Readings:
    key = SeriesKey.parse(text)
    return Readings(key, np.array([round(time * SECOND)], np.int64), np.array([value]), source)


def listed(readings: Sequence[Readings]) -> list[Point]:
    return [
        (str(r.key), t // SECOND, v) for r in readings for t, v in zip(r.times.tolist(), r.values.tolist(), strict=True)
    ]


def derived(text: str, *points: Point, mark: int | None = None) -> list[Point]:
    derive = Derive({"d": text})
    events = [] if mark is None else [WatermarkMoved(mark * SECOND, "s")]
    return listed(derive.step([one(*point) for point in points], events))


@pytest.mark.parametrize(
    ("text", "points", "expected"),
    [
        ("a * 100", [('a{h="x"}', 1, 0.5)], [('d{h="x"}', 1, 50)]),
        ("1 - a / b", [("a", 1, 1), ("b", 1, 4)], [("d", 1, 0.75)]),
        ("a / b", [("b", 1, 4), ("a", 1, 1)], [("d", 1, 0.25)]),
        ("a / b", [("a", 1, 1), ("b", 2, 4)], []),
        ("a / b", [('a{h="x"}', 1, 1), ('b{h="y"}', 1, 4)], []),
        ("a / b", [("a", 1, 1), ("b", 1, 0)], [("d", 1, math.nan)]),
        ("a + b", [("a", 1, math.nan), ("b", 1, 0)], [("d", 1, math.nan)]),
        ("a / on(h) b", [('a{h="x",m="1"}', 1, 1), ('b{h="x",m="2"}', 1, 4)], [('d{h="x"}', 1, 0.25)]),
        ("a / ignoring(m) b", [('a{h="x",m="1"}', 1, 1), ('b{h="x"}', 1, 4)], [('d{h="x"}', 1, 0.25)]),
        ('a{m="1"} / ignoring(m) a{m="2"}', [('a{m="1"}', 1, 6), ('a{m="2"}', 1, 3)], [("d", 1, 2)]),
        ("a / a", [("a", 1, 3)], [("d", 1, 1)]),
        ("max(a, b, 2)", [("a", 1, 1), ("b", 1, 1.5)], [("d", 1, 2)]),
        ("abs(-a) + sqrt(b)", [("a", 1, -3), ("b", 1, 4)], [("d", 1, 5)]),
        ("2 * (3 + 4) - a", [("a", 1, 4)], [("d", 1, 10)]),
        ("rate(a)", [("a", 1, 5), ("a", 3, 9), ("a", 4, 1)], [("d", 3, 2), ("d", 4, 1)]),
        ("rate(a)", [("a", 1, 5), ("a", 2, math.nan), ("a", 3, 9)], [("d", 2, math.nan), ("d", 3, 2)]),
        ("rate(a) / rate(b)", [("a", 0, 0), ("b", 0, 0), ("a", 10, 5), ("b", 10, 20)], [("d", 10, 0.25)]),
        ("a + b every 60s", [("a", 5, 1), ("a", 50, 2), ("b", 20, 10), ("a", 61, 3), ("b", 70, 20)], [("d", 0, 12)]),
        ("a every 60s", [("a", 5, 1), ("a", 30, math.nan), ("a", 60, 3)], [("d", 0, 1)]),
        ("(a + b) * c", [("c", 1, 2), ("b", 1, 3), ("a", 1, 4)], [("d", 1, 14)]),
    ],
)
def test_results(text: str, points: list[Point], expected: list[Point]) -> None:
    assert repr(derived(text, *points)) == repr([(k, t, float(v)) for k, t, v in expected])


def test_a_slot_ends_with_the_watermark() -> None:
    points = [("a", 5, 1.0), ("b", 20, 10.0)]
    assert derived("a + b every 60s", *points, mark=59) == []
    assert derived("a + b every 60s", *points, mark=60) == [("d", 0, 11.0)]


def test_what_comes_late_is_left_out_and_counted() -> None:
    derive = Derive({"d": "a + b"})
    derive.step([one("a", 2, 1), one("b", 2, 1)])
    assert derive.step([one("a", 1, 1), one("b", 1, 1), one("a", 2, 1)]) == []
    assert derive.tally.late == 3


def test_two_series_that_cannot_be_told_apart() -> None:
    derive = Derive({"d": "a / on(h) b"})
    found = derive.step([one('a{h="x",m="1"}', 1, 1), one('a{h="x",m="2"}', 1, 9), one('b{h="x"}', 1, 4)])
    assert listed(found) == [('d{h="x"}', 1, 0.25)]
    assert derive.tally.ambiguous == 1
    later = 3700
    again = derive.step([one('a{h="x",m="2"}', later, 8), one('b{h="x"}', later, 4)])
    assert listed(again) == [('d{h="x"}', later, 2.0)], "the first has been silent for an hour"


def test_a_later_expression_reads_an_earlier_one() -> None:
    derive = Derive({"ratio": "a / b", "percent": "ratio * 100"})
    found = listed(derive.step([one("a", 1, 1), one("b", 1, 4)]))
    assert found == [("ratio", 1, 0.25), ("percent", 1, 25.0)]


def test_what_is_derived_belongs_to_the_source_that_completed_it() -> None:
    (found,) = Derive({"d": "a / b"}).step([one("a", 1, 1, "first"), one("b", 1, 4, "second")])
    assert found.source == "second"


def test_derived_readings_of_the_log_are_not_taken_for_raw_ones() -> None:
    derive = Derive({"d": "a + 1", "e": "d + 1"})
    assert listed(derive.step([one("a", 1, 1), one("d", 1, 99)])) == [("d", 1, 2.0), ("e", 1, 3.0)]


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joins, "SLOTS_MAX", 5)
    derive = Derive({"d": "a + b"})
    derive.step([one("a", t, 1) for t in range(20)])
    assert (derive.waiting, derive.tally.dropped) == (5, 15)
    assert listed(derive.step([one("b", 17, 1)])) == [("d", 17, 2.0)]
    assert derive.waiting == 2
    monkeypatch.setattr(joins, "WAITING_MAX", 4)
    derive.step([one('a{h="y"}', t, 1) for t in range(20)])
    assert derive.waiting == 4


def test_what_waits_in_vain_is_let_go() -> None:
    derive = Derive({"d": "a + b"})
    derive.step([one("a", 100, 1)], [WatermarkMoved(200 * SECOND, "s")])
    assert derive.waiting == 1
    derive.step([], [WatermarkMoved(5000 * SECOND, "other")])
    assert derive.waiting == 1, "another source says nothing of this one"
    derive.step([], [WatermarkMoved(5000 * SECOND, "s")])
    assert (derive.waiting, derive.tally.dropped) == (0, 1)
    derive.step([], [WatermarkMoved(100_000 * SECOND, "s")])
    assert len(derive.to_bytes()) == len(Derive({"d": "a + b"}).to_bytes()) or derive.waiting == 0


TEXTS = {"d": "a / on(h) b", "e": "rate(a) every 10s", "f": "d * 2 + e", "g": "max(a, b) every 30s"}


def stream(seed: int, count: int = 60) -> list[Readings]:
    """Readings of six series, each in order, mixed."""
    rng = np.random.default_rng(seed)
    names = [f'{m}{{h="{h}"}}' for m in "ab" for h in "xyz"]
    at = dict.fromkeys(names, 0)
    found = []
    for _ in range(count):
        name = names[int(rng.integers(len(names)))]
        at[name] += int(rng.integers(1, 4)) * 5
        found.append(one(name, at[name], float(rng.integers(0, 9))))
    return found


def run(entries: Sequence[Sequence[Readings]], restart: Sequence[int] = ()) -> tuple[list[str], bytes]:
    """What is derived, as text since NaN is not itself, and the state."""
    derive, found = Derive(TEXTS), list[Point]()
    for number, entry in enumerate(entries):
        if number in restart:
            state = derive.to_bytes()
            derive = Derive(TEXTS)
            derive.load(state)
        found += listed(derive.step(entry))
    return sorted(map(repr, found)), derive.to_bytes()


@given(st.integers(0, 1000), st.lists(st.integers(0, 60), max_size=8), st.sets(st.integers(0, 8)))
def test_cuts_and_restarts_change_nothing(seed: int, cuts: list[int], restarts: set[int]) -> None:
    readings = stream(seed)
    whole, _ = run([readings])
    edges = [0, *sorted(cuts), len(readings)]
    parts = [readings[a:b] for a, b in pairwise(edges)]
    assert run(parts, sorted(restarts)) == (whole, run(parts)[1])
    assert whole, "nothing was derived"


@given(st.integers(0, 1000), st.randoms(use_true_random=False))
def test_the_mix_of_series_changes_nothing(seed: int, random: object) -> None:
    readings = stream(seed)
    order = [str(r.key) for r in readings]
    random.shuffle(order)  # type: ignore[attr-defined]
    left = {name: [r for r in readings if str(r.key) == name] for name in set(order)}
    assert run([[left[name].pop(0) for name in order]])[0] == run([readings])[0]


@given(st.integers(0, 1000), st.integers(0, 60))
def test_a_repeated_entry_derives_nothing(seed: int, cut: int) -> None:
    readings = stream(seed)
    once, _ = run([readings])
    assert run([readings[:cut], readings[:cut], readings[cut:]])[0] == once


@pytest.mark.parametrize("data", [b"", b"WBD1", b"WBD1xxxx", Derive({"d": "a + b"}).to_bytes(), b"WBS1" + b"x" * 50])
def test_no_state(data: bytes) -> None:
    with pytest.raises(StateCorruptError):
        Derive({"d": "a", "e": "b"}).load(data)


def test_fingerprints() -> None:
    first = Derive({"d": "a/b"}).fingerprint
    assert first == Derive({"d": "a  /  b"}).fingerprint
    assert len({first, Derive({"e": "a/b"}).fingerprint, Derive({"d": "b/a"}).fingerprint}) == 3
