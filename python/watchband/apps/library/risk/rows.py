"""Rows of entities from files: which metrics are features, which entities there are, how far rows are apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from watchband.analysis.risk.entities import entity_of
from watchband.analysis.risk.pivot import Pivot
from watchband.analysis.risk.rows import Rows
from watchband.core.errors import ConfigError, DataError, InvalidParameterError, UnknownNameError
from watchband.core.points import Int64
from watchband.core.series import SeriesKey
from watchband.features.cloudwatch10 import NAMES
from watchband.features.load import ROLES, LoadFeature, feature_of

if TYPE_CHECKING:
    from watchband.adapters.sources.files import FileBatch, Table

FEATURES_MAX = 64
ENTITIES_MAX = 100_000
SETS = {"cloudwatch10": NAMES}
_LOOK = 8
"""Batches of which the step is read."""


def choose_features(keys: Sequence[SeriesKey], given: Sequence[str]) -> list[LoadFeature]:
    """The metrics that count: those that are given as ``NAME`` or ``NAME=ROLE``, a set, or all.

    Raises
    ------
    UnknownNameError
        There is no such metric or role.
    ConfigError
        There are too many.
    """
    metrics = list(dict.fromkeys(key.metric for key in keys))
    wanted: list[tuple[str, str]] = []
    for text in given:
        wanted += [(name, "") for name in SETS[text]] if text in SETS else [_named(text, metrics)]
    if not wanted and set(NAMES) <= set(metrics):
        wanted = [(name, "") for name in NAMES]
    for name, role in wanted:
        if name not in metrics:
            raise UnknownNameError("metric", name, metrics)
        if role and role not in ROLES:
            raise UnknownNameError(f"role of metric {name!r}", role, ROLES)
    found = [feature_of(name, role or None) for name, role in (wanted or [(m, "") for m in metrics])]  # type: ignore[arg-type]
    if len(found) > FEATURES_MAX:
        raise ConfigError(
            f"The files hold {len(found)} metrics; at most {FEATURES_MAX} are read together. Name those that say what "
            "is asked of an entity and how it bears it: --feature cpu --feature latency=latency."
        )
    return found


def _named(text: str, metrics: Sequence[str]) -> tuple[str, str]:
    if text in metrics or "=" not in text:
        return text, ""
    name, _, role = text.rpartition("=")
    return name, role


@dataclass
class Source:
    """The rows of a table.

    Parameters
    ----------
    table : Table
        Opened; stays open.
    features : sequence of LoadFeature
        Columns of the rows.
    by : sequence of str
        Labels that name an entity; all if none.
    step : int, optional
        ns between rows; the usual one of the files if None.
    """

    table: Table
    features: Sequence[LoadFeature]
    by: Sequence[str] = ()
    step: int | None = None
    progress: Callable[[int, int], None] | None = None

    def __post_init__(self) -> None:
        numbers = {feature.name: f for f, feature in enumerate(self.features)}
        names: dict[str, int] = {}
        entity, feature = [], []
        for key in self.table.keys:
            name = entity_of(key, self.by)
            wanted = name is not None and key.metric in numbers
            entity.append(names.setdefault(name, len(names)) if name is not None and wanted else -1)
            feature.append(numbers[key.metric] if wanted else -1)
        if not names:
            labels = sorted({label for key in self.table.keys for label in key.labels})
            raise ConfigError(
                f"No series has the label {', '.join(self.by)}. Labels of these files: {', '.join(labels) or 'none'}."
            )
        if len(names) > ENTITIES_MAX:
            raise ConfigError(f"There are {len(names):,} entities, at most {ENTITIES_MAX:,} are told apart. Use --by.")
        self.entities = list(names)
        self._entity, self._feature = np.array(entity, np.int64), np.array(feature, np.int64)
        pairs = self._entity * len(numbers) + self._feature
        pairs = pairs[self._entity >= 0]
        if len(np.unique(pairs)) < len(pairs):
            raise ConfigError(
                f"With --by {','.join(self.by)} two series of one metric belong to one entity. Name more labels."
            )
        if self.step is None:
            self.step = self._usual_step()
        if self.step < 1:
            raise InvalidParameterError("A step is longer than 0.")

    def _usual_step(self) -> int:
        steps: list[Int64] = []
        last: dict[int, int] = {}
        for batch in islice(self.table.batches(), _LOOK):
            order = np.lexsort((batch.times, batch.row))
            row, times = batch.row[order], batch.times[order]
            apart = np.diff(times)[np.diff(row) == 0]
            steps.append(apart[apart > 0])
            last.update(zip(row.tolist(), times.tolist(), strict=True))
        every = np.concatenate([np.empty(0, np.int64), *steps])
        if not len(every):
            raise DataError("No metric has two readings. It takes some days of several metrics to tell states apart.")
        return int(np.median(every))

    def chunks(self) -> Iterator[Rows]:
        """All rows from the beginning, in bounded memory where the metrics of an entity stand side by side."""
        assert self.step is not None
        pivot = Pivot(len(self.features), self.step)
        for name in self.entities:
            pivot.entity(name)
        for number in range(len(self.entities)):
            mine = set(self._feature[self._entity == number].tolist())
            if missing := sorted(set(range(len(self.features))) - mine):
                pivot.absent(number, missing)
        for batch in self.table.batches(self.progress):
            yield from self._pushed(pivot, batch)
        yield pivot.flush()

    def _pushed(self, pivot: Pivot, batch: FileBatch) -> Iterator[Rows]:
        entity, feature = self._entity[batch.row], self._feature[batch.row]
        mine = entity >= 0
        found = pivot.push(entity[mine], feature[mine], batch.times[mine], batch.values[mine])
        if len(found):
            yield found
