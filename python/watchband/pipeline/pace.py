"""How fast a sink may be told: a token bucket."""

from __future__ import annotations

from dataclasses import dataclass

from watchband.core.duration import SECOND


@dataclass
class Bucket:
    """So many a minute, as many at once at most.

    Parameters
    ----------
    per_minute : float
        0: any number.

    Examples
    --------
    >>> bucket = Bucket(per_minute=2)
    >>> [bucket.take(now * SECOND) for now in (0, 0, 0, 30)]
    [0, 0, 30000000000, 0]
    """

    per_minute: float
    _tokens: float = -1.0
    _at: int = 0

    def take(self, now: int) -> int:
        """0 and one token less, or how many ns it takes until there is one; ``now`` in ns."""
        if not self.per_minute:
            return 0
        most = max(self.per_minute, 1.0)
        if self._tokens < 0:
            self._tokens, self._at = most, now
        # A clock that was set back gives nothing and takes nothing.
        gained = max(0, now - self._at) * self.per_minute / (60 * SECOND)
        self._tokens, self._at = min(self._tokens + gained, most), now
        # Rounding must not leave it short of a token for ever.
        if self._tokens >= 1 - 1e-6:
            self._tokens = max(self._tokens - 1, 0.0)
            return 0
        return max(1, round((1 - self._tokens) * 60 * SECOND / self.per_minute))
