"""What a forecast says, in sentences."""

from __future__ import annotations

import math

import numpy as np

from watchband.analysis.forecast.models import MODELS
from watchband.analysis.forecast.outcome import Forecast
from watchband.analysis.forecast.rolling import Trial
from watchband.core import wording
from watchband.core.duration import format_duration
from watchband.pipeline.breach.words import told


def passages(found: Forecast) -> list[str]:
    """When each threshold is reached; that it has been."""
    metric, now = found.key.metric, _now(found)
    said = []
    for passage in found.passages:
        if (now - passage.threshold) * passage.side >= 0:
            side = "above" if passage.side > 0 else "below"
            said.append(
                f"{found.key} is at {wording.quantity(metric, now)}, at or {side} "
                f"{wording.quantity(metric, passage.threshold)} already."
            )
        else:
            said.append(f"{found.key} {told(metric, passage, found.grid.step)}.")
    return said


def _now(found: Forecast) -> float:
    values = found.grid.values
    return float(values[np.flatnonzero(np.isfinite(values))[-1]])


def horizon(found: Forecast) -> str:
    """How far was looked: "1d ahead in 288 steps of 5m"."""
    steps = len(found.times)
    return f"{format_duration(steps * found.grid.step)} ahead in {steps} steps of {format_duration(found.grid.step)}"


def model(found: Forecast) -> str:
    """Which model was taken and why."""
    return f"Model {found.model}: {MODELS[found.model].says}. {found.choice.why}"


def interval(found: Forecast, zone: str) -> str:
    """Where it will be at the end of the horizon."""
    metric, end = found.key.metric, -1
    texts, sign = wording.quantities(metric, [found.expected[end], found.lower[end], found.upper[end]])
    at = wording.moment(int(found.times[end]), zone)
    if not math.isfinite(found.lower[end]):
        return f"At {at} {wording.with_unit(texts[0], sign)}; too few trials for an interval."
    share = f"{100 * found.level:g}{wording.NO_BREAK}%"
    return f"At {at} {wording.with_unit(texts[0], sign)}, {share} interval {wording.span(texts[1], texts[2], sign)}."


def covered(found: Forecast) -> str:
    """Whether such intervals held before; empty where it could not be tried."""
    if math.isnan(found.covered):
        return ""
    return (
        f"Of what came in the later half of {len(found.choice.origins)} trials, "
        f"{wording.number(100 * found.covered)}{wording.NO_BREAK}% lay inside intervals made from the earlier half; "
        f"{100 * found.level:g}{wording.NO_BREAK}% were promised."
    )


def against(trial: Trial, found: Forecast) -> float:
    """Error of a model over that of persistence; NaN where one is not known."""
    stays = found.choice.trials["persistence"].mae
    return trial.mae / stays if stays > 0 else math.nan
