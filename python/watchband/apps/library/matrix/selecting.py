"""Which columns of a matrix are worth having: chosen by its training rows, or as a stored selection says."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from watchband.core.errors import ConfigError
from watchband.core.timestamp import format_rfc3339
from watchband.evaluation.labels import FOUND_BY_ALERT, Label, labels_of
from watchband.features.selection import ROWS_MAX, Selection

if TYPE_CHECKING:
    from watchband.apps.library.matrix.matrix import Matrix


def chosen(matrix: Matrix, most: int, *, share: float, labels: Sequence[Label] | None = None) -> Selection:
    """The most telling features, by rows before a moment alone; of many rows 20,000 at equal distances.

    Parameters
    ----------
    matrix : Matrix
        With all its features.
    most : int
        Features that are wanted.
    share : float
        Of the time from the first reading to the last: rows behind that are not looked at.
    labels : sequence of Label, optional
        What features should tell; without them only what is missing, flat or redundant is left out.

    Raises
    ------
    ConfigError
        A share or a number of features that cannot be, or no label of these series before that moment.
    DataError
        Too few rows, or no feature left.
    """
    if not 0 < share <= 1 or most < 1:
        raise ConfigError(f"--select takes 1 or more, and --train-share above 0 to 1. Got {most} and {share:g}.")
    first = min(int(table.times[0]) for table in matrix.tables if len(table.times))
    last = max(int(table.times[-1]) for table in matrix.tables if len(table.times))
    stop = first + round(share * (last - first)) + (share == 1)
    count = sum(int((part.times < stop).sum()) for part in matrix.parts())
    wanted = np.unique(np.linspace(0, max(count - 1, 0), min(count, ROWS_MAX)).round().astype(np.int64))
    rows, target, at = [np.empty((0, len(matrix.names)))], [np.empty(0)], 0
    for part in matrix.parts():
        known = int((part.times < stop).sum())
        here = wanted[(wanted >= at) & (wanted < at + known)] - at
        at += known
        rows.append(part.rows[here])
        mine = labels_of(labels or (), part.name, only=len(matrix.tables) == 1)
        times, odd = part.times[here], np.zeros(len(here))
        for label in mine:
            if label.expect in FOUND_BY_ALERT:
                odd[(times >= label.start) & (times <= label.end)] = 1
        target.append(odd)
    told = np.concatenate(target) if labels is not None else None
    if told is not None and not told.any():
        raise ConfigError(
            f"No row before {format_rfc3339(stop)} lies within a label of its series, so nothing can be told. Give "
            "labels of these series, a larger --train-share, or leave --labels out."
        )
    found = Selection.fit(np.concatenate(rows), matrix.names, told, most=most)
    settings = {**found.settings, "train_share": share, "before": format_rfc3339(stop)}
    return dataclasses.replace(found, settings=settings)


def stored(path: Path, names: Sequence[str]) -> Selection:
    """A selection from a file, of features that are there.

    Raises
    ------
    ConfigError
        The file is none, or names a feature that the set does not have.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read as a selection ({error}). Give what --select wrote.") from None
    found = Selection.from_document(document)
    _ = found.apply(np.empty((0, len(names))), names)
    return found
