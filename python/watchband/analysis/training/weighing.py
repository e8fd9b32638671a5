"""Weights of a vote from labels: each member's F1 on the part that is chosen on, and on nothing behind it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from watchband.analysis.training.cut import Cut
from watchband.analysis.tuning.configuration import Configuration
from watchband.analysis.tuning.material import Series, labels_in
from watchband.analysis.tuning.replay import Replay, raw_of
from watchband.core.errors import DataError
from watchband.core.points import Int64
from watchband.evaluation.labels import FOUND_BY_ALERT, windows
from watchband.pipeline.vote import Vote, weights_by_f1


def weighed(
    configuration: Configuration, series: Sequence[Series], cuts: Sequence[Cut], replay: Replay, file: Path
) -> tuple[str, tuple[float, ...], int]:
    """Write the weights of a vote into a model file.

    Members vote as in a watch, from the first reading on; only their votes on the validation part count, and of labels
    that reach beyond it nothing does.

    Parameters
    ----------
    configuration : Configuration
        Of a ``vote``, without a model file.
    series, cuts
        With their labels, and where they are cut.
    replay : Replay
        How readings become points.
    file : Path
        Is written.

    Returns
    -------
    checksum : str
        Of the file.
    weights : tuple of float
        Of each member, 1 together.
    points : int
        Points that were looked at.

    Raises
    ------
    DataError
        No point of the validation part is labelled, or no member says anything there.
    """
    votes, odd = [], []
    detector: Vote | None = None
    for one, cut in zip(series, cuts, strict=True):
        seen = one.before(cut.parts.validation.stop)
        watch = configuration.watch(replay.base, replay.shared)
        assert isinstance(watch.detector, Vote)
        detector = watch.detector
        scored = watch.score(
            watch.start([one.key]), raw_of([seen]), excluded=replay.excluded, flush=True, threads=replay.threads
        )
        times = scored.prepared.points.times
        part = cut.parts.validation
        strange = _within(windows(labels_in(seen.labels, part), times)[:, :2], len(times))
        near = _within(windows(seen.labels, times, FOUND_BY_ALERT)[:, ::2], len(times))
        standings = np.stack(scored.scores.members, axis=1)
        counts = (times >= part.start) & (times < part.stop) & (strange | ~near) & ~np.isnan(standings).all(axis=1)
        votes.append(standings[counts] > 1)
        odd.append(strange[counts])
    if detector is None or not any(one.any() for one in odd):
        raise DataError("Votes are weighed by labelled points of the part that is chosen on, and there is none.")
    found, labelled = np.concatenate(votes), np.concatenate(odd)
    weights = weights_by_f1(found, labelled)
    return detector.save(str(file), weights, detector.threshold), weights, len(labelled)


def _within(spans: Int64, count: int) -> np.ndarray:
    """Whether each of so many points lies in a span [first, last]."""
    found = np.zeros(count, bool)
    for first, last in spans.tolist():
        found[first : last + 1] = True
    return found
