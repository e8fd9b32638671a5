"""Events found and false alarms, slowly: alert by alert."""

from __future__ import annotations

from collections.abc import Sequence


def count(opened: Sequence[int], windows: Sequence[Sequence[int]], start: int) -> tuple[int, int, int, int]:
    """Found, missed, false, sum of delays; a third number of a window ends its aftermath."""
    events = [w for w in windows if w[1] >= start]
    delays: dict[int, int] = {}
    false = 0
    for at in sorted(opened):
        if at < start:
            continue
        hits = [i for i, w in enumerate(events) if w[0] <= at <= w[1]]
        for i in hits:
            delays.setdefault(i, at - max(events[i][0], start))
        if not hits and not any(w[0] <= at <= w[-1] for w in events):
            false += 1
    return len(delays), len(events) - len(delays), false, sum(delays.values())
