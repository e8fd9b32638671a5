"""The data a model was trained on, in words that other data are held against: metrics, labels, interval."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from watchband.analysis.tuning.material import Series, fingerprint_bytes
from watchband.apps.library.engine import FeedBatch
from watchband.apps.library.feeds import Feed
from watchband.apps.library.moments import iso
from watchband.apps.library.training.card import checksum_of
from watchband.core.duration import format_duration
from watchband.core.errors import DataError
from watchband.core.points import Int64
from watchband.core.series import SeriesKey

NAMED_MAX = 1000
"""Series that the card names."""
INTERVAL_FACTOR = 1.5
"""Windows are counted in points: beyond this the model's hour is another hour."""
_ENOUGH = 16


def data_schema(series: Sequence[Series], join: Sequence[str] = ()) -> dict[str, Any]:
    """What a card says of the data: fingerprint, metrics, names of labels, interval, span.

    Of metrics that are judged together all are named; ``readings`` counts the moments.
    """
    keys = [SeriesKey(name, one.key.labels) for one in series for name in join] or [one.key for one in series]
    return {
        "fingerprint": checksum_of(fingerprint_bytes(series)),
        "metrics": sorted({key.metric for key in keys}),
        "labels": sorted({name for key in keys for name in key.labels}),
        "interval_ns": interval_of([one.times for one in series]),
        "series_count": len(keys),
        "series": [str(key) for key in keys[:NAMED_MAX]],
        "readings": sum(len(one.times) for one in series),
        "from": iso(min(int(one.times[0]) for one in series)),
        "to": iso(max(int(one.times[-1]) for one in series)),
    }


def interval_of(times: Sequence[Int64]) -> int | None:
    """The usual distance of two readings, ns; None where there are too few."""
    steps = [np.diff(one) for one in times if len(one) > _ENOUGH]
    found = [float(np.median(step[step > 0])) for step in steps if (step > 0).any()]
    return round(float(np.median(found))) if found else None


class Checked:
    """A feed whose data are held against the schema of a model as they come.

    Parameters
    ----------
    feed : Feed
        What is read.
    schema : mapping
        As ``data_schema`` makes it.
    strict : bool, default True
        Whether what differs is an error; else it is told in ``notes``.
    resampled : bool, default False
        Readings are gathered in buckets, so that their own interval does not matter.
    joined : bool, default False
        The metrics are judged together: others are passed by.
    """

    def __init__(
        self,
        feed: Feed,
        schema: Mapping[str, Any],
        *,
        strict: bool = True,
        resampled: bool = False,
        joined: bool = False,
    ) -> None:
        self.title = feed.title
        self._feed, self._schema, self._strict, self._resampled = feed, schema, strict, resampled
        self._joined = joined
        self._told: list[str] = []

    @property
    def notes(self) -> list[str]:
        """Those of the feed, and what differs."""
        return [*self._feed.notes, *self._told]

    def batches(self) -> Iterator[FeedBatch]:
        """The readings, batch by batch.

        Raises
        ------
        DataError
            A metric the model never saw, a metric that is missing, another interval, or nothing at all.
        """
        keys: Sequence[SeriesKey] = ()
        looked: dict[int, list[Int64]] = {}
        judged = self._resampled
        for batch in self._feed.batches():
            self._unseen(self._looked_at(batch.keys[len(keys) :]))
            keys = batch.keys
            if not judged:
                judged = self._interval(batch, looked)
            yield batch
        if not keys:
            raise DataError(f"{self.title} holds no readings, so there is nothing to score.")
        missing = sorted(set(self._schema["metrics"]) - {key.metric for key in keys})
        if missing:
            self._differs(
                f"{self.title} lacks {', '.join(missing)}, which the model was trained on (it knows "
                f"{', '.join(self._schema['metrics'])}). Name the column with --value, or the metric with --metric."
            )
        self._hosts(self._looked_at(keys))

    def _looked_at(self, keys: Sequence[SeriesKey]) -> Sequence[SeriesKey]:
        known = self._schema["metrics"]
        return [key for key in keys if key.metric in known] if self._joined else keys

    def _unseen(self, keys: Sequence[SeriesKey]) -> None:
        known = set(self._schema["metrics"])
        new = sorted({key.metric for key in keys} - known)
        if new:
            self._differs(
                f"{self.title} has {', '.join(new[:5])}, which the model never saw; it was trained on "
                f"{', '.join(sorted(known))}. Name the columns it knows with --value, or train anew with all of them."
            )
        names = sorted({name for key in keys for name in key.labels} - set(self._schema["labels"]))
        if names:
            self._note(f"labels that training did not have: {', '.join(names[:5])}")

    def _interval(self, batch: FeedBatch, looked: dict[int, list[Int64]]) -> bool:
        """Hold the interval against the model's once enough readings are there; whether that is done."""
        wanted = self._schema["interval_ns"]
        if wanted is None:
            return True
        ours = set(self._looked_at(batch.keys))
        for row in np.unique(batch.row).tolist():
            if batch.keys[row] not in ours:
                continue
            looked.setdefault(row, []).append(batch.times[batch.row == row])
        found = interval_of([np.sort(np.concatenate(parts)) for parts in looked.values()])
        if found is None:
            return False
        if not wanted / INTERVAL_FACTOR <= found <= wanted * INTERVAL_FACTOR:
            self._differs(
                f"{self.title} has a reading every {format_duration(found)}, and the model was trained on one every "
                f"{format_duration(wanted)}: its windows would span other times. Gather readings as it knows them, or "
                "train it anew on these."
            )
        return True

    def _hosts(self, keys: Sequence[SeriesKey]) -> None:
        if self._schema["series_count"] > len(self._schema["series"]):
            return
        new = [str(key) for key in keys if str(key) not in set(self._schema["series"])]
        if new:
            more = f" and {len(new) - 3} more" if len(new) > 3 else ""
            self._note(f"series that training did not have: {', '.join(new[:3])}{more}")

    def _differs(self, said: str) -> None:
        if self._strict:
            raise DataError(f"{said} Or score all the same with --accept-drift.")
        self._note(said.rstrip("."))

    def _note(self, said: str) -> None:
        if said not in self._told:
            self._told.append(said)
