"""Breach: a stage that tells before a threshold is reached, as a fold over points."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from watchband.core import params
from watchband.core.duration import DAY, MINUTE
from watchband.core.errors import InvalidParameterError
from watchband.core.fold import Fold, fingerprint
from watchband.core.kinds import Duration
from watchband.core.params import Maybe, Real, param
from watchband.core.points import Points
from watchband.core.state import Field, State
from watchband.pipeline.breach.foresee import RING, STEPS, foresee
from watchband.pipeline.breach.passage import Passage

NEVER = int(np.iinfo(np.int64).min)
WITHIN_MIN, WITHIN_MAX = STEPS * MINUTE, 60 * DAY
RELEASE = 0.5
"""Share of the confidence below which an alert is over."""
SOON = 2
"""Stretches before the threshold within which a warning becomes critical."""
_BUCKET, _OPENED, _REACHED, _NOW = range(4)
_EXTREME, _VALUE, _TIME, _LOW, _HIGH, _CHANCE = range(6)


@dataclass(frozen=True, slots=True)
class BreachFound:
    """An alert of this stage in its last version; times in ns UTC, ``NEVER`` where there is none.

    Parameters
    ----------
    row : int
        State row.
    opened : int
        When it was foreseen first, or when the threshold was reached.
    reached, closed : int
        When the threshold was reached; when the alert ended.
    now : int
        The moment of which the rest speaks.
    value : float
        The last value.
    passage : Passage
        When it is reached, in stretches from ``now``.
    """

    row: int
    opened: int
    reached: int
    closed: int
    now: int
    value: float
    passage: Passage


@dataclass(frozen=True)
class Breach(Fold):
    """Tells when a series will probably reach a threshold, so that there is time to act.

    The time ``within`` is divided into 24 stretches; of each the highest value (lowest, for ``below``) is kept, for
    168 of them. With the first point behind each stretch the future is looked at, see ``foresee``. The alert opens
    where the threshold is reached within the time with at least ``confidence``, or was reached unforeseen; it is over
    below half of that chance, and not while values are beyond the threshold. 58 stretches, some two and a half times
    ``within``, have to be seen before the first opinion.

    State: 1.5 kB a series. Cost: some 10 ns a point, and 1 to 3 ms a series and stretch where a breach is possible.

    Examples
    --------
    >>> from watchband.core.points import Points
    >>> breach = Breach(above=95.0, within=DAY)
    >>> state, hours = breach.start(1), np.arange(24 * 10)
    >>> found = breach.step(state, Points.of(hours * 3_600_000_000_000, 70 + 0.1 * hours))
    >>> len({one.opened for one in found}), found[0].passage.chance
    (1, 1.0)
    """

    name: ClassVar[str] = "breach"

    above: float | None = param(None, Maybe(Real()), "Told before a value is at or above this.", unit="of the metric")
    below: float | None = param(None, Maybe(Real()), "Told before a value is at or below this.", unit="of the metric")
    within: int = param(3 * DAY, Duration(WITHIN_MIN, WITHIN_MAX), "How far ahead is looked.")
    confidence: float = param(0.9, Real(0.5, 0.99), "Chance of reaching it within the time that opens an alert.")
    level: float = param(0.9, Real(0.5, 0.99), "Share of the interval that is told with the time.")

    def __post_init__(self) -> None:
        params.check(self)
        if (self.above is None) == (self.below is None):
            raise InvalidParameterError(
                "A 'breach' has one threshold, 'above' or 'below'. Got "
                f"{'neither' if self.above is None else f'{self.above:g} and {self.below:g}'}."
            )

    @cached_property
    def fingerprint(self) -> str:
        """Of the name and all parameters."""
        return fingerprint(self.name, params.values_of(self))

    @property
    def threshold(self) -> float:
        """The value that must not be reached."""
        return float(self.above if self.above is not None else self.below or 0.0)

    @property
    def side(self) -> int:
        """1: reached from below, -1: from above."""
        return 1 if self.above is not None else -1

    @property
    def width(self) -> int:
        """Length of a stretch, ns."""
        return self.within // STEPS

    @property
    def _season(self) -> int:
        return DAY // self.width if DAY % self.width == 0 else 0

    def layout(self) -> dict[str, Field]:
        """The arrays of one series."""
        return {
            "ring": Field("f8", RING, np.nan),
            "moments": Field("i8", 4, float(NEVER)),
            "told": Field("f8", 6, np.nan),
        }

    def step(self, state: State, points: Points, *, muted: NDArray[np.bool_] | None = None) -> list[BreachFound]:
        """Fold a batch; ``state`` is moved on in place.

        Parameters
        ----------
        state : State
            From ``start``, ``load`` or an earlier step.
        points : Points
            One value a point; NaN says nothing.
        muted : bool[n], optional
            Points at which no alert opens.

        Returns
        -------
        list of BreachFound
            Every change, in the order in which it came up within each series.
        """
        self.check_state(state)
        found: list[BreachFound] = []
        for row, where in points.slices():
            times, values = points.times[where], points.values[where, 0]
            mute = np.zeros(len(times), bool) if muted is None else muted[where]
            buckets = times // self.width
            cuts = np.flatnonzero(np.diff(buckets)) + 1
            for part in np.split(np.arange(len(times)), cuts):
                if len(part):
                    here = slice(int(part[0]), int(part[-1]) + 1)
                    found += self._enter(state, row, int(buckets[part[0]]), int(times[part[0]]), bool(mute[part[0]]))
                    found += self._within(state, row, times[here], values[here], mute[here])
            state.points_seen[row] += len(times)
            if len(times):
                state.last_time[row] = times[-1]
        return found

    def _enter(self, state: State, row: int, bucket: int, time: int, mute: bool) -> list[BreachFound]:
        """Points of a new stretch begin: the one before is complete, and the future is looked at."""
        moments, told, ring = (state.arrays[name][row] for name in ("moments", "told", "ring"))
        before = int(moments[_BUCKET])
        if before == bucket:
            return []
        moments[_BUCKET] = bucket
        if before == NEVER:
            return []
        gone = min(bucket - before, RING)
        ring[: RING - gone] = ring[gone:].copy()
        ring[RING - gone :] = np.nan
        ring[RING - gone] = told[_EXTREME] if bucket - before <= RING else np.nan
        safe = not self._beyond(told[_EXTREME])
        told[_EXTREME] = np.nan
        seen = foresee(ring, self.threshold, self.side, self.level, self._season) if gone == 1 else None
        if seen is not None:
            told[_TIME : _CHANCE + 1] = seen.steps, seen.low, seen.high, seen.chance
        moments[_NOW] = time
        return self._decide(state, row, time, seen, safe, mute)

    def _decide(
        self, state: State, row: int, time: int, seen: Passage | None, safe: bool, mute: bool
    ) -> list[BreachFound]:
        moments = state.arrays["moments"][row]
        is_open, reached = moments[_OPENED] != NEVER, moments[_REACHED] != NEVER
        chance = seen.chance if seen is not None else math.nan
        if not is_open:
            if mute or not chance >= self.confidence or not safe:
                return []
            moments[_OPENED], moments[_REACHED] = time, NEVER
            return [self._found(state, row, NEVER)]
        likely = chance >= RELEASE * self.confidence
        if (reached and safe and not likely) or (not reached and seen is not None and not likely):
            return [self._close(state, row, time)]
        return [self._found(state, row, NEVER)] if seen is not None and not reached else []

    def _within(
        self, state: State, row: int, times: np.ndarray, values: np.ndarray, mute: np.ndarray
    ) -> list[BreachFound]:
        """Points of one stretch: its extreme, and whether the threshold is reached."""
        moments, told = state.arrays["moments"][row], state.arrays["told"][row]
        known = np.flatnonzero(np.isfinite(values))
        if not len(known):
            return []
        extreme = float(values[known].max() if self.side > 0 else values[known].min())
        if not told[_EXTREME] * self.side >= extreme * self.side:
            told[_EXTREME] = extreme
        told[_VALUE] = values[known[-1]]
        if moments[_REACHED] != NEVER:
            return []
        beyond = known[self.side * values[known] >= self.side * self.threshold]
        if moments[_OPENED] == NEVER:
            beyond = beyond[~mute[beyond]]
        if not len(beyond):
            return []
        at = int(times[beyond[0]])
        if moments[_OPENED] == NEVER:
            moments[_OPENED] = at
            told[_TIME : _CHANCE + 1] = math.nan
        moments[_REACHED] = moments[_NOW] = at
        # The value of the moment that is told, however the stream is cut.
        last, told[_VALUE] = told[_VALUE], values[beyond[0]]
        found = self._found(state, row, NEVER)
        told[_VALUE] = last
        return [found]

    def _beyond(self, value: float) -> bool:
        return bool(self.side * value >= self.side * self.threshold)

    def _close(self, state: State, row: int, time: int) -> BreachFound:
        found = self._found(state, row, time)
        state.arrays["moments"][row, [_OPENED, _REACHED]] = NEVER
        return found

    def end(self, state: State, rows: list[int], time: int) -> list[BreachFound]:
        """These series have ended: their open alerts are closed."""
        return [
            self._close(state, row, max(time, int(state.arrays["moments"][row, _OPENED])))
            for row in rows
            if state.arrays["moments"][row, _OPENED] != NEVER
        ]

    def told(self, state: State) -> list[tuple[int, int]]:
        """State rows whose alert is open, and when it opened, ns UTC."""
        opened = state.arrays["moments"][:, _OPENED]
        rows = np.flatnonzero(opened != NEVER)
        return list(zip(rows.tolist(), opened[rows].tolist(), strict=True))

    def _found(self, state: State, row: int, closed: int) -> BreachFound:
        moments, told = state.arrays["moments"][row], state.arrays["told"][row]
        steps, low, high, chance = told[_TIME : _CHANCE + 1].tolist()
        # It is reached somewhere within a stretch: between its beginning and its end.
        seen = Passage(self.threshold, self.side, steps - 0.5, low - 1, high, chance, self.level, STEPS)
        return BreachFound(
            row, int(moments[_OPENED]), int(moments[_REACHED]), closed, int(moments[_NOW]), float(told[_VALUE]), seen
        )
