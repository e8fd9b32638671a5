"""A detector and its decision rule as a scikit-learn outlier estimator. Needs scikit-learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from watchband.core.detector import Detector
from watchband.core.duration import parse_duration
from watchband.core.errors import MissingExtraError
from watchband.core.points import Float64, Int64, Points
from watchband.core.state import State
from watchband.pipeline.calibrate import Calibrate
from watchband.pipeline.catalogue import CATALOGUE
from watchband.pipeline.rules import DEFAULT_RULE, parse_rule

if TYPE_CHECKING:
    # scikit-learn comes without types; these say what is used of it.
    class BaseEstimator:
        """Parameters are the arguments of ``__init__``."""

        def __sklearn_tags__(self) -> Any: ...

    class OutlierMixin:
        """Adds ``fit_predict``."""

    def validate_data(estimator: object, X: ArrayLike, **options: object) -> Float64: ...  # noqa: N803

    def check_is_fitted(estimator: object) -> None: ...

else:
    try:
        from sklearn.base import BaseEstimator, OutlierMixin
        from sklearn.utils.validation import check_is_fitted, validate_data
    except ImportError as error:
        raise MissingExtraError("WatchbandDetector", "scikit-learn", "analysis") from error


class WatchbandDetector(OutlierMixin, BaseEstimator):
    """A Watchband detector with scikit-learn's interface and sign convention: lower is more abnormal.

    Rows are consecutive points of one stream, ``interval`` apart: ``fit`` folds them from the first to the last,
    and the other methods fold the rows they get as those that follow the fitted ones, each scored before it is
    learned, on a copy of the fitted state. So the order of rows matters, and asking twice gives the same answer.
    With several columns each is a metric of its own, and a row is as abnormal as its most abnormal column.

    Parameters
    ----------
    detector : str or Detector, default "rolling_zscore"
        As on the command line: ``NAME`` or ``NAME:key=value,key=value``.
    interval : str, default "5m"
        Distance of two rows; a budget and seasons are counted in it.
    rule : str, default None
        What is abnormal: ``"1/week"``, ``"cutoff:3"``, ``"sigma:2.5"``, ``"contamination:0.03"``. None: the detector's
        own default.
    direction : {"both", "above", "below"}, default "both"
        Side on which values are abnormal.
    no_opinion : float, default 0.0
        Anomaly score of a row without a value, or that came before the detector had seen enough. May be NaN,
        which is what the detector says; most of scikit-learn cannot take it.

    Attributes
    ----------
    n_features_in_ : int
        Columns seen by ``fit``.
    offset_ : float
        -1: ``decision_function`` is ``score_samples - offset_``.
    training_scores_ : float64[n]
        ``score_samples`` of the fitted rows, each as it was when the row was new. What ``score_samples`` says of
        the same rows differs: there they come a second time.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> history, today = rng.normal(size=(2000, 1)), np.array([[0.5], [12.0], [-0.5]])
    >>> model = WatchbandDetector("rolling_zscore:window=100", interval="5m").fit(history)
    >>> model.predict(today)
    array([ 1, -1,  1])
    """

    def __init__(
        self,
        detector: str | Detector = "rolling_zscore",
        interval: str = "5m",
        rule: str | None = None,
        direction: str = "both",
        no_opinion: float = 0.0,
    ) -> None:
        self.detector = detector
        self.interval = interval
        self.rule = rule
        self.direction = direction
        self.no_opinion = no_opinion

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def fit(self, X: ArrayLike, y: object = None) -> WatchbandDetector:  # noqa: N803
        """Start anew and fold these rows. NaN is a missing value; ``y`` is not used.

        Raises
        ------
        ConfigError
            A parameter that cannot be, or an unknown detector.
        """
        values = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan")
        self.detector_ = CATALOGUE.parse(self.detector) if isinstance(self.detector, str) else self.detector
        rule = getattr(self.detector_, "default_rule", "budget") if self.rule is None else self.rule
        self.calibrate_ = Calibrate(DEFAULT_RULE if rule == "budget" else parse_rule(rule), self.direction)
        self.interval_ns_ = parse_duration(self.interval)
        self.offset_ = -1.0
        columns = values.shape[1]
        self.state_ = self.detector_.start(columns)
        self.calibration_ = self.calibrate_.start(columns)
        self.training_scores_ = self._fold(self.state_, self.calibration_, values)
        return self

    def score_samples(self, X: ArrayLike) -> Float64:  # noqa: N803
        """Minus the anomaly score of each row, float64[n]: below -1 is abnormal."""
        check_is_fitted(self)
        values = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        return self._fold(self.state_.copy(), self.calibration_.copy(), values)

    def decision_function(self, X: ArrayLike) -> Float64:  # noqa: N803
        """``score_samples`` moved so that below 0 is abnormal, float64[n]."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: ArrayLike) -> Int64:  # noqa: N803
        """-1 for abnormal rows and 1 for the others, int64[n]."""
        labels: NDArray[np.int64] = np.where(self.decision_function(X) < 0, -1, 1)
        return labels

    def _fold(self, state: State, calibration: State, values: Float64) -> Float64:
        rows, columns = values.shape
        times = (int(state.points_seen[0]) + np.arange(rows, dtype=np.int64)) * self.interval_ns_
        points = Points.fleet([(times, values[:, column]) for column in range(columns)])
        scores = self.detector_.step(state, points)
        intervals = np.full(columns, self.interval_ns_, np.int64)
        found = self.calibrate_.step(calibration, points, scores, interval_ns=intervals)
        by_row = found.anomaly_score.reshape(columns, rows).T
        known = ~np.isnan(by_row)
        worst = np.where(known, by_row, -np.inf).max(axis=1)
        strangeness = np.where(known.any(axis=1), worst, self.no_opinion)
        return np.asarray(-np.minimum(strangeness, np.finfo(np.float64).max), np.float64)
