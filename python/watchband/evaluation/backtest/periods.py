"""Periods: what part of the past warms up, what part chooses, what part reports. Always in this order of time."""

from __future__ import annotations

from dataclasses import dataclass

from watchband.core.errors import ConfigError

WARM_UP_SHARE, WARM_UP_POINTS = 0.15, 750
"""Without a stated warm-up the first share of a series counts nowhere, at most so many points of it."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, ns UTC; ``end`` is not in it."""

    start: int
    end: int

    def __contains__(self, time: int) -> bool:
        return self.start <= time < self.end

    @property
    def length(self) -> int:
        """Nanoseconds, at least 0."""
        return max(self.end - self.start, 0)


@dataclass(frozen=True, slots=True)
class Split:
    """One way to choose in the past and report on what came later.

    Parameters
    ----------
    choosing : Span
        What a choice may be based on.
    reporting : Span
        What it is judged by; at least the gap later.
    """

    choosing: Span
    reporting: Span


@dataclass(frozen=True, slots=True)
class Plan:
    """Which part of a series counts, and how it is split.

    Parameters
    ----------
    begin, end : int, optional
        Times (ns UTC) from which and before which alerts and events count. What lies before ``begin`` is replayed and
        learned from; nothing from ``end`` on is read.
    warm_up_ns : int, optional
        Time from the first reading that counts nowhere. Default: none where ``begin`` is given, else the first
        15 % of the series, at most 750 points.
    splits : int, default 0
        How often to choose in what came before and to report on what came after; 0 reports on everything.
    gap_ns : int, default 0
        Time between choosing and reporting that counts in neither, so that no event is in both.

    Raises
    ------
    ConfigError
        The end is not after the beginning, or a gap without splits.
    """

    begin: int | None = None
    end: int | None = None
    warm_up_ns: int | None = None
    splits: int = 0
    gap_ns: int = 0

    def __post_init__(self) -> None:
        if self.begin is not None and self.end is not None and self.end <= self.begin:
            raise ConfigError("--to is not after --from: nothing would count. Give a later --to.")
        if self.splits < 0:
            raise ConfigError(f"--splits is 0 or more. Got {self.splits}.")
        if self.gap_ns and not self.splits:
            raise ConfigError("--gap lies between choosing and reporting, and there is neither. Give --splits too.")

    def counted(self, first: int, last: int, points: int) -> Span:
        """The span of a series that counts.

        Parameters
        ----------
        first, last : int
            Times of its first and last reading.
        points : int
            Their number.

        Examples
        --------
        >>> Plan().counted(0, 999, 1000), Plan(begin=500).counted(0, 999, 1000)
        (Span(start=150, end=1000), Span(start=500, end=1000))
        """
        stop = last + 1 if self.end is None else min(last + 1, self.end)
        if self.warm_up_ns is not None:
            warm = self.warm_up_ns
        elif self.begin is not None:
            warm = 0
        else:
            share = min(WARM_UP_SHARE, WARM_UP_POINTS / max(points, 1))
            warm = int(share * (stop - first))
        start = first + warm if self.begin is None else max(self.begin, first + warm)
        return Span(min(start, stop), stop)

    def parts(self, span: Span) -> list[Split]:
        """The splits of a span: its ``splits + 1`` equal parts, each but the first reported on once, after a choice in
        all that came before it.

        Examples
        --------
        >>> [(s.choosing.end, s.reporting.start, s.reporting.end) for s in Plan(splits=2, gap_ns=5).parts(Span(0, 90))]
        [(30, 35, 60), (60, 65, 90)]
        """
        edges = [span.start + span.length * k // (self.splits + 1) for k in range(self.splits + 2)]
        return [
            Split(Span(span.start, edges[k]), Span(min(edges[k] + self.gap_ns, edges[k + 1]), edges[k + 1]))
            for k in range(1, self.splits + 1)
        ]
