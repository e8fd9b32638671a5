"""Alerts: what is told to people, and its lasting identity."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass
from typing import Any, Literal

from watchband.core.series import SeriesKey

Kind = Literal["value", "level", "pattern", "variance", "out of range", "no data", "stuck", "drift", "breach"]
Severity = Literal["critical", "warning", "info"]
Direction = Literal["above", "below", ""]


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A threshold, and when it is or was reached.

    Parameters
    ----------
    threshold : float
        In units of the metric.
    time, earliest, latest : int or None
        The middle and the ends of the interval of that time, ns UTC; None beyond what is looked at.
    level : float
        Of the interval.
    """

    threshold: float
    time: int | None
    earliest: int | None
    latest: int | None
    level: float

    @property
    def reached(self) -> bool:
        """Whether it has been: then the time is no guess."""
        return self.time is not None and self.time == self.earliest == self.latest


def alert_id(series: SeriesKey, watch: str, opened: int) -> str:
    """Hash of series, watch and event time of the first point of the opening run: 16 hexadecimal digits."""
    text = f"{series}\n{watch}\n{opened}".encode()
    return hashlib.blake2b(text, digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class Alert:
    """One incident of one series under one watch.

    Parameters
    ----------
    id : str
        ``alert_id``; never recomputed.
    series, watch, detector : SeriesKey, str, str
        Where it was seen, under which rules, by which detector.
    kind : str
        What is strange: a value outside its band, a level, no data, …
    severity : str
        ``critical`` (3 or more), ``warning`` (1.5 or more) or ``info``, by the peak's anomaly_score times the weight of
        the watch, and up to half as much again for what lasts.
    opened, decided : int
        Event time (ns UTC) of the first point of the opening run, and of the point at which it was decided.
    closed : int or None
        Event time at which it ended; None while it is open.
    peak_time, value, expected, lower, upper : int and floats
        The strangest point so far with what was expected there, in units of the metric; NaN if not known.
    widths : float
        Distance beyond the nearer edge of the band, in band widths, at the peak; NaN without a band.
    direction : str
        ``above``, ``below`` or empty.
    anomaly_score, confidence : float
        At the peak: above 1 is anomalous; confidence 0-1 says how much history the verdict rests on.
    points : int
        Points beyond the limit so far, and those that the detector holds and that are not quiet.
    reason : str
        One sentence for people.
    policies : tuple of str
        Policies that raised or shaped the alert.
    adopted : bool
        The level stayed longer than the hold and became the new normal.
    members : tuple of str
        The members of an ensemble that saw it at its opening; empty for a single detector.
    foreseen : Foreseen, optional
        Of a predicted breach: the threshold, and when it is reached.
    features : tuple of (str, float)
        Of a detector that looks at several features: those that made the point strange at which it began, and their
        shares of the score, the largest first.
    """

    id: str
    series: SeriesKey
    watch: str
    detector: str
    kind: Kind
    severity: Severity
    opened: int
    decided: int
    closed: int | None
    peak_time: int
    value: float
    expected: float
    lower: float
    upper: float
    widths: float
    direction: Direction
    anomaly_score: float
    confidence: float
    points: int
    reason: str
    policies: tuple[str, ...] = ()
    adopted: bool = False
    members: tuple[str, ...] = ()
    foreseen: Foreseen | None = None
    features: tuple[tuple[str, float], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON: the series as text, times as int64 ns, NaN as None."""
        result = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        result["series"] = str(self.series)
        result["policies"] = list(self.policies)
        result["members"] = list(self.members)
        # What most alerts have nothing of stands in those that have.
        del result["foreseen"], result["features"]
        if self.features:
            result["features"] = [{"name": name, "share": share} for name, share in self.features]
        if self.foreseen is not None:
            result["foreseen"] = dataclasses.asdict(self.foreseen)
        return {k: None if isinstance(v, float) and v != v else v for k, v in result.items()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Alert:
        """The inverse of ``to_dict``."""
        floats = ("value", "expected", "lower", "upper", "widths", "anomaly_score", "confidence")
        values = dict(data) | {k: float("nan") for k in floats if data[k] is None}
        values["series"] = SeriesKey.parse(data["series"])
        values["policies"] = tuple(data["policies"])
        values["members"] = tuple(data.get("members", ()))
        values["features"] = tuple((f["name"], f["share"]) for f in data.get("features", ()))
        foreseen = data.get("foreseen")
        values["foreseen"] = Foreseen(**foreseen) if foreseen else None
        return cls(**values)


def severity_of(anomaly_score: float) -> Severity:
    """Severity by the peak's anomaly_score, weighed as the watch wants it."""
    return "critical" if anomaly_score >= 3 else "warning" if anomaly_score >= 1.5 else "info"


def is_news(before: Alert | None, now: Alert) -> bool:
    """Whether an alert that changed is to be delivered: it is new, ended, opened again or became something else.

    A growing count of points alone is not: it is stored, and told with the next change that matters.
    """
    if before is None:
        return True
    told = ("closed", "severity", "kind", "adopted")
    return any(getattr(before, name) != getattr(now, name) for name in told)


def is_told(before: Alert | None, revision: int, now: Alert) -> bool:
    """Whether people are told of a change: it is news, or goes on and they never heard of it.

    ``revision`` counts what they were told of the alert so far. The end of what they never heard of is no news.
    """
    if before is not None and revision == 0:
        return now.closed is None
    return is_news(before, now)
