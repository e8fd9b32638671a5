"""One candidate against the others on the same series: differences with paired intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from benches.quality.figures import VIEWS, family_columns, vus_columns
from benches.quality.run import ONE_IN, Outcome, Run, series_columns
from watchband.core.points import Float64
from watchband.evaluation.metrics.bootstrap import Interval, Statistic, f1, interval, paired, ratio

Columns = Callable[[list[Outcome]], Float64]


@dataclass(frozen=True, slots=True)
class Standing:
    """One figure of one view: the candidate, the best of the others, and the difference."""

    view: str
    figure: str
    value: float
    best: str
    best_value: float
    difference: Interval


def _figures(view: str) -> list[tuple[str, Columns, Statistic]]:
    found: list[tuple[str, Columns, Statistic]] = []
    for one_in in ONE_IN:
        name = f"F1 1/{one_in:,}"
        if view == "simulated":
            found.append((name, lambda some, b=one_in: family_columns(some, b), ratio(0, 1)))  # type: ignore[misc]
        else:
            found.append((name, lambda some, b=one_in: series_columns(some, b), f1))  # type: ignore[misc]
    return [*found, ("VUS-PR", vus_columns, ratio(0, 1))]


def standings(runs: Mapping[str, Run], label: str) -> list[Standing]:
    """Every figure of every view against the best of the others."""
    found = []
    for view in VIEWS:
        some = {name: [o for o in run.outcomes if o.view == view] for name, run in runs.items()}
        if not some[label] or len(runs) < 2:
            continue
        for figure, columns, statistic in _figures(view):
            values = {name: interval(columns(o), statistic, draws=1).value for name, o in some.items()}
            best = max((name for name in runs if name != label), key=lambda name: values[name])
            apart = paired(columns(some[label]), columns(some[best]), statistic)
            found.append(Standing(view, figure, values[label], best, values[best], apart))
    return found


def table(found: list[Standing], label: str) -> str:
    """Markdown of the standings."""
    text = f"\n**{label} against the best of the others**\n\n| view | figure | {label} | best other | | difference |\n"
    text += "|---" * 6 + "|\n"
    for s in found:
        apart = f"{s.difference.value:+.3f} ({s.difference.low:+.2f} to {s.difference.high:+.2f})"
        text += f"| {s.view} | {s.figure} | {s.value:.3f} | {s.best} | {s.best_value:.3f} | {apart} |\n"
    return text
