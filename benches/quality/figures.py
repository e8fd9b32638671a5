"""From what the series contribute to figures: pooled, by family, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from benches.quality.data import numenta_files, numenta_rows, on_rows
from benches.quality.run import ONE_IN, Outcome, Run, series_columns
from watchband.core.points import Float64
from watchband.evaluation.metrics.bootstrap import Interval, f1, interval, ratio
from watchband.evaluation.metrics.events import EventCounts
from watchband.evaluation.metrics.nab import PROFILES, NabFile, nab_score

VIEWS = ("simulated", "metric", "service max", "service top 3", "nab")


@dataclass(frozen=True, slots=True)
class Figures:
    """What a table row says of one candidate in one view.

    Parameters
    ----------
    f1 : dict of int to Interval
        Event F1 by budget: mean over families where there are families, else of the pooled counts.
    alerts : dict of int to float
        Alerts outside events, over those the budget promises, by budget.
    delay : float
        Points from the start of a found event to its alert, at the smaller budget.
    vus_pr : Interval
        Mean over series with events.
    """

    view: str
    series: int
    f1: dict[int, Interval]
    alerts: dict[int, float]
    delay: dict[int, float]
    vus_pr: Interval
    vus_roc: float


def figures(run: Run, view: str, draws: int = 1000) -> Figures | None:
    """Figures of one view, None where nothing was run."""
    some = [o for o in run.outcomes if o.view == view]
    if not some:
        return None
    pooled = {b: sum((o.counts[b] for o in some), EventCounts()) for b in ONE_IN}
    return Figures(
        view,
        len(some),
        {b: _by_family(some, b, draws) if view == "simulated" else _pooled(some, b, draws) for b in ONE_IN},
        {b: pooled[b].false * b / max(pooled[b].points, 1) for b in ONE_IN},
        {b: pooled[b].mean_delay for b in ONE_IN},
        interval(vus_columns(some), ratio(0, 1), draws=draws),
        float(np.nanmean([o.vus_roc for o in some])) if any(not np.isnan(o.vus_roc) for o in some) else np.nan,
    )


def vus_columns(outcomes: list[Outcome]) -> Float64:
    """float64[series, 2]: VUS-PR and 1 where there is one, else zeros."""
    volume = np.array([o.vus_pr for o in outcomes])
    return np.stack([np.nan_to_num(volume), ~np.isnan(volume)], axis=1).astype(float)


def _pooled(outcomes: list[Outcome], one_in: int, draws: int) -> Interval:
    return interval(series_columns(outcomes, one_in), f1, draws=draws)


def family_columns(outcomes: list[Outcome], one_in: int) -> Float64:
    """float64[families, 2]: event F1 of each family with faults, and 1; the same families in the same order."""
    families: dict[str, EventCounts] = {}
    for o in outcomes:
        families[o.name] = families.get(o.name, EventCounts()) + o.counts[one_in]
    faulty = {name: c for name, c in sorted(families.items()) if not name.endswith("/none")}
    return np.array([(0.0 if np.isnan(c.f1) else c.f1, 1.0) for c in faulty.values()]).reshape(-1, 2)


def _by_family(outcomes: list[Outcome], one_in: int, draws: int) -> Interval:
    return interval(family_columns(outcomes, one_in), ratio(0, 1), draws=draws)


def marginals(run: Run, one_in: int, part: int) -> dict[str, float]:
    """Event F1 of the simulated families by kind of metric (part 0) or by kind of fault (part 1): mean of families."""
    some = [o for o in run.outcomes if o.view == "simulated"]
    cells: dict[str, list[float]] = {}
    names = sorted({o.name for o in some if not o.name.endswith("/none")})
    for name, (figure, _) in zip(names, family_columns(some, one_in), strict=True):
        cells.setdefault(name.split("/")[part], []).append(float(figure))
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


def nab_figures(alert_scores: Mapping[str, Float64]) -> dict[str, dict[str, float]]:
    """Official scores by set of files and profile; ``carried``: reporting half at the choosing half's threshold."""
    found: dict[str, dict[str, float]] = {}
    carried: dict[str, float] = {}
    rows = {name: on_rows(_times()[name], s) for name, s in alert_scores.items()}
    for half, names in halves(list(alert_scores)).items():
        files, scores = [_files()[n] for n in names], [rows[n] for n in names]
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
