"""A tuning as plain data: tables, decision, parts, trials."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from watchband.analysis.tuning.budget import Budgeted, Option
from watchband.analysis.tuning.material import Part, Parts
from watchband.analysis.tuning.result import Row, Tuned
from watchband.analysis.tuning.stratified import Leaked
from watchband.apps.library.moments import iso
from watchband.evaluation.metrics.bootstrap import Interval

if TYPE_CHECKING:
    from watchband.apps.library.tuning.tuning import Tuning

FORMAT = 1
"""Raised when a field changes its meaning or goes away."""


def tuning_document(tuning: Tuning) -> dict[str, Any]:
    """Everything that the table and the report show."""
    from watchband import __version__

    result = tuning.result
    return {
        "watchband": __version__,
        "format": FORMAT,
        "title": tuning.title,
        "kind": "budget" if isinstance(result, Budgeted) else "leak" if isinstance(result, Leaked) else "objective",
        "decision": tuning.decision,
        "sentences": tuning.sentences,
        "chosen": tuning.chosen.document(),
        "flags": tuning.flags,
        "configurations_tried": tuning.tried,
        "series": list(result.series),
        "weeks": {"validation": plain(result.weeks[0]), "test": plain(result.weeks[1])},
        "parts": parts_document(result.parts),
        "notes": [*tuning.notes, *result.notes],
        **_own(result),
    }


def _own(result: Tuned | Budgeted | Leaked) -> dict[str, Any]:
    if isinstance(result, Budgeted):
        return _budgeted(result)
    return leaked_rows(result) if isinstance(result, Leaked) else _tuned(result)


def leaked_rows(result: Leaked) -> dict[str, Any]:
    """Both ways to divide, and what the leak is worth."""
    return {
        "objective": "F1 of points",
        "leak": plain(result.leak),
        "rows": [
            {
                "label": side.label,
                "configuration": side.configuration.document(),
                "flags": side.configuration.flags,
                "validation": interval(side.validation),
                "test": interval(side.test),
            }
            for side in result.sides
        ],
    }


def _tuned(result: Tuned) -> dict[str, Any]:
    return {
        "objective": result.objective_text,
        "rule": result.rule,
        "injected": result.injected,
        "seed": result.seed,
        "events": {"validation": result.events[0], "test": result.events[1]},
        "gap": interval(result.gap),
        "rows": [_row(row) for row in result.rows],
        "seed_001": [
            {"asks": c.asks, "found": c.found, "holds": c.holds, "settled_by_interval": c.settled}
            for c in result.checks
        ],
        "curve": [{"trial": s.number, "validation": plain(s.validation), "test": plain(s.test)} for s in result.curve],
        "trials": [
            {
                "trial": a.number,
                "configuration": a.configuration.document(),
                "validation": plain(a.value),
                "pruned": a.pruned,
                "reason": a.reason,
            }
            for a in result.attempts
        ],
    }


def _row(row: Row) -> dict[str, Any]:
    return {
        "label": row.label,
        "role": row.role,
        "configuration": row.configuration.document(),
        "flags": row.configuration.flags,
        "validation": {name: interval(found) for name, found in row.validation.items()},
        "test": {name: interval(found) for name, found in row.test.items()},
        "against_default": None if row.against is None else interval(row.against),
    }


def _budgeted(result: Budgeted) -> dict[str, Any]:
    return {
        "asked_a_week_per_series": result.asked,
        "kept": result.kept,
        "met": result.met,
        "options": [_option(o) for o in result.options],
        "chosen_option": _option(result.chosen),
    }


def _option(option: Option) -> dict[str, Any]:
    return {
        "kind": option.kind,
        "flags": option.configuration.flags,
        "validation": interval(option.past),
        "test": interval(option.later),
        "alerts": {"validation": option.counts[0], "test": option.counts[1]},
    }


def interval(found: Interval) -> dict[str, float | None]:
    """A figure with its interval, null where there is none."""
    return {"value": plain(found.value), "low": plain(found.low), "high": plain(found.high)}


def parts_document(parts: list[Parts] | Any) -> list[dict[str, Any]]:
    """Each different cut once."""
    found = {(p.validation, p.test) for p in parts}
    ordered = sorted(found, key=lambda pair: pair[0].start)
    return [{"validation": _part(before), "test": _part(after)} for before, after in ordered]


def _part(part: Part) -> dict[str, str]:
    return {"from": iso(part.start), "to": iso(part.stop)}


def plain(value: float) -> float | None:
    """None for what is no number."""
    return float(value) if math.isfinite(value) else None
