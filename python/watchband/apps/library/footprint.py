"""Footprint: whether the state of so many series fits into this machine's memory, before any of it is taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from watchband.core import wording
from watchband.core.errors import ConfigError

if TYPE_CHECKING:
    from watchband.pipeline.watch import Watch

SHARE = 0.8
"""Share of the free memory that states may take; the rest is for readings and results."""


def bytes_per_series(watch: Watch) -> int:
    """Bytes that one series takes in all stages of a watch.

    Examples
    --------
    >>> from watchband.detectors import Ewma
    >>> from watchband.pipeline.watch import Watch
    >>> bytes_per_series(Watch("cpu", Ewma())) < 10_000
    True
    """
    from watchband.pipeline.admission import bytes_of

    return bytes_of(watch)


def check_fits(watch: Watch, held: int, new: int) -> None:
    """Raise unless the states of ``new`` series more than the ``held`` ones fit into the memory that is free now.

    Raises
    ------
    ConfigError
        They do not; it says how much is needed and what needs less.
    """
    import psutil

    each = bytes_per_series(watch)
    free = int(psutil.virtual_memory().available)
    # Adding rows copies those that are there.
    needed = (held + new) * each + (held * each if held else 0)
    if needed <= SHARE * free:
        return
    words = [wording.quantity("memory_bytes", float(n)) for n in (each, needed, free)]
    raise ConfigError(
        f"Detector {watch.detector.name!r} keeps {words[0]} a series: {held + new:,} series need {words[1]}, and "
        f"{words[2]} are free. Choose a smaller detector, such as seasonal_band or light (watchband detectors lists "
        "their bytes), or fewer series at a time."
    )
