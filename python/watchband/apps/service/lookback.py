"""Looking back: what would have paged in the week before a service first ran."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from watchband.core.alert import Alert
from watchband.core.duration import WEEK

SHOWN_MAX = 5
_RANK = {"critical": 0, "warning": 1, "info": 2}


@dataclass(frozen=True, slots=True)
class LookBack:
    """Alerts of the week before ``until``.

    Parameters
    ----------
    until : int
        ns UTC.
    by_watch : dict of str to int
        How many, watches without any included.
    worst : list of Alert
        The strangest of them.
    series : int
        How many series they were in.
    """

    until: int
    by_watch: dict[str, int]
    worst: list[Alert]
    series: int

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.by_watch.values())


def look_back(alerts: Sequence[Alert], watches: Sequence[str], until: int, period: int = WEEK) -> LookBack:
    """What would have paged in the period before a moment.

    Parameters
    ----------
    alerts : sequence of Alert
        All that are known.
    watches : sequence of str
        Those that are configured.
    until : int
        ns UTC.
    period : int
        ns.
    """
    within = [a for a in alerts if until - period <= a.opened <= until and a.watch in set(watches)]
    counts = Counter(a.watch for a in within)
    worst = sorted(within, key=lambda a: (_RANK[a.severity], -a.anomaly_score, a.opened))
    return LookBack(until, {w: counts[w] for w in watches}, worst[:SHOWN_MAX], len({str(a.series) for a in within}))
