"""A detector as a river anomaly detector. Needs river."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from watchband.core.detector import Detector
from watchband.core.duration import parse_duration
from watchband.core.errors import DataError, MissingExtraError
from watchband.pipeline.catalogue import CATALOGUE

if TYPE_CHECKING:
    # What is used of river; without it the types of all its models would be checked too.
    class AnomalyDetector:
        """Learns and scores one dictionary of features at a time."""

else:
    try:
        from river.base import AnomalyDetector
    except ImportError as error:
        raise MissingExtraError("RiverDetector", "river", "river") from error

_NEVER = np.iinfo(np.int64).min


class RiverDetector(AnomalyDetector):
    """A Watchband detector with river's interface: ``score_one`` first, then ``learn_one``.

    Parameters
    ----------
    detector : str or Detector, default "rolling_zscore"
        As on the command line: ``NAME`` or ``NAME:key=value,key=value``.
    interval : str, default "5m"
        Distance of two points, for those that bring no time.
    feature : str, default ""
        Name of the value in ``x``. Empty: the only feature besides the time.
    time : str, default "time"
        Name of the time in ``x``, where there is one: a datetime (UTC where it has no zone), a datetime64, or
        nanoseconds since 1970 as an integer. Times must ascend.
    no_opinion : float, default 0.0
        Score of a point without a value, or that comes before the detector has seen enough. May be NaN, which is
        what the detector says; river's metrics and filters cannot take it.

    Examples
    --------
    >>> model = RiverDetector("rolling_zscore:window=4")
    >>> for value in [1.0, 2.0, 1.0, 2.0]:
    ...     model.learn_one({"cpu": value})
    >>> round(model.score_one({"cpu": 6.0}), 3)
    7.794
    """

    def __init__(
        self,
        detector: str | Detector = "rolling_zscore",
        interval: str = "5m",
        feature: str = "",
        time: str = "time",
        no_opinion: float = 0.0,
    ) -> None:
        self.detector = detector
        self.interval = interval
        self.feature = feature
        self.time = time
        self.no_opinion = no_opinion
        self._detector = CATALOGUE.parse(detector) if isinstance(detector, str) else detector
        self._interval_ns = parse_duration(interval)
        self._state = self._detector.start()

    @classmethod
    def _unit_test_params(cls) -> Iterator[dict[str, Any]]:
        yield {"detector": "rolling_zscore:window=12"}

    def learn_one(self, x: Mapping[str, Any]) -> None:
        """Fold one point; a dictionary without a value is a missing value.

        Raises
        ------
        TimeOrderError
            The time does not come after the last one learned.
        DataError
            Several features and no ``feature`` to choose one, or a time that is none.
        """
        self._detector.step_one(self._state, *self._point(x))

    def score_one(self, x: Mapping[str, Any]) -> float:
        """Score of this point if it came next, >= 0, higher is stranger. Learns nothing.

        A time that is not after the last one learned is taken as one interval after it.
        """
        time, value = self._point(x)
        if time <= int(self._state.last_time[0]):
            time = self._next_time()
        score = self._detector.step_one(self._state.copy(), time, value).score
        return self.no_opinion if math.isnan(score) else score

    def _point(self, x: Mapping[str, Any]) -> tuple[int, float]:
        names = [name for name in x if name != self.time]
        name = self.feature or (names[0] if names else "")
        if not self.feature and len(names) > 1:
            raise DataError(
                f"RiverDetector reads one value. Got the features {', '.join(map(repr, sorted(names)))}; "
                "choose one with feature=NAME, or select it before."
            )
        value = x.get(name)
        return self._time(x.get(self.time)), math.nan if value is None else float(value)

    def _time(self, given: object) -> int:
        if given is None:
            return self._next_time()
        if isinstance(given, datetime):
            passed = given.replace(tzinfo=given.tzinfo or UTC) - datetime(1970, 1, 1, tzinfo=UTC)
            return (passed.days * 86_400 + passed.seconds) * 1_000_000_000 + passed.microseconds * 1000
        if isinstance(given, np.datetime64):
            return int(given.astype("datetime64[ns]").astype(np.int64))
        if isinstance(given, (int, np.integer)) and not isinstance(given, bool):
            return int(given)
        raise DataError(
            f"The time {self.time!r} must be a datetime, a datetime64 or integer nanoseconds. Got {given!r}."
        )

    def _next_time(self) -> int:
        last = int(self._state.last_time[0])
        return 0 if last == _NEVER else last + self._interval_ns
