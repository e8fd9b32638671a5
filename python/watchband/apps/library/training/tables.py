"""The tables of a training as CSV: every trial, the finalists, what went wrong."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from watchband.analysis.training.mistakes import Mistake
from watchband.analysis.training.outcome import FIGURES, Finalist, Trained
from watchband.apps.library.moments import iso
from watchband.evaluation.metrics.bootstrap import Interval

MISTAKE = ("kind", "series", "start", "end", "fault", "value", "anomaly_score")


def model_results(trained: Trained) -> str:
    """Every trial: ``model_results.csv``."""
    rows = []
    for attempt in trained.attempts:
        said = attempt.configuration
        rows.append(
            {
                "trial": attempt.number,
                "detector": said.detector,
                "parameters": json.dumps(dict(said.parameters), sort_keys=True),
                "rule": said.rule,
                "policy": json.dumps(dict(said.policy), sort_keys=True),
                "validation": number(attempt.value),
                "pruned": int(attempt.pruned),
                "reason": attempt.reason,
            }
        )
    return written(rows)


def final_model_selection(trained: Trained) -> str:
    """Finalists and baselines with their figures on both parts: ``final_model_selection.csv``."""
    return written([_finalist(rank, row, trained) for rank, row in enumerate(trained.rows, 1)])


def _finalist(rank: int, row: Finalist, trained: Trained) -> dict[str, Any]:
    cells: dict[str, Any] = {
        "rank": rank,
        "model": row.label,
        "role": row.role,
        "selected": int(row.role == "champion"),
        "configuration": row.configuration.flags,
    }
    for part, figures in (("validation", row.validation), ("test", row.test)):
        for name in FIGURES:
            cells |= _interval(f"{part}_{name}", figures[name])
    for part, counts in zip(("validation", "test"), row.confusion, strict=True):
        cells |= {f"{part}_{name}": getattr(counts, name) for name in ("tn", "fp", "fn", "tp")}
    cells |= _interval("gap", row.gap)
    nothing = Interval(math.nan, math.nan, math.nan)
    cells |= _interval("champion_minus_this_on_test", trained.against.get(row.label, nothing))
    return cells | {"state_bytes": row.bytes}


def mistakes_table(mistakes: Sequence[Mistake]) -> str:
    """False negatives, then false positives, of the champion on the test part: ``mistakes.csv``."""
    return written([mistake_row(one) for one in mistakes], empty=MISTAKE)


def mistake_row(one: Mistake) -> dict[str, Any]:
    """One as plain data."""
    return {
        "kind": "false_negative" if one.kind == "missed" else "false_positive",
        "series": one.series,
        "start": iso(one.start),
        "end": iso(one.end),
        "fault": one.fault,
        "value": number(one.value),
        "anomaly_score": number(one.anomaly_score),
    }


def _interval(name: str, found: Interval) -> dict[str, Any]:
    return {name: number(found.value), f"{name}_low": number(found.low), f"{name}_high": number(found.high)}


def number(value: float) -> float | None:
    """None for what is no number."""
    return float(value) if math.isfinite(value) else None


def written(rows: Iterable[Mapping[str, Any]], *, empty: Sequence[str] = ()) -> str:
    """Rows as CSV, None as an empty cell."""
    listed = list(rows)
    out = io.StringIO()
    table = csv.DictWriter(out, list(listed[0]) if listed else empty, lineterminator="\n")
    table.writeheader()
    table.writerows(listed)
    return out.getvalue()
