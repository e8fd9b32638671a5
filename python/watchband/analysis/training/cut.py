"""Three parts in the order of time with a gap between each two: fitted on, chosen on, reported on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from watchband.analysis.tuning.material import GAP_SHARE, Part, Parts, Series, in_time
from watchband.core.duration import DAY, format_duration
from watchband.core.errors import ConfigError, DataError

VALIDATION_SHARE, TEST_SHARE = 0.25, 0.25
FITTED_SHARE_MIN = 0.1
TRAIN_POINTS_MIN = 128
"""Readings before the first gap without which nothing is fitted."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Where the time of one series is cut.

    Parameters
    ----------
    train : Part
        What is fitted on; before it nothing, after it a gap.
    parts : Parts
        What is chosen on, a gap, and what is reported on once.
    """

    train: Part
    parts: Parts


def cuts_in_time(
    series: Sequence[Series],
    *,
    validation_share: float = VALIDATION_SHARE,
    test_share: float = TEST_SHARE,
    gap_ns: int | None = None,
) -> list[Cut]:
    """One cut for all series that overlap: what is later anywhere is never fitted on nor chosen on.

    Parameters
    ----------
    series : sequence of Series
        Each with a reading or more.
    validation_share, test_share : float
        Shares of the time from first to last reading; what is left before them, without two gaps, is fitted on.
    gap_ns : int, optional
        Time between two parts that counts in neither; a day by default, at most 5 % of the whole.

    Raises
    ------
    ConfigError
        The shares leave nothing to fit or to choose on.
    DataError
        A series has too few readings to fit on.

    Examples
    --------
    >>> import numpy as np
    >>> from watchband.core.series import SeriesKey
    >>> hours = np.arange(24 * 100) * (DAY // 24)
    >>> (cut,) = cuts_in_time([Series(SeriesKey("cpu"), hours, np.zeros(2400))])
    >>> [round(part.length / DAY) for part in (cut.train, cut.parts.validation, cut.parts.test)]
    [48, 25, 25]
    """
    whole = max(int(s.times[-1]) for s in series) - min(int(s.times[0]) for s in series)
    gap = min(DAY, int(GAP_SHARE * whole)) if gap_ns is None else gap_ns
    # What comes before validation is fitted on, but for a gap of its own.
    before = 1 - validation_share - test_share - gap / max(whole, 1)
    if not (0 < validation_share < 1 and 0 < test_share < 1 and before - gap / max(whole, 1) >= FITTED_SHARE_MIN):
        raise ConfigError(
            f"The shares of validation ({validation_share:g}) and test ({test_share:g}) and two gaps of "
            f"{format_duration(gap)} leave less than {100 * FITTED_SHARE_MIN:.0f} % of the time to fit on. Give "
            "smaller ones."
        )
    parts = in_time(series, test_share=test_share, warm_up_share=before, gap_ns=gap_ns)
    cuts = []
    for one, found in zip(series, parts, strict=True):
        train = Part(int(one.times[0]), found.validation.start - (found.test.start - found.validation.stop))
        known = int((one.times < train.stop).sum())
        if known < TRAIN_POINTS_MIN:
            raise DataError(
                f"{one.key} has {known} readings before the first gap; {TRAIN_POINTS_MIN} are needed to fit on. Give "
                "more of its past, or smaller shares for validation and test."
            )
        cuts.append(Cut(train, found))
    return cuts
