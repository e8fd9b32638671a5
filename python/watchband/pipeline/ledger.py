"""Ledger: the alerts that a model in shadow would have given, kept with its state."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b

from watchband.core.alert import Alert
from watchband.core.duration import DAY
from watchband.core.errors import StateCorruptError
from watchband.core.series import SeriesKey

ALERTS_MAX = 5000
"""Would-be alerts that are kept as they are, some 150 bytes each when written; of more only the counts."""
GROUPS = 64
"""Series are counted in so many groups: what draws them anew needs no more."""
DAYS_MAX = 400
NEVER = 2**63 - 1
BYTES_MAX = 64_000_000
JUDGED = frozenset({"value", "level", "pattern", "variance"})
"""Kinds that a model decides; all others come of something else, and are the same for both."""


def group_of(series: SeriesKey) -> int:
    """The group that a series is counted in."""
    return blake2b(str(series).encode(), digest_size=1).digest()[0] % GROUPS


@dataclass(eq=False)
class Ledger:
    """Would-be alerts of one model, in order of opening.

    Parameters
    ----------
    since : int
        Alerts that opened from then on count (ns UTC); those before come of the past that it learned from.
    alerts : dict of str to Alert
        The last ones, by id.
    counts : dict of (day, group of series) to int
        How many opened, see ``group_of``.
    first : int
        When it first had an opinion, also in the past that it learned from, ns UTC; ``NEVER`` before that.
    dropped : int
        Opening time (ns UTC) before which alerts were dropped because there were too many; 0: none were.
    """

    since: int = 0
    alerts: dict[str, Alert] = field(default_factory=dict)
    counts: dict[tuple[int, int], int] = field(default_factory=dict)
    first: int = NEVER
    dropped: int = 0

    def take(self, alerts: Iterable[Alert], spoke: int = NEVER) -> None:
        """Note alerts that opened or changed, and when (ns UTC) there was an opinion."""
        if self.first == NEVER:
            self.first = spoke
        for alert in alerts:
            if alert.id not in self.alerts and alert.opened >= self.since and alert.kind in JUDGED:
                cell = alert.opened // DAY, group_of(alert.series)
                self.counts[cell] = self.counts.get(cell, 0) + 1
            self.alerts[alert.id] = alert
        if len(self.alerts) > ALERTS_MAX:
            self._shrink()

    def _shrink(self) -> None:
        # Some more at a time, so that it is seldom; what is open stays, since it will change.
        order = sorted(self.alerts.values(), key=lambda a: (a.closed is None, a.opened, a.id))
        gone = order[: len(order) - ALERTS_MAX * 9 // 10]
        for alert in gone:
            del self.alerts[alert.id]
            self.dropped = max(self.dropped, alert.opened)
        first = max(self.counts, default=(0, 0))[0] - DAYS_MAX
        self.counts = {cell: n for cell, n in self.counts.items() if cell[0] >= first}

    def every(self) -> list[Alert]:
        """The alerts that are kept, in order of opening."""
        return sorted(self.alerts.values(), key=lambda a: (a.opened, str(a.series)))

    def copy(self) -> Ledger:
        """An independent copy."""
        return Ledger(self.since, dict(self.alerts), dict(self.counts), self.first, self.dropped)

    def to_bytes(self) -> bytes:
        """Everything."""
        found = {
            "since": self.since,
            "first": self.first,
            "dropped": self.dropped,
            "alerts": [alert.to_dict() for alert in self.alerts.values()],
            "counts": [[*cell, n] for cell, n in self.counts.items()],
        }
        return zlib.compress(json.dumps(found, separators=(",", ":")).encode(), 1)

    @classmethod
    def from_bytes(cls, data: bytes) -> Ledger:
        """The inverse of ``to_bytes``.

        Raises
        ------
        StateCorruptError
            It is something else.
        """
        try:
            reader = zlib.decompressobj()
            found: Mapping[str, object] = json.loads(reader.decompress(data, BYTES_MAX))
            alerts = [Alert.from_dict(one) for one in found["alerts"]]  # type: ignore[attr-defined]
            counts = {(int(day), int(group)): int(n) for day, group, n in found["counts"]}  # type: ignore[attr-defined]
            since, first, dropped = (int(found[name]) for name in ("since", "first", "dropped"))  # type: ignore[call-overload]
            return cls(since, {a.id: a for a in alerts}, counts, first, dropped)
        except (ValueError, TypeError, KeyError, AttributeError, zlib.error) as error:
            raise StateCorruptError(f"The ledger of this model in shadow makes no sense ({error}).") from error
