"""A set of features: a causal fold from points to rows of numbers, the same bits however the stream is cut."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from watchband import _kernels
from watchband.core.duration import format_duration
from watchband.core.errors import ConfigError, InvalidParameterError, PointsShapeError, UnknownNameError
from watchband.core.fold import Fold, check_follows, count, fingerprint
from watchband.core.points import Float64, Int64, Points
from watchband.core.state import Field, State
from watchband.features import calendar
from watchband.features.families import FEATURES_MAX, Family, Op
from watchband.features.sets import SETS

SCHEMA_VERSION = 1
"""Of names and formulas: another one means that a stored matrix or model is of other features."""
MARKS, RECENT = _kernels.features_widths()
COLUMNS_MAX = 1000


@dataclass(frozen=True)
class FeatureSet(Fold):
    """Features of one or more columns of a series, point by point.

    Windows and lags are of time: ``n`` is ``n`` slots of one interval, however many readings are missing. A reading
    belongs to the slot whose moment is nearest; of several in one slot the last counts. A missing reading is NaN and
    never filled. A window speaks when as many slots of time have passed and ``share`` of them hold a reading.

    Parameters
    ----------
    columns : tuple of str
        Names of the values of a point, in order.
    families : tuple of Family
        What is made of them, in order.
    interval_ns : int, optional
        Length of a slot. None: the median of the first seven steps, learned anew when seven steps in a row keep
        to another one; until then what looks back is NaN.
    timezone, holidays : str, optional
        IANA zone in which hours and days are counted; code of the country whose holidays count.
    share : float, default 0.5
        Share of a window's slots that must hold a reading.
    ranges : tuple of (float, float), optional
        For each column the least and greatest value that can be; others are missing.
    label : str, default ""
        Name of the set.

    State
    -----
    ``marks``, the interval and where the slots stand, ``ring``, the last readings, ``recent``, the last eight points: 8
    bytes for every column and slot that is looked back on, and ``168 + 64 * columns`` more.

    Examples
    --------
    >>> features = FeatureSet.named("value4", interval_ns=60)
    >>> points = Points.of(60 * np.arange(12), np.arange(12.0))
    >>> features.names
    ('value', 'diff', 'roll_mean', 'roll_std')
    >>> features.step(features.start(), points)[-1].round(3).tolist()
    [11.0, 1.0, 5.5, 3.606]
    """

    name: ClassVar[str] = "features"

    columns: tuple[str, ...]
    families: tuple[Family, ...]
    interval_ns: int | None = None
    timezone: str = "UTC"
    holidays: str | None = None
    share: float = 0.5
    ranges: tuple[tuple[float, float], ...] = ()
    label: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", tuple(self.columns))
        object.__setattr__(self, "families", tuple(self.families))
        if not 1 <= len(self.columns) <= COLUMNS_MAX or len(set(self.columns)) != len(self.columns):
            raise InvalidParameterError(
                f"A set of features has 1 to {COLUMNS_MAX} columns with different names. Got {list(self.columns)[:10]}."
            )
        if self.interval_ns is not None and not 0 < self.interval_ns < 1 << 53:
            raise InvalidParameterError(
                f"The interval of features is a length of time below 104 days, or none. Got {self.interval_ns} ns."
            )
        if not 0 < self.share <= 1:
            raise InvalidParameterError(
                f"The share of a window that must be known is a number in (0, 1]. Got {self.share}."
            )
        if self.ranges and len(self.ranges) != len(self.columns):
            raise InvalidParameterError(
                f"{len(self.columns)} columns have {len(self.ranges)} ranges; give one for each."
            )
        calendar.zone(self.timezone)
        if not 0 < len(self.ops) <= FEATURES_MAX or len(set(self.names)) != len(self.names):
            raise InvalidParameterError(
                f"A set has 1 to {FEATURES_MAX} features with different names. Got {len(self.ops)}; leave out a "
                "family, or rename a column that is called like a feature."
            )

    @classmethod
    def named(
        cls,
        name: str,
        columns: Sequence[str] = (),
        *,
        interval_ns: int | None = None,
        timezone: str = "UTC",
        holidays: str | None = None,
        share: float = 0.5,
    ) -> FeatureSet:
        """A set by its name.

        Parameters
        ----------
        name : str
            One of ``watchband.features.sets.SETS``.
        columns : sequence of str, optional
            Names of the values of a point; those of the set if none.
        interval_ns, timezone, holidays, share
            As of the class.

        Raises
        ------
        UnknownNameError, ConfigError
            No such set; another number of columns than it takes.
        """
        if name not in SETS:
            raise UnknownNameError("set of features", name, SETS)
        found = SETS[name]
        chosen = tuple(columns) or found.columns
        if found.count and len(chosen) != found.count:
            raise ConfigError(
                f"The set {name!r} takes {found.count} column(s), such as {', '.join(found.columns)}. Got "
                f"{len(chosen)}: {', '.join(chosen)[:200]}."
            )
        ranges = found.ranges if chosen == found.columns else ()
        return cls(chosen, found.families, interval_ns, timezone, holidays, share, ranges, name)

    @cached_property
    def ops(self) -> tuple[Op, ...]:
        """The features as the kernel reads them, in the order of the rows."""
        return tuple(op for family in self.families for op in family.ops(self.columns))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the features, in the order of the rows."""
        return tuple(op.name for op in self.ops)

    def __len__(self) -> int:
        return len(self.ops)

    @cached_property
    def lookback(self) -> int:
        """Slots before the newest that a feature reads."""
        return max(op.lookback for op in self.ops)

    @property
    def memory_points(self) -> int:
        """Points, one a slot, after which one NaN, gap or spike is forgotten."""
        return self.lookback + RECENT

    @cached_property
    def fingerprint(self) -> str:
        """Of the features and of everything that changes a number of theirs."""
        values = {k: v for k, v in self.schema().items() if k not in ("names", "set")}
        return fingerprint(self.name, values)

    def schema(self) -> dict[str, Any]:
        """What the features are, as a JSON document that ``from_schema`` reads."""
        return {
            "schema_version": SCHEMA_VERSION,
            "set": self.label,
            "columns": list(self.columns),
            "families": [family.document() for family in self.families],
            "interval": None if self.interval_ns is None else format_duration(self.interval_ns),
            "timezone": self.timezone,
            "holidays": self.holidays,
            "share": self.share,
            "ranges": [[x if math.isfinite(x) else None for x in pair] for pair in self.ranges],
            "names": list(self.names),
        }

    @classmethod
    def from_schema(cls, document: Mapping[str, Any]) -> FeatureSet:
        """The set that a document of ``schema`` describes; see ``watchband.features.schema.read``.

        Raises
        ------
        ConfigError
            It is none, or describes features that this release makes otherwise.
        """
        from watchband.features.schema import read

        return read(document)

    def layout(self) -> dict[str, Field]:
        """The arrays of one series."""
        columns = len(self.columns)
        return {
            "marks": Field("i8", MARKS),
            "ring": Field("f8", columns * (self.lookback + 2), np.nan),
            "recent": Field("f8", columns * RECENT, np.nan),
        }

    def step(self, state: State, points: Points, *, threads: int = 0) -> Float64:
        """The features of a batch; ``state`` is moved on in place.

        Parameters
        ----------
        state : State
            From ``start``, ``load`` or an earlier step of the same set.
        points : Points
            One value for each column; later than everything this state has folded, series by series.
        threads : int, default 0
            Threads over series; never changes a bit.

        Returns
        -------
        float64[n, k]
            A row for each point, in the order of ``names``; NaN is "not known": the reading is missing, the window
            is not full yet, or the formula has no value (a share of nothing).

        Raises
        ------
        StateError, PointsShapeError, TimeOrderError
            The state belongs to another set; the batch does not fit, and the state has not been touched.
        """
        self.check_state(state)
        if points.dims != len(self.columns):
            raise PointsShapeError(
                f"These features are of {len(self.columns)} columns ({', '.join(self.columns)[:200]}). The points have "
                f"{points.dims} value(s)."
            )
        check_follows(state, points)
        rows = self.fold(state.arrays, points, threads)
        if len(points):
            count(state, points)
        return rows

    def fold(self, arrays: Mapping[str, NDArray[Any]], points: Points, threads: int = 0) -> Float64:
        """``step`` over the arrays of ``layout`` alone: for folds that hold them in a state of their own."""
        rows = np.empty((len(points), len(self.ops)))
        if len(points):
            _kernels.features(
                (arrays["marks"], arrays["ring"], arrays["recent"]),
                (points.rows, points.offsets, points.times, points.values),
                self._program,
                self._limits,
                self._zone,
                (self.interval_ns or 0, self.share),
                rows,
                threads,
            )
        return rows

    @cached_property
    def _program(self) -> Int64:
        return np.array([[op.code, op.a, op.b, op.n] for op in self.ops], np.int64)

    @cached_property
    def _limits(self) -> Float64:
        return np.array(self.ranges or ((-np.inf, np.inf),) * len(self.columns), np.float64)

    @cached_property
    def _zone(self) -> tuple[Int64, Int64, Int64]:
        days = calendar.holidays(self.holidays) if self.holidays else calendar.none()
        return *calendar.zone(self.timezone), days
