"""Prepare: from raw readings to points that a detector can fold. See ``docs/prepare.md``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from watchband import _kernels
from watchband.core import params
from watchband.core.errors import PointsShapeError
from watchband.core.fold import Fold, fingerprint
from watchband.core.params import Choice, Flag, Integer, Maybe, Real, param
from watchband.core.points import Int64, Points
from watchband.core.state import Field, State
from watchband.pipeline.raw import Raw

__all__ = ["Prepare", "Prepared", "Quality", "Raw"]

_NEVER = -(2.0**63)
_HELD_STEPS = 64
_COUNTS = (
    *(
        "rows",
        "nan",
        "infinite",
        "duplicates",
        "out_of_order",
        "late",
        "gaps",
        "missing_slots",
        "gaps_unfilled",
    ),
    *("imputed", "longest_step", "counter_resets", "interval", "steps", "steps_on", "held_steps", "run"),
    *("last_ordinal", "in_bucket"),
)
"""Cells of the array ``counts``, in the kernel's order."""


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """What left ``Prepare.step``: points, and how they belong to the rows that arrived.

    Parameters
    ----------
    points : Points
        One value a point; finite or NaN. Slice ``i`` belongs to slice ``i`` of the raw batch.
    imputed : bool[m]
        The value was not measured: the gap policy put it there (NaN under ``model``).
    ordinal : int64[m]
        Running number of each point within its series, from 0, over the life of the state.
    row_ordinal : int64[n]
        For each raw row the ordinal of its point: for a repeat that of the first reading of that time, when
        resampling that of its bucket (which may leave later), -1 for a row that came too late.
    interval_ns : int64[s]
        The interval of each slice's series after this batch; 0 while it is not known.
    interval_at : int64[m]
        The interval as it was known when the point left; 0 before that. Use this one where the answer must
        not depend on how the stream is cut.
    """

    points: Points
    imputed: NDArray[np.bool_]
    ordinal: Int64
    row_ordinal: Int64
    interval_ns: Int64
    interval_at: Int64


@dataclass(frozen=True, slots=True)
class Quality:
    """What was found in the readings of one series.

    Parameters
    ----------
    rows : int
        Readings that arrived, all of them.
    nan, infinite : int
        Readings without a value, and infinite ones, which count as without.
    duplicates : int
        Readings that repeat a time; the first of a time counts.
    out_of_order : int
        Readings that stood behind a later one of the same batch and were sorted in.
    late : int
        Readings older than what had been folded: left out.
    gaps, missing_slots : int
        Steps longer than one and a half intervals, and the readings missing in them. Counted while the series
        keeps to an interval.
    gaps_unfilled : int
        Gaps left open: by the policy ``ignore``, before the interval was known, or beyond ``gap_limit``.
    imputed : int
        Points whose value the gap policy put there.
    longest_gap_ns : int
        The longest step between two points if longer than one and a half intervals, else 0.
    counter_resets : int
        Times a counter fell.
    minimum, maximum : float
        Range of the finite readings as they came; NaN without any.
    interval_ns : int
        The interval; before 32 steps the median so far, 0 without a step.
    on_interval : float
        Share of steps within a quarter of the interval; NaN without a step.
    """

    rows: int
    nan: int
    infinite: int
    duplicates: int
    out_of_order: int
    late: int
    gaps: int
    missing_slots: int
    gaps_unfilled: int
    imputed: int
    longest_gap_ns: int
    counter_resets: int
    minimum: float
    maximum: float
    interval_ns: int
    on_interval: float


@dataclass(frozen=True)
class Prepare(Fold):
    """Orders, de-duplicates, resamples and fills the readings of a fleet: a fold. See ``docs/prepare.md``.

    Examples
    --------
    >>> prepare = Prepare(interval_ns=10, gap="linear")
    >>> out = prepare.step(prepare.start(), Raw.of([0, 20, 10, 20, 50], [1.0, 3.0, 2.0, 9.0, 6.0]))
    >>> out.points.times.tolist(), out.points.values[:, 0].tolist()
    ([0, 10, 20, 30, 40, 50], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    >>> out.imputed.astype(int).tolist(), out.row_ordinal.tolist()
    ([0, 0, 0, 1, 1, 0], [0, 2, 1, 2, 5])
    """

    name: ClassVar[str] = "prepare"

    interval_ns: int | None = param(
        None, Maybe(Integer(1)), "Distance of two readings. None: learned from the readings.", unit="ns"
    )
    resample_ns: int | None = param(
        None,
        Maybe(Integer(1)),
        "Width of buckets that readings are gathered in. None: left as they are.",
        unit="ns",
    )
    aggregate: str = param("mean", Choice(("mean", "sum", "max", "last")), "What a bucket says of its readings.")
    gap: str = param(
        "ignore",
        Choice(("ignore", "zero", "fixed", "previous", "linear", "model")),
        "What stands in where a value is missing.",
    )
    gap_value: float = param(0.0, Real(), "The value that `fixed` puts in.", unit="of the metric")
    gap_limit: int = param(
        288, Integer(0, 100_000), "Longest run that is filled; a longer gap stays open.", unit="points"
    )
    counter: bool = param(False, Flag(), "Readings only count up: turn them into rates per second.")
    by_name: bool = param(False, Flag(), "The same of the series that count up by their names.")

    def __post_init__(self) -> None:
        params.check(self)

    def layout(self) -> dict[str, Field]:
        """The arrays of one series."""
        learns = self.interval_ns is None and self.resample_ns is None
        return {
            "counts": Field("i8", len(_COUNTS)),
            "clock": Field("i8", 3, _NEVER),
            "values": Field("f8", 5, math.nan),
            "steps": Field("i8", _HELD_STEPS if learns else 0),
        }

    @cached_property
    def fingerprint(self) -> str:
        """Of the name and all parameters; ``by_name`` counts only where it is set, for it is younger than states."""
        values = params.values_of(self)
        return fingerprint(self.name, values if self.by_name else {k: v for k, v in values.items() if k != "by_name"})

    def step(
        self,
        state: State,
        raw: Raw,
        *,
        flush: bool = False,
        counters: NDArray[np.bool_] | None = None,
        threads: int = 0,
    ) -> Prepared:
        """Fold a batch of readings; ``state`` is moved on in place.

        Parameters
        ----------
        state : State
            From ``start`` or an earlier step; ``points_seen`` counts points that left, ``last_time`` is the
            newest reading's.
        raw : Raw
            Readings in any order. The points do not depend on how a stream is cut into batches, as long as no
            reading comes in a later batch than a newer one.
        flush : bool, default False
            Let the open buckets of all series leave now. The slices of series without readings come last.
        counters : bool[series], optional
            Which series of the state only count up; by default all or none, as ``counter`` says.
        threads : int, default 0
            Threads over series; 0 chooses by the size of the batch. Never changes a bit of the result.

        Raises
        ------
        StateMismatchError, StateVersionError
            The state belongs to another fold, other parameters or another release.
        PointsShapeError
            A row that the state does not hold. The state has not been touched.
        """
        self.check_state(state)
        if raw.series and int(raw.rows.max()) >= state.series:
            raise PointsShapeError(
                f"Row {int(raw.rows.max())} is not in this state of {state.series} series. Start it with more."
            )
        if flush:
            raw = raw.with_rows(state.series)
        row_ordinal = np.empty(len(raw), np.int64)
        a = state.arrays
        times, values, imputed, ordinal, interval_at, lengths = _kernels.prepare(
            (a["counts"], a["clock"], a["values"], a["steps"], state.points_seen, state.last_time),
            (raw.rows, raw.offsets, raw.times, raw.values),
            row_ordinal,
            self.interval_ns or 0,
            self.resample_ns or 0,
            self.aggregate,
            self.gap,
            self.gap_value,
            self.gap_limit,
            np.full(raw.series, self.counter)
            if counters is None
            else np.ascontiguousarray(counters[raw.rows], np.bool_),
            flush,
            threads,
        )
        offsets = np.zeros(raw.series + 1, np.int64)
        np.cumsum(lengths, out=offsets[1:])
        points = Points(times, values[:, None], offsets, raw.rows)
        given = self.resample_ns or self.interval_ns or 0
        interval = np.maximum(a["counts"][raw.rows, _COUNTS.index("interval")], given)
        return Prepared(points, imputed, ordinal, row_ordinal, interval, interval_at)

    def counts(self, state: State) -> dict[str, int]:
        """What was found in the readings of all series so far, by the names of ``Quality``."""
        totals = dict(zip(_COUNTS, state.arrays["counts"].sum(axis=0).tolist(), strict=True))
        names = {f.name for f in fields(Quality)}
        return {name: int(total) for name, total in totals.items() if name in names and name != "interval_ns"}

    def note_late(self, state: State, rows: Sequence[tuple[int, int]]) -> None:
        """So many readings of these rows came too late to be folded: they are counted, no more."""
        for row, count in rows:
            state.arrays["counts"][row, [_COUNTS.index("rows"), _COUNTS.index("late")]] += count

    def intervals(self, state: State) -> Int64:
        """The interval of every series, ns; 0 while it is not known: int64[series]."""
        given = self.resample_ns or self.interval_ns or 0
        return np.asarray(np.maximum(state.arrays["counts"][:, _COUNTS.index("interval")], given))

    def counts_of_each(self, state: State) -> dict[str, Int64]:
        """What was counted of every series, by the names of ``Quality``: int64[series] each."""
        self.check_state(state)
        counts = state.arrays["counts"]
        return {name: counts[:, place] for place, name in enumerate(_COUNTS[: _COUNTS.index("longest_step")])}

    def quality(self, state: State) -> list[Quality]:
        """What was found in the readings so far, series by series."""
        self.check_state(state)
        return [self._quality(state, row) for row in range(state.series)]

    def _quality(self, state: State, row: int) -> Quality:
        count = dict(zip(_COUNTS, state.arrays["counts"][row].tolist(), strict=True))
        values = state.arrays["values"][row].tolist()
        steps, on, interval = count["steps"], count["steps_on"], count["interval"]
        if not interval and count["held_steps"]:
            held = np.sort(state.arrays["steps"][row, : count["held_steps"]])
            interval, steps = int(held[(len(held) - 1) // 2]), len(held)
            on = int((np.abs(held - interval) <= interval // 4).sum())
        longest = count["longest_step"]
        shared = {
            *("rows", "nan", "infinite", "duplicates", "out_of_order", "late", "gaps", "missing_slots"),
            *("gaps_unfilled", "imputed", "counter_resets"),
        }
        return Quality(
            **{k: v for k, v in count.items() if k in shared},
            longest_gap_ns=longest if longest > interval + interval // 2 else 0,
            minimum=values[1],
            maximum=values[2],
            interval_ns=interval,
            on_interval=on / steps if steps else math.nan,
        )
