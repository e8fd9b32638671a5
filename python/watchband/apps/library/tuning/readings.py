"""Series in memory with their labels, from any feed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import numpy as np

from watchband.analysis.tuning.material import Series
from watchband.apps.library.feeds import Feed
from watchband.apps.library.labels import read_labels
from watchband.core.errors import ConfigError, DataError
from watchband.core.points import Float64, Int64
from watchband.core.series import SeriesKey
from watchband.evaluation.labels import Label, labels_of

POINTS_MIN = 64
"""Shorter series are left out: half of that is no past and no future."""


def read_series(feed: Feed) -> tuple[list[Series], list[str]]:
    """Every series of a feed, and notes on those that were left out.

    Raises
    ------
    DataError
        None is long enough.
    """
    series, short = [], []
    found = gathered(feed)
    for key, (times, values) in found.items():
        order = np.argsort(times, kind="stable")
        if len(times) >= POINTS_MIN and times[order[-1]] > times[order[0]]:
            series.append(Series(key, times[order], values[order]))
        else:
            short.append(str(key))
    if not series:
        raise DataError(
            f"No series is long enough to be tuned on: each needs {POINTS_MIN} readings or more. Got "
            f"{len(found)} series, {', '.join(short[:3]) or 'none at all'}."
        )
    notes = [f"left out, shorter than {POINTS_MIN} readings: {', '.join(short[:5])}"] if short else []
    return series, notes


def gathered(feed: Feed) -> dict[SeriesKey, tuple[Int64, Float64]]:
    """Times and values of every series of a feed, in the order of the feed."""
    keys: list[SeriesKey] = []
    found: dict[int, list[tuple[Int64, Float64]]] = {}
    for batch in feed.batches():
        keys.extend(batch.keys[len(keys) :])
        for row in np.unique(batch.row).tolist():
            here = batch.row == row
            found.setdefault(row, []).append((batch.times[here], batch.values[here]))
    nothing = [(np.empty(0, np.int64), np.empty(0))]
    return {
        key: (np.concatenate([t for t, _ in parts]), np.concatenate([v for _, v in parts]))
        for key, parts in ((key, found.get(row, nothing)) for row, key in enumerate(keys))
    }


def label_list(labels: str | os.PathLike[str] | Iterable[Any]) -> list[Label]:
    """Labels from a file, or as they are: ``Label`` objects, or (series, start, end) with times of any kind.

    Raises
    ------
    ConfigError
        Neither.
    """
    if isinstance(labels, (str, os.PathLike)):
        return read_labels(labels)
    found = []
    for one in labels:
        if isinstance(one, Label):
            found.append(one)
            continue
        try:
            *name, start, end = list(one)
            first, last = (int(np.datetime64(t, "ns").astype(np.int64)) for t in (start, end))
            found.append(Label(str(name[0]) if name else "", first, last))
        except (TypeError, ValueError, IndexError) as error:
            raise ConfigError(
                f"A label is a Label, (series, start, end) or (start, end) with times. Got {one!r:.80}."
            ) from error
    return found


def with_labels(series: list[Series], labels: list[Label]) -> tuple[list[Series], list[str]]:
    """Every series with the labels that speak of it, and a note on those that speak of none.

    Raises
    ------
    ConfigError
        Not one label speaks of any of the series.
    """
    spoken: set[int] = set()
    told = []
    for one in series:
        mine = labels_of(labels, str(one.key), only=len(series) == 1)
        spoken |= {id(a) for a in mine}
        told.append(Series(one.key, one.times, one.values, tuple(sorted(mine, key=lambda a: a.start))))
    if labels and not spoken:
        names = ", ".join(sorted({a.series or "(no name)" for a in labels})[:3])
        raise ConfigError(
            f"No label speaks of a series of this input. Labels name {names}; the input has "
            f"{', '.join(str(s.key) for s in series[:3])}."
        )
    lost = len(labels) - len(spoken)
    return told, [f"{lost} of {len(labels)} labels speak of no series of this input"] if lost else []
