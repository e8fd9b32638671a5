"""The decision: better only where the interval on the held-out part says so; else the default stays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from watchband.analysis.tuning.intervals import LEVEL
from watchband.analysis.tuning.objective import Objective
from watchband.analysis.tuning.result import Decision, Row
from watchband.evaluation.metrics.bootstrap import Interval

FEW_EVENTS = 10


def decide(rows: Sequence[Row], gap: Interval, objective: Objective, events: int) -> tuple[Decision, list[str]]:
    """The decision and its reasons.

    Parameters
    ----------
    rows : sequence of Row
        Default first, then the one that was found, if any, then baselines.
    gap : Interval
        Validation minus test of the one that was found.
    objective : Objective
        What was to be best.
    events : int
        Labelled events in the test part.
    """
    found = next((r for r in rows if r.role == "found"), None)
    if found is None or found.against is None:
        return "nothing found", ["No configuration did better on the validation part than the one in use: it stays."]
    step, level = found.against, f"{100 * LEVEL:.0f} %"
    known = np.isfinite(step.low) and np.isfinite(step.high)
    told = f"{signed(step.value)} ({level} interval {signed(step.low)} to {signed(step.high)})"
    decision: Decision
    if known and step.low > 0:
        decision = "better"
        sentences = [f"Better on the part that no search saw: {objective.words} {told} over the configuration in use."]
    elif known and step.high < 0:
        decision = "worse"
        sentences = [f"Worse on the part that no search saw: {told}. The configuration in use stays."]
    elif known:
        decision = "no difference"
        sentences = [
            f"No difference shown: {told} on the part that no search saw, and 0 lies within. The configuration in use "
            "stays."
        ]
    else:
        decision = "no difference"
        sentences = [
            "No difference shown: too few series have events in the held-out part for an interval. The configuration "
            "in use stays."
        ]
    sentences += _overfitting(gap)
    if events < FEW_EVENTS:
        sentences.append(
            f"The held-out part has {events} labelled event{'' if events == 1 else 's'}: only a large difference could "
            "be shown."
        )
    simple = [r for r in rows if r.role == "baseline" and r.against is not None and r.against.low > 0]
    if simple:
        sentences.append(
            f"On the held-out part {' and '.join(r.label for r in simple)} did better than the configuration in use: "
            "worth a look, though one of three comparisons may do so by luck."
        )
    return decision, sentences


def _overfitting(gap: Interval) -> list[str]:
    if not np.isfinite(gap.value):
        return []
    if np.isfinite(gap.low) and gap.low > 0:
        return [
            f"The search is overfitted: where it chose it had more than what was held out shows, by {interval(gap)}."
        ]
    said = "no overfitting is shown, and none is ruled out" if gap.high > 0 else "it did even better there"
    return [f"From the part it was chosen on to the held-out part it lost {interval(gap)}: {said}."]


def interval(found: Interval) -> str:
    """With signs: ``+0.120 (−0.161 to +0.372)``."""
    return f"{signed(found.value)} ({signed(found.low)} to {signed(found.high)})"


def signed(value: float) -> str:
    """A difference with its sign.

    Examples
    --------
    >>> signed(0.25), signed(-0.5)
    ('+0.250', '−0.500')
    """
    return f"{value:+.3f}".replace("-", "−")
