"""When a series is asked for, and up to where."""

from __future__ import annotations

from typing import TYPE_CHECKING

from watchband.adapters.sources.cloudwatch.tracks import Place, Track
from watchband.core.duration import DAY, HOUR, MINUTE, SECOND

if TYPE_CHECKING:
    from watchband.adapters.sources.cloudwatch.settings import CloudWatch

# User Guide: Metrics retention. How far back readings of a period go.
_RETENTION = ((HOUR, 455 * DAY), (5 * MINUTE, 63 * DAY), (MINUTE, 15 * DAY), (SECOND, 3 * HOUR))


class Schedule:
    """Times of questions, by the settings; all ns.

    Parameters
    ----------
    settings : CloudWatch
        How often, how late, how far back.
    """

    def __init__(self, settings: CloudWatch) -> None:
        self._settings = settings

    def every(self, track: Track) -> int:
        """Between two questions for a series: whole periods."""
        every = self._settings.every or track.period
        return max(1, every // track.period) * track.period

    def delay(self, track: Track) -> int:
        """Age of a reading from which it is asked for: its period, and the lateness."""
        lateness = self._settings.lateness
        return track.period + (2 * track.period if lateness is None else lateness)

    def goal(self, track: Track, now: int) -> int:
        """Time of the last reading that has settled."""
        time = now - self.delay(track)
        return time - time % track.period

    def begin(self, track: Track, now: int) -> Place:
        """Where a series begins that was never read: before its past, as far as CloudWatch keeps it."""
        end = self.goal(track, now)
        oldest = next(most for grain, most in _RETENTION if track.period % grain == 0)
        backfill = max(0, min(self._settings.backfill, oldest - self.delay(track) - track.period))
        return end - backfill // track.period * track.period, end
