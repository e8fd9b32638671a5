"""A model of risk made by hand: two features, four groups, no fitting."""

from __future__ import annotations

import numpy as np

from watchband.analysis.risk.baseline import Usual
from watchband.analysis.risk.labeller import Labeller
from watchband.analysis.risk.naming import STATES, LoadScale
from watchband.analysis.risk.outlook import BINS
from watchband.analysis.risk.scaling import Scale
from watchband.features.load import feature_of

MINUTE = 60_000_000_000


def by_hand() -> Labeller:
    """CPU of 5, 40 and 80 % with latencies of 10, 20 and 30 ms; nothing is known of single entities."""
    middle, spread = np.array([[5.0, 10.0], [40.0, 20.0], [80.0, 30.0]]), np.full((3, 2), 4.0)
    scale = Scale(np.array([40.0, 20.0]), np.array([20.0, 8.0]))
    profile = {
        "rows": 1000, "entities": 10, "from": 0, "to": 1000 * MINUTE, "counts": {}, "anomalies": 0,
        "heat": [[-1.7, -1.2], [0.0, 0.0], [2.0, 1.2], [None, None]],
        "words": {risk.title: f"what {risk.title} is." for risk in STATES},
        "method": "kmeans", "groups": 3, "silhouette": 0.6, "stability": 0.97,
        "components": {
            "mean": [0.0, 0.0], "axes": [[1.0, 0.0], [0.0, 1.0]], "share": [0.8, 0.2], "words": ["load", "waiting"],
        },
        "skill": {"rows": 200, "hits": 0, "brier": None, "persistence": None, "climatology": None},
        "critical_seen": False, "by": ["host"],
    }  # fmt: skip
    return Labeller(
        (feature_of("CPUUtilization"), feature_of("Latency_ms")),
        MINUTE,
        scale,
        scale(middle),
        np.array([0, 1, 2]),
        Usual(middle, spread),
        Usual(middle[2:], spread[2:]),
        LoadScale(np.array([0.0, 0.0]), np.array([100.0, 60.0]), np.array([0, -1])),
        (),
        Usual(np.empty((0, 2)), np.empty((0, 2))),
        9.0,
        6.0,
        12,
        np.zeros(4 * BINS),
        profile,
    )
