"""Every metric over a long series with a hundred events of a hundred points each; ratio to the confusion matrix."""

from __future__ import annotations

import warnings

import numpy as np

from benches.timing import Case
from watchband.evaluation.metrics.affiliation import affiliation
from watchband.evaluation.metrics.arrays import labels_of
from watchband.evaluation.metrics.auc import auc
from watchband.evaluation.metrics.bootstrap import blocks, ratio
from watchband.evaluation.metrics.calibration import p_uniformity
from watchband.evaluation.metrics.delay import delays
from watchband.evaluation.metrics.events import count_events, windows_of
from watchband.evaluation.metrics.forecast import interval_score
from watchband.evaluation.metrics.nab import nab_file, nab_score
from watchband.evaluation.metrics.point import confusion
from watchband.evaluation.metrics.point_adjusted import point_adjusted
from watchband.evaluation.metrics.ranges import range_scores
from watchband.evaluation.metrics.ranking import vus

EVENTS = 100


def cases(points: int, peers: bool) -> list[Case]:
    """All metrics on the same scores."""
    rng = np.random.default_rng(0)
    score = rng.normal(size=points)
    length = max(points // (10 * EVENTS), 1)
    windows = np.arange(EVENTS)[:, None] * (points // EVENTS) + np.array([length, 2 * length - 1])
    flagged, labels, times = score > 2, labels_of(windows, points), np.arange(points)
    predicted, opened = windows_of(flagged), np.flatnonzero(score > 2.5)
    one, p = np.stack([score, np.ones(points)], axis=1), rng.random(points)

    def adjusted() -> object:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return point_adjusted(flagged, windows)

    works = {
        "confusion matrix": lambda: confusion(flagged, labels),
        "point-adjusted": adjusted,
        "events": lambda: count_events(opened, windows, points),
        "delays": lambda: delays(opened, windows),
        "ranges": lambda: range_scores(predicted, windows, bias="front"),
        "affiliation": lambda: affiliation(predicted, windows, points),
        "PR and ROC AUC": lambda: auc(score, labels),
        "VUS": lambda: vus(score, windows),
        "NAB": lambda: nab_score([nab_file(times, windows)], [score]),
        "interval score": lambda: interval_score(score, score - 1, score + 1, 0.9),
        "p-value uniformity": lambda: p_uniformity(p),
        "blocks of 1,000": lambda: blocks(one, ratio(0, 1), block=1000),
    }
    return [Case("metrics", name, work, points) for name, work in works.items()]
