"""Windows: detectors with a large state are folded in windows of readings only, so that little is written for each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from watchband.core.errors import ConfigError
from watchband.core.ports import Readings
from watchband.pipeline.admission import bytes_of
from watchband.pipeline.bound import Bound
from watchband.pipeline.watch import Watch

WINDOW = 15
"""Readings of a series in one event, at least, for such a detector."""
MOVED_MAX = 64 << 10
"""Bytes of a series' state that move with every reading: 4 kB for each of a window."""


def moving_bytes(watch: Watch) -> int:
    """Bytes of a series' state that a reading moves; of what is frozen or was trained before only what is around it.

    Examples
    --------
    >>> from watchband.detectors import RandomCutForest
    >>> [moving_bytes(Watch("x", RandomCutForest(frozen=frozen))) > MOVED_MAX for frozen in (False, True)]
    [True, False]
    """
    detector = watch.detector
    still = bool(getattr(detector, "frozen", False) or getattr(detector, "model", ""))
    return bytes_of(watch) - (detector.state_bytes_max if still else 0)


def check_windows(bounds: Sequence[Bound], readings: Iterable[Readings]) -> None:
    """Raise ConfigError where a watch wants windows and an event brings single readings."""
    heavy = [b for b in bounds if moving_bytes(b.watch) > MOVED_MAX]
    if not heavy:
        return
    found = list(readings)
    for bound in heavy:
        mine = [r for r in found if bound.takes(r.key)]
        series, points = len({r.key for r in mine}), sum(len(r.times) for r in mine)
        if points < WINDOW * series:
            raise ConfigError(
                f"The watch {bound.name!r} has the detector {bound.watch.detector.name!r}, whose state is up to "
                f"{moving_bytes(bound.watch):,} bytes a series: in a function it takes events of at least {WINDOW} "
                f"readings a series, and this one has {points} of {series}. Let the event source gather more (batch "
                "size and window), or choose 'light' or a frozen forest."
            )
