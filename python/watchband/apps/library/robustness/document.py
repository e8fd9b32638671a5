"""The matrix for machines: one JSON document, and every cell as a row of a CSV file."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from watchband import __version__
from watchband.apps.library.robustness.work import Job
from watchband.evaluation.robustness.cells import MAPS, Cell, every_cell, table, tells
from watchband.evaluation.robustness.run import Outcome

FIGURES = ("f1", "recall", "delay", "alerts_per_week", "promise")


def to_document(job: Job, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Everything: what was tried, tables by one or two axes, and every single cell."""
    return {
        "version": __version__,
        "matrix": {**job.fixed, "small": job.small, "cross": job.cross, "replicas": job.replicas},
        "only": {axis: list(names) for axis, names in job.only.items()},
        "series": len({o.setting for o in outcomes if o.points}),
        "without_fault": sorted({str(o.setting) for o in outcomes if not tells(o)}),
        "tables": {" x ".join(by): [c.as_json() for c in table(outcomes, by)] for by in MAPS},
        "cells": [c.as_json() for c in every_cell(outcomes)],
    }


def to_csv(cells: Sequence[Cell]) -> str:
    """Cells as a table, each figure with its interval in three columns."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    keys = list(cells[0].key) if cells else []
    writer.writerow(
        [*keys, "series", "events", "found", "missed", "false"]
        + [f"{name}{end}" for name in FIGURES for end in ("", "_low", "_high")]
    )
    for cell in cells:
        figures = [f"{v:.6g}" for name in FIGURES for v in getattr(cell, name)]
        writer.writerow([*cell.key.values(), cell.series, cell.events, *cell.counts, *figures])
    return out.getvalue()
