"""Which features are worth having: fitted on training rows only, kept as a small document."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from watchband.core.errors import ConfigError, DataError, InvalidParameterError
from watchband.core.points import Float64

SCHEMA_VERSION = 1
ROWS_MIN = 30
ROWS_MAX = 20_000
"""Rows that are looked at: of more, so many at equal distances."""
BINS = 8
MISSING_MAX = 0.2
ROUNDING = 1e-9
ONE_IN_100 = 2.326
KEPT, MISSING, FLAT, SILENT, REDUNDANT, BEYOND = "kept", "missing", "flat", "silent", "redundant", "beyond"


@dataclass(frozen=True)
class Selection:
    """The features that were chosen, and why the others were not.

    Parameters
    ----------
    names : tuple of str
        Chosen features, the most telling first (without a target: in the order they came).
    fates : mapping of str to dict
        For every feature that was looked at: ``fate`` (``kept``, ``missing``, ``flat``, ``silent``, ``redundant``,
        ``beyond``), ``variance``, ``information`` (nats; None without a target), and ``like``, the chosen feature that
        says the same.
    rows : int
        Training rows that it was fitted on.
    settings : mapping
        What it was fitted with.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=300)
    >>> rows = np.stack([x, 2 * x, rng.normal(size=300), np.ones(300)], axis=1)
    >>> found = Selection.fit(rows, ("a", "b", "c", "d"), target=x > 1, until=200)
    >>> found.names, found.fates["b"]["fate"], found.fates["d"]["fate"]
    (('a',), 'redundant', 'flat')
    """

    names: tuple[str, ...]
    fates: Mapping[str, Mapping[str, Any]]
    rows: int
    settings: Mapping[str, Any]

    @classmethod
    def fit(
        cls,
        rows: ArrayLike,
        names: Sequence[str],
        target: ArrayLike | None = None,
        *,
        until: int | None = None,
        most: int = 100,
        variance: float = 0.001,
        correlation: float = 0.95,
    ) -> Selection:
        """Choose features by the first ``until`` rows; nothing behind them is looked at.

        In this order a feature is left out that is not known in more than 20 % of the rows (``missing``); whose
        variance is below ``variance`` once its 1 to 99 % range is scaled to 0 to 1 (``flat``); that tells nothing of
        the target (``silent``: its mutual information is no more than one in a hundred independent ones shows); whose
        rank correlation with a better one is beyond ``correlation`` (``redundant``); or that comes behind the ``most``
        best (``beyond``).

        Parameters
        ----------
        rows : float64[n, k]
            In order of time; NaN is not known.
        names : sequence of str
            Of the columns.
        target : array[n], optional
            What features should tell: labels, or numbers. Without it nothing is silent.
        until : int, optional
            Number of training rows; all if none.
        most, variance, correlation
            See above.

        Raises
        ------
        InvalidParameterError, DataError
            Shapes that do not fit, fewer than 30 complete training rows, a target of one value, or no feature left.

        Notes
        -----
        Mutual information is estimated over at most 8 equally frequent bins, with Miller's and Madow's correction.
        Cost: O(k n log n) and, for redundancy, O(chosen × k × n), of at most 20,000 rows.
        """
        matrix, wanted = _checked(rows, names, target, until, most, variance, correlation)
        fates: dict[str, dict[str, Any]] = {}
        for column, name in zip(matrix.T, names, strict=True):
            fates[name] = _looked_at(column, wanted, variance)
        alive = [name for name in names if fates[name]["fate"] == KEPT]
        if wanted is not None:
            alive.sort(key=lambda name: -fates[name]["information"])
        places = {name: index for index, name in enumerate(names)}
        chosen = _told_apart(alive, {name: matrix[:, places[name]] for name in alive}, fates, most, correlation)
        if not chosen:
            raise DataError(
                f"Of {len(fates)} features none is left: {_counted(fates)}. Give more rows, or lower the thresholds."
            )
        settings = {"most": most, "variance": variance, "correlation": correlation, "target": wanted is not None}
        return cls(tuple(chosen), fates, len(matrix), settings)

    def apply(self, rows: Float64, names: Sequence[str]) -> Float64:
        """The chosen columns of a matrix, in the order of ``self.names``: float64[n, chosen].

        Raises
        ------
        ConfigError
            A chosen feature is not among ``names``.
        """
        places = {name: index for index, name in enumerate(names)}
        missing = [name for name in self.names if name not in places]
        if missing:
            raise ConfigError(
                f"The rows have no {', '.join(missing[:5])}, which the selection was fitted on. Make the rows by the "
                "schema that is stored with it."
            )
        return np.ascontiguousarray(np.asarray(rows)[:, [places[name] for name in self.names]])

    def document(self) -> dict[str, Any]:
        """As JSON, which ``from_document`` reads."""
        return {
            "schema_version": SCHEMA_VERSION,
            "names": list(self.names),
            "rows": self.rows,
            "settings": dict(self.settings),
            "fates": {name: dict(fate) for name, fate in self.fates.items()},
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Selection:
        """Read what ``document`` wrote.

        Raises
        ------
        ConfigError
            It is none, or of another version.
        """
        version = document.get("schema_version") if isinstance(document, Mapping) else None
        if version != SCHEMA_VERSION:
            raise ConfigError(
                f"This is no selection of version {SCHEMA_VERSION}: its schema_version is {version!r}. Fit it anew."
            )
        try:
            names = tuple(str(name) for name in document["names"])
            fates = {str(name): dict(fate) for name, fate in document["fates"].items()}
            found = cls(names, fates, int(document["rows"]), dict(document["settings"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ConfigError(
                f"This selection cannot be read ({type(error).__name__}: {error}). Fit it anew."
            ) from error
        if not names or any(fates.get(name, {}).get("fate") != KEPT for name in names):
            raise ConfigError("This selection contradicts itself: what it names was not kept. Fit it anew.")
        return found


def _checked(
    rows: ArrayLike,
    names: Sequence[str],
    target: ArrayLike | None,
    until: int | None,
    most: int,
    variance: float,
    correlation: float,
) -> tuple[Float64, NDArray[Any] | None]:
    matrix = np.asarray(rows, np.float64)
    if matrix.ndim != 2 or matrix.shape[1] != len(names) or len(set(names)) != len(names):
        raise InvalidParameterError(
            f"Rows are float64[n, k] with k different names. Got shape {matrix.shape} and {len(names)} names."
        )
    if most < 1 or variance < 0 or not 0 < correlation <= 1:
        raise InvalidParameterError(
            "A selection takes most >= 1, variance >= 0 and a correlation in (0, 1]. Got "
            f"{most}, {variance:g} and {correlation:g}."
        )
    train = len(matrix) if until is None else until
    if not 0 < train <= len(matrix):
        raise InvalidParameterError(f"Training rows are 1 to {len(matrix)}. Got until={until}.")
    wanted = None
    if target is not None:
        wanted = np.asarray(target)
        if wanted.shape != (len(matrix),):
            raise InvalidParameterError(f"The target has one value a row: {len(matrix)}. Got shape {wanted.shape}.")
        wanted = wanted[:train]
    matrix = matrix[:train]
    known = np.isfinite(matrix).mean(axis=1) > 0.5
    if wanted is not None:
        known &= np.isfinite(wanted.astype(np.float64))
    some = np.flatnonzero(known)
    if len(some) < ROWS_MIN:
        raise DataError(
            f"Features are chosen by {ROWS_MIN} training rows at least in which most are known. Got {len(some)} of "
            f"{train}. Give more of the past."
        )
    if len(some) > ROWS_MAX:
        some = some[np.linspace(0, len(some) - 1, ROWS_MAX).round().astype(np.int64)]
    if wanted is not None:
        wanted = wanted[some]
        if (wanted == wanted[0]).all():
            raise DataError(
                f"The target is {wanted[0]!r} in every training row: nothing can tell it. Give a part of the past in "
                "which it changes."
            )
    return matrix[some], wanted


def _looked_at(column: Float64, wanted: NDArray[Any] | None, variance: float) -> dict[str, Any]:
    known = np.isfinite(column)
    fate: dict[str, Any] = {"fate": KEPT, "variance": None, "information": None, "like": None}
    if 1 - known.mean() > MISSING_MAX:
        return fate | {"fate": MISSING}
    values = column[known]
    fate["variance"] = scaled_variance(values)
    if fate["variance"] < variance or values.min() == values.max():
        return fate | {"fate": FLAT}
    if wanted is not None:
        fate["information"], chance = information(values, wanted[known])
        if fate["information"] <= chance:
            fate["fate"] = SILENT
    return fate


def _told_apart(
    alive: Sequence[str], columns: Mapping[str, Float64], fates: Mapping[str, dict[str, Any]], most: int, limit: float
) -> list[str]:
    """Of features in order of worth those that are unlike all before them."""
    chosen: list[str] = []
    ranks = np.empty((most, len(next(iter(columns.values()), np.empty(0)))))
    for name in alive:
        if len(chosen) == most:
            fates[name]["fate"] = BEYOND
            continue
        mine = standard_ranks(columns[name])
        like = np.abs(ranks[: len(chosen)] @ mine)
        if len(like) and like.max() > limit:
            fates[name].update(fate=REDUNDANT, like=chosen[int(like.argmax())])
            continue
        ranks[len(chosen)] = mine
        chosen.append(name)
    return chosen


def scaled_variance(values: Float64) -> float:
    """Variance once the 1 to 99 % range is 0 to 1, what lies outside counted as 0 or 1; 0 where all are equal.

    Values that differ by roundings only are equal.
    """
    for ends in (np.quantile(values, [0.01, 0.99]), (values.min(), values.max())):
        low, high = (float(end) for end in ends)
        if high - low > ROUNDING * max(abs(low), abs(high)):
            return float(np.clip((values - low) / (high - low), 0, 1).var())
    return 0.0


def information(values: Float64, target: NDArray[Any]) -> tuple[float, float]:
    """Mutual information in nats over equally frequent bins, less what independent ones show by chance; and what one in
    a hundred independent ones exceeds.

    Twice n times the plain estimate is then chi-squared with (a − 1)(b − 1) degrees of freedom; its quantile is by
    Wilson and Hilferty.
    """
    one, two = _binned(values), _binned(target.astype(np.float64))
    a, b = int(one.max()) + 1, int(two.max()) + 1
    n = len(values)
    joint = np.bincount(one * b + two, minlength=a * b).reshape(a, b) / n
    outer = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    there = joint > 0
    plain = float((joint[there] * np.log(joint[there] / outer[there])).sum())
    degrees = (a - 1) * (b - 1)
    if not degrees:
        return 0.0, 0.0
    quantile = degrees * (1 - 2 / (9 * degrees) + ONE_IN_100 * math.sqrt(2 / (9 * degrees))) ** 3
    return plain - degrees / (2 * n), (quantile - degrees) / (2 * n)


def _binned(values: Float64) -> NDArray[np.int64]:
    """Numbers of bins from 0 without gaps; equal values share one, and few different values have one each."""
    different = np.unique(values)
    if len(different) > BINS:
        different = np.unique(np.quantile(values, np.arange(1, BINS) / BINS))
        return np.unique(np.searchsorted(different, values, side="right"), return_inverse=True)[1]
    return np.searchsorted(different, values)


def standard_ranks(column: Float64) -> Float64:
    """Ranks (the mean one of equal values), centred and of length 1, so that a product is a rank correlation."""
    filled = np.where(np.isfinite(column), column, np.nanmedian(column))
    _, inverse, counts = np.unique(filled, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts - 1) / 2
    ranks = middle[inverse] - (len(column) + 1) / 2
    return np.asarray(ranks / math.sqrt(float(ranks @ ranks) or 1.0))


def _counted(fates: Mapping[str, Mapping[str, Any]]) -> str:
    kinds = [fate["fate"] for fate in fates.values()]
    return ", ".join(f"{kinds.count(kind)} {kind}" for kind in (MISSING, FLAT, SILENT) if kind in kinds)
