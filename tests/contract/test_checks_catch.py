"""Each check of the contract suite catches the detector that was broken for it: a check that cannot fail is none."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from watchband.core.detector import Detector
from watchband.core.params import Integer, param
from watchband.core.points import Points
from watchband.core.scores import Scores
from watchband.core.state import Field, State
from watchband.testing.contracts.detector import CHECKS, check_detector

_calls = itertools.count()


@dataclass(frozen=True)
class Sound(Detector):
    """Distance from the mean of the last eight values, in plain Python; keeps every law."""

    name: ClassVar[str] = "sound"
    tags: ClassVar[frozenset[str]] = frozenset({"shift", "time_shift"})
    window: int = param(8, Integer(2), "Values looked back on.")

    def layout(self) -> dict[str, Field]:
        return {"ring": Field("f8", self.window, np.nan)}

    @property
    def memory_points(self) -> int:
        return self.window

    def _fold(self, state: State, points: Points, scores: Scores, threads: int) -> None:
        for row, span in points.slices():
            for i in range(span.start, span.stop):
                value = points.values[i, 0]
                if np.isfinite(value):
                    scores.score[i] = self.score(state.arrays["ring"][row], value)
                    self.learn(state.arrays["ring"][row], value)

    def score(self, ring: np.ndarray, value: float) -> float:
        return float("nan") if np.isnan(ring).any() else float(abs(value - ring.mean()))

    def learn(self, ring: np.ndarray, value: float) -> None:
        ring[:-1] = ring[1:]
        ring[-1] = value


class BreaksSplit(Sound):
    """Adds the size of the batch to each score."""

    def _fold(self, state: State, points: Points, scores: Scores, threads: int) -> None:
        super()._fold(state, points, scores, threads)
        scores.score[:] += len(points) * 1e-12


class BreaksSnapshot(Sound):
    """Keeps what it knows outside its state."""

    _memory: ClassVar[dict[int, float]] = {}

    def _fold(self, state: State, points: Points, scores: Scores, threads: int) -> None:
        super()._fold(state, points, scores, threads)
        scores.score[:] += self._memory.get(id(state), 0.0)
        self._memory[id(state)] = 1.0


class BreaksCausal(Sound):
    """Looks at the whole batch before it scores the first point."""

    def _fold(self, state: State, points: Points, scores: Scores, threads: int) -> None:
        super()._fold(state, points, scores, threads)
        scores.score[:] += np.nanmax(np.where(np.isfinite(points.values), points.values, 0), initial=0.0)


class BreaksEmpty(Sound):
    """Counts batches in its state, empty ones too."""

    def step(self, state: State, points: Points, *, threads: int = 0) -> Scores:
        state.points_seen += len(points) == 0
        return super().step(state, points, threads=threads)


class BreaksSeeded(Sound):
    """Draws from a generator that nobody seeds."""

    def score(self, ring: np.ndarray, value: float) -> float:
        return super().score(ring, value) + next(_calls) * 1e-9


class BreaksForgets(Sound):
    """Never takes a NaN out again, as a running sum would."""

    def _fold(self, state: State, points: Points, scores: Scores, threads: int) -> None:
        for row, span in points.slices():
            for i in range(span.start, span.stop):
                value = points.values[i, 0]
                known = np.isfinite(value)
                scores.score[i] = self.score(state.arrays["ring"][row], value) if known else np.nan
                self.learn(state.arrays["ring"][row], value if known else np.nan)

    def learn(self, ring: np.ndarray, value: float) -> None:
        if not (np.isnan(ring[-1]) and not np.isnan(ring[0])):
            super().learn(ring, value)


class BreaksHonest(Sound):
    """Says 0 while it does not know."""

    def score(self, ring: np.ndarray, value: float) -> float:
        return -float(abs(value)) if np.isnan(ring).any() else super().score(ring, value)


class BreaksBounded(Sound):
    """Keeps every value it has ever seen."""

    def _fold(self, state: State, points: Points, scores: Scores, threads: int) -> None:
        super()._fold(state, points, scores, threads)
        extra = np.zeros((state.series, len(points)))
        state.arrays["ring"] = np.hstack([extra, state.arrays["ring"]])

    def score(self, ring: np.ndarray, value: float) -> float:
        return super().score(ring[-self.window :], value)


class BreaksUntouched(Sound):
    """Writes into the values it was given."""

    def _fold(self, state: State, points: Points, scores: Scores, threads: int) -> None:
        super()._fold(state, points, scores, threads)
        points.values.flags.writeable = True
        points.values[:1] = 0.0


class BreaksInvariances(Sound):
    """Declares shift and then divides by the level."""

    def score(self, ring: np.ndarray, value: float) -> float:
        return super().score(ring, value) / (1 + abs(float(ring.mean())))


BROKEN = {
    "split": BreaksSplit,
    "snapshot": BreaksSnapshot,
    "causal": BreaksCausal,
    "empty": BreaksEmpty,
    "seeded": BreaksSeeded,
    "forgets": BreaksForgets,
    "honest": BreaksHonest,
    "bounded": BreaksBounded,
    "untouched": BreaksUntouched,
    "invariances": BreaksInvariances,
}


def test_a_sound_detector_passes() -> None:
    check_detector(Sound())


def test_every_check_has_its_broken_detector() -> None:
    assert BROKEN.keys() == CHECKS.keys()


@pytest.mark.parametrize("law", CHECKS)
def test_check_catches(law: str) -> None:
    with pytest.raises(AssertionError):
        CHECKS[law](BROKEN[law]())


def test_a_memory_that_cannot_be_tried_is_said() -> None:
    with pytest.raises(AssertionError, match="are too many to try"):
        check_detector(Sound(window=2_000_000))


def test_the_law_is_named() -> None:
    with pytest.raises(AssertionError, match="BreaksHonest breaks law 'honest'"):
        check_detector(BreaksHonest())
