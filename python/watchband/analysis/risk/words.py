"""Risk in words: category, description, reason, and the profile of a state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from watchband.analysis.risk.labeller import DENSITY, NAMED, Labeller
from watchband.analysis.risk.naming import Risk
from watchband.core.points import Float64
from watchband.features.load import LoadFeature, Role

CATEGORIES: Mapping[Role, str] = {
    "cpu": "CPU bottleneck",
    "processes": "CPU bottleneck",
    "memory": "memory pressure",
    "network": "network saturation",
    "connections": "network saturation",
    "latency": "latency",
    "queue": "latency",
    "disk": "disk saturation",
    "errors": "errors",
    "other": "unusual",
}
TOP = 3
NEAR = 0.5
"""Deviations of a state's middle from the fleet's that are worth a word."""


def category(feature: LoadFeature) -> str:
    """What is short, by the feature that is farthest out."""
    return CATEGORIES[feature.role]


def kinds_of(anomaly: int) -> list[str]:
    """The names of an anomaly's bits.

    Examples
    --------
    >>> kinds_of(9)
    ['latency', 'density']
    """
    found = [word for bit, _, word in NAMED if anomaly & bit]
    return [*found, "density"] if anomaly & DENSITY else found


def description(state: Risk, what: str, anomaly: int, known: bool) -> str:
    """A state in a few words.

    Examples
    --------
    >>> description(Risk.HIGH_LOAD, "", 0, True), description(Risk.CRITICAL, "CPU bottleneck", 2, True)
    ('High Load, usual here', 'Critical: CPU bottleneck')
    """
    if state is Risk.UNKNOWN:
        return "Not judged: too many of its metrics are missing"
    if state is Risk.CRITICAL:
        return f"Critical: {what}"
    if anomaly:
        return f"{state.title}, unusual here: {', '.join(kinds_of(anomaly))}"
    return f"{state.title}, {'usual here' if known else 'nothing is known of what is usual here'}"


def reason(labeller: Labeller, values: Float64, deviations: Float64, usual: Float64, top: int = TOP) -> str:
    """The features that are farthest from what is usual, with both numbers: ``CPU 240 % (usual 80 %)``.

    Parameters
    ----------
    values, deviations, usual : float64[f]
        Of one row.
    """
    far = np.where(np.isnan(deviations), 0.0, np.abs(deviations))
    said = []
    for f in np.argsort(-far, kind="stable")[:top].tolist():
        if far[f] < 2:
            break
        feature = labeller.features[f]
        said.append(f"{feature.word} {number(values[f], feature)} (usual {number(usual[f], feature)})")
    return ", ".join(said)


def number(value: float, feature: LoadFeature) -> str:
    """Three significant digits and the unit.

    Examples
    --------
    >>> number(1234.5, LoadFeature("x", "disk", "disk", "MB")), number(0.0312, LoadFeature("y", "cpu", "CPU"))
    ('1234 MB', '0.0312')
    """
    text = f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{text} {feature.unit}" if feature.unit else text


def profile_words(state: Risk, middle: Float64, features: Sequence[LoadFeature], share: float) -> str:
    """A state in a sentence, from its deviations from the fleet's typical value.

    Parameters
    ----------
    middle : float64[f]
        In standard deviations of the fleet; NaN where no row was in the state.
    """
    if not share:
        return "no row was in this state when the model was fitted."
    if np.isnan(middle).all() or np.nanmax(np.abs(middle)) < NEAR:
        return f"every feature within {NEAR:g} of the fleet’s typical value."
    order = np.argsort(-np.abs(np.nan_to_num(middle)), kind="stable")[:TOP].tolist()
    said = [f"{features[f].word} {_signed(middle[f])}" for f in order if abs(middle[f]) >= NEAR]
    text = f"{', '.join(said)} deviations from the fleet’s typical value."
    waits = [f for f, feature in enumerate(features) if feature.role in ("latency", "queue", "errors")]
    asked = [f for f, feature in enumerate(features) if feature.role in ("cpu", "network", "connections")]
    if state is Risk.HIGH_LOAD and waits and asked:
        healthy = np.nanmax(middle[waits]) <= np.nanmax(middle[asked]) + 1
        text += " Busy and healthy: waiting grows no faster than the work." if healthy else " Work begins to wait."
    return text


def _signed(value: float) -> str:
    return f"{'+' if value >= 0 else '−'}{abs(value):.1f}"
