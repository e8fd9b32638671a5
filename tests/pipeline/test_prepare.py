"""``prepare`` against its reference, its laws, and tables of what each option does."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.reference.prepare import prepare as reference
from watchband.core.state import State
from watchband.pipeline.prepare import Prepare, Prepared, Raw

NAN, INF = math.nan, math.inf
GAPS = ("ignore", "zero", "fixed", "previous", "linear", "model")

Row = tuple[int, float]

VALUES = st.one_of(st.floats(-1e6, 1e6), st.integers(-3, 3).map(float), st.sampled_from([NAN, INF, -INF, 0.0]))
STEPS = st.one_of(st.just(10), st.just(10), st.just(10), st.sampled_from([0, 9, 11, 15, 16, 20, 30, 70, 400, 10_000]))


@st.composite
def streams(draw: st.DrawFn) -> list[Row]:
    """Readings in time order, mostly ten nanoseconds apart, with repeats, gaps, NaN and infinities."""
    steps = draw(st.lists(STEPS, max_size=120))
    start = draw(st.integers(-1000, 10**18))
    times = (start + np.cumsum(np.array(steps, np.int64))).tolist() if steps else []
    return [(time, draw(VALUES)) for time in times]


@st.composite
def options(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "interval_ns": draw(st.sampled_from([None, 10, 7])),
        "resample_ns": draw(st.sampled_from([None, None, 25, 40])),
        "aggregate": draw(st.sampled_from(["mean", "sum", "max", "last"])),
        "gap": draw(st.sampled_from(GAPS)),
        "gap_value": -5.0,
        "gap_limit": draw(st.sampled_from([0, 1, 3, 288])),
        "counter": draw(st.booleans()),
    }


def raw(rows: list[Row]) -> Raw:
    return Raw.of(np.array([t for t, _ in rows], np.int64), np.array([v for _, v in rows], np.float64))


def triples(out: Prepared) -> list[tuple[int, float, bool]]:
    return list(zip(out.points.times.tolist(), out.points.values[:, 0].tolist(), out.imputed.tolist(), strict=True))


def run(rows: list[Row], **parameters: Any) -> list[tuple[int, float, bool]]:
    prepare = Prepare(**parameters)
    return triples(prepare.step(prepare.start(), raw(rows), flush=True))


def same(got: list[tuple[int, float, bool]], expected: list[tuple[int, float, bool]]) -> None:
    assert [(t, i) for t, _, i in got] == [(t, i) for t, _, i in expected]
    np.testing.assert_array_equal([v for _, v, _ in got], [v for _, v, _ in expected])


@given(streams(), options())
def test_equals_the_reference(rows: list[Row], parameters: dict[str, Any]) -> None:
    prepare = Prepare(**parameters)
    out = prepare.step(prepare.start(), raw(rows), flush=True)
    expected, ordinals = reference(rows, **parameters)
    same(triples(out), expected)
    assert out.row_ordinal.tolist() == ordinals
    assert out.ordinal.tolist() == list(range(len(expected)))
    assert not np.isinf(out.points.values).any()


@given(streams(), options(), st.lists(st.integers(0, 120), max_size=4))
def test_cuts_change_no_bit(rows: list[Row], parameters: dict[str, Any], cuts: list[int]) -> None:
    prepare = Prepare(**parameters)
    whole_state, state = prepare.start(), prepare.start()
    whole = prepare.step(whole_state, raw(rows), flush=True)
    marks = sorted({0, len(rows), *(min(c, len(rows)) for c in cuts)})
    parts = []
    for start, end in itertools.pairwise([*marks, len(rows)]):
        state = State.from_bytes(state.to_bytes())
        parts.append(prepare.step(state, raw(rows[start:end])))
    parts.append(prepare.step(state, raw([]), flush=True))
    for name in ("imputed", "ordinal", "row_ordinal", "interval_at"):
        assert np.concatenate([getattr(p, name) for p in parts]).tobytes() == getattr(whole, name).tobytes()
    assert np.concatenate([p.points.times for p in parts]).tobytes() == whole.points.times.tobytes()
    assert np.concatenate([p.points.values for p in parts]).tobytes() == whole.points.values.tobytes()
    assert state.same_bits(whole_state)


@given(streams(), options(), st.randoms(use_true_random=False))
def test_order_within_a_batch_does_not_matter(rows: list[Row], parameters: dict[str, Any], random: Any) -> None:
    rows = list(dict(rows).items())
    shuffled = random.sample(rows, len(rows))
    prepare = Prepare(**parameters)
    state = prepare.start()
    out = prepare.step(state, raw(shuffled), flush=True)
    expected, ordinals = reference(shuffled, **parameters)
    same(triples(out), expected)
    assert out.row_ordinal.tolist() == ordinals
    newest = np.maximum.accumulate([t for t, _ in shuffled]) if rows else []
    behind = sum(t < n for (t, _), n in zip(shuffled, newest, strict=True))
    assert prepare.quality(state)[0].out_of_order == behind


@given(streams(), st.sampled_from(["previous", "linear"]), st.floats(-1e9, 1e9))
def test_a_constant_stays_that_constant(rows: list[Row], gap: str, constant: float) -> None:
    level = [(time, constant) for time, _ in rows]
    assert {v for _, v, _ in run(level, gap=gap, interval_ns=10, gap_limit=100_000)} <= {constant}


@given(streams(), options())
def test_never_more_points_than_rows_and_limit_allow(rows: list[Row], parameters: dict[str, Any]) -> None:
    prepare = Prepare(**parameters)
    state = prepare.start()
    out = prepare.step(state, raw(rows), flush=True)
    assert len(out.points) <= len(rows) * (1 + parameters["gap_limit"])
    quality = prepare.quality(state)[0]
    assert quality.rows == len(rows)
    assert quality.imputed == int(out.imputed.sum())
    assert state.points_seen.tolist() == [len(out.points)]


TIMES = st.one_of(st.integers(-(2**63), 2**63 - 1), st.sampled_from([-(2**63), -(2**63) + 1, 2**63 - 1]))


@given(st.lists(st.tuples(TIMES, VALUES), max_size=20), options(), st.sampled_from([1, 2**62, 2**63 - 1]))
def test_times_at_the_end_of_time(rows: list[Row], parameters: dict[str, Any], far: int) -> None:
    parameters |= {"interval_ns": far, "resample_ns": far if parameters["resample_ns"] else None}
    prepare = Prepare(**parameters)
    out = prepare.step(prepare.start(), raw(rows), flush=True)
    assert ((out.row_ordinal >= -1) & (out.row_ordinal < max(len(out.points), 1))).all()
    assert not np.isinf(out.points.values).any()
