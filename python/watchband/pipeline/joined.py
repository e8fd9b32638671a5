"""A watch over a join: what becomes of an entry's readings before the watch folds them, and what goes with a join."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from watchband.core import wording
from watchband.core.alert import Alert
from watchband.core.errors import ConfigError
from watchband.core.events import ControlEvent, WatermarkMoved
from watchband.core.points import Float64, Points
from watchband.core.ports import Readings
from watchband.pipeline.join_columns import END, JoinColumns, Together, Waiting, marks_after
from watchband.pipeline.raw import Raw
from watchband.pipeline.watch_state import WatchState

if TYPE_CHECKING:
    from watchband.pipeline.watch import Watch


def together(
    join: JoinColumns, state: WatchState, readings: Sequence[Readings], events: Sequence[ControlEvent]
) -> list[Together]:
    """The slots that leave with an entry, entity by entity; ``state.waiting`` is moved on.

    Slots that were joined before, as a backtest has them, go through as they are.
    """
    if before := [one for one in readings if isinstance(one, Together)]:
        return before
    for one in readings:
        state.upstream.number(one.source)
    moved: dict[str, int] = {}
    for event in events:
        if isinstance(event, WatermarkMoved):
            moved[event.source] = max(event.time, moved.get(event.source, event.time))
    flush = END in moved.values()
    known = marks_after(state.upstream.watermarks, moved)
    return join.step(state.waiting, readings, known, all_of=bool(moved), flush=flush)


def widened(join: JoinColumns, points: Points, raw: Raw) -> Points:
    """Points with all columns, from the leading one, which prepare has let through as it is, and the readings."""
    further: Float64 | None = raw.further
    if further is None:
        further = np.full((len(raw), len(join.columns) - 1), np.nan)
    if len(points) != len(further):
        raise ConfigError(
            f"Prepare made {len(points)} points of {len(further)} slots; the slots of a join must ascend in time, and "
            "neither gaps nor buckets belong to its watch."
        )
    return points.with_values(np.ascontiguousarray(np.column_stack([points.values, further])))


def whole(raw: Raw) -> Raw:
    """For the pulse: an entity beats where all its columns do."""
    if raw.further is None:
        return raw
    return replace(raw, values=np.where(np.isnan(raw.further).any(axis=1), np.nan, raw.values))


def say_together(join: JoinColumns, alert: Alert) -> Alert:
    """An alert that goes by the name of the leading metric, with the others that it is about."""
    return replace(alert, reason=f"{alert.reason} Judged together with {wording.listed(join.columns[1:])}.")


def name_lacking(join: JoinColumns, waiting: Waiting, alert: Alert) -> Alert:
    """An alert of silence, with the columns that it is about, as far as others go on."""
    entity = waiting.entities.get(alert.series)
    if alert.kind != "no data" or alert.closed is not None or entity is None:
        return alert
    last = max(entity.newest)
    behind = [name for name, newest in zip(join.columns, entity.newest, strict=True) if newest < last]
    if not behind:
        return alert
    return replace(alert, reason=f"{alert.reason} Missing of its columns: {wording.listed(behind)}.")


def check_join(watch: Watch) -> None:
    """Raise ConfigError where a watch cannot judge what it joins."""
    join, prepare, detector = watch.join, watch.prepare, watch.detector
    if join is None:
        return
    width = len(join.columns)
    if prepare.gap != "ignore" or prepare.counter or prepare.by_name or prepare.resample_ns is not None:
        raise ConfigError(
            "A watch with --join takes neither --gap nor --counter: a column that is missing stays missing, and rates "
            "are made before by an expression such as rate(requests). Leave them out."
        )
    if detector.dims_max < width:
        raise ConfigError(
            f"--detector {detector.name!r} reads one value a point, and --join gives {width}. Choose one that reads "
            "several: isolation_forest, one_class_svm, local_outlier_factor, pca_reconstruction, seed001, "
            "random_cut_forest or half_space_trees."
        )
    wanted = _columns_of(detector)
    if wanted is not None and len(wanted) != width:
        raise ConfigError(
            f"--detector {detector.name!r} reads {len(wanted)} columns ({' '.join(wanted[:10])}), and --join gives "
            f"{width}. Join as many, in that order."
        )


def _columns_of(detector: Any) -> tuple[str, ...] | None:
    rows = getattr(detector, "rows", None)
    columns = getattr(rows, "columns", None)
    return tuple(columns) if columns is not None else None
