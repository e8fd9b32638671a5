"""Attribution: which values of a shingle make it strange, and in which direction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from watchband.core.points import Float64


@dataclass(frozen=True, slots=True, eq=False)
class Attribution:
    """Which values of each shingle make it strange.

    Parameters
    ----------
    high, low : float64[n, shingle, dims]
        The share of the score that is due to a value above, and below, what was seen: newest point of the shingle last.
        All shares of a point together are its score.
    timed : bool, default False
        The last value is the time.
    """

    high: Float64
    low: Float64
    timed: bool = False

    def strongest(self, index: int) -> tuple[int, int, str, float]:
        """For one point: how many points ago, which value, HIGH or LOW, and its share of the whole (0 to 1)."""
        both = np.stack([self.high[index], self.low[index]])
        way, place, dim = np.unravel_index(int(np.argmax(both)), both.shape)
        share = float(both[way, place, dim] / both.sum())
        return both.shape[1] - 1 - int(place), int(dim), ("HIGH", "LOW")[int(way)], share

    def payload(self, index: int, names: Sequence[str] | None = None) -> dict[str, dict[str, str | float]]:
        """For one point, by value: DIRECTION, STRENGTH and ATTRIBUTION_SCORE, over all points of its shingle.

        Parameters
        ----------
        index : int
            Which point of the batch.
        names : sequence of str, optional
            Of the values of a point; ``"value"`` or ``"value_0"`` and so on if none, ``"time"`` for the time.

        Returns
        -------
        dict of str to dict
            ``ATTRIBUTION_SCORE`` is what the value has in the score, ``DIRECTION`` is HIGH or LOW, whichever has more
            of it, ``STRENGTH`` by how much more, 0 where both have the same: the shape of the records of the retired
            ``RANDOM_CUT_FOREST_WITH_EXPLANATION`` of Kinesis Data Analytics.
        """
        high, low = (side[index].sum(axis=0) for side in (self.high, self.low))
        count = len(high) - self.timed
        told = list(names or (["value"] if count == 1 else [f"value_{k}" for k in range(count)]))
        told += ["time"] * self.timed
        return {
            name: {
                "DIRECTION": "HIGH" if up > down else "LOW",
                "STRENGTH": abs(up - down),
                "ATTRIBUTION_SCORE": up + down,
            }
            for name, up, down in zip(told, high.tolist(), low.tolist(), strict=True)
        }
