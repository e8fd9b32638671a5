"""From what the series contribute to figures: pooled, by family, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from benches.quality.data import numenta_files, numenta_rows, on_rows
from benches.quality.run import ONE_IN, Run
from benches.quality.units import CLEAN, DELAY, SIMULATED, VUS, VUS_MEMORY, VUS_ROC, alerts_a_week, event_f1, units
from watchband.core.points import Float64
from watchband.evaluation.metrics.bootstrap import Interval, interval
from watchband.evaluation.metrics.nab import PROFILES, NabFile, nab_score

VIEWS = (SIMULATED, "metric", "service max", "service top 3", "service joined", "nab")


@dataclass(frozen=True, slots=True)
class Figures:
    """What a table row says of one candidate in one view.

    Parameters
    ----------
    f1 : dict of int to Interval
        Event F1 by budget: mean over families where there are families, else of the pooled counts.
    alerts : dict of int to Interval
        Alerts outside events in a week of five minutes (2,016 points), by budget.
    delay : dict of int to Interval
        Points from the start of a found event to its alert.
    vus_pr, vus_memory : Interval
        Mean over series with events; of the score, and of the score with memory.
    """

    view: str
    series: int
    f1: dict[int, Interval]
    alerts: dict[int, Interval]
    delay: dict[int, Interval]
    vus_pr: Interval
    vus_memory: Interval
    vus_roc: float


def figures(run: Run, view: str, draws: int = 1000) -> Figures | None:
    """Figures of one view, None where nothing was run."""
    some = [o for o in run.outcomes if o.view == view]
    if not some:
        return None
    columns = {b: units(some, b)[1] for b in ONE_IN}
    first = columns[ONE_IN[0]]
    return Figures(
        view,
        len(some),
        {b: interval(columns[b], event_f1(view), draws=draws) for b in ONE_IN},
        {b: interval(columns[b], alerts_a_week, draws=draws) for b in ONE_IN},
        {b: interval(columns[b], DELAY, draws=draws) for b in ONE_IN},
        interval(first, VUS, draws=draws),
        interval(first, VUS_MEMORY, draws=draws),
        interval(first, VUS_ROC, draws=1).value,
    )


def marginals(run: Run, one_in: int, part: int) -> dict[str, float]:
    """Event F1 of the simulated families by kind of metric (part 0) or by kind of fault (part 1): mean of families."""
    names, columns = units((o for o in run.outcomes if o.view == SIMULATED), one_in)
    cells: dict[str, list[float]] = {}
    for name, value in zip(names, columns[:, 5], strict=True):
        if not name.endswith(CLEAN):
            cells.setdefault(name.split("/")[part], []).append(float(value))
    return {name: float(np.mean(found)) for name, found in cells.items()}


@cache
def _files() -> dict[str, NabFile]:
    return numenta_files()


@cache
def _times() -> dict[str, np.ndarray]:
    return {name: times for name, (times, _, _) in numenta_rows().items()}


def halves(names: Sequence[str]) -> dict[str, list[str]]:
    """The choosing half (even places of the sorted paths), the reporting half (odd places) and the whole."""
    ordered = sorted(names)
    return {"whole": ordered, "choosing": ordered[::2], "reporting": ordered[1::2]}


def official_rows(alert_scores: Mapping[str, Float64], names: Sequence[str]) -> tuple[list[NabFile], list[Float64]]:
    """Files as the benchmark sees them, and alert scores on their rows."""
    return [_files()[n] for n in names], [on_rows(_times()[n], alert_scores[n]) for n in names]


def nab_figures(alert_scores: Mapping[str, Float64]) -> dict[str, dict[str, float]]:
    """Official scores by set of files and profile; ``carried``: reporting half at the choosing half's threshold."""
    found: dict[str, dict[str, float]] = {}
    carried: dict[str, float] = {}
    for half, names in halves(list(alert_scores)).items():
        files, scores = official_rows(alert_scores, names)
        found[half] = {}
        for profile in PROFILES:
            best = nab_score(files, scores, profile)
            found[half][profile.name] = best.score
            if half == "choosing":
                carried[profile.name] = best.threshold
            if half == "reporting":
                at = nab_score(files, scores, profile, carried[profile.name])
                found.setdefault("carried", {})[profile.name] = at.score
    return found
