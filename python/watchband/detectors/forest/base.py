"""What every detector on a random cut forest shares: its parameters, its state, and the questions it answers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from watchband import _kernels
from watchband.core.detector import Detector
from watchband.core.errors import InvalidParameterError, PointsShapeError, StateCorruptError
from watchband.core.params import Among, Choice, Flag, Integer, Maybe, Span, param
from watchband.core.points import Float64, Points
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


@dataclass(frozen=True)
class Forest(Detector):
    """Base of the detectors on a random cut forest.

    Parameters
    ----------
    trees, samples, shingle, dims, memory, warm_up, seed, frozen, missing, transform, time_dimension
        See the table of the page ``docs/detectors/random_cut_forest.md``.
    """

    one_kernel: ClassVar[bool] = True
    tags: ClassVar[frozenset[str]] = frozenset({"scale", "time_shift"})
    dims_max: ClassVar[int] = 256
    # Other random cuts, as of another seed: displacements then differ by up to this, depths by a fifth of it.
    memory_tolerance: ClassVar[float] = 0.75

    trees: int = param(50, Integer(1, 1000), "Trees whose scores are averaged.")
    samples: int = param(
        256, Integer(2, 2000), "Points that each tree holds.", unit="points", search=Among((128, 256, 512))
    )
    shingle: int = param(
        8,
        Integer(1, 64),
        "Consecutive points that are looked at together.",
        unit="points",
        search=Span(1, 32, log=True),
    )
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
        search=Among(_TRANSFORMS),
    )
    time_dimension: bool = param(
        False, Flag(), "The time since the last point, against the usual, is one more value of a point.", later=True
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self._held * self.shingle > self.dims_max:
            raise InvalidParameterError(
                f"The 'dims' of {type(self).__name__} (with 'time_dimension' one more) times its 'shingle' must be at "
                f"most {self.dims_max}. Got {self._held} × {self.shingle} = {self._held * self.shingle}; take a "
                "shorter shingle."
            )

    @property
    def _held(self) -> int:
        """Values of a point as the trees hold it."""
        return self.dims + self.time_dimension

    @property
    def invariances(self) -> frozenset[str]:
        """Without a transform trees hold values in single precision, which a shift rounds otherwise."""
        return self.tags | ({"shift"} if self.transform != "none" else set())

    @property
    def span(self) -> int:
        """Points after which one has left every tree."""
        return 6 * (self.memory or min(10 * self.samples, _MEMORY_MAX))

    @property
    def _silent(self) -> int:
        """Points learned before the first score."""
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

    def _check_dims(self, points: Points) -> None:
        if points.dims != self.dims:
            raise PointsShapeError(
                f"This {type(self).__name__} reads {self.dims} value(s) a point. Got {points.dims}; build it with "
                f"dims={points.dims}."
            )

    def _arrays(self, state: State) -> tuple[_Arrays, bool]:
        """Every array of the trees as the kernels take them; true if those that follow from others are to be made."""
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
                f"The trees of this state of {state.detector!r} cannot be walked: its arrays are damaged. Restore the "
                "last good snapshot, or start cold with detector.start() and fold the log again."
            )

    def ask(self, state: State, question: tuple[str, float], windows: Points, width: int, threads: int = 0) -> Float64:
        """Ask the trees of each row of ``windows``, as the modules of ``detectors.forest`` do: float64[n, width].

        Nothing is learned. A row holds one shingle, or no value where the newest one is asked about.
        """
        self.check_state(state)
        answers = np.full((width, len(windows)), np.nan)
        arrays, fresh = self._arrays(state)
        _kernels.random_cut_ask(
            arrays,
            (windows.rows, windows.offsets, windows.times, windows.values),
            list(answers),
            self._sizes,
            self._intake,
            self.seed,
            6 / self.span,
            question,
            threads,
        )
        if fresh:
            self._check_trees(state, windows.rows)
        return np.ascontiguousarray(answers.T)

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
