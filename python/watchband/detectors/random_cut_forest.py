"""Random Cut Forest: how easily random cuts would set the last values apart from those seen before."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from watchband import _kernels
from watchband.core.detector import Detector
from watchband.core.errors import InvalidParameterError, PointsShapeError, StateCorruptError
from watchband.core.params import Choice, Flag, Integer, Maybe, param
from watchband.core.points import Float64, Points
from watchband.core.scores import Scores
from watchband.core.state import Field, State
from watchband.detectors.forest.density import Density, density
from watchband.detectors.forest.forecast import Forecast, forecast
from watchband.detectors.forest.impute import impute
from watchband.detectors.forest.neighbours import Neighbours, neighbours

_I64, _F32, _U16, _F64 = (
    ("head", "roots", "nodes", "counts"),
    ("ring", "shingle", "boxes"),
    ("refs", "links"),
    ("weights", "moments"),
)
_DERIVED = frozenset({"counts", "boxes", "links", "weights"})
_FILLS = {"roots": -1.0, "nodes": -1.0, "refs": 65535.0}
_LISTED = ("head", "roots", "nodes", "refs", "ring", "shingle", "boxes", "links", "weights", "counts")
_TRANSFORMS = ("none", "difference", "normalise")
_MEMORY_MAX = 10_000
_Arrays = tuple[list[NDArray[np.int64]], list[NDArray[np.float32]], list[NDArray[np.uint16]], list[NDArray[np.float64]]]


@dataclass(frozen=True, slots=True, eq=False)
class Attribution:
    """Which values of each shingle make it strange.

    Parameters
    ----------
    high, low : float64[n, shingle, dims]
        The share of the score that is due to a value above, and below, what was seen: newest point of the shingle last.
        All shares of a point together are its score.
    """

    high: Float64
    low: Float64

    def strongest(self, index: int) -> tuple[int, int, str, float]:
        """For one point: how many points ago, which value, HIGH or LOW, and its share of the whole (0 to 1)."""
        both = np.stack([self.high[index], self.low[index]])
        way, place, dim = np.unravel_index(int(np.argmax(both)), both.shape)
        share = float(both[way, place, dim] / both.sum())
        return both.shape[1] - 1 - int(place), int(dim), ("HIGH", "LOW")[int(way)], share


@dataclass(frozen=True)
class RandomCutForest(Detector):
    """Robust Random Cut Forest over shingles of the last values.

    Each tree cuts a sample of earlier shingles at random until every one is alone; a shingle that would be alone after
    few cuts is strange. Works for metrics whose shape repeats, in any season or none, and for several values at a
    time (values of a point times ``shingle`` up to 256). Does not work where values change by less than a millionth of
    themselves (they are kept in single precision), and it draws no band.

    Score: expected depth turned over, about 0.3 to 1 for usual points and several for strange ones; NaN until
    ``warm_up`` points are learned. Expected, lower, upper and scale are NaN.

    Parameters
    ----------
    trees, samples, shingle, dims, memory, warm_up, seed, frozen, measure
        See the table of the page ``docs/detectors/random_cut_forest.md``.

    Notes
    -----
    From AWS's implementation by meaning: reservoir sampling with time decay, shingles made inside, equal points
    counted in one leaf, missing values. Here a point leaves every tree after ``6 * memory`` points, where a reservoir
    alone would keep one in four hundred longer; random numbers are pure functions of seed, tree and point number.

    References
    ----------
    S. Guha, N. Mishra, G. Roy, O. Schrijvers, "Robust Random Cut Forest Based Anomaly Detection On Streams", ICML 2016,
    PMLR 48:2712-2721. P. Efraimidis, P. Spirakis, "Weighted random sampling with a reservoir", 2006,
    doi:10.1016/j.ipl.2005.11.003.

    Examples
    --------
    >>> import numpy as np
    >>> from watchband import Points
    >>> values = np.sin(np.arange(1000) / 10)
    >>> values[900] = 2
    >>> detector = RandomCutForest(trees=30)
    >>> scores = detector.step(detector.start(), Points.of(np.arange(1000), values))
    >>> bool(scores.score[900] > 2 * np.nanmax(scores.score[500:900]))
    True
    """

    name: ClassVar[str] = "random_cut_forest"
    one_kernel: ClassVar[bool] = True
    tags: ClassVar[frozenset[str]] = frozenset({"scale", "time_shift"})
    dims_max: ClassVar[int] = 256
    # Other random cuts, as of another seed: displacements then differ by up to this, depths by a fifth of it.
    memory_tolerance: ClassVar[float] = 0.75
    cost: ClassVar[str] = "O(trees · log samples) a point, 10 µs"

    trees: int = param(50, Integer(1, 1000), "Trees whose scores are averaged.")
    samples: int = param(256, Integer(2, 2000), "Points that each tree holds.", unit="points")
    shingle: int = param(8, Integer(1, 64), "Consecutive points that are looked at together.", unit="points")
    dims: int = param(1, Integer(1, 256), "Values of a point; times `shingle` at most 256.")
    memory: int | None = param(
        None,
        Maybe(Integer(16, _MEMORY_MAX)),
        "Points after which the chance to be in a sample has fallen to 1/e; 10 × `samples` if none.",
        unit="points",
    )
    warm_up: int | None = param(
        None, Maybe(Integer(1)), "Points learned before the first score; a quarter of `samples` if none.", unit="points"
    )
    seed: int = param(0, Integer(0, (1 << 63) - 1), "Of the random numbers.")
    frozen: bool = param(False, Flag(), "Score without learning.", retunable=True)
    measure: str = param(
        "depth",
        Choice(("depth", "displacement", "none")),
        "The score: expected depth turned over, expected collusive displacement, or none (learn only).",
        retunable=True,
    )
    missing: str = param(
        "forest",
        Choice(("forest", "last")),
        "What stands in shingles for a missing value: what the trees impute, or the last value.",
        retunable=True,
        later=True,
    )
    transform: str = param(
        "none",
        Choice(_TRANSFORMS),
        "Of values before they enter a shingle: none, the difference to the last one, or the distance from a moving "
        "mean in moving deviations.",
        later=True,
    )
    time_dimension: bool = param(
        False, Flag(), "The time since the last point, against the usual, is one more value of a point.", later=True
    )
    expected: bool = param(
        False,
        Flag(),
        "Say the value that the trees expect (of several the first): two thirds more time a point.",
        retunable=True,
        later=True,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self._held * self.shingle > self.dims_max:
            raise InvalidParameterError(
                f"The 'dims' of RandomCutForest (with 'time_dimension' one more) times its 'shingle' must be at most "
                f"{self.dims_max}. Got {self._held} × {self.shingle} = {self._held * self.shingle}; take a shorter "
                "shingle."
            )

    @property
    def _held(self) -> int:
        """Values of a point as the trees hold it."""
        return self.dims + self.time_dimension

    @property
    def span(self) -> int:
        """Points after which one has left every tree."""
        return 6 * (self.memory or min(10 * self.samples, _MEMORY_MAX))

    @property
    def _silent(self) -> int:
        """Points learned before the first score."""
        if self.measure == "none":
            return 1 << 62
        return self.samples // 4 if self.warm_up is None else self.warm_up

    @property
    def memory_points(self) -> int:
        return self.span + self.shingle

    @cached_property
    def _sizes(self) -> list[int]:
        return [self.trees, self.samples, self.shingle, self._held, self.span]

    @cached_property
    def _intake(self) -> tuple[int, bool, int, float, bool]:
        number = _TRANSFORMS.index(self.transform)
        return self.dims, self.time_dimension, number, 6 / self.span, self.missing == "forest"

    def layout(self) -> dict[str, Field]:
        types = {
            name: kind for kind, names in (("i8", _I64), ("f4", _F32), ("u2", _U16), ("f8", _F64)) for name in names
        }
        widths = dict(zip(_LISTED, _kernels.random_cut_forest_widths(self._sizes), strict=True))
        fields = {k: Field(types[k], widths[k], _FILLS.get(k, 0.0), derived=k in _DERIVED) for k in _LISTED}
        width = _kernels.random_cut_forest_moments(self.dims, _TRANSFORMS.index(self.transform), self.time_dimension)
        # Where nothing is kept, the array is none of the state's: as it was before there were transforms.
        return {**fields, "moments": Field("f8", width, derived=not width)}

    def attribute(
        self, state: State, points: Points, *, above: float = 0.0, threads: int = 0
    ) -> tuple[Scores, Attribution]:
        """Like ``step``, and say of each point that scores ``above`` or more which values make it strange.

        The scores and the state are those of ``step``, bit for bit.

        Parameters
        ----------
        state, points, threads
            As for ``step``.
        above : float, default 0
            Scores below it are not shared out, which costs less; with 0 all are.

        Returns
        -------
        tuple of Scores and Attribution
            Shares are NaN where there is no score, or one below ``above``.

        Raises
        ------
        StateMismatchError, StateVersionError, PointsShapeError, TimeOrderError
            As for ``step``.
        """
        self.check_state(state)
        self._check_points(state, points)
        scores = Scores.blank(points)
        columns = [np.full(len(points), np.nan) for _ in range(2 * self.shingle * self.dims)]
        if len(points):
            self._run(state, points, [*scores.outputs(), *columns], threads, above)
            self._count(state, points)
        shares = np.stack(columns, axis=1).reshape(len(points), 2, self.shingle, self.dims)
        return scores, Attribution(shares[:, 0], shares[:, 1])

    def _fold(self, state: State, points: Points, scores: Scores, threads: int) -> None:
        self._run(state, points, scores.outputs(), threads, None)

    def _run(
        self, state: State, points: Points, outputs: list[Float64], threads: int, attributes: float | None
    ) -> None:
        if points.dims != self.dims:
            raise PointsShapeError(
                f"This RandomCutForest reads {self.dims} value(s) a point. Got {points.dims}; build it with "
                f"dims={points.dims}."
            )
        arrays, fresh = self._arrays(state)
        _kernels.random_cut_forest(
            arrays,
            (points.rows, points.offsets, points.times, points.values),
            outputs,
            self._sizes,
            self._intake,
            self.seed,
            6 / self.span,
            self._silent,
            self.frozen,
            self.measure == "displacement",
            self.expected,
            attributes,
            threads,
        )
        if fresh:
            self._check_trees(state, points.rows)

    def _arrays(self, state: State) -> tuple[_Arrays, bool]:
        """Every array as the kernels take them; true if those that follow from others are to be made."""
        if fresh := not state.derived:
            state.furnish(self.layout())
        every = {**state.arrays, **state.derived}
        i64, f32, u16, f64 = ([every[name] for name in names] for names in (_I64, _F32, _U16, _F64))
        return (i64, f32, u16, f64), fresh

    @staticmethod
    def _check_trees(state: State, rows: NDArray[np.int32]) -> None:
        if (state.derived["counts"][rows, 0] < 0).any():
            state.derived.clear()
            raise StateCorruptError(
                "The trees of this state of 'random_cut_forest' cannot be walked: its arrays are damaged. Restore the "
                "last good snapshot, or start cold with detector.start() and fold the log again."
            )

    def ask(self, state: State, question: tuple[str, float], windows: Points, width: int, threads: int = 0) -> Float64:
        """Ask the trees of each row of ``windows``, as the modules of ``detectors.forest`` do: float64[n, width].

        Nothing is learned. A row holds one shingle, or no value where the newest one is asked about.
        """
        self.check_state(state)
        answers = [np.full(len(windows), np.nan) for _ in range(width)]
        arrays, fresh = self._arrays(state)
        _kernels.random_cut_ask(
            arrays,
            (windows.rows, windows.offsets, windows.times, windows.values),
            answers,
            self._sizes,
            self._intake,
            self.seed,
            6 / self.span,
            question,
            threads,
        )
        if fresh:
            self._check_trees(state, windows.rows)
        return np.stack(answers, axis=1)

    def density(
        self, state: State, windows: ArrayLike | None = None, *, row: int = 0, power: float | None = None
    ) -> Density:
        """How close shingles lie, by direction; see ``detectors.forest.density``."""
        return density(self, state, windows, row=row, power=power)

    def neighbours(
        self, state: State, windows: ArrayLike | None = None, *, count: int = 5, row: int = 0, least_ago: int = 1
    ) -> Neighbours:
        """The nearest shingles known; see ``detectors.forest.neighbours``."""
        return neighbours(self, state, windows, count=count, row=row, least_ago=least_ago)

    def impute(self, state: State, windows: ArrayLike, *, row: int = 0) -> Float64:
        """Shingles with their missing values filled in; see ``detectors.forest.impute``."""
        return impute(self, state, windows, row=row)

    def forecast(self, state: State, horizon: int, *, level: float = 0.8) -> Forecast:
        """Values to come; see ``detectors.forest.forecast``."""
        return forecast(self, state, horizon, level=level)
