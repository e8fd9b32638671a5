"""Policies of a watch: what of a strange score becomes an alert, and what was done to a single point."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntFlag
from typing import Any

from watchband.core import params
from watchband.core.errors import InvalidParameterError
from watchband.core.params import Among, Choice, Integer, Maybe, Real, param

FINDING = 3.0
"""anomaly_score of a finding that opens an alert directly: out of range, or no data where that is breaching."""


class Event(IntFlag):
    """What policies and the state machine did at one point; several may hold.

    ``DIRECTION``, ``MIN_DEVIATION`` and ``MIN_COUNT`` suppressed a score above 1; ``WAITING``, ``COOLING`` and
    ``MUTED`` kept an alert from opening; ``OUT_OF_RANGE`` and ``BREACHING`` raised; the rest says what became of the
    alert.
    """

    DIRECTION = 1
    MIN_DEVIATION = 2
    MIN_COUNT = 4
    WAITING = 8
    COOLING = 16
    MISSING = 32
    OUT_OF_RANGE = 64
    BREACHING = 128
    OPENED = 256
    ESCALATED = 512
    CLOSED = 1024
    REOPENED = 2048
    ADOPTED = 4096
    TIMED_OUT = 8192
    NO_BAND = 16384
    PATTERN = 32768
    MUTED = 65536
    ENDED = 131072


MEANING = {
    Event.DIRECTION: "on the side that is not watched",
    Event.MIN_DEVIATION: "nearer to the expected value than the minimum deviation",
    Event.MIN_COUNT: "value and expected value are below the minimum count",
    Event.WAITING: "not yet enough points beyond the limit",
    Event.COOLING: "within the cool-down after the last alert",
    Event.MISSING: "no value",
    Event.OUT_OF_RANGE: "outside the logical range",
    Event.BREACHING: "no value, which this watch counts as breaching",
    Event.OPENED: "an alert opened",
    Event.ESCALATED: "the alert escalated",
    Event.CLOSED: "the alert closed",
    Event.REOPENED: "the alert opened again",
    Event.ADOPTED: "the level became the new normal",
    Event.TIMED_OUT: "the alert had been open for the longest time allowed",
    Event.NO_BAND: "no band is drawn here",
    Event.PATTERN: "strange by its pattern, not by its value",
    Event.MUTED: "in a window in which nothing is told",
    Event.ENDED: "the series ended",
}
SUPPRESSED = Event.DIRECTION | Event.MIN_DEVIATION | Event.MIN_COUNT | Event.WAITING | Event.COOLING | Event.MUTED
RAISED = Event.OUT_OF_RANGE | Event.BREACHING


@dataclass(frozen=True)
class MOfN:
    """``(m, n)``: m of the last n points; ``3/5`` on the command line."""

    most: int

    def allows(self, value: object) -> bool:
        if not (isinstance(value, tuple) and len(value) == 2):
            return False
        return all(type(x) is int for x in value) and 1 <= value[0] <= value[1] <= self.most

    def __str__(self) -> str:
        return f"two integers (m, n), written m/n, with 1 <= m <= n <= {self.most}"

    def schema(self) -> dict[str, Any]:
        whole = {"type": "integer", "minimum": 1, "maximum": self.most}
        return {"type": "array", "items": whole, "minItems": 2, "maxItems": 2}

    def read(self, text: str) -> object:
        m, _, n = text.partition("/")
        return int(m), int(n)


@dataclass(frozen=True)
class Policy:
    """What of a strange score becomes an alert.

    Every parameter is part of the shape of ``decide``'s state or of its verdicts; none changes what the detector
    learns. Lengths are counted in judged points, so that a gap does not close an alert.

    Raises
    ------
    InvalidParameterError
        A parameter outside its constraint, or a range whose low end is not below its high end.

    Examples
    --------
    >>> Policy(direction="above", m_of_n=(3, 5)).opening
    '3 of 5 points'
    """

    direction: str = param("both", Choice(("both", "above", "below")), "The side of the band that is watched.")
    min_deviation: float = param(
        0.0,
        Real(0),
        "Points nearer to the expected value than this are not anomalous.",
        unit="the metric's unit",
    )
    min_deviation_relative: float = param(
        0.0,
        Real(0),
        "The same as a share of the absolute expected value; the larger of both counts.",
        search=Among((0.0, 0.02, 0.05, 0.1, 0.2)),
    )
    min_count: float | None = param(
        None, Maybe(Real()), "Points are not judged where value and expected value are both below this."
    )
    range_low: float | None = param(
        None, Maybe(Real()), "Lowest logical value: the band ends here, below is out of range."
    )
    range_high: float | None = param(
        None, Maybe(Real()), "Highest logical value: the band ends here, above is out of range."
    )
    consecutive: int = param(
        1,
        Integer(1, 1000),
        "Points in a row beyond the limit that open an alert.",
        unit="points",
        search=Among((1, 2, 3, 5)),
    )
    m_of_n: tuple[int, int] | None = param(
        None, Maybe(MOfN(1000)), "Points beyond the limit among the last n that open an alert."
    )
    close_after: int = param(
        12, Integer(1, 10_000), "Quiet points in a row after which an alert closes.", unit="points"
    )
    close_level: float = param(0.75, Real(0, 1, low_open=True), "A point is quiet up to this share of the limit.")
    flap_hold: int = param(
        0, Integer(0, 10_000), "A closed alert opens again, as itself, within so many points.", unit="points"
    )
    cool_down: int = param(
        0, Integer(0, 100_000), "No new alert opens for so many points after one has ended.", unit="points"
    )
    max_points: int | None = param(
        None,
        Maybe(Integer(1)),
        "An alert closes after so many points at the latest and opens again only if it gets worse than it was.",
        unit="points",
    )
    level_after: int = param(
        60, Integer(1), "Points beyond the limit after which a value alert is called a level.", unit="points"
    )
    missing: str = param(
        "missing",
        Choice(("missing", "not_breaching", "breaching", "ignore")),
        "What a point without a value is: not judged, quiet, a finding, or not there at all.",
    )

    def __post_init__(self) -> None:
        params.check(self)
        low, high = self.logical_range
        if low >= high:
            raise InvalidParameterError(
                f"The 'range_low' parameter of Policy must be below 'range_high'. Got {low:g} and {high:g}."
            )

    @property
    def logical_range(self) -> tuple[float, float]:
        """Lowest and highest logical value, infinite where there is none."""
        low = -math.inf if self.range_low is None else self.range_low
        high = math.inf if self.range_high is None else self.range_high
        return low, high

    @property
    def opening(self) -> str:
        """What opens an alert, in words; empty for the default of one point."""
        parts = [f"{self.consecutive} consecutive points"] if self.consecutive > 1 else []
        if self.m_of_n and self.m_of_n[1] > 1:
            parts.append(f"{self.m_of_n[0]} of {self.m_of_n[1]} points")
        return " and ".join(parts)


GRADED = frozenset({"seed001"})
"""Detectors whose scores are severities already."""


def growth(points: int, detector: str, policy: Policy) -> float:
    """What lasts weighs more: half as much again after four times the points that make a level, evenly until then."""
    return 1.0 if detector in GRADED else 1.0 + 0.5 * min(1.0, points / (4 * policy.level_after))
