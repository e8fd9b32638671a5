"""How many steps of a query are asked for at once: as many as fit, fewer after a server found it too much."""

from __future__ import annotations

STEPS_MAX = 11_000
"""Prometheus answers no more steps of a series at once."""
FIRST_STEPS = 15
"""Asked for while nobody knows how many series a query has."""
POINTS = 50_000
"""Readings of one answer that are aimed at: some 1.5 MB of JSON."""
_GROW = 4
_TRUST = 32


class Window:
    """The width of the next question, in steps.

    It grows while answers are small, never beyond what their number of readings allows, and is halved when the server
    says that it was too much; from then on it grows back slowly.

    Examples
    --------
    >>> window = Window()
    >>> asked = window.steps(1_000_000)
    >>> window.answered(asked, points=150)
    >>> window.steps(1_000_000), window.steps(7)
    (60, 7)
    """

    def __init__(self) -> None:
        self._steps = FIRST_STEPS
        self._most = STEPS_MAX
        self._good = 0

    def steps(self, left: int) -> int:
        """Steps to ask for now, of ``left`` that are missing."""
        return max(1, min(self._steps, self._most, left))

    def answered(self, asked: int, points: int) -> None:
        """An answer to so many steps held so many readings."""
        if asked < min(self._steps, self._most):
            return
        fits = asked * POINTS // max(1, points)
        self._steps = max(1, min(asked * _GROW, fits, STEPS_MAX))
        self._good += 1
        if self._good >= _TRUST and self._most < STEPS_MAX:
            self._good, self._most = 0, min(STEPS_MAX, 2 * self._most)

    def too_much(self, asked: int, share: int = 2, *, lasting: bool = True) -> bool:
        """So many steps could not be answered at once: ask for a ``share``-th; False where it was one step only.

        ``lasting``: it will not be otherwise soon, so do not come near it again for a while.
        """
        self._good = 0
        if asked <= 1:
            return False
        self._steps = max(1, asked // share)
        if lasting:
            self._most = self._steps
        return True
