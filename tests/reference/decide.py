"""Policies and the alert state machine, point by point and limit by limit: no envelope, no nudging."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from watchband.pipeline.policy import FINDING, Policy


@dataclass
class Point:
    """One point as decide reads it."""

    time: int
    value: float
    expected: float
    scale: float
    score: float
    above: float
    below: float
    adopted: bool = False
    held: bool = False


def judge(point: Point, policy: Policy) -> tuple[float, bool]:
    """anomaly_score after the policies, and whether the point is a finding."""
    y, e, s = point.value, point.expected, point.score
    if math.isnan(y):
        return {"breaching": (FINDING, True), "not_breaching": (0.0, False)}.get(policy.missing, (math.nan, False))
    if not math.isnan(s):
        wrong = {"above": y < e, "below": y > e, "both": False}[policy.direction]
        floor = policy.min_count
        if wrong or (floor is not None and not y >= floor and not e >= floor):
            s = 0.0
        least = max(policy.min_deviation, policy.min_deviation_relative * abs(e))
        if least > 0 and abs(y - e) <= least:
            s = min(s, abs(y - e) / least)
    low, high = policy.logical_range
    if y < low or y > high:
        return (FINDING if math.isnan(s) else max(s, FINDING)), True
    return s, False


@dataclass
class Incident:
    """An alert of the reference."""

    opened: int
    decided: int
    closed: int | None = None
    points: int = 0
    peak_time: int = 0
    score: float = -1.0
    adopted: bool = False


@dataclass
class Machine:
    """The state machine at one limit, written as people would say it."""

    policy: Policy
    limit: float = 1.0
    scores: list[float] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    judged: list[float] = field(default_factory=list)
    incident: Incident | None = None
    is_open: bool = False
    lapsed: int = 0
    timed_out: bool = False
    cool: int = 0
    ended: int = -(2**63)
    adopted_before: bool = False
    incidents: list[Incident] = field(default_factory=list)

    def raised(self, finding: bool) -> float:
        """The highest limit that the last points exceed together."""
        p = self.policy
        last = [-1.0] * p.consecutive + self.scores
        least = min(last[-p.consecutive :])
        if p.m_of_n:
            m, n = p.m_of_n
            least = min(least, sorted(([-1.0] * n + self.scores)[-n:], reverse=True)[m - 1])
        return max(least, self.scores[-1]) if finding else least

    def quiet(self, points: int) -> bool:
        """Whether all of the last points were quiet."""
        return all(s / self.policy.close_level <= self.limit for s in self.judged[-points:])

    def step(self, point: Point) -> tuple[bool, bool]:
        """Fold a point; returns (an alert opened, an alert is active afterwards)."""
        rising = point.adopted and not self.adopted_before
        self.adopted_before = point.adopted
        score, finding = judge(point, self.policy)
        if rising:
            self.scores, self.times, self.judged = [], [], []
            if self.incident:
                self.incident.adopted = True
                self.end(point.time)
            return False, False
        if math.isnan(score):
            if math.isnan(point.value) and self.policy.missing == "missing":
                self.scores.append(-1.0)
                self.times.append(point.time)
            return False, self.incident is not None
        self.scores.append(score)
        self.times.append(point.time)
        # While the detector holds back learning, an alert that is active stays so.
        self.judged.append(math.inf if point.held and self.incident else score)
        raised = self.raised(finding)
        if self.incident is None:
            if self.cool > 0:
                self.cool -= 1
                return False, False
            if raised <= self.limit:
                return False, False
            self.open(point.time)
            self.count(score, point.time, always=True)
            self.keep(point.time, raised)
            return True, self.incident is not None
        if raised > self.incident.score:  # worse than it ever was
            self.timed_out, self.lapsed = False, 0
        self.count(score, point.time, always=point.held and score > self.policy.close_level * self.limit)
        self.keep(point.time, raised)
        return False, self.incident is not None

    def open(self, time: int) -> None:
        n = max(self.policy.consecutive, self.policy.m_of_n[1] if self.policy.m_of_n else 1)
        earlier = [
            t for s, t in zip(self.scores[-n:-1], self.times[-n:-1], strict=True) if s > self.limit and t > self.ended
        ]
        self.incident = Incident(min([*earlier, time]), time, points=len(earlier))
        self.incidents.append(self.incident)
        self.is_open, self.timed_out, self.lapsed = True, False, 0

    def count(self, score: float, time: int, always: bool) -> None:
        assert self.incident
        if score > self.limit or always:
            self.incident.points += 1
            if score > self.incident.score:
                self.incident.score, self.incident.peak_time = score, time

    def keep(self, time: int, raised: float) -> None:
        assert self.incident
        p = self.policy
        up = raised > self.limit
        if self.quiet(p.close_after + p.flap_hold) and not up:
            self.end(time)
            return
        self.lapsed += 1
        if p.max_points and self.lapsed > p.max_points:
            self.timed_out = True
        wanted = not self.timed_out and (up or (self.is_open and not self.quiet(p.close_after)))
        if self.is_open and not wanted:
            self.incident.closed, self.is_open = time, False
        elif wanted and not self.is_open:
            self.incident.closed, self.is_open, self.lapsed = None, True, 1

    def end(self, time: int) -> None:
        assert self.incident
        if self.is_open:
            self.incident.closed = time
        self.incident, self.is_open = None, False
        self.ended, self.cool = time, self.policy.cool_down
