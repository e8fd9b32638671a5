"""Isolation Forest: how few random cuts set a row of features apart from those of a window of the past."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from watchband import _kernels
from watchband.core.errors import MissingExtraError
from watchband.core.params import Among, Choice, Integer, param
from watchband.core.points import Float64
from watchband.detectors.fitted.base import Fitted
from watchband.detectors.fitted.fit import NO_LIMITS, Fit


@dataclass(frozen=True, eq=False)
class IsolationForestFit(Fit):
    """Trees as flat arrays: of an inner node attribute, cut and left child (the right one follows); of a leaf -1 and
    the path length. ``samples`` is what each tree was made of; ``single`` 1 where values are compared in single
    precision, as scikit-learn's trees are made."""

    kind: ClassVar[str] = "isolation_forest"
    types: ClassVar[Mapping[str, str]] = {
        "attributes": "i4",
        "cuts": "f8",
        "lefts": "i4",
        "sizes": "i4",
        "roots": "i8",
        "samples": "i8",
        "single": "u1",
    }

    attributes: NDArray[np.int32]
    cuts: Float64
    lefts: NDArray[np.int32]
    sizes: NDArray[np.int32]
    roots: NDArray[np.int64]
    samples: NDArray[np.int64]
    single: NDArray[np.uint8]

    @property
    def _trees(self) -> tuple[Any, ...]:
        single = bool(self.single[0])
        return (self.attributes, self.cuts, self.lefts, self.sizes, self.roots, single)

    def _score(self, rows: Float64) -> Float64:
        scores = np.empty(len(rows))
        whole = len(self.roots) * _kernels.isolation_forest_path(int(self.samples[0]))
        _kernels.isolation_forest(self._trees, rows, whole, scores, None)
        return scores

    def _parts(self, rows: Float64) -> Float64:
        shares = np.empty(rows.shape)
        _kernels.isolation_forest(self._trees, rows, 1.0, None, shares)
        return shares

    def _flaw(self) -> str:
        nodes = len(self.cuts)
        flat = (self.attributes, self.cuts, self.lefts, self.sizes)
        if any(a.shape != (nodes,) for a in flat) or self.samples.shape != (1,) or self.single.shape != (1,):
            return "its arrays are of different lengths"
        inner = self.attributes >= 0
        children = self.lefts[inner]
        if (self.attributes >= self.dims).any() or (children <= np.flatnonzero(inner)).any():
            return "a node names a feature that there is none of, or a child before it"
        if (children >= nodes - 1).any() or not len(self.roots) or not np.isfinite(self.cuts).all():
            return "a node has a child that is none, or there are no trees"
        return "" if (self.roots >= 0).all() and (self.roots < nodes).all() else "a tree begins nowhere"

    @classmethod
    def of_scikit(cls, forest: Any, names: tuple[str, ...], centre: Float64, scale: Float64) -> IsolationForestFit:
        """The same trees as a fitted ``sklearn.ensemble.IsolationForest``: scores equal its ``-score_samples``."""
        parts, roots, first = [], [], 0
        for estimator, chosen in zip(forest.estimators_, forest.estimators_features_, strict=True):
            parts.append(_of_tree(estimator.tree_, np.asarray(chosen), first))
            roots.append(first)
            first += len(parts[-1][0])
        attributes, cuts, lefts, sizes = (np.concatenate(column) for column in zip(*parts, strict=True))
        made = (attributes, cuts, lefts, sizes, np.array(roots, np.int64))
        return cls(names, centre, scale, NO_LIMITS, *made, np.array([forest._max_samples]), np.ones(1, np.uint8))


def _of_tree(tree: Any, chosen: NDArray[Any], first: int) -> tuple[NDArray[Any], ...]:
    """Nodes in an order in which the right child follows the left, and children their parents."""
    order, lefts, depths = [0], np.zeros(tree.node_count, np.int32), np.zeros(tree.node_count, np.int32)
    for node in order:
        children = [int(tree.children_left[node]), int(tree.children_right[node])]
        if children[0] >= 0:
            lefts[node] = first + len(order)
            depths[children] = depths[node] + 1
            order += children
    found = np.array(order)
    inner = tree.children_left[found] >= 0
    sizes = tree.n_node_samples[found].astype(np.int32)
    ends = depths[found] + np.array([_kernels.isolation_forest_path(int(n)) for n in sizes])
    attributes = np.where(inner, chosen[np.maximum(tree.feature[found], 0)], -1).astype(np.int32)
    return attributes, np.where(inner, tree.threshold[found], ends), lefts[found], sizes


@dataclass(frozen=True)
class IsolationForest(Fitted):
    """How few random cuts set a row of features apart from those of a window of the past.

    Each tree cuts a sample of the window at random, one feature at a time, until every row is alone; a row that would
    be alone after few cuts is strange. Works for rows of several features that may be of any units and distributions.
    Does not work for what is odd only by its place in time, since rows know no season, and does not tell far from very
    far: beyond all that it was fitted on a score hardly rises.

    Score: 0 to 1, about 0.5 for usual rows (``-score_samples`` of scikit-learn); NaN until the first fit, and where a
    feature is missing. Expected, lower, upper and scale are NaN.

    Parameters
    ----------
    features, columns, window, refit_every, scaling, hold, hold_points, odd, model, trees, samples, seed, by
        See the table of the page ``docs/detectors/isolation_forest.md``.

    References
    ----------
    F. T. Liu, K. M. Ting, Z.-H. Zhou, "Isolation Forest", ICDM 2008, doi:10.1109/ICDM.2008.17.

    Examples
    --------
    >>> from watchband import Points
    >>> values = np.sin(np.arange(1500) / 10)
    >>> values[1400] = 2
    >>> detector = IsolationForest(trees=50)
    >>> scores = detector.step(detector.start(), Points.of(np.arange(1500), values))
    >>> bool(scores.score[1400] > np.nanmax(scores.score[:1400]))
    True
    """

    name: ClassVar[str] = "isolation_forest"
    fit_class: ClassVar[type[Fit]] = IsolationForestFit
    cost: ClassVar[str] = "O(trees · log samples) a point"

    trees: int = param(100, Integer(1, 2000), "Trees whose path lengths are averaged.")
    samples: int = param(
        256,
        Integer(2, 65_536),
        "Rows that a tree is made of, at most.",
        unit="points",
        search=Among((64, 128, 256, 512)),
    )
    seed: int = param(0, Integer(0, 2**32 - 1), "Of the random numbers.")
    by: str = param(
        "watchband", Choice(("watchband", "scikit-learn")), "Who makes the trees; both are scored by the same code."
    )

    @property
    def libraries(self) -> str:
        if self.by == "watchband":
            return super().libraries
        import sklearn

        return f"{super().libraries} scikit-learn {sklearn.__version__}"

    def check_libraries(self) -> None:
        if self.by == "scikit-learn":
            _sklearn_ensemble()

    def _fit(self, scaled: Float64, centre: Float64, scale: Float64) -> IsolationForestFit:
        samples = min(self.samples, len(scaled))
        if self.by == "scikit-learn":
            theirs = _sklearn_ensemble().IsolationForest
            made = theirs(n_estimators=self.trees, max_samples=samples, random_state=self.seed)
            return IsolationForestFit.of_scikit(made.fit(scaled), self.names, centre, scale)
        trees = _kernels.isolation_forest_fit(scaled, self.trees, samples, self.seed)
        return IsolationForestFit(
            self.names, centre, scale, NO_LIMITS, *trees, np.array([samples]), np.zeros(1, np.uint8)
        )


def _sklearn_ensemble() -> Any:
    try:
        from sklearn import ensemble
    except ImportError as error:
        raise MissingExtraError("isolation_forest with by: scikit-learn", "scikit-learn", "analysis") from error
    return ensemble
