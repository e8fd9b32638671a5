"""The laws of a set of features, each as a check; ``check_features`` runs them all.

They are those of a detector as far as rows of numbers can keep them, and one more, **by time**: a reading that is left
out is the same as one that is missing in its place.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np

from watchband.core.points import Float64, Points
from watchband.core.state import State
from watchband.features.families import KINDS
from watchband.features.feature_set import FeatureSet
from watchband.testing import streams

Check = Callable[[FeatureSet], None]
SEED = 20_240_101
N = 220


def check_split(features: FeatureSet) -> None:
    """1: a stream cut anywhere, beside any neighbours and on any number of threads gives the same bits."""
    points = fleet(features, SEED)
    state = features.start(points.series)
    whole = features.step(state, points, threads=1)
    rng = np.random.default_rng(SEED)
    for threads in (1, 3):
        pieces = features.start(points.series)
        rows = _in_pieces(features, pieces, points, rng, threads)
        assert same(rows, whole), "cut in pieces it gives other rows"
        assert pieces.same_bits(state), "cut in pieces it leaves another state"
    for index in range(points.series):
        span = slice(int(points.offsets[index]), int(points.offsets[index + 1]))
        alone = features.start()
        rows = features.step(alone, Points.of(points.times[span], points.values[span]))
        assert same(rows, whole[span]), f"series {index} alone has other rows than in company"
        assert alone.same_bits(state.take([index])), f"series {index} alone has another state than in company"


def check_snapshot(features: FeatureSet) -> None:
    """2: through bytes and back a state continues identically, at any point."""
    points = fleet(features, SEED + 1)
    for first, second in (_parted(points, 0.5), _parted(points, 0.02)):
        state = features.start(points.series)
        features.step(state, first)
        restored = features.load(state.to_bytes())
        assert restored.same_bits(state), "the state read back differs from the one written"
        assert same(features.step(restored, second), features.step(state, second)), "it continues differently"
        assert restored.same_bits(state), "after continuing, the states differ"


def check_causal(features: FeatureSet) -> None:
    """3: a row depends on the past only: another future leaves it as it was."""
    points = fleet(features, SEED + 2)
    other, keep = points.values.copy(), np.zeros(len(points), bool)
    for _, span in points.slices():
        middle = (span.start + span.stop) // 2
        keep[span.start : middle] = True
        other[middle : span.stop] = other[middle : span.stop][::-1] * 3 + 17
    rows = features.step(features.start(points.series), points)
    changed = features.step(features.start(points.series), points.with_values(other))
    assert same(rows[keep], changed[keep]), "changing later points changed earlier rows"


def check_empty(features: FeatureSet) -> None:
    """4: an empty batch gives no rows and changes nothing."""
    points = fleet(features, SEED + 3)
    state = features.start(points.series)
    features.step(state, points)
    before = state.copy()
    nothing = Points.fleet([([], np.empty((0, points.dims)))] * 2, rows=[1, 0])
    for empty in (Points.empty(points.dims), nothing):
        rows = features.step(state, empty)
        assert rows.shape == (0, len(features.names)), "an empty batch gave rows"
    assert state.same_bits(before), "an empty batch changed the state"


def check_schema(features: FeatureSet) -> None:
    """5: the set that its schema describes, read back from JSON, gives the same bits under the same names."""
    twin = type(features).from_schema(json.loads(json.dumps(features.schema())))
    points = fleet(features, SEED + 4)
    one, two = features.start(points.series), twin.start(points.series)
    assert twin.names == features.names, "the schema gives other names"
    assert twin.fingerprint == features.fingerprint, "the schema gives another fingerprint"
    assert same(features.step(one, points), twin.step(two, points)), "two runs gave different rows"
    assert one.same_bits(two), "two runs gave different states"


def check_forgets(features: FeatureSet) -> None:
    """6: one NaN, infinity, gap or spike is forgotten within ``memory_points``, to the last bit."""
    at = 60
    n = at + features.memory_points + 40
    clean = regular(features, n)
    wanted = features.step(features.start(), clean)
    for name, wound in (("NaN", np.nan), ("infinity", np.inf), ("spike", 1e12), ("dip", -1e12)):
        hurt = clean.values.copy()
        hurt[at] = wound
        rows = features.step(features.start(), clean.with_values(hurt))
        since = at + 1 + features.memory_points
        assert same(rows[since:], wanted[since:]), f"one {name} still shows after memory_points"
    kept = np.r_[0:at, at + 5 : n]
    rows = features.step(features.start(), Points.of(clean.times[kept], clean.values[kept]))
    assert same(rows[at + features.memory_points :], wanted[at + 5 + features.memory_points :]), "a gap still shows"


def check_honest(features: FeatureSet) -> None:
    """7: one row a point, of numbers or NaN; what cannot be known yet is NaN; infinities count as missing."""
    points = fleet(features, SEED + 6)
    rows = features.step(features.start(points.series), points)
    assert rows.shape == (len(points), len(features.names)), "not one row of features for each point"
    assert not np.isinf(rows).any(), "an infinite feature"
    plain = points.with_values(np.where(np.isfinite(points.values), points.values, np.nan))
    assert same(rows, features.step(features.start(points.series), plain)), "an infinity is not as a missing value"
    nothing = points.with_values(np.full_like(points.values, np.nan))
    silent = features.step(features.start(points.series), nothing)
    moments = [name in _moment_names() for name in features.names]
    assert np.isnan(silent[:, ~np.array(moments)]).all(), "it says something of values that are all missing"
    first = features.step(features.start(), regular(features, 1))
    assert np.isnan(first[0, [op.lookback > 1 and op.code != 6 for op in features.ops]]).all(), (
        "it looks back before there is anything"
    )


def check_bounded(features: FeatureSet) -> None:
    """8: the state never outgrows its declared bytes."""
    points = fleet(features, SEED + 7)
    state = features.start(points.series)
    head = 1024 + 128 * len(state.arrays)
    for batch in _parted(points, 0.5):
        features.step(state, batch)
        limit = features.state_bytes_max * state.series
        assert state.nbytes <= limit, f"the state takes {state.nbytes} bytes, declared are {limit}"
        written = len(state.to_bytes())
        assert written <= features.written_bytes_max * state.series + head, f"{written} bytes are written"


def check_untouched(features: FeatureSet) -> None:
    """9: inputs are not modified, a copied state is not aliased, rows given stay as they are."""
    first, second = _parted(fleet(features, SEED + 8), 0.5)
    arrays = (first.times, first.values, first.offsets, first.rows)
    for array in arrays:
        array.flags.writeable = False
    before = [a.tobytes() for a in arrays]
    state = features.start(first.series)
    rows = features.step(state, first)
    assert before == [a.tobytes() for a in arrays], "the input was modified"
    copy, given = state.copy(), rows.tobytes()
    kept = copy.to_bytes()
    features.step(state, second)
    assert copy.to_bytes() == kept, "stepping a state moved its copy"
    assert rows.tobytes() == given, "a later step changed the rows of an earlier one"


def check_by_time(features: FeatureSet) -> None:
    """10: readings that are left out are the same as readings that are missing in their place."""
    points = regular(features, 2 * features.lookback + 80)
    gone = np.random.default_rng(SEED).random(len(points)) < 0.15
    gone[:10] = False
    hollow = points.values.copy()
    hollow[gone] = np.nan
    missing = features.step(features.start(), points.with_values(hollow))[~gone]
    left_out = features.step(features.start(), Points.of(points.times[~gone], points.values[~gone]))
    assert same(missing, left_out), "windows or lags are of rows and not of time"


CHECKS: dict[str, Check] = {
    "split": check_split,
    "snapshot": check_snapshot,
    "causal": check_causal,
    "empty": check_empty,
    "schema": check_schema,
    "forgets": check_forgets,
    "honest": check_honest,
    "bounded": check_bounded,
    "untouched": check_untouched,
    "by_time": check_by_time,
}


def check_features(features: FeatureSet) -> None:
    """Run every law; the first that does not hold raises AssertionError and is named."""
    for name, check in CHECKS.items():
        try:
            check(features)
        except AssertionError as error:
            raise AssertionError(f"The set {features.label!r} breaks law {name!r}: {error}") from error


def fleet(features: FeatureSet, seed: int) -> Points:
    """Awkward series with as many values a point as the set has columns."""
    return streams.awkward_fleet(N, seed, series=3, dims=len(features.columns))


def regular(features: FeatureSet, n: int) -> Points:
    """One series at the interval of the set (an hour where it has none), without anything missing."""
    values = [streams.daily(n, SEED + index) for index in range(len(features.columns))]
    return Points.of(streams.times(n, features.interval_ns or streams.HOUR), np.stack(values, axis=1))


def same(one: Float64, two: Float64) -> bool:
    """True where two matrices are equal bit for bit."""
    return one.shape == two.shape and one.tobytes() == two.tobytes()


def _moment_names() -> set[str]:
    return {feature.name for kind in KINDS.values() if kind.scope == "moment" for feature in kind.features}


def _parted(points: Points, share: float) -> tuple[Points, Points]:
    sizes = np.diff(points.offsets).tolist()
    first = streams.part(points, [(i, 0, int(n * share)) for i, n in enumerate(sizes)])
    return first, streams.part(points, [(i, int(n * share), n) for i, n in enumerate(sizes)])


def _in_pieces(features: FeatureSet, state: State, points: Points, rng: np.random.Generator, threads: int) -> Float64:
    sizes = np.diff(points.offsets)
    done = np.zeros(points.series, np.int64)
    rows = np.zeros((len(points), len(features.names)))
    while (done < sizes).any():
        chosen = rng.permutation(np.flatnonzero(done < sizes))[: rng.integers(1, points.series + 1)]
        bounds = [(int(i), int(done[i]), min(int(done[i] + rng.integers(1, 60)), int(sizes[i]))) for i in chosen]
        batch = streams.part(points, bounds)
        piece = features.step(state, batch, threads=threads)
        for position, (index, start, stop) in enumerate(bounds):
            here = slice(int(batch.offsets[position]), int(batch.offsets[position + 1]))
            there = slice(int(points.offsets[index]) + start, int(points.offsets[index]) + stop)
            rows[there] = piece[here]
            done[index] = stop
    return rows
