"""Recorded expectations of the small form: they may only improve.

Compared are sums over one axis at a time, not single cells: a cell of three faults changes with every change of a
detector, a sum of thirty only where something really did.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from watchband.evaluation.robustness.cells import Cell, table
from watchband.evaluation.robustness.run import Outcome

MAPS = (("detector",), *(("detector", axis) for axis in ("kind", "fault", "frame", "noise", "missing")))
TOLERANCE = {"f1": 0.06, "f1_overall": 0.02, "false": 3.0, "false_share": 0.2}
"""A worsening beyond these fails: F1 by so much (over everything by less); alerts outside faults by so many and by
this share on top."""
Figures = dict[str, float | int | None]


@dataclass(frozen=True, slots=True)
class Worse:
    """A sum that worsened beyond the tolerance."""

    name: str
    figure: str
    recorded: float
    found: float

    def __str__(self) -> str:
        return f"{self.name}: {self.figure} was {self.recorded:g}, is {self.found:g}"


def figures(outcomes: Sequence[Outcome]) -> dict[str, Figures]:
    """The sums by name: events, F1 (None without events) and alerts outside faults."""
    return {_name(c): _figures(c) for by in MAPS for c in table(outcomes, by)}


def _name(cell: Cell) -> str:
    axes = [f"{axis}={name}" for axis, name in cell.key.items() if axis != "detector"]
    return " ".join([cell.key["detector"], *axes])


def _figures(cell: Cell) -> Figures:
    f1 = None if np.isnan(cell.f1.value) else round(cell.f1.value, 4)
    return {"events": cell.events, "f1": f1, "false": cell.counts[2]}


def worse(
    found: Mapping[str, Figures], recorded: Mapping[str, Figures], tolerance: Mapping[str, float] = TOLERANCE
) -> list[Worse]:
    """Where the found sums fall behind the recorded ones by more than the tolerance.

    Examples
    --------
    >>> old, new = ({"ewma": {"events": 30, "f1": f, "false": 4}} for f in (0.5, 0.4))
    >>> [str(w) for w in worse(new, old)], worse(old, new)
    (['ewma: f1 was 0.5, is 0.4'], [])
    """
    problems = []
    for name, was in recorded.items():
        now = found.get(name)
        if now is None or now["events"] != was["events"]:
            problems.append(Worse(name, "events", float(was["events"] or 0), float(now["events"] or 0) if now else 0.0))
            continue
        allowed = tolerance["f1_overall" if " " not in name else "f1"]
        before, after = was["f1"], now["f1"]
        if before is not None and (after is None or after < before - allowed):
            problems.append(Worse(name, "f1", before, float("nan") if after is None else after))
        false, more = float(was["false"] or 0), float(now["false"] or 0)
        if more > false * (1 + tolerance["false_share"]) + tolerance["false"]:
            problems.append(Worse(name, "false", false, more))
    return problems


def tightened(found: Mapping[str, Figures], recorded: Mapping[str, Figures]) -> dict[str, Figures]:
    """What to record: the better figure of each, so that a little is never given away again and again."""
    out = {}
    for name, now in found.items():
        was = recorded.get(name)
        if was is None or was["events"] != now["events"]:
            out[name] = dict(now)
            continue
        pairs = [f for f in (was["f1"], now["f1"]) if f is not None]
        false = min(int(was["false"] or 0), int(now["false"] or 0))
        out[name] = {"events": now["events"], "f1": max(pairs) if pairs else None, "false": false}
    return out


def to_document(sums: Mapping[str, Figures], accepted: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """What is written: the sums, and every worsening that was accepted with its reason."""
    return {"expected": {name: dict(figures) for name, figures in sums.items()}, "accepted": list(accepted)}
