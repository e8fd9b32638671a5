"""Incidents: alerts that overlap in time and share labels are one thing to people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from watchband.core.alert import Alert, Severity
from watchband.core.duration import MINUTE
from watchband.core.series import SeriesKey

Pair = tuple[str, str]
SLACK = 10 * MINUTE
"""Alerts this far apart still belong together: a cause shows in one series after the other."""
COMMON = 0.5
"""A label that more of the fleet has than this says nothing about what belongs together."""
FEW = 8
"""Series below which every label counts."""
_FOREVER = 2**63 - 1
_RANK: dict[Severity, int] = {"critical": 2, "warning": 1, "info": 0}
_WHAT = {
    "level": "is at a new level",
    "pattern": "lacks its usual pattern",
    "variance": "swings otherwise than usual",
    "out of range": "is outside its logical range",
    "no data": "stopped reporting",
    "stuck": "stands still",
    "drift": "is not what its model was made for",
    "breach": "is about to reach its threshold",
}


@dataclass(frozen=True)
class Incident:
    """Alerts that belong together.

    Parameters
    ----------
    alerts : tuple of Alert
        In order of opening; never empty.
    """

    alerts: tuple[Alert, ...]

    @property
    def id(self) -> str:
        """That of the first alert: it stays while others join."""
        return self.alerts[0].id

    @property
    def opened(self) -> int:
        """When the first of them left its band, ns UTC."""
        return self.alerts[0].opened

    @cached_property
    def closed(self) -> int | None:
        """When the last of them ended; None while one is open."""
        ends = [a.closed for a in self.alerts]
        return None if None in ends else max(e for e in ends if e is not None)

    @cached_property
    def severity(self) -> Severity:
        """The worst of those that are open, of all where none is."""
        return max((a.severity for a in self._deciding), key=_RANK.__getitem__)

    @cached_property
    def worst(self) -> Alert:
        """The strangest of those that are open, of all where none is; of equal ones the first."""
        return max(self._deciding, key=lambda a: (_RANK[a.severity], a.anomaly_score))

    @cached_property
    def series(self) -> tuple[SeriesKey, ...]:
        """Each once, in the order in which they left their band."""
        return tuple(dict.fromkeys(a.series for a in self.alerts))

    @cached_property
    def labels(self) -> dict[str, str]:
        """What all series have in common."""
        shared = set(self.alerts[0].series.labels.items())
        for alert in self.alerts[1:]:
            shared &= set(alert.series.labels.items())
        return dict(sorted(shared))

    @cached_property
    def title(self) -> str:
        """What it is, in a few words."""
        subject = ", ".join(self.labels.values())
        if len(self.series) > 1:
            stopped = all(a.kind == "no data" for a in self.alerts)
            of = f" of {subject}" if subject else ""
            return f"{len(self.series)} series{of} {'stopped reporting' if stopped else 'are outside their bands'}"
        worst = self.worst
        what = _WHAT.get(worst.kind, f"is {worst.direction or 'outside'} its band" if worst.direction else "is strange")
        name = worst.series.metric or str(worst.series)
        return f"{name}{f' of {subject}' if subject else ''} {what}"

    @property
    def _deciding(self) -> Sequence[Alert]:
        return [a for a in self.alerts if a.closed is None] or self.alerts


def common_labels(keys: Collection[SeriesKey]) -> frozenset[Pair]:
    """Label pairs that so much of the fleet has that they join nothing; cost O(labels of all series).

    Examples
    --------
    >>> fleet = [SeriesKey("cpu", {"env": "prod", "host": f"h{k}"}) for k in range(20)]
    >>> common_labels(fleet)
    frozenset({('env', 'prod')})
    """
    if len(keys) < FEW:
        return frozenset()
    counts: Counter[Pair] = Counter(pair for key in keys for pair in key.labels.items())
    return frozenset(pair for pair, n in counts.items() if n > COMMON * len(keys))


def incidents_of(alerts: Iterable[Alert], common: Collection[Pair] = (), slack: int = SLACK) -> list[Incident]:
    """Alerts gathered: those join whose times overlap, but for ``slack``, and that are of one series or share a label.

    Parameters
    ----------
    alerts : iterable of Alert
        In any order.
    common : collection of (str, str)
        Labels that join nothing, from ``common_labels``.
    slack : int
        Nanoseconds between the end of one and the beginning of the next.

    Returns
    -------
    list of Incident
        In order of opening. A pure function: the same alerts give the same incidents. Cost O(n log n).
    """
    ordered = sorted(alerts, key=lambda a: (a.opened, a.id))
    parent = list(range(len(ordered)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    lasting: dict[object, tuple[int, int]] = {}
    for i, alert in enumerate(ordered):
        end = _FOREVER if alert.closed is None else alert.closed
        for mark in (alert.series, *(p for p in alert.series.labels.items() if p not in common)):
            before = lasting.get(mark)
            if before is not None and before[0] >= alert.opened - slack:
                a, b = sorted((root(before[1]), root(i)))
                # The older one stays, and with it the incident's id.
                parent[b] = a
            if before is None or end >= before[0]:
                lasting[mark] = (end, i)
    groups: dict[int, list[Alert]] = {}
    for i, alert in enumerate(ordered):
        groups.setdefault(root(i), []).append(alert)
    return [Incident(tuple(groups[k])) for k in sorted(groups)]
