"""Series in memory with their labels, from any feed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from watchband.analysis.tuning.material import Series
from watchband.apps.library.feeds import Feed
from watchband.apps.library.joining import Joining, SlotBatch
from watchband.apps.library.labels import read_labels
from watchband.apps.library.pulled import PulledBatch
from watchband.core.errors import ConfigError, DataError
from watchband.core.points import Float64, Int64
from watchband.core.series import SeriesKey
from watchband.core.state import State
from watchband.evaluation.labels import Label, labels_of
from watchband.pipeline.join_columns import JoinColumns
from watchband.pipeline.prepare import Prepare
from watchband.pipeline.raw import Raw

POINTS_MIN = 64
"""Shorter series are left out: half of that is no past and no future."""


def read_series(
    feed: Feed, join: JoinColumns | None = None, *, most: int | None = None
) -> tuple[list[Series], list[str]]:
    """Every series of a feed, or every entity of a join, and notes on those that were left out.

    Parameters
    ----------
    feed : Feed
        What is read.
    join : JoinColumns, optional
        Metrics that are judged together.
    most : int, optional
        Readings that are held; with more reading stops.

    Raises
    ------
    ConfigError
        There are more readings than may be held.
    DataError
        None is long enough; a metric that is joined is not there.
    """
    series, short = [], []
    found = {key: (*both, None) for key, both in gathered(feed, most).items()} if join is None else {}
    for key, (times, values, further) in (_slots(feed, join, most) if join is not None else found).items():
        order = np.argsort(times, kind="stable")
        if len(times) >= POINTS_MIN and times[order[-1]] > times[order[0]]:
            others = None if further is None else further[order]
            series.append(Series(key, times[order], values[order], further=others))
        else:
            short.append(str(key))
    if not series:
        raise DataError(
            f"No series is long enough to be tuned on: each needs {POINTS_MIN} readings or more. Got "
            f"{len(found)} series, {', '.join(short[:3]) or 'none at all'}."
        )
    notes = [f"left out, shorter than {POINTS_MIN} readings: {', '.join(short[:5])}"] if short else []
    return series, notes


def _slots(feed: Feed, join: JoinColumns, most: int | None) -> dict[SeriesKey, tuple[Int64, Float64, Float64 | None]]:
    """Times, leading values and further ones of every entity."""
    joining = Joining(join)
    found: dict[int, list[SlotBatch]] = {}
    keys: Sequence[SeriesKey] = ()
    held = 0
    for batch in joining.batches(feed.batches()):
        keys = batch.keys
        held += len(batch.row) * len(join.columns)
        check_held(held, most)
        for row in np.unique(batch.row).tolist():
            here = batch.row == row
            some = (batch.row[here], batch.times[here], batch.values[here], batch.ordinal[here])
            found.setdefault(row, []).append(SlotBatch(*some, keys, batch.further[here]))
    if pressed := sum(joining.waiting.tally(key).pressed for key in keys):
        raise DataError(
            f"The metrics that --join names lie too far apart in {feed.title}: {pressed:,} moments had to be left "
            f"before all were known, since {joining.join.waiting_max:,} readings of one waited. Give input in the "
            "order of time, or a shorter past."
        )
    return {
        key: (
            np.concatenate([one.times for one in found[row]]),
            np.concatenate([one.values for one in found[row]]),
            np.concatenate([one.further for one in found[row]]),
        )
        for row, key in enumerate(keys)
    }


class Bucketed:
    """A feed whose readings are gathered in buckets as they come, so that buckets are held and not readings.

    Parameters
    ----------
    feed : Feed
        What is read.
    prepare : Prepare
        Width and aggregate of the buckets; gathering them once more changes nothing.
    """

    def __init__(self, feed: Feed, prepare: Prepare) -> None:
        self.title, self._feed = feed.title, feed
        self._prepare = Prepare(resample_ns=prepare.resample_ns, aggregate=prepare.aggregate)

    @property
    def notes(self) -> list[str]:
        """Those of the feed."""
        return self._feed.notes

    def batches(self) -> Iterator[PulledBatch]:
        """Buckets as they are complete."""
        state = self._prepare.start(0)
        keys: Sequence[SeriesKey] = ()
        for batch in self._feed.batches():
            if len(batch.keys) > state.series:
                state = State.stack([state, self._prepare.start(len(batch.keys) - state.series)])
            keys = batch.keys
            yield self._batch(state, Raw.grouped(batch.row, batch.times, batch.values)[0], keys)
        yield self._batch(state, Raw.fleet([]), keys, flush=True)

    def _batch(self, state: State, raw: Raw, keys: Sequence[SeriesKey], *, flush: bool = False) -> PulledBatch:
        points = self._prepare.step(state, raw, flush=flush).points
        row = np.repeat(points.rows, np.diff(points.offsets)).astype(np.int32)
        return PulledBatch(row, points.times, points.values[:, 0], np.arange(len(row)), list(keys))


def check_held(count: int, most: int | None) -> None:
    """Raise ConfigError where more readings are held than may be."""
    if most is not None and count > most:
        raise ConfigError(
            f"Up to {most:,} readings are held in memory, and there are more. Gather them in wider buckets with "
            "--resample, or give fewer series or a shorter past (of a store: --series, --since)."
        )


def gathered(feed: Feed, most: int | None = None) -> dict[SeriesKey, tuple[Int64, Float64]]:
    """Times and values of every series of a feed, in the order of the feed.

    Raises
    ------
    ConfigError
        There are more than ``most``.
    """
    keys: list[SeriesKey] = []
    found: dict[int, list[tuple[Int64, Float64]]] = {}
    held = 0
    for batch in feed.batches():
        held += len(batch.row)
        check_held(held, most)
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


def with_labels(series: list[Series], labels: list[Label], join: Sequence[str] = ()) -> tuple[list[Series], list[str]]:
    """Every series with the labels that speak of it, or of a metric that is joined to it; a note on the others.

    Raises
    ------
    ConfigError
        Not one label speaks of any of the series.
    """
    spoken: set[int] = set()
    told = []
    for one in series:
        metrics = [SeriesKey(name, one.key.labels) for name in join] or [one.key]
        # Labels without a name count once, however many metrics are joined.
        every = {id(a): a for key in metrics for a in labels_of(labels, str(key), only=len(series) == 1)}
        spoken |= set(every)
        told.append(replace(one, labels=tuple(sorted(every.values(), key=lambda a: a.start))))
    if labels and not spoken:
        names = ", ".join(sorted({a.series or "(no name)" for a in labels})[:3])
        raise ConfigError(
            f"No label speaks of a series of this input. Labels name {names}; the input has "
            f"{', '.join(str(s.key) for s in series[:3])}."
        )
    lost = len(labels) - len(spoken)
    return told, [f"{lost} of {len(labels)} labels speak of no series of this input"] if lost else []
