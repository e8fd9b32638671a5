"""Figures by points: what the anomaly score is worth whatever the alerts make of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

import numpy as np

from watchband.core.points import Float64, Int64
from watchband.evaluation.backtest.periods import Span
from watchband.evaluation.labels import FOUND_BY_ALERT, Label, windows
from watchband.evaluation.metrics.bootstrap import Interval, interval, ratio
from watchband.evaluation.metrics.events import windows_of
from watchband.evaluation.metrics.point import Confusion, confusion
from watchband.evaluation.metrics.ranking import Volume, vus


@dataclass(frozen=True, slots=True)
class SeriesPoints:
    """One series by points: the confusion matrix of ``anomaly_score > 1``, and the volumes under the surfaces."""

    confusion: Confusion
    volume: Volume


@dataclass(frozen=True, slots=True)
class PointFigures:
    """One candidate by points.

    Parameters
    ----------
    tp, fn, fp, tn : int
        Points, over all series.
    point_precision, point_recall, point_f1, point_fpr : float
        Of these; an interval would take neighbours as independent.
    vus_pr, vus_roc : Interval
        Mean over series with events, drawn over series; NaN without any.
    """

    tp: int
    fn: int
    fp: int
    tn: int
    point_precision: float
    point_recall: float
    point_f1: float
    point_fpr: float
    vus_pr: Interval
    vus_roc: Interval

    def values(self) -> dict[str, float]:
        """Every figure as a plain number, by name."""
        every = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: float(v.value if isinstance(v, Interval) else v) for name, v in every.items()}


def series_points(times: Int64, anomaly_score: Float64, labels: Sequence[Label], span: Span) -> SeriesPoints:
    """One series by points, within the span that counts.

    Points in which the end of an event may still be seen count neither way. Points without a score are not flagged and
    rank last.

    Parameters
    ----------
    times, anomaly_score : int64[n], float64[n]
        Ascending times, and what was said.
    labels : sequence of Label
        Of this series.
    span : Span
        What counts.

    Examples
    --------
    >>> times = np.arange(6)
    >>> series_points(times, np.array([0, 2, 2, 0, 0, 2.0]), [Label("", 1, 3)], Span(0, 6)).confusion
    Confusion(tp=2, fn=1, fp=1, tn=2)
    """
    found = windows(labels, times, FOUND_BY_ALERT)
    wrong, after = np.zeros(len(times), np.bool_), np.zeros(len(times), np.bool_)
    for first, last, settled in found.tolist():
        wrong[first : last + 1] = True
        after[last + 1 : settled + 1] = True
    keep = (times >= span.start) & (times < span.end) & (wrong | ~after)
    score, wrong = anomaly_score[keep], wrong[keep]
    return SeriesPoints(
        confusion(np.nan_to_num(score, nan=0.0) > 1, wrong), vus(score, windows_of(wrong.astype(np.int64)))
    )


def point_figures(every: Iterable[SeriesPoints]) -> PointFigures:
    """One candidate by points, over all series.

    Examples
    --------
    >>> one = SeriesPoints(Confusion(tp=2, fn=1, fp=1, tn=2), Volume(0.5, 0.75))
    >>> found = point_figures([one, one])
    >>> found.tp, round(found.point_f1, 3), found.vus_pr.value
    (4, 0.667, 0.5)
    """
    series = list(every)
    table = np.array([(s.volume.pr, s.volume.roc, 1.0) for s in series], np.float64).reshape(-1, 3)
    table = table[~np.isnan(table[:, 0])]
    whole = sum((s.confusion for s in series), Confusion())
    return PointFigures(
        whole.tp,
        whole.fn,
        whole.fp,
        whole.tn,
        whole.precision,
        whole.recall,
        whole.f1,
        whole.fpr,
        interval(table, ratio(0, 2)),
        interval(table, ratio(1, 2)),
    )
