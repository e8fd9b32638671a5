"""Where training searches: candidates, their parameters, and what features a model reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from watchband.analysis.training.fitting import has_model
from watchband.analysis.tuning.space import Space
from watchband.core import params
from watchband.core.errors import ConfigError, UnknownNameError
from watchband.core.params import Among, Choice, Search
from watchband.detectors.fitted import rows
from watchband.pipeline.catalogue import CATALOGUE

FEATURES = "features"
_ONLY_REFITTED = ("window", "refit_every", "hold", "hold_points", "odd")
"""Parameters that say nothing where a model is fitted once."""


@dataclass(frozen=True)
class Candidates(Space):
    """A space whose detectors with a model also choose their features.

    Parameters
    ----------
    features : tuple of str
        Names of feature sets; none: each detector keeps its own.
    fixed : mapping of str to mapping
        Parameters that the user gave with a candidate, by its name: they are not searched.
    """

    features: tuple[str, ...] = ()
    fixed: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        known = sorted({name for detector in self.detectors for name in feature_sets(detector)})
        for name in self.features:
            if known and name not in known:
                raise UnknownNameError("feature set of these candidates", name, known)

    def searches(self, detector: str) -> dict[str, Search]:
        """As ``Space.searches``, without what a model that is fitted once does not read."""
        found = super().searches(detector)
        if has_model(detector):
            found = {name: search for name, search in found.items() if name not in _ONLY_REFITTED}
        sets = tuple(name for name in self.features if name in feature_sets(detector))
        found = {FEATURES: Among(sets), **found} if sets else found
        return {name: search for name, search in found.items() if name not in self.fixed.get(detector, {})}


def fitting_sets(names: Sequence[str], columns: Sequence[str]) -> tuple[str, ...]:
    """Those of some feature sets that can be made of such columns.

    Examples
    --------
    >>> fitting_sets(("none", "value4", "last24", "ratios294"), ("cpu", "memory", "pods"))
    ('none', 'last24', 'ratios294')
    """

    def fits(name: str) -> bool:
        try:
            rows.of(name, columns)
        except ConfigError:
            return False
        return True

    return tuple(name for name in names if fits(name))


def feature_sets(detector: str) -> tuple[str, ...]:
    """Names of the feature sets that a detector knows; empty where it has none."""
    declared = params.params_of(CATALOGUE.get(detector)).get(FEATURES)
    return declared.constraint.words if declared and isinstance(declared.constraint, Choice) else ()
