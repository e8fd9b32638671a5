"""What every sink says of a notice: one wording, so that chat, mail and machines tell the same story.

Nothing here knows a markup language: texts are plain, without control and direction characters, and bounded. Each sink
escapes them for where they go.
"""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from watchband.core import wording
from watchband.core.alert import Alert, Foreseen
from watchband.core.duration import SECOND
from watchband.core.ports import Notice, Stretch
from watchband.core.timestamp import format_rfc3339

TITLE_MAX, REASON_MAX, LABEL_MAX, LABELS_MAX = 140, 1000, 80, 10
SPARK_BARS = 40
_BARS = "▁▂▃▄▅▆▇█"
_FIRST_ISOLATE, _POP_ISOLATE = "\u2068", "\u2069"
_STEERING = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_JOINERS = "\u200c\u200d"
EVENTS = ("opened", "changed", "ended")


@dataclass(frozen=True)
class Message:
    """What is said of one notice.

    Parameters
    ----------
    id : str
        ``notice.id``: the same for every repeat.
    event : str
        ``opened``, ``changed`` or ``ended``.
    severity : str
        ``critical``, ``warning`` or ``info``.
    title : str
        What, where and how far, in a line that a locked telephone shows.
    reason : str
        The alert's own sentence.
    facts : tuple of (str, str)
        Name and text of what else is known, most wanted first.
    labels : tuple of (str, str)
        Labels of the series, at most ten.
    spark : str
        The last readings as a row of bars; empty where they are not at hand.
    spark_span : str
        How long the row is.
    link : str
        Where people see more; may be empty.
    unheard : bool
        It is over, and nobody was told that it was there.
    """

    id: str
    event: str
    severity: str
    title: str
    reason: str
    facts: tuple[tuple[str, str], ...]
    labels: tuple[tuple[str, str], ...]
    spark: str
    spark_span: str
    link: str
    unheard: bool = False

    @property
    def word(self) -> str:
        """The word in front of the title."""
        if self.unheard:
            return f"{self.severity.capitalize()}, ended"
        return "Ended" if self.event == "ended" else self.severity.capitalize()

    @property
    def headline(self) -> str:
        """Word and title in one line."""
        return f"{self.word}: {self.title}"

    def text(self) -> str:
        """All of it as plain text."""
        width = max((len(name) for name, _ in self.facts), default=0)
        lines = [self.headline, "", self.reason, ""]
        lines += [f"{name + ':':<{width + 1}} {text}" for name, text in self.facts]
        lines += [f"{'Labels:':<{width + 1}} {', '.join(f'{k}={v}' for k, v in self.labels)}"] if self.labels else []
        lines += ["", f"{self.spark}  {self.spark_span}"] if self.spark else []
        lines += ["", self.link] if self.link else []
        return "\n".join(lines) + "\n"


def message_of(notice: Notice) -> Message:
    """The message of a notice.

    Examples
    --------
    >>> from watchband.testing.contracts.outbox import an_alert
    >>> message_of(Notice(an_alert(), 1, "chat")).headline.replace(wording.NO_BREAK, " ")
    'Info: cpu is 9, expected 0–2 (host=a)'
    """
    alert = notice.alert
    unheard = alert.closed is not None and notice.revision == 1
    labels = tuple((plain(k, LABEL_MAX), plain(v, LABEL_MAX)) for k, v in alert.series.labels.items())
    return Message(
        id=notice.id,
        event=event_of(notice),
        severity=alert.severity,
        title=_title(alert, labels, unheard),
        reason=plain(alert.reason, REASON_MAX) or plain(f"{alert.series} {headline(alert, unheard)}.", REASON_MAX),
        facts=tuple(_facts(alert, notice.zone)),
        labels=labels[:LABELS_MAX],
        spark=sparkline(notice.recent, alert.direction) if notice.recent is not None else "",
        spark_span=_span(notice.recent),
        link=notice.link,
        unheard=unheard,
    )


def event_of(notice: Notice) -> str:
    """What happened: the alert was ``opened``, ``changed`` or ``ended``."""
    if notice.alert.closed is not None:
        return "ended"
    return "opened" if notice.revision == 1 else "changed"


def plain(text: str, most: int) -> str:
    """A text in one line, without characters that steer whoever shows it, and no longer than ``most``.

    Text that runs from right to left is set apart, so that it does not turn round what stands beside it.

    Examples
    --------
    >>> plain("a\\n\\x1b[31mb\\u202ec", 20), plain("x" * 30, 5)
    ('a [31mbc', 'xxxx…')
    """
    # A long text is cut before it is looked at: nobody pays for a megabyte of label.
    kept = (
        c if c in _JOINERS or unicodedata.category(c) not in _STEERING else " " if c.isspace() else ""
        for c in text[: 4 * most]
    )
    line = " ".join("".join(kept).split(" ")).strip()
    if len(line) > most:
        line = line[: most - 1].rstrip() + "…"
    if any(unicodedata.bidirectional(c) in ("R", "AL") for c in line):
        return f"{_FIRST_ISOLATE}{line}{_POP_ISOLATE}"
    return line


def headline(alert: Alert, unheard: bool = False) -> str:
    """What is wrong, in a few words without a subject; of an alert that ended, how it ended.

    ``unheard``: it is over and nobody was told of it; then what it was counts more than that it ended.

    Examples
    --------
    >>> from watchband.testing.contracts.outbox import an_alert
    >>> ended = an_alert(closed=60_000_000_005, kind="stuck")
    >>> [headline(a, u).replace(wording.NO_BREAK, " ") for a, u in ((an_alert(), False), (ended, False), (ended, True))]
    ['is 9, expected 0–2', 'moves again after 1 min', 'was stuck at 9 for 1 min']
    """
    if alert.closed is None:
        return _wrong(alert, over=False)
    lasted = wording.duration(alert.closed - alert.opened)
    if unheard:
        return f"{_wrong(alert, over=True)} for {lasted}"
    ends = {
        "no data": "reports again",
        "stuck": "moves again",
        "level": "has left its new level",
        "drift": "drifts no more",
        "breach": "nears its threshold no more",
    }
    stays = "drifted, which is normal now," if alert.kind == "drift" else "keeps its new level, which is normal now,"
    words = stays if alert.adopted else ends.get(alert.kind, "is as usual again")
    return f"{words} after {lasted}"


def _wrong(alert: Alert, *, over: bool) -> str:
    (value, low, high), sign = _quantities(alert, alert.value, alert.lower, alert.upper)
    shown, is_ = wording.with_unit(value, sign), "was" if over else "is"
    if alert.kind == "no data":
        return "sent nothing" if over else "sends nothing"
    if alert.kind == "drift":
        return "drifted" if over else "drifts"
    if alert.kind == "breach":
        return _near(alert, over=over)
    if alert.kind == "stuck":
        return f"{is_} stuck at {shown}" if value else f"{is_} stuck"
    if alert.kind == "pattern":
        return f"{'ran' if over else 'runs'} unlike before" + (f", at {shown}" if value else "")
    if alert.kind == "variance":
        return f"{'varied' if over else 'varies'} unlike before"
    if alert.kind == "out of range":
        return f"{is_} {shown}, outside its range"
    stays = "stayed at" if over else "stays at"
    band = f", expected {wording.span(low, high, sign)}" if low or high else ""
    comma = "," if over and band else ""
    return f"{stays if alert.kind == 'level' else is_} {shown}{band}{comma}"


def _near(alert: Alert, *, over: bool) -> str:
    """That a threshold will be, or was, reached."""
    seen = alert.foreseen
    if seen is None:
        return "was near its threshold" if over else "nears its threshold"
    at = wording.quantity(alert.series.metric, seen.threshold)
    if not seen.reached:
        return f"was near {at}" if over else f"nears {at}"
    if alert.direction == "below":
        return f"fell to {at}" if over else f"has fallen to {at}"
    return f"{'' if over else 'has '}reached {at}"


def _title(alert: Alert, labels: tuple[tuple[str, str], ...], unheard: bool) -> str:
    where = ", ".join(f"{k}={v}" for k, v in labels)
    # What is wrong matters more than where: of a long list of labels the end is cut.
    what = f"{plain(alert.series.metric, LABEL_MAX)} {headline(alert, unheard)}"
    return plain(f"{what} ({plain(where, 60)})" if where else what, TITLE_MAX)


def _quantities(alert: Alert, *values: float) -> tuple[list[str], str]:
    texts, sign = wording.quantities(alert.series.metric, list(values))
    return [text if math.isfinite(v) else "" for text, v in zip(texts, values, strict=True)], sign


def _foreseen(metric: str, seen: Foreseen, zone: str) -> list[tuple[str, str]]:
    facts = [("Threshold", wording.quantity(metric, seen.threshold))]
    if seen.time is None:
        return facts
    text = moment(seen.time, zone)
    if not seen.reached:
        last = moment(seen.latest, zone) if seen.latest is not None else "later than is looked at"
        first = moment(seen.earliest, zone) if seen.earliest is not None else text
        text = f"about {text}, {100 * seen.level:g}{wording.NO_BREAK}% interval {first} to {last}"
    return [*facts, ("Reached", text)]


def _facts(alert: Alert, zone: str) -> list[tuple[str, str]]:
    (value, expected, low, high), sign = _quantities(alert, alert.value, alert.expected, alert.lower, alert.upper)
    facts = []
    if value:
        at = f" at {moment(alert.peak_time, zone)}" if alert.points > 1 else ""
        facts.append(("Value", wording.with_unit(value, sign) + at))
    if low or high:
        middle = f", near {wording.with_unit(expected, sign)}" if expected else ""
        facts.append(("Expected", wording.span(low, high, sign) + middle))
    elif expected:
        facts.append(("Expected", f"near {wording.with_unit(expected, sign)}"))
    if math.isfinite(alert.widths) and alert.widths > 0:
        text = wording.number(alert.widths, 2)
        facts.append(("Deviation", f"{text} band width{'' if text == '1' else 's'} {alert.direction}".strip()))
    if alert.foreseen is not None:
        facts += _foreseen(alert.series.metric, alert.foreseen, zone)
    facts.append(("Since", moment(alert.opened, zone)))
    if alert.closed is not None:
        lasted = wording.duration(alert.closed - alert.opened)
        facts.append(("Ended", f"{moment(alert.closed, zone)}, after {lasted}"))
    elif alert.peak_time > alert.opened:
        facts.append(("Lasting", wording.duration(max(alert.peak_time, alert.decided) - alert.opened)))
    facts += [("Kind", f"{alert.kind} ({alert.severity})"), ("Strength", _strength(alert))]
    facts.append(
        ("Seen by", plain(": ".join(filter(None, [alert.detector, wording.listed(alert.members)])), LABEL_MAX))
    )
    if alert.policies:
        facts.append(("Policies", plain(", ".join(alert.policies), LABEL_MAX)))
    if alert.confidence < 0.5:
        share = wording.number(100 * alert.confidence, 2)
        facts.append(("Confidence", f"{share}{wording.NO_BREAK}%, little history so far"))
    facts.append(("Watch", plain(alert.watch, LABEL_MAX)))
    return facts


def _strength(alert: Alert) -> str:
    times = wording.number(alert.anomaly_score, 2)
    return "just above the limit" if times == "1" else f"{times} times the limit"


def moment(time: int, zone: str) -> str:
    """A point in time with its zone: ``1 Mar 2026 14:02 CET``; readers are in many places and read it late.

    Examples
    --------
    >>> moment(1_772_370_120_000_000_000, "Europe/Berlin")
    '1 Mar 2026 14:02 CET'
    """
    name = datetime.fromtimestamp(time // SECOND, UTC).astimezone(ZoneInfo(zone)).tzname() or zone
    return f"{wording.moment(time, zone)} {name}"


def sparkline(recent: Stretch, direction: str = "", bars: int = SPARK_BARS) -> str:
    """The values as a row of at most ``bars`` bars; a blank is a stretch without values.

    Of several readings behind a bar the one that is farthest out is shown, so that no spike is lost.

    Examples
    --------
    >>> y = np.array([1.0, 2, 3, np.nan, 8])
    >>> n = np.full(5, np.nan)
    >>> sparkline(Stretch(np.arange(5), y, n, n, n, n, n > 0))
    '▁▂▃ █'
    """
    y = np.asarray(recent.y, np.float64)
    y = np.where(np.isfinite(y), y, np.nan)
    known = y[~np.isnan(y)]
    if not len(known):
        return ""
    # Halves throughout, since of two large numbers neither the sum nor the difference need be one.
    middle = float(np.median(known / 2))
    picked = np.array([_farthest(part, middle, direction) for part in np.array_split(y, min(bars, len(y)))])
    low, high = float(np.nanmin(picked)), float(np.nanmax(picked))
    width = high / 2 - low / 2
    if not width > 0:
        return "".join(" " if math.isnan(v) else _BARS[3] for v in picked)
    places = np.round((picked / 2 - low / 2) / width * (len(_BARS) - 1))
    return "".join(" " if math.isnan(p) else _BARS[int(p)] for p in places)


def _farthest(part: np.ndarray[Any, np.dtype[np.float64]], middle: float, direction: str) -> float:
    known = part[~np.isnan(part)]
    if not len(known):
        return math.nan
    if direction:
        return float(known.max() if direction == "above" else known.min())
    return float(known[np.argmax(np.abs(known / 2 - middle))])


def _span(recent: Stretch | None) -> str:
    if recent is None or len(recent.times) < 2:
        return ""
    return f"last {wording.duration(int(recent.times[-1] - recent.times[0]))}"


def document(notice: Notice) -> dict[str, Any]:
    """The notice for machines: what people read, and every number it was made from. Times as RFC 3339 in UTC."""
    alert, message = notice.alert, message_of(notice)
    body = alert.to_dict()
    for name in ("opened", "decided", "closed", "peak_time"):
        body[name] = None if body[name] is None else format_rfc3339(body[name])
    # No number of JSON stands for an infinite one.
    body = {k: None if isinstance(v, float) and math.isinf(v) else v for k, v in body.items()}
    return {
        "version": "1",
        "id": notice.id,
        "event": message.event,
        "revision": notice.revision,
        "title": message.title,
        "alert": {**body, "metric": alert.series.metric, "labels": dict(alert.series.labels)},
        "link": notice.link or None,
    }
