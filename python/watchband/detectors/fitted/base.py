"""The base of detectors with a fitted model: a ring of rows, a fit every so many points, our own scoring."""

from __future__ import annotations

import hashlib
import re
from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from watchband.core import fold, params
from watchband.core.detector import Detector
from watchband.core.duration import HOUR
from watchband.core.errors import DataError, InvalidParameterError, PointsShapeError
from watchband.core.params import Choice, Integer, Real, Span, Text, param
from watchband.core.points import Float64, Points
from watchband.core.scores import Scores
from watchband.core.state import Field, State
from watchband.detectors.fitted import files, rows, scaling
from watchband.detectors.fitted.cache import MODELS
from watchband.detectors.fitted.fit import ROW_MAX, Fit, present
from watchband.detectors.fitted.hold import Hold, limits_of
from watchband.detectors.fitted.ring import Ring
from watchband.features.feature_set import FeatureSet

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]*")
COLUMNS_MAX = 256


def features_param(default: str) -> Any:
    """The parameter ``features`` with another default."""
    return param(
        default,
        Choice(rows.NAMES),
        "What a row is made of. `none`: the values of a point; `last24`: a value and the 23 before it.",
    )


@dataclass(frozen=True)
class Fitted(Detector):
    """Base of detectors that fit a model to a window of the past, and score rows of features by it.

    The model that scores point ``n`` was fitted at the last multiple of ``refit_every`` before it, on the rows of the
    ``window`` points before that. The state is a ring of ``window + refit_every`` rows; the model follows from it, is
    kept in a bounded cache (``detectors.fitted.cache``) and made anew after a restart, with the same bits. Rows that
    stand out while a level has not stayed for the ``hold`` are scored and left out of fits.

    Parameters
    ----------
    features, columns, window, refit_every, scaling, hold, hold_points, odd, model
        See the table of the page of each detector.
    """

    dims_max: ClassVar[int] = COLUMNS_MAX
    tags: ClassVar[frozenset[str]] = frozenset({"scale", "shift", "time_shift"})
    memory_tolerance: ClassVar[float] = 0.75
    fit_class: ClassVar[type[Fit]]
    least: ClassVar[int] = 32
    """Rows below which nothing is fitted."""

    features: str = features_param("value4")
    columns: str = param(
        "value", Text("names, separated by blanks"), "What the values of a point are called; as many as it has."
    )
    window: int = param(
        2000, Integer(32, 100_000), "Rows a model is fitted on.", unit="points", search=Span(500, 8000, log=True)
    )
    refit_every: int = param(
        250, Integer(16, 100_000), "Points from one fit to the next.", unit="points", search=Span(100, 1000, log=True)
    )
    scaling: str = param("standard", Choice(scaling.WAYS), "What brings features to one unit before the fit.")
    hold: float = param(24.0, Real(0), "How long a level that stands out must stay before it is learned.", unit="hours")
    hold_points: int = param(36, Integer(1), "How many points that stand out it must have, too.", unit="points")
    odd: float = param(
        6.0,
        Real(0, low_open=True),
        "A row stands out whose score is so many times as far above the median as the upper quartile is.",
    )
    model: str = param(
        "", Text("the path of a model file (.wbm), or empty"), "A model to score by; nothing is fitted then."
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        names = self.columns.split()
        if not 1 <= len(names) <= COLUMNS_MAX or len(set(names)) < len(names) or not all(map(_NAME.fullmatch, names)):
            raise InvalidParameterError(
                f"The 'columns' parameter of {type(self).__name__} must be 1 to {COLUMNS_MAX} different names, "
                f"separated by blanks. Got {self.columns!r}."
            )
        # The features are made, and a model file is read, now: a wrong one is told at once.
        _ = self.fingerprint

    @cached_property
    def _file(self) -> files.Model:
        return files.read(self.model, self.fit_class)

    @cached_property
    def rows(self) -> FeatureSet:
        """How points become rows."""
        return self._file.rows if self.model else rows.of(self.features, self.columns.split())

    @property
    def names(self) -> tuple[str, ...]:
        """Of the features, in the order of a row."""
        return self.rows.names

    @property
    def memory_points(self) -> int:
        # A row that was or was not held moves the next models a little, so twice.
        return self.rows.memory_points + (0 if self.model else 2 * (self.window + self.refit_every))

    @cached_property
    def fingerprint(self) -> str:
        values = {k: v for k, v in params.shaping(self).items() if k not in ("model", "features", "columns")}
        if self.model:
            values = {"model": self._file.checksum}
        return fold.fingerprint(self.name, {**values, "rows": self.rows.fingerprint})

    @cached_property
    def _ring(self) -> Ring:
        return Ring(self.window, self.refit_every, len(self.names))

    @cached_property
    def _hold(self) -> Hold:
        return Hold(int(min(self.hold * HOUR, 1 << 62)), self.hold_points)

    def layout(self) -> dict[str, Field]:
        features = {f"rows.{name}": declared for name, declared in self.rows.layout().items()}
        return features if self.model else {**features, **self._ring.layout(), **self._hold.layout()}

    def start(self, series: int = 1) -> State:
        self.check_libraries()
        return super().start(series)

    def check_libraries(self) -> None:
        """Raise MissingExtraError where the fit needs what is not installed."""

    @property
    def libraries(self) -> str:
        """Names and versions of what fits, part of a model's key in the cache."""
        return f"numpy {np.__version__}"

    # What a subclass does.

    @abstractmethod
    def _fit(self, scaled: Float64, centre: Float64, scale: Float64) -> Fit:
        """A model of centred and scaled rows, float64[n, k], all finite; its ``limits`` are filled in afterwards."""

    # Fitting.

    def fit(self, given: Float64, judged: Float64 | None = None) -> Fit:
        """Fit a model to rows of features.

        Parameters
        ----------
        given : float64[n, k]
            Rows as ``self.rows`` makes them; those with a missing feature are left out.
        judged : float64[m, k], optional
            Rows whose scores say which are usual; ``given`` if none.

        Returns
        -------
        Fit

        Raises
        ------
        PointsShapeError
            Another number of features than the detector's.
        DataError
            Too few rows, or all features are constant.
        MissingExtraError
            A library is not installed.
        """
        if given.ndim != 2 or given.shape[1] != len(self.names):
            raise PointsShapeError(
                f"{type(self).__name__} is fitted on rows of {len(self.names)} feature(s): "
                f"{', '.join(self.names[:8])}. Got an array of shape {given.shape}."
            )
        whole = present(np.ascontiguousarray(given, np.float64))
        whole = np.ascontiguousarray(whole[~np.isnan(whole[:, 0])])
        if flaw := self._flaw(whole):
            raise DataError(f"{type(self).__name__} cannot be fitted: {flaw}.")
        self.check_libraries()
        centre, scale = scaling.of(whole, self.scaling)
        made = self._fit(np.ascontiguousarray((whole - centre) / scale), centre, scale)
        scores = made.score(whole if judged is None else judged)
        return made.limited(limits_of(scores, self.odd))

    def _flaw(self, whole: Float64) -> str:
        """Why nothing can be fitted to these rows; empty if it can."""
        if len(whole) < self.least:
            return f"{len(whole)} row(s) in which no feature is missing are too few, {self.least} are needed"
        if (whole == whole[0]).all():
            return f"all {len(whole)} rows are the same; a constant says nothing of what is usual"
        return ""

    def save(self, path: str, fit: Fit) -> str:
        """Write a model file that the parameter ``model`` reads; returns its checksum."""
        return files.write(path, fit, self.rows)

    def fit_of(self, state: State, row: int = 0) -> Fit | None:
        """The model that scores the next point of a series; None where there is none yet."""
        return self._file.fit if self.model else self._model(state, row, int(state.points_seen[row]))

    def _learned(self, window: Float64, usual: np.ndarray) -> tuple[Float64, Float64]:
        """Rows to fit, and rows to judge: all that are whole, of which those are learned that were not held."""
        whole = ~np.isnan(window[:, 0])
        kept = whole & usual
        # A hold longer than the window leaves nothing to learn: then all is.
        return window[kept if not self._flaw(window[kept]) else whole], window[whole]

    def _refit(self, state: State, row: int, seen: int) -> None:
        """Note which model scores from here on; it is fitted when the next point comes."""
        window, usual = self._ring.window_at_last_fit(state, row, seen)
        key = b""
        if not self._flaw(self._learned(window, usual)[0]):
            made = hashlib.blake2b(f"{self.fingerprint} {self.libraries} {window.shape}".encode(), digest_size=16)
            made.update(window.tobytes())
            made.update(usual.tobytes())
            key = made.digest()
        self._ring.set_key(state, row, key)

    # Scoring.

    def _check_points(self, state: State, points: Points) -> None:
        super()._check_points(state, points)
        wanted = self.rows.columns
        if points.dims != len(wanted):
            raise PointsShapeError(
                f"This {type(self).__name__} reads {len(wanted)} value(s) a point: {' '.join(wanted)[:200]}. Got "
                f"{points.dims}; name as many 'columns' as a point has values."
            )

    def _rows_of(self, state: State, points: Points, threads: int) -> Float64:
        arrays = {name: state.arrays[f"rows.{name}"] for name in self.rows.layout()}
        # What is no number to a detector is none to the features either, each value on its own.
        clean = np.where(np.abs(points.values) <= ROW_MAX, points.values, np.nan)
        return present(self.rows.fold(arrays, points.with_values(clean), threads))

    def _fold(self, state: State, points: Points, scores: Scores, threads: int) -> None:
        found = self._rows_of(state, points, threads)
        for row, span in points.slices():
            if self.model:
                scores.score[span] = self._file.fit.score(found[span])
            else:
                self._fold_one(state, row, points.times[span], found[span], (scores.score[span], scores.flags[span]))

    def _fold_one(
        self, state: State, row: int, times: np.ndarray, found: Float64, answers: tuple[Float64, Float64]
    ) -> None:
        """One series, from one fit to the next."""
        seen, at = int(state.points_seen[row]), 0
        while at < len(times):
            here = slice(at, min(len(times), at + self.refit_every - (seen + at) % self.refit_every))
            # The model is looked for before the ring moves on.
            fit = self._model(state, row, seen + at)
            held = np.zeros(here.stop - at, bool)
            if fit is not None:
                answers[0][here] = fit.score(found[here])
                told = answers[0][here], fit.limits, answers[1][here]
                held, begun = self._hold.step(state, row, times[here], *told)
                for first, place in begun:
                    shares = fit.contributions(found[at + first : at + first + 1])[0]
                    self._hold.note(state, row, place, shares)
            self._ring.write(state, row, seen + at, found[here], held)
            at = here.stop
            if (seen + at) % self.refit_every == 0:
                self._refit(state, row, seen + at)

    def leads(self, state: State, row: int, opened: int, decided: int) -> tuple[tuple[str, float], ...]:
        if self.model:
            return ()
        found = self._hold.leads(state, row, opened, decided)
        return tuple((self.names[k], round(share, 3)) for k, share in found if 0 <= k < len(self.names))

    def _model(self, state: State, row: int, seen: int) -> Fit | None:
        key = self._ring.key(state, row)
        if not any(key):
            return None
        found = MODELS.get(key)
        if found is None:
            found = self.fit(*self._learned(*self._ring.window_at_last_fit(state, row, seen)))
            MODELS.put(key, found)
        return found
