"""Which series are asked for together: full calls of one period and span, and those small enough for one page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from watchband.adapters.sources.cloudwatch.client import POINTS_MAX, QUERIES_MAX
from watchband.adapters.sources.cloudwatch.tracks import Track
from watchband.core.duration import SECOND

ID = "wb_"
STATISTICS_TOGETHER = 5
"""Statistics of a metric that AWS counts as one, where they are in one call."""


@dataclass(frozen=True, slots=True)
class Job:
    """One question.

    Parameters
    ----------
    tracks : sequence of Track
        All of one period.
    first, last : int
        Times of the first and last reading that is asked for, ns; before ``seen`` is what is asked for again.
    history : bool
        It is the past.
    """

    tracks: Sequence[Track]
    first: int
    last: int
    history: bool

    @property
    def end(self) -> int:
        """Behind the last reading, exclusive."""
        return self.last + self.tracks[0].period

    def halves(self) -> list[Job]:
        """The same in two questions."""
        middle = len(self.tracks) // 2
        parts = (self.tracks[:middle], self.tracks[middle:])
        return [Job(part, self.first, self.last, self.history) for part in parts if part]


def jobs_of(tracks: Iterable[tuple[Track, int]], look_back: int) -> Iterator[Job]:
    """Questions for tracks and the time up to which each is to be read, the past first.

    A call of few series over a long span costs no more than one of many over a short one, and each call is paid by its
    series: so the past is asked for in as few calls a series as fit into pages.
    """
    groups: dict[tuple[bool, int, int, int], list[Track]] = {}
    for track, goal in tracks:
        past = track.seen < track.news
        stop = min(track.news, goal) if past else goal
        if stop > track.seen:
            groups.setdefault((not past, track.period, track.seen, stop), []).append(track)
    for (news, period, seen, stop), members in sorted(groups.items(), key=lambda item: item[0]):
        # What is asked for again comes to readings too.
        back = _back(look_back, period) if news else 0
        steps = (stop - seen) // period
        fits = max(1, POINTS_MAX // (steps + back // period))
        size = min(QUERIES_MAX, fits)
        last = seen + min(steps, POINTS_MAX) * period
        for part in _parts(members, size):
            yield Job(part, seen + period - back, last, not news)


def _back(look_back: int, period: int) -> int:
    """What is asked for again: whole periods, at least two where anything is."""
    return max(2, -(-look_back // period)) * period if look_back else 0


def memory_of(look_back: int, period: int) -> int:
    """How long what was shown is remembered, ns."""
    return _back(look_back, period) + 2 * period


def _parts(members: Sequence[Track], size: int) -> Iterator[list[Track]]:
    """Pieces of so many queries; statistics of a metric stay together, ids of expressions do not meet."""
    part: list[Track] = []
    taken, names = 0, set[str]()
    for track in sorted(members, key=lambda t: (t.key is None, t.name)):
        using = set(track.query.get("Using") or ())
        queries = 1 + len(using)
        if part and (taken + queries > size or using & names):
            yield part
            part, taken, names = [], 0, set()
        part.append(track)
        taken += queries
        names |= using
    if part:
        yield part


def queries_of(job: Job) -> list[dict[str, Any]]:
    """MetricDataQuery structures; the number of a track stands in its id."""
    found: list[dict[str, Any]] = []
    for number, track in enumerate(job.tracks):
        if track.key is not None:
            found.append({"Id": f"{ID}{number}", **track.query})
            continue
        for name, stat in track.query["Using"].items():
            found.append({"Id": name, "MetricStat": stat, "ReturnData": False})
        expression = {"Expression": track.query["Expression"], "Period": track.period // SECOND}
        found.append({"Id": f"{ID}{number}", **expression})
    return found


def of_track(results: Mapping[str, Any], number: int) -> Any:
    """The results of a track of a job."""
    return results.get(f"{ID}{number}", [])
