"""One candidate against the best of the others on the same series: differences with paired intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benches.quality.figures import VIEWS
from benches.quality.run import ONE_IN, Run
from benches.quality.units import better_vus, event_f1, units
from watchband.evaluation.metrics.bootstrap import Interval, Statistic, interval, paired


@dataclass(frozen=True, slots=True)
class Standing:
    """One figure of one view: the candidate, the best of the others, and the difference."""

    view: str
    figure: str
    value: float
    best: str
    best_value: float
    difference: Interval


def standings(runs: Mapping[str, Run], label: str) -> list[Standing]:
    """Every figure of every view against the best of the others that ran on the same series."""
    found = []
    for view in VIEWS:
        some = {name: [o for o in run.outcomes if o.view == view] for name, run in runs.items()}
        size = len(some[label])
        some = {name: outcomes for name, outcomes in some.items() if size and len(outcomes) == size}
        if len(some) < 2:
            continue
        figures: list[tuple[str, int, Statistic]] = [(f"F1 1/{b:,}", b, event_f1(view)) for b in ONE_IN]
        for figure, one_in, statistic in [*figures, ("VUS-PR", ONE_IN[0], better_vus)]:
            columns = {name: units(outcomes, one_in)[1] for name, outcomes in some.items()}
            values = {name: interval(of, statistic, draws=1).value for name, of in columns.items()}
            best = max((name for name in some if name != label), key=lambda name: values[name])
            apart = paired(columns[label], columns[best], statistic)
            found.append(Standing(view, figure, values[label], best, values[best], apart))
    return found
