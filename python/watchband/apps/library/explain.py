"""Why a point was judged as it was: the run is folded anew up to it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from watchband.apps.library.engine import run
from watchband.apps.library.feeds import Feed
from watchband.apps.library.moments import iso
from watchband.apps.library.options import Options, detector_text
from watchband.core.errors import ConfigError, UnknownNameError
from watchband.core.series import SeriesKey

if TYPE_CHECKING:
    from watchband.pipeline.explain import PointExplanation
    from watchband.pipeline.results import Results


@dataclasses.dataclass(frozen=True, slots=True)
class Explanation:
    """A point explained, with the detector and the rule that judged it."""

    point: PointExplanation
    detector: str
    rule: str

    def sentences(self, timezone: str = "UTC") -> list[str]:
        """For people, one fact a sentence."""
        return [*self.point.sentences(timezone), f"Judged by {self.detector}, {self.rule}."]

    def to_document(self) -> dict[str, Any]:
        """For machines: the fields of ``PointExplanation``, the detector and the rule."""
        data = {
            f.name: getattr(self.point, f.name)
            for f in dataclasses.fields(self.point)
            if f.name not in ("series", "time")
        }
        plain = {k: None if isinstance(v, float) and not np.isfinite(v) else v for k, v in data.items()}
        where = {"series": str(self.point.series), "time": iso(self.point.time)}
        return {**where, **plain, "detector": self.detector, "rule": self.rule}


class _Finder:
    """Keeps the results of the last batch before, and at, the moment asked for."""

    def __init__(self, at: int, wanted: SeriesKey | None) -> None:
        self.at, self.wanted = at, wanted
        self.row: int | None = None
        self.last: Results | None = None
        self.time: int | None = None

    def see(self, results: Results) -> None:
        """Look at the results of a batch."""
        if self.wanted is None and len(results.keys) > 1:
            names = [str(key) for key in results.keys]
            more = "; …" if len(names) > 8 else ""
            raise ConfigError(f"There are several series. Name one with --series: {'; '.join(names[:8])}{more}")
        if self.row is None:
            self.row = next((i for i, k in enumerate(results.keys) if self.wanted in (None, k)), None)
        if self.row is None:
            return
        here = results.time[(results.row == self.row) & (results.time <= self.at)]
        if len(here) and (self.time is None or here.max() >= self.time):
            self.last, self.time = results, int(here.max())


def explain_moment(feed: Feed, options: Options, at: int, series: str | None = None) -> Explanation:
    """Explain the point at, or last before, ``at``.

    Parameters
    ----------
    feed : Feed
        The readings.
    options : Options
        The same as for ``detect``.
    at : int
        Nanoseconds since 1970 in UTC.
    series : str, optional
        Text form of the series, where there are several.

    Raises
    ------
    ConfigError
        No point so early, or several series and none named.
    UnknownNameError
        No such series.
    """
    from watchband.pipeline.explain import explain_point

    finder = _Finder(at, SeriesKey.parse(series) if series else None)
    outcome = run(options.watch(), feed.batches(), excluded=options.excluded(), observe=finder.see)
    if finder.row is None and series:
        raise UnknownNameError("series", series, [str(key) for key in outcome.keys])
    if finder.last is None:
        first = iso(outcome.start) if outcome.start is not None else "nothing"
        raise ConfigError(f"There is no point at or before {iso(at)}. The input begins at {first}; name a later time.")
    point = _with_direction(explain_point(finder.last, at, finder.row), options.direction)
    return Explanation(point, detector_text(options.build_detector()), str(options.rule()))


def _with_direction(point: PointExplanation, direction: str) -> PointExplanation:
    """Say that the point lies on the side that is not watched: its score was never formed."""
    from watchband.pipeline.policy import MEANING, Event

    above, below = point.value > point.expected, point.value < point.expected
    said = MEANING[Event.DIRECTION]
    if ((direction == "below" and above) or (direction == "above" and below)) and said not in point.suppressed:
        return dataclasses.replace(point, suppressed=(*point.suppressed, said))
    return point
