"""The ten laws of a detector as checks. ``check_detector`` runs them all; outside authors run it on theirs.

Each check takes a detector and raises AssertionError with what was expected. For each of them a deliberately broken
detector exists in the tests of Watchband which it must catch.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np

from watchband.core import params
from watchband.core.detector import Detector
from watchband.core.points import Float64, Points
from watchband.core.scores import Scores
from watchband.core.state import State
from watchband.testing import streams

N = 360
SEED = 20240101
MEMORY_MAX = 1_000_000

Check = Callable[[Detector], None]


def check_split(detector: Detector) -> None:
    """1: however the stream is cut, in time, between series, in any order, on any threads: the same bits."""
    points = streams.awkward_fleet(N, SEED)
    state = detector.start(points.series)
    whole = detector.step(state, points, threads=1)
    rng = np.random.default_rng(SEED)
    for threads in (1, 3):
        cut_state = detector.start(points.series)
        cut_scores = _in_pieces(detector, cut_state, points, rng, threads)
        assert cut_scores.same_bits(whole), f"cut in time and order, {threads} threads: other scores"
        assert cut_state.same_bits(state), f"cut in time and order, {threads} threads: other state"
    for index in range(points.series):
        alone = detector.start(1)
        part = streams.part(points, [(index, 0, int(np.diff(points.offsets)[index]))])
        scores = detector.step(alone, Points.of(part.times, part.values))
        span = slice(int(points.offsets[index]), int(points.offsets[index + 1]))
        assert scores.same_bits(whole.take(span)), f"series {index} alone has other scores than in company"
        assert alone.same_bits(state.take([index])), f"series {index} alone has another state than in company"
    if points.dims == 1:
        _check_one_by_one(detector, streams.part(points, [(0, 0, N)]))


def check_snapshot(detector: Detector) -> None:
    """2: through bytes and back a state continues identically."""
    points = streams.awkward_fleet(N, SEED + 1)
    first, second = _halves(points)
    state = detector.start(points.series)
    detector.step(state, first)
    restored = detector.load(state.to_bytes())
    assert restored.same_bits(state), "the state read back differs from the one written"
    assert detector.step(restored, second).same_bits(detector.step(state, second)), "it continues differently"
    assert restored.same_bits(state), "after continuing, the states differ"


def check_causal(detector: Detector) -> None:
    """3: a score depends on the past only: another future leaves it as it was."""
    points = streams.awkward_fleet(N, SEED + 2)
    other = points.values.copy()
    keep = np.zeros(len(points), bool)
    for _, span in points.slices():
        middle = (span.start + span.stop) // 2
        keep[span.start : middle] = True
        other[middle : span.stop] = other[middle : span.stop][::-1] * 3 + 17
    scores = detector.step(detector.start(points.series), points)
    changed = detector.step(detector.start(points.series), points.with_values(other))
    assert scores.take(keep).same_bits(changed.take(keep)), "changing later points changed earlier scores"


def check_empty(detector: Detector) -> None:
    """4: an empty batch gives no scores and changes nothing."""
    points = streams.awkward_fleet(N, SEED + 3)
    state = detector.start(points.series)
    detector.step(state, points)
    before = state.copy()
    assert len(detector.step(state, Points.empty(points.dims))) == 0, "an empty batch gave scores"
    nothing = Points.fleet([([], np.empty((0, points.dims)))] * 2, rows=[1, 0])
    assert len(detector.step(state, nothing)) == 0, "empty slices gave scores"
    assert state.same_bits(before), "an empty batch changed the state"


def check_seeded(detector: Detector) -> None:
    """5: the same parameters, seed and points give the same bits."""
    points = streams.awkward_fleet(N, SEED + 4)
    twin = params.build(type(detector), params.values_of(detector))
    one, two = detector.start(points.series), twin.start(points.series)
    assert detector.step(one, points).same_bits(twin.step(two, points)), "two runs gave different scores"
    assert one.same_bits(two), "two runs gave different states"
    assert twin.fingerprint == detector.fingerprint, "equal parameters have different fingerprints"


def check_forgets(detector: Detector) -> None:
    """6: one NaN, infinity, gap or spike is forgotten within ``memory_points``."""
    assert detector.memory_points <= MEMORY_MAX, (
        f"{detector.memory_points:,} points of memory are too many to try; at most {MEMORY_MAX:,}: check it with "
        "parameters that forget sooner"
    )
    at = 200
    n = at + detector.memory_points + 66
    moments, values = streams.times(n), streams.daily(n, SEED + 5)
    clean = detector.step(detector.start(), Points.of(moments, values)).score
    for name, wound in (("NaN", np.nan), ("infinity", np.inf), ("spike", 1e6), ("dip", -1e6)):
        hurt = values.copy()
        hurt[at] = wound
        scores = detector.step(detector.start(), Points.of(moments, hurt)).score
        _assert_forgotten(name, clean, scores, at + 1 + detector.memory_points, detector.memory_tolerance)
    kept = np.r_[0:at, at + 5 : n]
    scores = np.full(n, np.nan)
    scores[kept] = detector.step(detector.start(), Points.of(moments[kept], values[kept])).score
    _assert_forgotten("gap", clean, scores, at + 6 + detector.memory_points, detector.memory_tolerance)


def check_honest(detector: Detector) -> None:
    """7: NaN is "no opinion" or "no value"; scores are >= 0, finite, and higher is stranger."""
    points = streams.awkward_fleet(N, SEED + 6)
    scores = detector.step(detector.start(points.series), points)
    assert all(len(a) == len(points) for a in scores.outputs()), "not one answer per point"
    missing = ~np.isfinite(points.values).all(axis=1)
    assert np.isnan(scores.score[missing]).all(), "a point without a value got a score"
    said = scores.score[~np.isnan(scores.score)]
    assert np.isfinite(said).all(), "an infinite score"
    assert (said >= 0).all(), "a negative score"
    assert not np.isnan(scores.flags).any(), "a flag is NaN"
    both = np.isfinite(scores.lower) & np.isfinite(scores.upper)
    assert (scores.lower[both] <= scores.upper[both]).all(), "a band whose lower edge is above its upper"
    _assert_scale(points, scores)
    _assert_stranger_is_higher(detector)


def check_bounded(detector: Detector) -> None:
    """8: the state never outgrows its declared bytes."""
    points = streams.awkward_fleet(N, SEED + 7)
    state = detector.start(points.series)
    # What names and types of the arrays take is not counted to a series.
    head = 1024 + 128 * len(state.arrays)
    for batch in _halves(points):
        detector.step(state, batch)
        limit = detector.state_bytes_max * state.series
        assert state.nbytes <= limit, f"the state takes {state.nbytes} bytes, declared are {limit}"
        written, limit = len(state.to_bytes()), detector.written_bytes_max * state.series
        assert written <= limit + head, f"{written} bytes are written, declared are {limit}"


def check_untouched(detector: Detector) -> None:
    """9: inputs are not modified, a copied state is not aliased."""
    points = streams.awkward_fleet(N, SEED + 8)
    first, second = _halves(points)
    for array in (first.times, first.values, first.offsets, first.rows):
        array.flags.writeable = False
    before = [a.tobytes() for a in (first.times, first.values, first.offsets, first.rows)]
    state = detector.start(points.series)
    detector.step(state, first)
    after = [a.tobytes() for a in (first.times, first.values, first.offsets, first.rows)]
    assert before == after, "the input was modified"
    copy = state.copy()
    kept = copy.to_bytes()
    detector.step(state, second)
    assert copy.to_bytes() == kept, "stepping a state moved its copy"


def check_invariances(detector: Detector) -> None:
    """10: the invariances it declares hold: shift, scale, time_shift."""
    n = N
    moments, values = streams.times(n), streams.daily(n, SEED + 9)
    plain = detector.step(detector.start(), Points.of(moments, values)).score
    tried = {
        "shift": (moments, values + 1024.0),
        "scale": (moments, values * 8.0),
        "time_shift": (moments + 12_345_678_901, values),
    }
    unknown = (detector.tags | detector.invariances) - tried.keys()
    assert not unknown, f"unknown tags {sorted(unknown)}; known are {sorted(tried)}"
    for tag in sorted(detector.invariances):
        scores = detector.step(detector.start(), Points.of(*tried[tag])).score
        same = np.allclose(plain, scores, rtol=1e-6, atol=1e-6, equal_nan=True)
        assert same, f"it declares {tag!r}, and its scores change"


CHECKS: dict[str, Check] = {
    "split": check_split,
    "snapshot": check_snapshot,
    "causal": check_causal,
    "empty": check_empty,
    "seeded": check_seeded,
    "forgets": check_forgets,
    "honest": check_honest,
    "bounded": check_bounded,
    "untouched": check_untouched,
    "invariances": check_invariances,
}


def check_detector(detector: Detector) -> None:
    """Run every law; the first that does not hold raises AssertionError and is named."""
    for name, check in CHECKS.items():
        try:
            check(detector)
        except AssertionError as error:
            raise AssertionError(f"{type(detector).__name__} breaks law {name!r}: {error}") from error


def _halves(points: Points) -> tuple[Points, Points]:
    sizes = np.diff(points.offsets).tolist()
    first = streams.part(points, [(i, 0, n // 2) for i, n in enumerate(sizes)])
    return first, streams.part(points, [(i, n // 2, n) for i, n in enumerate(sizes)])


def _in_pieces(detector: Detector, state: State, points: Points, rng: np.random.Generator, threads: int) -> Scores:
    """Feed random pieces of random series in random order, and put the scores back in place."""
    sizes = np.diff(points.offsets)
    done = np.zeros(points.series, np.int64)
    scores = Scores.blank(points, detector.further)
    while (done < sizes).any():
        chosen = rng.permutation(np.flatnonzero(done < sizes))[: rng.integers(1, points.series + 1)]
        bounds = [(int(i), int(done[i]), min(int(done[i] + rng.integers(1, 60)), int(sizes[i]))) for i in chosen]
        batch = streams.part(points, bounds)
        piece = detector.step(state, batch, threads=threads)
        for position, (index, start, stop) in enumerate(bounds):
            here = slice(int(batch.offsets[position]), int(batch.offsets[position + 1]))
            there = slice(int(points.offsets[index]) + start, int(points.offsets[index]) + stop)
            for target, source in zip(scores.columns(), piece.columns(), strict=True):
                target[there] = source[here]
            done[index] = stop
    return scores


def _check_one_by_one(detector: Detector, points: Points) -> None:
    together, single = detector.start(), detector.start()
    scores = detector.step(together, points)
    ones = []
    for index, (moment, value) in enumerate(zip(points.times.tolist(), points.values[:, 0].tolist(), strict=True)):
        ones.append(detector.step_one(single, moment, value))
        if index == len(points) // 2:
            # A look at the state, a copy and a snapshot in the middle change nothing.
            assert single.points_seen[0] == index + 1, "step_one counts other points than it folds"
            single = detector.load(single.copy().to_bytes())
    columns = np.array([[*one[:6], *getattr(one, "members", ())] for one in ones]).T.copy()
    assert Scores.of_columns(columns).same_bits(scores), "step_one gives other scores than step"
    assert single.same_bits(together), "step_one leaves another state than step"


def _assert_forgotten(name: str, clean: Float64, hurt: Float64, since: int, tolerance: float) -> None:
    a, b = clean[since:], hurt[since:]
    assert np.array_equal(np.isnan(a), np.isnan(b)), f"after one {name} it stays silent where it used to speak"
    difference = np.nanmax(np.abs(a - b) / (1 + np.abs(a)), initial=0.0)
    assert difference <= tolerance, f"one {name} still shows after memory_points: {difference:.3g} > {tolerance:g}"


def _assert_scale(points: Points, scores: Scores) -> None:
    value = points.values[:, 0]
    spoken = np.isfinite(scores.score) & np.isfinite(scores.scale) & (scores.scale > 0)
    distance = np.abs(value - scores.expected)[spoken] / scores.scale[spoken]
    close = np.isclose(distance, scores.score[spoken], rtol=1e-9, atol=1e-9)
    assert close.all(), "score is not |value - expected| / scale where a scale is given"


def _assert_stranger_is_higher(detector: Detector) -> None:
    n = max(200, min(detector.memory_points, 12_000) + 50)
    values = streams.daily(n, SEED + 10)
    told = []
    for side in (1.0, -1.0):
        seen: list[float] = []
        for size in (0.0, 100.0, 10_000.0):
            spiked = values.copy()
            spiked[-1] += side * size
            scores = detector.step(detector.start(), Points.of(streams.times(n), spiked)).score
            seen.append(float(scores[-1]))
            usual = float(np.nanquantile(scores[:-1], 0.95))
        assert not np.isnan(seen).any(), f"no opinion after {n} points"
        # Scores that saturate may differ in their last digits.
        rising = all(b >= a - 1e-9 * a for a, b in itertools.pairwise(seen[1:]))
        assert rising, f"a larger spike has a smaller score: {seen}"
        told.append((seen[-1], usual))
    # A detector may watch one side only.
    assert any(last > usual for last, usual in told), f"huge spikes and usual points score the same: {told}"
