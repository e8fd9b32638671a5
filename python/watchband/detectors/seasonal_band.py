"""Seasonal band: the value that is expected now, and how far from it values usually are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from watchband import _kernels
from watchband.core.detector import Detector, Maturity
from watchband.core.errors import InvalidParameterError
from watchband.core.params import Among, Choice, Integer, Maybe, Real, Span, Text, param
from watchband.core.points import Float64, Int64, Points
from watchband.core.scores import Scores
from watchband.core.state import Field, State
from watchband.features import calendar

FOLLOW_POINTS = 6
"""Points after which ``adapt="follow"`` takes a level that stays for the new normal."""

_V1_FAR = 25
"""Place of the far scale among the numbers of a state of version 1."""


@dataclass(frozen=True, slots=True, eq=False)
class Forecast:
    """What is expected of the next points; every array has one element a step.

    Parameters
    ----------
    times : int64[h]
        Nanoseconds since 1970 in UTC.
    expected, lower, upper : float64[h]
        In units of the metric; NaN while the state has no opinion yet.
    """

    times: Int64
    expected: Float64
    lower: Float64
    upper: Float64


@dataclass(frozen=True)
class SeasonalBand(Detector):
    """Distance from the expected value of this moment, in units of the usual distance.

    Works for metrics of people and machines at any interval from seconds to days: with minutes of data it is a robust
    level and scale, with days it knows the hours, with weeks the days of the week. An outage shorter than the hold is
    not learned; a level that stays longer becomes the new normal and is flagged ``ADOPTED`` once. Does not work for
    values whose meaning is their pattern (a heartbeat), or whose season is neither a day nor a week.

    Examples
    --------
    >>> from watchband import Points
    >>> times = np.arange(500) * 300_000_000_000
    >>> values = 10.0 + np.arange(500) % 3
    >>> values[-1] = 30.0
    >>> detector = SeasonalBand()
    >>> scores = detector.step(detector.start(), Points.of(times, values))
    >>> bool(scores.score[-1] > 10), bool(scores.score[100:-1].max() < 3)
    (True, True)
    """

    name: ClassVar[str] = "seasonal_band"
    one_kernel: ClassVar[bool] = True
    state_version: ClassVar[int] = 2
    maturity: ClassVar[Maturity] = "verified"
    memory_tolerance: ClassVar[float] = 0.05
    cost: ClassVar[str] = "O(1) a point, 0.4 µs"

    timezone: str = param(
        "UTC", Text("the name of an IANA time zone"), "Time zone in which hours and days are counted."
    )
    holidays: str | None = param(
        None, Maybe(Text("an ISO 3166 code such as 'IE' or 'US-CA'")), "Country whose public holidays count."
    )
    adapt: str = param(
        "auto",
        Choice(("auto", "follow", "hold")),
        "What becomes of a level outside the band: adopted after the hold, adopted at once, or never.",
        search=Among(("auto", "follow", "hold")),
    )
    hold: float = param(
        24.0,
        Real(0.0),
        "How long a level must stay before it is adopted.",
        unit="hours",
        search=Span(1.0, 96.0, log=True),
    )
    hold_points: int = param(36, Integer(1), "How many points outside it must have, too.", unit="points")
    range_low: float | None = param(None, Maybe(Real()), "Least value the metric can have.", unit="of the metric")
    range_high: float | None = param(None, Maybe(Real()), "Greatest value it can have.", unit="of the metric")
    coverage: float = param(
        0.99,
        Real(0.0, 1.0, low_open=True, high_open=True),
        "Share of usual values inside the band.",
        retunable=True,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        low, high = self._range()
        if low >= high:
            raise InvalidParameterError(
                f"The 'range_low' parameter of SeasonalBand must be < range_high. Got {low:g} and {high:g}."
            )
        calendar.zone(self.timezone)
        self._holidays()

    @property
    def memory_points(self) -> int:
        return 1000

    def layout(self) -> dict[str, Field]:
        core, clock, tables, tail, echo = _kernels.seasonal_band_widths()
        return {
            "core": Field("f8", core),
            "clock": Field("i8", clock, float(np.iinfo(np.int64).min)),
            "tables": Field("f4", tables),
            "tail": Field("f4", tail),
            "echo": Field("f4", echo, np.nan),
        }

    def upgrade(self, state: State) -> State:
        """A state of version 1 knows no ripple, runs of late and worth of the season: they start as in a new one.

        Raises
        ------
        StateVersionError
            The state is not of version 1.
        """
        if state.version != 1:
            return super().upgrade(state)
        core, echo = state.arrays["core"], state.arrays["echo"].view(np.uint32)
        more = np.zeros((state.series, self.layout()["core"].width - core.shape[1]))
        # The scale that the distance from the mean of the last hours cannot exceed.
        more[:, 0] = core[:, _V1_FAR]
        arrays = state.arrays | {
            "core": np.hstack([core, more]),
            # The last bit now says whether a value had been there before.
            "echo": (echo & np.uint32(0xFFFF_FFFE)).view(np.float32),
        }
        return State(
            self.name,
            self.state_version,
            state.fingerprint,
            arrays,
            state.points_seen,
            state.last_time,
            state.libraries,
        )

    def forecast(self, state: State, horizon: int, interval_ns: int, row: int = 0) -> Forecast:
        """Expected values and their intervals at the next ``horizon`` steps of ``interval_ns`` nanoseconds.

        The same fold over points without values: the state given is not moved.

        Raises
        ------
        InvalidParameterError
            ``horizon`` or ``interval_ns`` is less than 1.
        """
        if horizon < 1 or interval_ns < 1:
            raise InvalidParameterError(
                f"A forecast needs horizon >= 1 and interval_ns >= 1. Got {horizon} and {interval_ns}."
            )
        ahead = state.take([row])
        times = int(ahead.last_time[0]) + interval_ns * np.arange(1, horizon + 1, dtype=np.int64)
        scores = self.step(ahead, Points.of(times, np.full(horizon, np.nan)), threads=1)
        return Forecast(times, scores.expected, scores.lower, scores.upper)

    def _range(self) -> tuple[float, float]:
        low = -math.inf if self.range_low is None else self.range_low
        high = math.inf if self.range_high is None else self.range_high
        return low, high

    def _hold(self) -> tuple[float, float]:
        """Seconds and points a level must stay."""
        if self.adapt == "follow":
            return 0.0, float(FOLLOW_POINTS)
        return (math.inf if self.adapt == "hold" else self.hold * 3_600.0), float(self.hold_points)

    def _holidays(self) -> Int64:
        return calendar.holidays(self.holidays) if self.holidays else calendar.none()

    def _fold(self, state: State, points: Points, scores: Scores, threads: int) -> None:
        arrays = state.arrays
        _kernels.seasonal_band(
            arrays["core"],
            arrays["clock"],
            arrays["tables"],
            arrays["tail"],
            arrays["echo"],
            (points.rows, points.offsets, points.times, points.values),
            scores.outputs(),
            calendar.zone(self.timezone),
            self._holidays(),
            self.coverage,
            self._range(),
            self._hold(),
            threads,
        )
