"""Every set of features keeps the laws; and each law catches the set that was broken for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from watchband.core.errors import StateError
from watchband.core.points import Float64, Points
from watchband.core.state import Field, State
from watchband.features.families import KINDS, Family
from watchband.features.feature_set import FeatureSet
from watchband.features.sets import SETS
from watchband.testing import streams
from watchband.testing.contracts.features import CHECKS, check_features

FURTHER = {
    "every family of two columns": FeatureSet(
        ("a", "b"),
        tuple(Family(kind) for kind in KINDS if kind not in ("held", "four", "four_trailing", "differences")),
        interval_ns=streams.HOUR,
        timezone="Europe/Dublin",
        holidays="IE",
        share=1.0,
    ),
    "long windows": FeatureSet(("a",), (Family("rolling", (2, 500)), Family("distribution", (300,)))),
}


def instances() -> dict[str, FeatureSet]:
    return {name: FeatureSet.named(name) for name in SETS} | FURTHER


@pytest.mark.parametrize("law", sorted(CHECKS))
@pytest.mark.parametrize("name", sorted(instances()))
def test_every_set_keeps_the_laws(name: str, law: str) -> None:
    CHECKS[law](instances()[name])


class Broken(FeatureSet):
    """Breaks one law each; the arrays and the batch are those of ``fold``."""

    @classmethod
    def from_schema(cls, document: Mapping[str, Any]) -> FeatureSet:
        read = FeatureSet.from_schema(document)
        return cls(read.columns, read.families, read.interval_ns, share=read.share, label=read.label)


class BreaksSplit(Broken):
    """Adds the size of the batch to each row."""

    def fold(self, arrays: Mapping[str, NDArray[Any]], points: Points, threads: int = 0) -> Float64:
        return super().fold(arrays, points, threads) + len(points) * 1e-12


class BreaksSnapshot(Broken):
    """Keeps what it knows outside its state."""

    _memory: ClassVar[dict[int, float]] = {}

    def step(self, state: State, points: Points, *, threads: int = 0) -> Float64:
        rows = super().step(state, points, threads=threads) + self._memory.get(id(state), 0.0)
        self._memory[id(state)] = 1.0
        return rows


class BreaksCausal(Broken):
    """Looks at the whole batch before it says anything."""

    def fold(self, arrays: Mapping[str, NDArray[Any]], points: Points, threads: int = 0) -> Float64:
        known = points.values[np.isfinite(points.values)]
        return super().fold(arrays, points, threads) + (known.max() if len(known) else 0.0)


class BreaksEmpty(Broken):
    """Counts batches in its state, empty ones too."""

    def step(self, state: State, points: Points, *, threads: int = 0) -> Float64:
        state.points_seen += len(points) == 0
        return super().step(state, points, threads=threads)


class BreaksSchema(Broken):
    """Has a setting that its schema does not know."""

    @property
    def names(self) -> tuple[str, ...]:  # type: ignore[override]
        return tuple(op.name + (" of old" if self.label else "") for op in self.ops)

    @classmethod
    def from_schema(cls, document: Mapping[str, Any]) -> FeatureSet:
        plain = {"names": [name.removesuffix(" of old") for name in document["names"]]}
        return replace(FeatureSet.from_schema({**document, **plain}), label="")


class BreaksForgets(Broken):
    """Holds on to the greatest value it has seen."""

    def fold(self, arrays: Mapping[str, NDArray[Any]], points: Points, threads: int = 0) -> Float64:
        rows = super().fold(arrays, points, threads)
        for row, span in points.slices():
            most = np.fmax.accumulate(np.r_[arrays["most"][row, 0], points.values[span, 0]])
            arrays["most"][row, 0] = most[-1]
            rows[span, 0] = np.where(np.isnan(rows[span, 0]), np.nan, np.minimum(most[1:], 1e300))
        return rows

    def layout(self) -> dict[str, Field]:
        return super().layout() | {"most": Field("f8", 1, np.nan)}


class BreaksHonest(Broken):
    """Says 0 where nothing is known."""

    def fold(self, arrays: Mapping[str, NDArray[Any]], points: Points, threads: int = 0) -> Float64:
        return np.nan_to_num(super().fold(arrays, points, threads))


class BreaksBounded(Broken):
    """Keeps every value it has ever seen."""

    def step(self, state: State, points: Points, *, threads: int = 0) -> Float64:
        rows = super().step(state, points, threads=threads)
        state.arrays["all"] = np.zeros((state.series, int(state.points_seen.max()) + 100))
        return rows

    def check_state(self, state: State) -> None:
        state.arrays.pop("all", None)


class BreaksUntouched(Broken):
    """Writes into the values that it was given."""

    def fold(self, arrays: Mapping[str, NDArray[Any]], points: Points, threads: int = 0) -> Float64:
        rows = super().fold(arrays, points, threads)
        points.values.flags.writeable = True
        points.values[:1] = 0.0
        return rows


class BreaksByTime(Broken):
    """Counts rows: every point is one slot after the one before."""

    def fold(self, arrays: Mapping[str, NDArray[Any]], points: Points, threads: int = 0) -> Float64:
        times = points.times.copy()
        for row, span in points.slices():
            times[span] = streams.HOUR * (arrays["count"][row, 0] + np.arange(span.stop - span.start))
            arrays["count"][row, 0] += span.stop - span.start
        return super().fold(arrays, Points(times, points.values, points.offsets, points.rows), threads)

    def layout(self) -> dict[str, Field]:
        return super().layout() | {"count": Field("i8", 1)}


@pytest.mark.parametrize("law", sorted(CHECKS))
def test_each_law_catches_the_set_broken_for_it(law: str) -> None:
    broken = {"by_time": BreaksByTime}.get(law) or globals()[f"Breaks{law.capitalize()}"]
    features = broken(("value",), (Family("value"), Family("lags", (1, 4))), label="broken")
    with pytest.raises(AssertionError):
        CHECKS[law](features)
    with pytest.raises(AssertionError, match="breaks law"):
        check_features(features)


def test_a_sound_set_breaks_none() -> None:
    check_features(Broken(("value",), (Family("value"), Family("lags", (1, 4))), label="sound"))


@pytest.mark.parametrize("name", ["value4", "ratios294", "cloudwatch10"])
def test_forged_states_are_refused_or_folded_but_never_crash(name: str) -> None:
    """What a checksum does not tell: numbers that no fold ever wrote."""
    rng = np.random.default_rng(1)
    features = FeatureSet.named(name)
    points = streams.awkward_fleet(60, 3, series=2, dims=len(features.columns))
    extremes = np.array([0, -1, 1, np.iinfo(np.int64).max, np.iinfo(np.int64).min, 7, 1 << 40])
    told = []
    for _ in range(60):
        state = features.start(points.series)
        features.step(state, points)
        marks = state.arrays["marks"]
        where = rng.random(marks.shape) < 0.3
        marks[where] = rng.choice(extremes, int(where.sum()))
        ring = state.arrays["ring"]
        ring[rng.random(ring.shape) < 0.2] = rng.choice([np.inf, -np.inf, 1e308, -0.0, np.nan])
        later = Points(points.times + 10**18, points.values, points.offsets, points.rows)
        try:
            assert not np.isinf(features.step(state, later)).any()
        except StateError as error:
            told.append(str(error))
    assert 0 < len(told) < 60
    assert all("holds what no fold ever wrote" in message for message in told)
