"""How points become the rows that a model is fitted on: a set of features by its name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from watchband.core import params
from watchband.core.errors import ConfigError
from watchband.features.families import Family
from watchband.features.feature_set import FeatureSet
from watchband.features.sets import SETS

OWN = {
    "none": (Family("value"),),
    "last24": (Family("value"), Family("lags", tuple(range(1, 24)))),
}
"""Sets for models alone: the values of a point as they are; a value and the 23 before it."""
NAMES = (*OWN, *(name for name in SETS if name not in OWN))


def of(features: str, columns: Sequence[str]) -> FeatureSet:
    """The set of features of a name.

    Raises
    ------
    ConfigError
        It takes another number of columns.
    """
    if features in OWN:
        return FeatureSet(tuple(columns), OWN[features], label=features)
    return FeatureSet.named(features, columns)


def plain(kind: type, columns: Sequence[str]) -> dict[str, Any]:
    """The values as they are, as a parameter, where what a detector reads by default is of one metric.

    Examples
    --------
    >>> from watchband.detectors import IsolationForest
    >>> plain(IsolationForest, ("cpu", "memory")), plain(IsolationForest, ("cpu",))
    ({'features': 'none'}, {})
    """
    try:
        of(params.defaults_of(kind)["features"], columns)
    except ConfigError:
        return {"features": "none"}
    return {}
