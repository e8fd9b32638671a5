"""Explain: the sentence of an alert, and why a single point was judged as it was."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from watchband.core import wording
from watchband.core.alert import Alert, Direction, Kind, alert_id, severity_of
from watchband.core.errors import ConfigError
from watchband.core.levels import level_name
from watchband.core.scores import ADOPTED, HELD, WARMING
from watchband.core.series import SeriesKey
from watchband.pipeline.decide import NEVER, Record
from watchband.pipeline.policy import MEANING, RAISED, SUPPRESSED, Event, Policy, growth
from watchband.pipeline.results import Results


@dataclass(frozen=True, slots=True)
class Context:
    """What the wording of an alert depends on besides the alert: names, policy, time zone, members."""

    watch: str
    detector: str
    policy: Policy
    zone: str = "UTC"
    members: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    weight: float = 1.0


def band_widths(value: float, lower: float, upper: float, expected: float) -> float:
    """Distance beyond the nearer edge in widths of the band; NaN without a band.

    A band with one side is taken as wide as twice the distance from its edge to the expected value.
    """
    if math.isfinite(lower) and math.isfinite(upper):
        width = upper - lower
    else:
        width = 2 * abs((upper if math.isfinite(upper) else lower) - expected)
    beyond = max(value - upper if value > upper else 0.0, lower - value if value < lower else 0.0)
    return beyond / width if width > 0 else math.nan


def alert_of(record: Record, key: SeriesKey, context: Context, leads: tuple[tuple[str, float], ...] = ()) -> Alert:
    """The alert that people see of a record of ``decide``; ``leads`` are the features that made it strange."""
    side: Direction = "above" if record.side > 0 else "below" if record.side < 0 else ""
    adopted = bool(record.events & Event.ADOPTED)
    kind = _kind(record, adopted, context.policy)
    weight = growth(record.points, context.detector, context.policy)
    return Alert(
        id=alert_id(key, context.watch, record.opened),
        series=key,
        watch=context.watch,
        detector=context.detector,
        kind=kind,
        severity=severity_of(context.weight * record.anomaly_score * weight),
        opened=record.opened,
        decided=record.decided,
        closed=None if record.closed == NEVER else record.closed,
        peak_time=record.peak_time,
        value=record.value,
        expected=record.expected,
        lower=record.lower,
        upper=record.upper,
        widths=band_widths(record.value, record.lower, record.upper, record.expected),
        direction=side,
        anomaly_score=record.anomaly_score,
        confidence=record.confidence,
        points=record.points,
        reason="".join(text for text, _ in sentence(record, kind, key, context)) + _led(leads),
        policies=_policies(record, context.policy),
        adopted=adopted,
        members=_members(record, context),
        features=leads,
    )


def _led(leads: tuple[tuple[str, float], ...]) -> str:
    """A sentence on the features that have a part worth telling."""
    told = [f"{name} {wording.number(100 * share, 2)}{wording.NO_BREAK}%" for name, share in leads if share >= 0.1]
    return f" What made it strange: {wording.listed(told)}." if told else ""


def _members(record: Record, context: Context) -> tuple[str, ...]:
    return tuple(name for k, name in enumerate(context.members) if record.members >> k & 1)


def _kind(record: Record, adopted: bool, policy: Policy) -> Kind:
    if record.events & Event.BREACHING:
        return "no data"
    if record.events & Event.OUT_OF_RANGE:
        return "out of range"
    if adopted or (record.points >= policy.level_after and not record.events & Event.NO_BAND):
        return "level"
    return "pattern" if record.events & (Event.NO_BAND | Event.PATTERN) else "value"


def _policies(record: Record, policy: Policy) -> tuple[str, ...]:
    words = [policy.opening] if policy.opening else []
    words += ["out of range"] if record.events & Event.OUT_OF_RANGE else []
    words += ["missing data is breaching"] if record.events & Event.BREACHING else []
    words += ["series ended"] if record.events & Event.ENDED else []
    words += ["longest time open"] if record.events & Event.TIMED_OUT else []
    return tuple(words)


Parts = list[tuple[str, bool]]
"""Pieces of a sentence and whether each is set in bold."""


def sentence(record: Record, kind: Kind, key: SeriesKey, context: Context) -> Parts:
    """What came, what was expected, how far out, how long, since when, seen by which detector."""
    name, is_ = str(key), "is" if record.closed == NEVER else "was"
    if (level := level_name(key.metric, record.value)) is not None and kind != "no data":
        since = wording.moment(record.opened, context.zone, record.last_time)
        return [(f"{name} {is_} ", False), (level, True), (f" {'since' if is_ == 'is' else 'from'} {since}.", False)]
    first = {"level": _level, "no data": _no_data, "pattern": _pattern, "out of range": _range}.get(kind, _value)
    parts = first(record, name, is_, key.metric, context)
    spoke = wording.listed(_members(record, context))
    seen_by = f"{context.detector}: {spoke}" if spoke else context.detector
    parts.append((f" {_strength(record)}{_since(record, context)}, seen by {seen_by}.", False))
    if record.confidence < 0.5:
        share = f"{wording.number(100 * record.confidence, 2)}{wording.NO_BREAK}%"
        parts.append((f" Little history so far: confidence {share}.", False))
    if record.events & Event.ADOPTED:
        parts.append((" The level stayed and is the new normal.", False))
    return parts


def _texts(metric: str, values: list[float]) -> tuple[list[str], str]:
    # Beside numbers ten thousand times as large, what is left of a sum is 0.
    most = max((abs(v) for v in values if math.isfinite(v)), default=0.0)
    texts, sign = wording.quantities(metric, [0.0 if abs(v) < 1e-4 * most else v for v in values])
    return [t if math.isfinite(v) else "" for t, v in zip(texts, values, strict=True)], sign


def _value(record: Record, name: str, is_: str, metric: str, context: Context) -> Parts:
    (value, low, high), sign = _texts(metric, [record.value, record.lower, record.upper])
    bold = wording.with_unit(value, sign)
    edges = [abs(edge) for edge in (record.lower, record.upper) if math.isfinite(edge)]
    if edges and abs(record.value) >= 50 * max(edges):
        # In the value's unit the band would be a row of zeros: it gets its own.
        (low, high), sign = _texts(metric, [record.lower, record.upper])
    expected = f"; expected {wording.span(low, high, sign)}." if low or high else "."
    return [(f"{name} {is_} ", False), (bold, True), (expected, False)]


def _level(record: Record, name: str, is_: str, metric: str, context: Context) -> Parts:
    (mean, before), sign = _texts(metric, [record.mean, record.before])
    when = wording.moment(record.opened, context.zone, record.last_time)
    stayed, since = ("has stayed", "since") if is_ == "is" else ("stayed", "from")
    old = f"; before, near {wording.with_unit(before, sign)}." if before else "."
    return [(f"{name} {stayed} near ", False), (wording.with_unit(mean, sign), True), (f" {since} {when}{old}", False)]


def _pattern(record: Record, name: str, is_: str, metric: str, context: Context) -> Parts:
    (value, expected), sign = _texts(metric, [record.value, record.expected])
    bold = wording.with_unit(value, sign)
    instead = f" instead of {wording.with_unit(expected, sign)}" if expected else ""
    return [
        (f"{name} {is_} ", False),
        (bold, True),
        (f"{instead}; {_meaning(record, context)}.", False),
    ]


def _meaning(record: Record, context: Context) -> str:
    """What the first of the members that spoke says; the band's own member has nothing to say within the band."""
    for k, clause in enumerate(context.says):
        if k and record.members >> k & 1:
            return clause
    return "its course does not fit what it usually does"


def _range(record: Record, name: str, is_: str, metric: str, context: Context) -> Parts:
    low, high = context.policy.logical_range
    (value, least, most), sign = _texts(metric, [record.value, low, high])
    bold = wording.with_unit(value, sign)
    return [(f"{name} {is_} ", False), (bold, True), (f", outside its range {wording.span(least, most, sign)}.", False)]


def _no_data(record: Record, name: str, is_: str, metric: str, context: Context) -> Parts:
    length = wording.duration(record.last_time - record.opened)
    has = "has sent" if is_ == "is" else "sent"
    return [(f"{name} {has} nothing for ", False), (length, True), (".", False)]


def _strength(record: Record) -> str:
    widths = band_widths(record.value, record.lower, record.upper, record.expected)
    side = "above" if record.side > 0 else "below"
    edge = record.upper if record.side > 0 else record.lower
    # Of a lopsided band the far side says nothing of what is near.
    if 0 < widths < 0.05 and abs(record.value - edge) < 0.1 * abs(edge - record.expected):
        return f"Just {side} its band"
    if math.isfinite(widths) and widths > 0:
        text = wording.number(widths, 2)
        return f"{text} band width{'' if text == '1' else 's'} {side}"
    times = wording.number(record.anomaly_score, 2)
    return "Score just above the limit" if times == "1" else f"Score {times} times the limit"


def _since(record: Record, context: Context) -> str:
    start = wording.moment(record.opened, context.zone, record.last_time)
    if record.last_time <= record.opened:
        return f" at {start}"
    word = "since" if record.closed == NEVER else "from"
    return f" for {wording.duration(record.last_time - record.opened)} {word} {start}"


_LEAD = re.compile(r" (?:is|was|(?:has )?stayed near|(?:has )?sent nothing for) ")
_END = re.compile(r"; |\. |, | since | from | instead of |$")


def emphasised(alert: Alert) -> Parts:
    """An alert's reason in pieces, its number marked for bold; one piece where none is found."""
    lead = _LEAD.match(alert.reason, len(str(alert.series)))
    if lead is None:
        return [(alert.reason, False)]
    start = lead.end()
    end = _END.search(alert.reason, start)
    stop = end.start() if end else len(alert.reason)
    return [(alert.reason[:start], False), (alert.reason[start:stop], True), (alert.reason[stop:], False)]


@dataclass(frozen=True, slots=True)
class PointExplanation:
    """Why one point was judged as it was.

    Parameters
    ----------
    series, time, value : SeriesKey, int, float
        The point.
    expected, lower, upper : float
        What was expected and the band as drawn, in units of the metric.
    score, limit_above, limit_below : float
        The detector's score and the limits in the same unit.
    p_value, anomaly_score, alert_score, confidence : float
        What calibrate and decide made of it.
    raised, suppressed, events : tuple of str
        Policies that raised or suppressed, and everything else that happened at the point, in words.
    imputed, excluded, warming, held, adopted : bool
        What the point is to prepare and to the detector.
    alert : str
        The id of the alert that is open at the point, or empty.
    members : tuple of dict
        Of an ensemble, each member's ``name``, ``weight``, own ``anomaly_score`` after its share of the false alarms,
        and ``p_value`` (None where it says nothing).
    """

    series: SeriesKey
    time: int
    value: float
    expected: float
    lower: float
    upper: float
    score: float
    limit_above: float
    limit_below: float
    p_value: float
    anomaly_score: float
    alert_score: float
    confidence: float
    raised: tuple[str, ...]
    suppressed: tuple[str, ...]
    events: tuple[str, ...]
    imputed: bool
    excluded: bool
    warming: bool
    held: bool
    adopted: bool
    alert: str
    members: tuple[dict[str, Any], ...] = ()

    def sentences(self, zone: str = "UTC") -> list[str]:
        """The same for people, one fact a sentence."""
        metric = self.series.metric
        (value, expected, low, high), sign = _texts(metric, [self.value, self.expected, self.lower, self.upper])
        what = f"{self.series} at {wording.moment(self.time, zone)}"
        said = [f"{what} is {wording.with_unit(value, sign)}." if value else f"{what} has no value."]
        if expected:
            band = f", band {wording.span(low, high, sign)}" if low or high else ", no band"
            said.append(f"Expected {wording.with_unit(expected, sign)}{band}.")
        said.append(self._verdict())
        said += [_opinion(member) for member in self.members]
        said += [f"Raised: {word}." for word in self.raised]
        said += [f"Suppressed: {word}." for word in self.suppressed]
        said += [f"{word[0].upper()}{word[1:]}." for word in self.events]
        facts = (
            (self.imputed, "The value was put in by the gap policy"),
            (self.excluded, "The point lies in an excluded range and was not learned"),
            (self.warming, "The detector was still warming up"),
            (self.held, "Learning was held back"),
            (bool(self.alert), f"Belongs to alert {self.alert}"),
        )
        return said + [f"{text}." for holds, text in facts if holds]

    def _verdict(self) -> str:
        if math.isnan(self.anomaly_score):
            return "There is no opinion on it."
        score = f"anomaly score {wording.number(self.anomaly_score)}, above 1 is anomalous"
        if not math.isnan(self.p_value):
            score += f"; p-value {wording.number(self.p_value, 2)}"
        return f"Score {wording.number(self.score)}: {score}; confidence {wording.number(self.confidence, 2)}."


def _opinion(member: dict[str, Any]) -> str:
    who = f"Member {member['name']}, with {wording.number(100 * member['weight'])}{wording.NO_BREAK}% of the alarms"
    if member["anomaly_score"] is None:
        return f"{who}, says nothing."
    score, p_value = wording.number(member["anomaly_score"]), member["p_value"]
    return f"{who}: anomaly score {score}{'' if p_value is None else f', p-value {wording.number(p_value, 2)}'}."


def _members_of(results: Results, i: int) -> tuple[dict[str, Any], ...]:
    """What each member says: ``ln p = anomaly_score * ln p_limit`` holds of the whole and so of each."""
    scores: list[float] = results.member_scores[i].tolist()
    p_value = float(results.p_value[i])
    most = max((score for score in scores if not math.isnan(score)), default=0.0)
    # Of a vote the whole is not its loudest member, and nothing is known of p-values.
    known = most > 0 and p_value > 0 and float(results.anomaly_score[i]) >= most * (1 - 1e-9)
    ln_limit = math.log(p_value) / most if known else 0.0
    found = []
    for (name, weight), own in zip(results.members, scores, strict=True):
        said = {"anomaly_score": None, "p_value": None} if math.isnan(own) else _said(own, ln_limit)
        found.append({"name": name, "weight": weight, **said})
    return tuple(found)


def _said(score: float, ln_limit: float) -> dict[str, float | None]:
    return {"anomaly_score": score, "p_value": math.exp(score * ln_limit) if ln_limit else None}


def explain_point(results: Results, at: int, row: int | None = None) -> PointExplanation:
    """Explain the point at, or last before, time ``at``.

    Parameters
    ----------
    results : Results
        Of one or more steps (``Results.joined``).
    at : int
        Nanoseconds since 1970 in UTC.
    row : int, optional
        The series; may be left out where there is only one.

    Raises
    ------
    ConfigError
        The series has no point at or before that time, or the series is not named and there are several.
    """
    rows = np.unique(results.row)
    if row is None:
        if len(rows) > 1:
            raise ConfigError(f"These results hold {len(rows)} series. Say which row to explain.")
        row = int(rows[0]) if len(rows) else 0
    here = np.flatnonzero((results.row == row) & (results.time <= at))
    if not len(here):
        raise ConfigError(f"There is no point at or before {wording.moment(at, 'UTC')} (UTC). Name a later time.")
    return _explained(results, int(here[np.argmax(results.time[here])]))


def _explained(results: Results, i: int) -> PointExplanation:
    floats: dict[str, Any] = {
        name: float(getattr(results, column)[i])
        for name, column in (
            ("value", "y"),
            ("expected", "yhat"),
            ("lower", "yhat_lower"),
            ("upper", "yhat_upper"),
            *((k, k) for k in ("score", "limit_above", "limit_below", "p_value")),
            *((k, k) for k in ("anomaly_score", "alert_score", "confidence")),
        )
    }
    events, flags = Event(int(results.events[i])), int(results.flags[i])

    def words(mask: Event) -> tuple[str, ...]:
        return tuple(MEANING[e] for e in Event if e & events & mask)

    return PointExplanation(
        series=results.keys[int(results.row[i])],
        time=int(results.time[i]),
        **floats,
        raised=words(RAISED),
        suppressed=words(SUPPRESSED),
        events=words(~(RAISED | SUPPRESSED)),
        imputed=bool(results.imputed[i]),
        excluded=bool(results.excluded[i]),
        warming=bool(flags & WARMING),
        held=bool(flags & HELD),
        adopted=bool(flags & ADOPTED),
        alert=str(results.alert[i]),
        members=_members_of(results, i),
    )
