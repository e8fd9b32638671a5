"""Seed 001: its data are not public, so that only its arithmetic can be checked; and the features that it counts."""

from __future__ import annotations

from benches.seeds.figure import Figure, Verdict, measured
from watchband.features.feature_set import FeatureSet

HIT, FALSE, MISSED, QUIET = 5, 2, 4, 24
"""Of its test set."""
NONE = "35 rows of its table"


def wilson(hits: int, of: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval of a share."""
    share, room = hits / of, z * z / of
    middle = (share + room / 2) / (1 + room)
    half = z * (share * (1 - share) / of + room / (4 * of)) ** 0.5 / (1 + room)
    return middle - half, middle + half


def figures() -> list[Figure]:
    """Precision, recall, F1 and false positives by its own counts; how many features its design has."""
    precision, recall = HIT / (HIT + FALSE), HIT / (HIT + MISSED)
    f1 = 2 * precision * recall / (precision + recall)
    low, high = wilson(HIT, HIT + FALSE)
    features = len(FeatureSet.named("ratios294"))
    right: Verdict = "wrong there" if features == 294 else "differs"
    unknown = "its Prometheus data are not published"
    holds = f"arithmetic holds; 95 % interval {low:.2f} to {high:.2f}"
    own = "the README repeats the figures of the test set; its own configuration says otherwise"
    twice = f"{unknown}, and a notebook run twice made rolling statistics of rolling ones; the list is in no file"
    labels = f"{unknown}; the labels are a rule of the interquartile range over all rows, no synthetic anomalies"
    parts = "3 + 11 + 126 + 63 + 45 + 16 + 30"
    command = "watchband features FILE --set ratios294"
    return [
        measured("001", "precision", "0.714", precision, NONE, "", holds),
        measured("001", "recall", "0.556", recall, NONE, "", "of nine anomalies"),
        measured("001", "F1", "0.625", f1, NONE, "", "to flag everything gives 0.409; so few rows tell little apart"),
        measured("001", "false-positive rate", "0.077", FALSE / (FALSE + QUIET), NONE, "", "two of 26"),
        Figure("001", "validation P, R, FPR", ".714, .556, .077", ".600, .667, .160", "wrong there", "none", "", own),
        Figure("001", "features by design", "350+", str(features), right, "none", command, parts),
        Figure("001", "features selected", "104", "", "cannot be had", "", "", twice),
        Figure("001", "samples, anomalies", "230, 26 %", "", "cannot be had", "", "", labels),
        Figure("001", "time a sample", "0.14 ms", "", "cannot be had", "", "python -m benches features", "its machine"),
    ]
