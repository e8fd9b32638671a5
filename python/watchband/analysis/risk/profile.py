"""The profile of a fit: plain data that pages and pictures show, kept with the labeller."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from watchband.analysis.risk.labeller import Labeller, Labels
from watchband.analysis.risk.naming import STATES, Risk
from watchband.analysis.risk.outlook import Skill
from watchband.analysis.risk.projection import axis_word, components
from watchband.analysis.risk.rows import Rows
from watchband.analysis.risk.scaling import Scale
from watchband.analysis.risk.words import profile_words
from watchband.core.points import Float64

if TYPE_CHECKING:
    from watchband.analysis.risk.fit import Settings
    from watchband.analysis.risk.grouping import Groups

DIGITS = 4


class Census:
    """How many rows of every entity were in each state (int64[e, 5], the last: not judged), and where they stood.

    ``middle`` is the mean of the rows of each state in spreads of the fleet: float64[4, f]. A rare state has few rows,
    and maybe none in a sample.
    """

    def __init__(self, entities: int, scale: Scale) -> None:
        self.rows = np.zeros((entities, len(STATES) + 1), np.int64)
        self.anomalies = 0
        self._scale = scale
        self._sums = np.zeros((len(STATES), len(scale.centre)))

    @property
    def middle(self) -> Float64:
        """Mean of each state; NaN where no row was in it."""
        counts = self.rows.sum(axis=0)[: len(STATES), None]
        return np.where(counts > 0, self._sums / np.maximum(counts, 1), np.nan)

    def add(self, rows: Rows, labels: Labels) -> None:
        """Count a chunk."""
        np.add.at(self.rows, (rows.entity, labels.state), 1)
        self.anomalies += int((labels.anomaly > 0).sum())
        points = self._scale(rows.values)
        for state in STATES:
            self._sums[state] += points[labels.state == state].sum(axis=0)


def profile_of(
    labeller: Labeller,
    groups: Groups,
    points: Float64,
    census: Census,
    span: tuple[int, int],
    skill: Skill,
    settings: Settings,
) -> dict[str, Any]:
    """What a fit looks like.

    The heat map is of rows as they are labelled, in spreads of the fleet; the words are made of it.
    """
    counts = census.rows.sum(axis=0)
    total = max(int(counts.sum()), 1)
    heat, words = [], {}
    for risk in STATES:
        middle = census.middle[risk]
        heat.append([None if np.isnan(v) else round(float(v), DIGITS) for v in middle])
        words[risk.title] = profile_words(risk, middle, labeller.features, counts[risk] / total)
    axes = components(points)
    return {
        "rows": int(counts.sum()),
        "entities": len(census.rows),
        "from": span[0],
        "to": span[1],
        "counts": {risk.title: int(counts[risk]) for risk in STATES} | {"Unknown": int(counts[-1])},
        "anomalies": census.anomalies,
        "heat": heat,
        "words": words,
        "method": settings.method,
        "groups": len(labeller.centres),
        "silhouette": round(groups.silhouette, DIGITS),
        "stability": groups.stability.mean,
        "components": {
            "mean": axes.mean.tolist(),
            "axes": axes.axes.tolist(),
            "share": [round(float(s), DIGITS) for s in axes.share],
            "words": [axis_word(axis, labeller.features) for axis in axes.axes],
        },
        "skill": {
            "rows": skill.rows,
            "hits": skill.hits,
            "brier": _number(skill.brier),
            "persistence": _number(skill.persistence),
            "climatology": _number(skill.climatology),
        },
        "critical_seen": bool(counts[Risk.CRITICAL]),
    }


def _number(value: float) -> float | None:
    return None if np.isnan(value) else round(value, 6)
