"""The hold: rows that stand out are not learned until what they belong to has stayed for long."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchband.core.points import Float64, Int64
from watchband.core.scores import ADOPTED, HELD
from watchband.core.state import Field, State

CALM = 12
"""Usual rows in turn after which what stood out is over."""
SURE = 3
"""Rows that stand out before they are more than single ones, which calibrate judges itself."""
SPELLS = 8
"""The last spells of which it is kept when they were, and what led to them."""
LEADS = 3
"""Features that are named of a spell."""
_OPEN = 0
_FAR = 1 << 40


def limits_of(scores: Float64, odd: float) -> Float64:
    """The scores above which a row goes on standing out, and stands out, by those of a window: float64[2].

    Up to a quarter of the window may stand out already.

    Examples
    --------
    >>> limits_of(np.array([1.0, 1.0, 2.0, 3.0, 90.0]), 6.0)
    array([5., 8.])
    """
    known = scores[~np.isnan(scores)]
    if not len(known):
        return np.full(2, np.inf)
    middle, upper = np.quantile(known, (0.5, 0.75))
    if upper > middle:
        return np.array([middle + 0.5 * odd * (upper - middle), middle + odd * (upper - middle)])
    # Where most rows are equal, quartiles know no unit: nothing of the window stands out.
    return np.full(2, known.max())


@dataclass(frozen=True)
class Hold:
    """A spell begins with a row that stands out and ends after ``CALM`` usual ones.

    Its rows that stand out are held until it has lasted ``length`` nanoseconds and had ``points`` of them: from then on
    they are learned, for the level is the new normal. After ``SURE`` of them the lower limit is enough, and calibrate
    is told.
    """

    length: int
    points: int

    def layout(self) -> dict[str, Field]:
        return {
            "spell": Field("i8", 5),
            "spells": Field("i8", 2 * SPELLS, float(np.iinfo(np.int64).min)),
            "leads": Field("f8", 2 * LEADS * SPELLS, np.nan),
        }

    def step(
        self, state: State, row: int, times: Int64, scores: Float64, limits: Float64, flags: Float64
    ) -> tuple[NDArray[np.bool_], list[tuple[int, int]]]:
        """Which rows are held, and which begin a spell, with its place; ``flags`` are told of more than single rows."""
        held, begun = np.zeros(len(times), bool), []
        spell, spells = state.arrays["spell"][row], state.arrays["spells"][row].reshape(SPELLS, 2)
        # NaN compares as false: a missing row neither stands out nor calms.
        if not spell[_OPEN] and not (scores > limits[1]).any():
            return held, []
        # No spell counts so far: a count beyond it was written by nobody, and must not overflow here.
        open_, since, odd, calm, count = (
            int(np.clip(n, -_FAR, _FAR)) if k != 1 else int(n) for k, n in enumerate(spell)
        )
        lower, upper = limits.tolist()
        for i, (moment, score) in enumerate(zip(times.tolist(), scores.tolist(), strict=True)):
            if score > (lower if open_ and odd >= SURE else upper):
                if not open_:
                    open_, since, odd, count = 1, moment, 0, count + 1
                    begun.append((i, count % SPELLS))
                    spells[count % SPELLS, 0] = moment
                odd, calm = odd + 1, 0
                spells[count % SPELLS, 1] = moment
                if open_ == 1 and odd > self.points and moment - since >= self.length:
                    open_, flags[i] = 2, ADOPTED
                elif open_ == 1:
                    held[i] = True
                    flags[i] = HELD if odd >= SURE else 0
            elif open_ and score == score:  # NaN is not itself
                calm += 1
                open_ = 0 if calm >= CALM else open_
        spell[:] = open_, since, odd, calm, count
        return held, begun

    def note(self, state: State, row: int, place: int, shares: Float64) -> None:
        """Keep which features led to a spell: float64[k] of shares."""
        order = np.argsort(-np.nan_to_num(shares), kind="stable")[:LEADS]
        lead = np.full((LEADS, 2), np.nan)
        lead[: len(order)] = np.stack([order, shares[order]], axis=1)
        state.arrays["leads"][row].reshape(SPELLS, 2 * LEADS)[place] = lead.reshape(-1)

    def leads(self, state: State, row: int, opened: int, decided: int) -> list[tuple[int, float]]:
        """Features, by number, that led to the last spell that reaches into these times, and their shares."""
        spells = state.arrays["spells"][row].reshape(SPELLS, 2)
        there = np.flatnonzero((spells[:, 0] <= decided) & (spells[:, 1] >= opened))
        if not len(there):
            return []
        place = there[np.argmax(spells[there, 0])]
        lead = state.arrays["leads"][row].reshape(SPELLS, LEADS, 2)[place]
        return [(int(number), float(share)) for number, share in lead.tolist() if share > 0]
