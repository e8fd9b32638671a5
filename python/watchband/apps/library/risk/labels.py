"""``labels.csv``: every row with its state and why, written as it is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from watchband.analysis.risk.labeller import Labels
from watchband.analysis.risk.naming import Risk
from watchband.analysis.risk.rows import Rows
from watchband.analysis.risk.words import category, description, kinds_of, reason
from watchband.apps.library.risk.call import Risked

COLUMNS = (
    "timestamp", "entity", "state", "description", "category", "anomaly", "reason", "load", "excess", "probability",
)  # fmt: skip


def write_labels(risked: Risked, path: Path) -> dict[str, Any]:
    """Write all rows; the counts of states by entity.

    Parameters
    ----------
    path : Path
        A CSV file; it is replaced.

    Returns
    -------
    dict
        ``{"rows", "anomalies", "counts": {state: n}, "entities": {name: {state: n}}}``
    """
    import pyarrow as pa
    from pyarrow import csv

    seen = Seen(risked)
    schema: Any = None
    writer: Any = None
    try:
        for rows in risked.source.chunks():
            if not len(rows):
                continue
            labels = seen.take(rows)
            table = pa.table(_columns(risked, rows, labels))
            if writer is None:
                schema = table.schema
                writer = csv.CSVWriter(path, schema)
            writer.write_table(table)
    finally:
        if writer is not None:
            writer.close()
    if writer is None:
        path.write_text(",".join(COLUMNS) + "\n")
    return seen.document()


def count_labels(risked: Risked) -> dict[str, Any]:
    """The counts without a file."""
    seen = Seen(risked)
    for rows in risked.source.chunks():
        if len(rows):
            seen.take(rows)
    return seen.document()


class Seen:
    """Labels rows and counts them."""

    def __init__(self, risked: Risked) -> None:
        self.labeller, self.names = risked.labeller, risked.source.entities
        self.known = self.labeller.known(self.names)
        self.rows = np.zeros((len(self.names), len(Risk)), np.int64)
        self.anomalies = 0

    def take(self, rows: Rows) -> Labels:
        """Label a chunk."""
        labels = self.labeller.label(rows, self.known)
        np.add.at(self.rows, (rows.entity, labels.state.astype(np.int64) + 1), 1)
        self.anomalies += int((labels.anomaly > 0).sum())
        return labels

    def document(self) -> dict[str, Any]:
        """Counts of states, in all and by entity."""

        def named(counts: Any) -> dict[str, int]:
            return {risk.title: int(counts[risk + 1]) for risk in Risk if risk >= 0 or counts[risk + 1]}

        return {
            "rows": int(self.rows.sum()),
            "anomalies": self.anomalies,
            "counts": named(self.rows.sum(axis=0)),
            "entities": {name: named(self.rows[number]) for number, name in enumerate(self.names)},
        }


def _columns(risked: Risked, rows: Rows, labels: Labels) -> dict[str, Any]:
    import pyarrow as pa

    names = np.array(risked.source.entities, object)
    said = told(risked, rows, labels)
    return {
        "timestamp": pa.array(rows.times, pa.timestamp("ns", "UTC")).cast(pa.timestamp("s", "UTC"), safe=False),
        "entity": pa.array(names[rows.entity], pa.string()),
        **{
            name: pa.array(said[name], pa.string())
            for name in ("state", "description", "category", "anomaly", "reason")
        },
        "load": np.round(labels.load, 4),
        "excess": np.round(labels.excess, 3),
        "probability": np.round(labels.probability, 4),
    }


def told(risked: Risked, rows: Rows, labels: Labels) -> dict[str, np.ndarray]:
    """Words of every row; a category and a reason where it is Critical or an anomaly: object[n] each."""
    labeller = risked.labeller
    code = (labels.state.astype(np.int64) + 1) * 64 + labels.anomaly * 2 + labels.known
    words = {name: np.full(len(rows), "", object) for name in ("state", "description", "category", "anomaly", "reason")}
    for one in np.unique(code).tolist():
        here = code == one
        risk, anomaly, known = Risk(one // 64 - 1), one % 64 // 2, bool(one % 2)
        words["state"][here] = risk.title
        words["description"][here] = description(risk, "", anomaly, known)
        words["anomaly"][here] = "+".join(kinds_of(anomaly))
    far = np.flatnonzero((labels.state == Risk.CRITICAL) | (labels.anomaly > 0))
    if not len(far):
        return words
    known_rows = labeller.known(risked.source.entities)
    some = rows.take(far)
    deviations = labeller.deviations(some, known_rows)
    for place, at in enumerate(far.tolist()):
        entity, state = int(rows.entity[at]), Risk(int(labels.state[at]))
        feature = labeller.features[int(labels.leading[at])]
        what = category(feature)
        words["category"][at] = what
        usual = labeller.usual(int(known_rows[entity]), int(state))
        words["reason"][at] = reason(labeller, rows.values[at], deviations[place], usual)
        if state is Risk.CRITICAL:
            words["description"][at] = description(state, what, int(labels.anomaly[at]), bool(labels.known[at]))
    return words
