"""Baselines: what people do without Watchband. A comparison that leaves them out shows nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from watchband.core.detector import Detector
from watchband.core.points import Float64, Int64
from watchband.detectors import RollingZscore
from watchband.evaluation.backtest.contender import Contender
from watchband.evaluation.backtest.outside import Outside
from watchband.pipeline.rules import Cutoff
from watchband.pipeline.watch import Watch

SIGMAS = 3.0
LEARNED = 288
"""Points from which a static threshold is set: a day at five minutes."""


@dataclass(frozen=True)
class StaticThreshold:
    """Limits set once: distance from the mean of the first ``points`` values, in their standard deviations.

    Examples
    --------
    >>> values = np.r_[np.tile([1.0, 3.0], 5), 8.0]
    >>> StaticThreshold(10)(np.arange(11), values)[-1].item()
    6.0
    """

    points: int = LEARNED

    def __call__(self, times: Int64, values: Float64) -> Float64:
        """One score a point, NaN while the limits are being set."""
        scores = np.full(len(values), np.nan)
        known = np.flatnonzero(np.isfinite(values))[: self.points]
        if len(known) < self.points:
            return scores
        first = values[known]
        # A metric that stood still has no spread: whatever moves by a thousandth of its level is outside.
        spread = float(first.std()) or abs(float(first.mean())) / 1000 or 1.0
        after = slice(int(known[-1]) + 1, None)
        scores[after] = np.abs(values[after] - first.mean()) / spread
        return scores

    @property
    def __name__(self) -> str:
        return "static threshold"

    def __repr__(self) -> str:
        return f"StaticThreshold({self.points})"


def baselines(like: Watch) -> list[Contender]:
    """A static threshold and a rolling z-score, both at three sigmas, with the policy and preparation of a watch."""

    def named(name: str, watch: Watch) -> Contender:
        return Contender(name, watch, baseline=True)

    def watch(detector: Detector) -> Watch:
        return Watch(like.name, detector, Cutoff(SIGMAS), like.policy, like.prepare, like.zone)

    return [
        named("static threshold 3 σ", watch(Outside(StaticThreshold()))),
        named("rolling z-score 3 σ", watch(RollingZscore())),
    ]
