"""What a fit leaves: named arrays, scored by our own code row by row."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from watchband.core.errors import PointsShapeError, StateCorruptError
from watchband.core.points import Float64

ROW_MAX = 1e100
"""Larger values would overflow when they are squared and summed; their rows count as missing."""
BLOCK = 65_536
"""Rows that are scored together."""
NO_LIMITS = np.full(2, np.inf)
"""Of a model that nothing was judged by yet: no row stands out."""


@dataclass(frozen=True, eq=False)
class Fit(ABC):
    """A fitted model as arrays.

    Parameters
    ----------
    names : tuple of str
        Of the features, in the order of a row.
    centre, scale : float64[k]
        Taken from each feature and what it is divided by, before anything else.
    limits : float64[2]
        Rows that score above the second stand out and are not taken as normal at once (the hold); after some of them
        the first is enough.
    """

    kind: ClassVar[str]
    types: ClassVar[Mapping[str, str]]
    """Of the arrays that a subclass adds, the element type each."""

    names: tuple[str, ...]
    centre: Float64
    scale: Float64
    limits: Float64

    @property
    def dims(self) -> int:
        """Features of a row."""
        return len(self.names)

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return sum(array.nbytes for array in self.to_arrays().values())

    def rows(self, rows: ArrayLike) -> Float64:
        """Rows as the model reads them, float64[n, k]: centred and scaled, NaN where a feature is missing.

        Raises
        ------
        PointsShapeError
            Another number of features.
        """
        given = np.ascontiguousarray(rows, np.float64)
        if given.ndim != 2 or given.shape[1] != self.dims:
            raise PointsShapeError(
                f"This {self.kind} reads rows of {self.dims} feature(s): {', '.join(self.names[:8])}"
                f"{' …' if self.dims > 8 else ''}. Got an array of shape {given.shape}; make rows by the same features."
            )
        # A feature that hardly varied may make a row that cannot be squared.
        return np.clip((present(given) - self.centre) / self.scale, -ROW_MAX, ROW_MAX)

    def score(self, rows: ArrayLike) -> Float64:
        """How strange each row is, float64[n]: >= 0, higher is stranger, NaN where a feature is missing.

        Row by row: the same bits however the rows are cut.
        """
        given = np.asarray(rows, np.float64)
        if len(given) <= BLOCK:
            scaled = self.rows(given)
            return self._score(scaled) if len(scaled) else np.empty(0)
        # However many rows: what is made on the way has room for one block.
        scores = np.empty(len(given))
        for at in range(0, len(given), BLOCK):
            scores[at : at + BLOCK] = self._score(self.rows(given[at : at + BLOCK]))
        return scores

    def contributions(self, rows: ArrayLike) -> Float64:
        """What each feature has in the strangeness of each row, float64[n, k]: shares of 1, NaN where there is none."""
        scaled = self.rows(rows)
        parts = np.maximum(self._parts(scaled), 0.0) if len(scaled) else np.empty((0, self.dims))
        total = parts.sum(axis=1, keepdims=True)
        shares: Float64 = np.divide(parts, total, out=np.full_like(parts, np.nan), where=total > 0)
        return shares

    @abstractmethod
    def _score(self, rows: Float64) -> Float64:
        """Scores of centred and scaled rows."""

    @abstractmethod
    def _parts(self, rows: Float64) -> Float64:
        """Of centred and scaled rows, what each feature adds to the score, in any unit."""

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Everything but the names, for a model file."""
        own = {name: getattr(self, name) for name in self.types}
        return {"centre": self.centre, "scale": self.scale, "limits": self.limits, **own}

    @classmethod
    def from_arrays(cls, names: tuple[str, ...], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of ``to_arrays``.

        Raises
        ------
        StateCorruptError
            An array is missing, is of another type or shape, or holds what no fit ever wrote.
        """
        types = {"centre": "f8", "scale": "f8", "limits": "f8", **cls.types}
        for name, dtype in types.items():
            array = arrays.get(name)
            if array is None or array.dtype != np.dtype(dtype):
                got = "none" if array is None else f"{array.dtype}"
                raise cls._unfit(f"array {name!r} must be {np.dtype(dtype).name}, got {got}")
        mine: dict[str, Any] = {name: np.ascontiguousarray(arrays[name]) for name in types}
        k = len(names)
        if any(mine[name].shape != (k,) for name in ("centre", "scale")) or mine["limits"].shape != (2,):
            raise cls._unfit(f"its arrays are not those of {k} feature(s)")
        if not (np.isfinite(mine["centre"]).all() and (mine["scale"] > 0).all() and np.isfinite(mine["scale"]).all()):
            raise cls._unfit("a centre or scale is not a number, or no scale")
        fit = cls(names=names, **mine)
        if flaw := fit._flaw():
            raise cls._unfit(flaw)
        return fit

    def _flaw(self) -> str:
        """What is wrong with the arrays that a subclass adds; empty if nothing."""
        return ""

    @classmethod
    def _unfit(cls, flaw: str) -> StateCorruptError:
        return StateCorruptError(f"This is no fitted {cls.kind}: {flaw}. Put the file back, or train anew.")

    def limited(self, limits: Float64) -> Self:
        """The same with other limits."""
        return replace(self, limits=limits)

    def same_bits(self, other: Fit) -> bool:
        """True where names and every array are equal bit for bit."""
        mine, theirs = self.to_arrays(), other.to_arrays()
        return (
            self.names == other.names
            and mine.keys() == theirs.keys()
            and all(mine[k].tobytes() == theirs[k].tobytes() for k in mine)
        )


def present(rows: Float64) -> Float64:
    """Rows with NaN in every feature where one is missing, infinite or too large."""
    # NaN compares as false.
    there = np.all(np.abs(rows) <= ROW_MAX, axis=1, keepdims=True)
    return rows if there.all() else np.where(there, rows, np.nan)
