"""Runs candidates and makes of the runs what the tables say: a document of plain numbers."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, TextIO

from benches.quality import compare, tables
from benches.quality.data import FAST, SOURCES
from benches.quality.figures import VIEWS, Figures, figures, marginals, nab_figures
from benches.quality.joined import Joined
from benches.quality.judge import Candidate
from benches.quality.ranks import FAMILIES, ranks
from benches.quality.run import ONE_IN, Run, evaluate_runs


def evaluate(
    candidates: Mapping[str, Candidate | Joined],
    only: Sequence[str] = tuple(SOURCES),
    *,
    fast: bool = False,
    replicas: int = 1,
    seed: int = 0,
    processes: int | None = None,
    against: str | None = None,
    out: TextIO | None = sys.stdout,
) -> dict[str, Any]:
    """Evaluate candidates side by side and print the tables.

    Parameters
    ----------
    candidates : mapping of str to Detector or callable
        By label; a callable maps ``(times, values)`` of one series to one raw score a point, causally.
    only : sequence of str
        Families: ``services``, ``simulated``, ``nab``.
    fast : bool
        Every third series only.
    replicas, seed : int
        Simulated series of each family, and what they are drawn from.
    processes : int, optional
        As many as there are cores by default.
    against : str, optional
        A label that is compared with the best of the others, figure by figure, on the same series.
    out : text stream, optional
        Where tables go; None prints nothing.

    Returns
    -------
    dict
        By label: views with event F1 by budget and so on, ``nab score`` by set of files and profile.
    """
    runs = evaluate_runs(candidates, only, fast=fast, replicas=replicas, seed=seed, processes=processes)
    found = {label: summary(run) for label, run in runs.items()}
    if out:
        out.write(tables.everything(document(runs, found, against)))
    return found


def summary(run: Run) -> dict[str, Any]:
    """Every figure of one candidate, by name."""
    views = {view: f for view in VIEWS if (f := figures(run, view))}
    answer: dict[str, Any] = {view: _plain(f) for view, f in views.items()}
    if "simulated" in views:
        answer["by metric"] = marginals(run, ONE_IN[1], 0)
        answer["by fault"] = marginals(run, ONE_IN[1], 1)
    if len(run.alert_scores) > 1:
        answer["nab score"] = nab_figures(run.alert_scores)
    answer["us a point"] = 1e6 * run.seconds / max(run.points, 1)
    return answer


def _plain(f: Figures) -> dict[str, Any]:
    return {
        "series": f.series,
        "f1": {b: tuple(f.f1[b]) for b in ONE_IN},
        "alerts a week": {b: tuple(f.alerts[b]) for b in ONE_IN},
        "delay": {b: tuple(f.delay[b]) for b in ONE_IN},
        "vus_pr": tuple(f.vus_pr),
        "vus_memory": tuple(f.vus_memory),
        "vus_roc": f.vus_roc,
    }


def document(runs: Mapping[str, Run], found: Mapping[str, Any], against: str | None) -> dict[str, Any]:
    """All that the tables need, as JSON has it: keys are text, numbers have four digits, no figure is null."""
    said: dict[str, Any] = {"candidates": found}
    if against in runs and len(runs) > 1:
        said["against"] = against
        said["standings"] = [asdict(s) for s in compare.standings(runs, against)]
        whole = {label: run for label, run in runs.items() if any(o.view in _RANKED for o in run.outcomes)}
        said["ranks"] = [asdict(r) for r in ranks(whole, against)]
        if any(o.place % FAST for o in runs[against].outcomes):
            said["sample"] = {
                "every third": [asdict(r) for r in ranks(_sample(whole, *FAMILIES), against)],
                "without services": [asdict(r) for r in ranks(_sample(whole, "simulated", "nab"), against)],
            }
    return rounded(said)


_RANKED = {view for views in FAMILIES.values() for view in views}


def _kept(run: Run, *families: str) -> list[Any]:
    return [o for o in run.outcomes if o.place % FAST == 0 and any(o.view in FAMILIES[f] for f in families)]


def _sample(runs: Mapping[str, Run], *families: str) -> dict[str, Run]:
    return {label: Run(label, _kept(run, *families)) for label, run in runs.items()}


def rounded(value: Any) -> Any:
    """The same for JSON."""
    if isinstance(value, Mapping):
        return {str(k): rounded(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(v) for v in value]
    if isinstance(value, float):
        return None if math.isnan(value) else float(f"{value:.4g}")
    return value
