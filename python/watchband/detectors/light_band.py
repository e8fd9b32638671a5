"""Light band: a seasonal band for very many series, small and quick."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from watchband import _kernels
from watchband.core.detector import Detector, Maturity
from watchband.core.params import Among, Choice, Integer, Real, Span, Text, param
from watchband.core.points import Points
from watchband.core.scores import Scores
from watchband.core.state import Field, State
from watchband.features import calendar


@dataclass(frozen=True)
class LightBand(Detector):
    """Distance from the value expected at this hour, in usual distances: ``seasonal_band`` in a sixth of its memory.

    Works for fleets of very many metrics: level, 24 hours of the day, 168 of the week, one lag, a scale for each hour.
    An outage is not learned, a level that stays is adopted. Does not work for edges within an hour, jobs at odd
    minutes, holidays and month ends: ``seasonal_band`` knows those.

    Notes
    -----
    expected = level + hours + hours of the week + lag times the last distance; each table is weighted by what it was
    worth so far. Values beyond the gate (5 scales, more for metrics with bursts) teach nothing but a little of their
    hour, so that what comes every night is expected after some nights.

    References
    ----------
    P. J. Huber, "Robust Estimation of a Location Parameter", Annals of Mathematical Statistics 35, 1964.

    Examples
    --------
    >>> import numpy as np
    >>> from watchband import Points
    >>> at = np.arange(14 * 288)
    >>> values = 100 + 40 * np.sin(2 * np.pi * at / 288) + np.random.default_rng(1).normal(0, 3, len(at))
    >>> values[3500:3572] = 0                                   # an outage of six hours
    >>> detector = LightBand()
    >>> scores = detector.step(detector.start(), Points.of(at * 300_000_000_000, values))
    >>> bool(scores.score[3500:3572].min() > 8), bool(scores.score[3576:].max() < 5)
    (True, True)
    """

    name: ClassVar[str] = "light_band"
    one_kernel: ClassVar[bool] = True
    answers_all: ClassVar[bool] = True
    maturity: ClassVar[Maturity] = "beta"
    memory_tolerance: ClassVar[float] = 0.05
    cost: ClassVar[str] = "O(1) a point; 0.07 µs"

    timezone: str = param(
        "UTC", Text("the name of an IANA time zone"), "Time zone in which hours and days are counted."
    )
    adapt: str = param(
        "auto",
        Choice(("auto", "follow", "hold")),
        "What becomes of a level outside the band: adopted after the hold, adopted at once, or never.",
        search=Among(("auto", "follow", "hold")),
    )
    hold: float = param(
        24.0,
        Real(0),
        "How long a level must stay before it is adopted.",
        unit="hours",
        search=Span(1.0, 96.0, log=True),
    )
    hold_points: int = param(36, Integer(1), "How many points outside it must have, too.", unit="points")
    width: float = param(3.0, Real(0, low_open=True), "Half width of the drawn band.", unit="scales", retunable=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        calendar.zone(self.timezone)

    @property
    def memory_points(self) -> int:
        return 1000

    def layout(self) -> dict[str, Field]:
        core, clock, tables = _kernels.light_band_widths()
        return {
            "core": Field("f8", core),
            "clock": Field("i8", clock, float(np.iinfo(np.int64).min)),
            "tables": Field("f4", tables),
        }

    def _hold(self) -> tuple[float, float]:
        """Seconds and points a level must stay."""
        if self.adapt == "follow":
            return 0.0, 6.0
        return (math.inf if self.adapt == "hold" else self.hold * 3_600.0), float(self.hold_points)

    def _fold(self, state: State, points: Points, scores: Scores, threads: int) -> None:
        _kernels.light_band(
            state.arrays["core"],
            state.arrays["clock"],
            state.arrays["tables"],
            (points.rows, points.offsets, points.times, points.values),
            scores.outputs(),
            calendar.zone(self.timezone),
            self._hold(),
            self.width,
            threads,
        )
